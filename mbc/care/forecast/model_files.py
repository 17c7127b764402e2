"""Expected courses that came from elsewhere: a folder with a model file for each scale, KEY.SCALE.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mbc.errors import ModelError, SettingsError
from mbc.instruments import instrument
from mbc.models import ExpectedCourse

Models = Mapping[tuple[str, str], ExpectedCourse]
TIME_UNIT = "weeks"  # in which a client's scores are handed to a model


def read_models(folder: Path | None) -> Models:
    """Read every model file of a folder and check it against its questionnaire.

    Parameters
    ----------
    folder : Path or None
        Its files are named after what they forecast, such as ``csi16.total.json``. None: no models.

    Raises
    ------
    SettingsError
        If there is no such folder, or it holds no model.
    ModelError
        If a file is damaged, or is for another scale, direction or unit of time than its name says.
    UnknownInstrument, DefinitionError
        If a name is of no questionnaire or scale.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise SettingsError(f"There is no model folder {folder}. 'mbc validate --save-model' creates one.")
    models = {_named(path): _read(path) for path in sorted(folder.glob("*.json"))}
    if not models:
        raise SettingsError(
            f"{folder} contains no model file; the names are KEY.SCALE.json, such as csi16.total.json."
        )
    return models


def _named(path: Path) -> tuple[str, str]:
    key, _, scale = path.stem.partition(".")
    questionnaire = instrument(key)
    return key, questionnaire.scale(scale or None).key


def _read(path: Path) -> ExpectedCourse:
    key, scale_key = _named(path)
    scale = instrument(key).scale(scale_key)
    course = ExpectedCourse.load(path)
    card = course.card
    wrong = {
        "range": (card.score_range, (float(scale.range[0]), float(scale.range[1]))),
        "better end": (card.higher_is_better, scale.higher_is_better),
        "unit of time": (card.time_unit, TIME_UNIT),
    }
    for what, (has, needs) in wrong.items():
        if has != needs:
            raise ModelError(f"{path.name} is not a model of {key}.{scale_key}: its {what} is {has}, not {needs}.")
    return course
