"""How the questionnaires of a clinic read: a wide table per instrument, a row per administration."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from mbc.instruments import Instrument, instrument
from mbc.simulate.drawn_clinic import Drawn
from mbc.simulate.people.people import ATTACHMENT_FORMS, SATISFACTION_FORMS
from mbc.simulate.people.population import ALLIANCE, NAMES, READINGS
from mbc.simulate.questionnaires.alliance import asked, draw_alliance
from mbc.simulate.questionnaires.item_answers import Occasions, draw_answers, draw_blanks, write_as
from mbc.simulate.storied_clients import CAREFUL, OWN_READING, cast_answers
from mbc.simulate.streams import Bools, Floats, Ints, Stream
from mbc.simulate.tables.life_tables import relationship_ids
from mbc.simulate.tables.record_tables import days, ids, session_numbers

INSTRUMENTS: Final = ("rses", *SATISFACTION_FORMS, "ras", *ATTACHMENT_FORMS, "phq9", "gad7", "who5")
# Some practices print another order or number the answers otherwise: clinician, instrument -> form, coding.
PRACTICES: Final = {
    (2, "rses"): ("b", "1-4"),
    (4, "ecr_r"): ("interleaved", None),
    (5, "gad7"): (None, "1-4"),
    (1, "csi32"): (None, "endorsement"),
}
AT_HOME: Final = 0.12  # share of questionnaires filled in at home, the day before the session


def administrations(drawn: Drawn, *, alliance: bool = False) -> dict[str, pl.DataFrame]:
    """Wide tables by instrument, in the layout that the importer reads; a blank item is null."""
    state, current = drawn.state, drawn.current
    tables: dict[str, pl.DataFrame] = {}
    for key in INSTRUMENTS:
        client, week = np.nonzero(drawn.due.instrument(key, drawn.people))
        trait = {
            reading.construct: state[client, NAMES.index(reading.construct), week]
            for reading in READINGS
            if reading.instrument == key
        }
        tables[key] = _table(drawn, instrument(key), (client, week), trait, current)
    if alliance:
        client, week = np.nonzero(asked(drawn.attendance))
        trait = {ALLIANCE.construct: draw_alliance(drawn.seed, drawn.attendance)[client, week]}
        tables[ALLIANCE.instrument] = _table(
            drawn, instrument(ALLIANCE.instrument), (client, week), trait, current
        )
    return tables


def _table(
    drawn: Drawn, definition: Instrument, occasions_at: tuple[Ints, Ints], trait: dict[str, Floats], current: Ints
) -> pl.DataFrame:
    key, (client, week) = definition.key, occasions_at
    storied = client < len(drawn.stories)
    occasions = Occasions(client, trait, np.where(storied, CAREFUL, 1.0), np.where(storied, OWN_READING, 1.0))
    answers = draw_answers(drawn.seed, definition, occasions, len(drawn.people))
    answers = cast_answers(answers, key, client, drawn.stories)
    blank = draw_blanks(drawn.seed, definition, drawn.people.careless[client]) & ~storied[:, None]
    form, coding, written = _as_practised(definition, drawn.people.clinician[client], answers)
    written[blank] = np.nan
    about = ids(drawn, client)
    if definition.applicability.needs_relationship:
        about = relationship_ids(drawn, client, current[client, week])
    keys = pl.DataFrame(
        {
            "client_id": ids(drawn, client),
            "taken_on": days(drawn.start, _day(drawn, key, client, week, storied)),
            "session_number": session_numbers(drawn.attendance)[client, week],
            "target": about
            if definition.applicability.needs_relationship
            else pl.repeat("self", client.size, eager=True),
            "informant": pl.repeat("client", client.size, eager=True),
            "form": form,
            "coding": coding,
        }
    )
    items = pl.DataFrame(written, schema=list(definition.item_columns())).fill_nan(None).cast(pl.Int64)
    return keys.hstack(items)


def _as_practised(definition: Instrument, clinician: Ints, answers: Floats) -> tuple[pl.Series, pl.Series, Floats]:
    """Each clinician's own form and coding, and the answers as they stand on that paper."""
    form = np.full(clinician.size, definition.form().key, dtype=object)
    coding = np.full(clinician.size, definition.coding().key, dtype=object)
    written = answers.copy()
    for (who, key), (own_form, own_coding) in PRACTICES.items():
        rows = clinician == who
        if key == definition.key and rows.any():
            printed, numbered = definition.form(own_form), definition.coding(own_coding)
            written[rows] = write_as(definition, answers[rows], printed.key, numbered.key)
            form[rows], coding[rows] = printed.key, numbered.key
    return pl.Series(form, dtype=pl.String), pl.Series(coding, dtype=pl.String), written


def _day(drawn: Drawn, key: str, client: Ints, week: Ints, storied: Bools) -> Ints:
    """Day of the session; the day before for those filled in at home, never before the first session."""
    at_home = Stream(drawn.seed, "at home", key).chance(AT_HOME, client.size)
    at_home &= ~storied & (week > drawn.people.started[client])
    return drawn.attendance.day[client, week] - at_home
