"""A de-identified cohort for a researcher: made and logged on the server, without the re-identification key."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.components.forms import choice, form, notice, panel, text_field
from dashboards.pages.cohort.forms import DOWNLOAD, LEAST, PATH, answer_download
from dashboards.routes import Page, PageRequest

_PROFILES = (
    ("coarse", "coarse: at least five people look alike; a few scores of each"),
    ("safe-harbor", "safe-harbor: weeks and bands; some people can be recognised"),
    ("days", "days: everything by the day; most people can be recognised"),
)


def layout(request: PageRequest) -> list[Component]:
    """Lay out what a cohort is, and the form that makes one."""
    fields = [
        choice("Detail", "profile", _PROFILES, place="cohort"),
        text_field(
            "Smallest number of people in a category", "k", place="cohort", value=str(LEAST), longest=2,
            hint="Therapists, endings, kinds of event and modalities of fewer people become 'other'",
        ),
    ]  # fmt: skip
    return [
        html.H1("De-identified cohort"),
        html.P(
            "Everybody on record under a random study id that is new in each download, with the time since first "
            "contact instead of dates. No names, no identifiers of the clinic, no free text, no safety data, and "
            "no key. How easily people can still be recognised is measured and written into the download.",
            className="lead",
        ),
        *notice(request.note),
        panel(
            "Download",
            "download",
            form(DOWNLOAD, request.token, fields, "Make and download"),
            html.P(
                "A zip file of CSV tables with a codebook and risk.json; in Python mbc.care.cohort reads it. Each "
                "download is recorded in the audit log with your name. You are responsible for the file "
                "and for using it within your ethics approval.",
                className="quiet-words",
            ),
        ),
    ]


PAGE = Page(
    name="cohort",
    pattern=PATH,
    path=PATH,
    label="Cohort",
    may_open=lambda user: user.has_permission("cohort:read"),
    layout=layout,
    forms={DOWNLOAD: answer_download},
)
