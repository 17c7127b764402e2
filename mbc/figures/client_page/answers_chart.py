"""Every answer to one questionnaire as a heat strip: a row per item, a column per occasion, blanks left open."""

from __future__ import annotations

from collections.abc import Sequence

from mbc.care.client.moved_items import ItemStrip
from mbc.figures.client_page.colours import LIGHT
from mbc.figures.client_page.sheet import Chart, frame
from mbc.figures.text import plain, short_day

_ROW, _FRAME = 22, 60  # pixels


def answers_chart(strips: Sequence[ItemStrip]) -> Chart:
    """Draw the answers of one questionnaire.

    Parameters
    ----------
    strips : sequence of ItemStrip
        Of one questionnaire: all have the same occasions.

    Returns
    -------
    dict
        A plotly figure as plain data: darker is a higher answer, an open cell is a blank.
    """
    rows = list(reversed(strips))
    days = [f"{short_day(day)} {day:%Y}" for day in strips[0].days] if strips else []
    heat = {
        "type": "heatmap",
        "x": list(range(len(days))),
        "y": list(range(len(rows))),
        "z": [
            [None if answer is None else round(strip.level(answer), 3) for answer in strip.answers]
            for strip in rows
        ],
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, LIGHT.lowest], [1, LIGHT.highest]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        "hovertext": [
            [
                "" if answer is None else f"{plain(strip.label)}: {answer:g}, {day}"
                for answer, day in zip(strip.answers, days, strict=True)
            ]
            for strip in rows
        ],
        "hoverinfo": "text",
        "text": [["" if answer is None else f"{answer:g}" for answer in strip.answers] for strip in rows],
        "texttemplate": "%{text}" if len(days) <= 40 else "",
        "textfont": {"size": 10, "color": LIGHT.ink},
        "meta": {"role": "answers"},
    }
    step = max(len(days) // 8, 1)
    places = list(range(0, len(days), step))
    layout = frame(
        height=_FRAME + _ROW * max(len(rows), 1),
        margin={"l": 190, "r": 8, "t": 6, "b": 44},
        size=11,
        meta={"fixed": True},
        xaxis={
            "tickvals": places,
            "ticktext": [days[i] for i in places],
            "showgrid": False,
            "fixedrange": True,
            "zeroline": False,
            "tickangle": 0,
        },
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": [plain(strip.label) for strip in rows],
            "showgrid": False,
            "fixedrange": True,
            "zeroline": False,
        },
    )
    return {"data": [heat], "layout": layout}
