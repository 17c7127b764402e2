"""Export what one user may see: written completely or not at all, and recorded in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from mbc.errors import AccessDenied, SettingsError
from mbc.exchange.export import tabular
from mbc.exchange.export.codebook import Variable, codebook
from mbc.exchange.export.collect import Progress, Selection, collect
from mbc.exchange.fhir.bundle import write_fhir
from mbc.exchange.files.file_digest import digests
from mbc.exchange.files.manifest import Manifest
from mbc.exchange.files.messages import quote
from mbc.exchange.files.output import MANIFEST, check_target, new_file, new_folder
from mbc.exchange.redcap.record_forms import write_redcap
from mbc.instruments import instrument
from mbc.store import Store

Format = Literal["csv", "excel", "parquet", "spss", "fhir", "redcap", "bids"]
FORMATS: tuple[Format, ...] = get_args(Format)
_FILES = frozenset({"excel", "fhir"})


def _write_fhir(path: Path, tables: tabular.Tables, _: Sequence[Variable]) -> None:
    write_fhir(path, tables)


def _write_redcap(folder: Path, tables: tabular.Tables, variables: Sequence[Variable]) -> None:
    write_redcap(folder, tables, {(variable.table, variable.name): variable for variable in variables})


_WRITERS: dict[str, Callable[[Path, tabular.Tables, Sequence[Variable]], None]] = {
    "csv": tabular.write_csv,
    "excel": tabular.write_excel,
    "parquet": tabular.write_parquet,
    "spss": tabular.write_spss,
    "bids": tabular.write_bids,
    "fhir": _write_fhir,
    "redcap": _write_redcap,
}


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote."""

    path: Path
    format: Format
    rows: dict[str, int]
    """Table -> rows."""
    withheld: tuple[str, ...]
    """Questionnaires whose answers are left out: one of their items concerns safety, or may."""
    undefined: tuple[str, ...] = ()
    """Questionnaires whose definition was not found: they have no scores."""


def export_record(  # noqa: PLR0913 - one keyword for each thing that a user may ask for
    store: Store,
    path: str | Path,
    *,
    format: Format = "csv",  # noqa: A002 - the word that users write
    clients: Iterable[str] = (),
    instruments: Iterable[str] = (),
    answers: bool = True,
    scores: bool = True,
    include_safety: bool = False,
    include_demographics: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write the record, as far as this view of it reaches, with a codebook.

    Parameters
    ----------
    store : Store
        The record, or one user's part of it (``store.as_user``).
    path : str or Path
        A folder; a file for Excel and FHIR.
    format : {"csv", "excel", "parquet", "spss", "fhir", "redcap", "bids"}
        All but the scores can be brought in again by ``import_record``.
    clients, instruments : iterable of str
        Only these; default: all.
    answers, scores : bool
        What the export holds: the record with its answers, the scores, or both.
    include_safety : bool
        Also safety screens, and answers to questionnaires with a risk item; needs the permission ``safety:read``.
    include_demographics : bool
        Also demographics, a table of its own; needs the permission ``demographics:read``.
    force : bool
        Replace an existing export.
    progress : callable, optional
        Called with what is being read.

    Raises
    ------
    AccessDenied
        When this user may not read persons, or not the safety channel; or has only emergency access (break-glass).
    NotInRecord
        When a client does not exist for this user.
    UnknownInstrument
        When there is no such questionnaire.
    SettingsError
        When the place is taken or cannot be written, or nothing would be written.
    """
    if format not in FORMATS:
        raise SettingsError(f"format is '{quote(format)}'; accepted are {', '.join(FORMATS)}.")
    if include_safety and not store.has_permission("safety:read"):
        store.audit.record("refused", asked="export", fault="AccessDenied", safety={"asked": True})
        raise AccessDenied(
            "Safety data are exported only with the permission 'safety:read'. Leave --include-safety out."
        )
    if include_demographics and not store.has_permission("demographics:read"):
        store.audit.record("refused", asked="export", fault="AccessDenied")
        raise AccessDenied(
            "Demographics are exported only with the permission 'demographics:read'. "
            "Leave --include-demographics out."
        )
    if store.open_until is not None:
        store.audit.record("refused", asked="export", fault="AccessDenied")
        raise AccessDenied(
            "Emergency access (break-glass) is for reading only: an exported file would outlast it."
        )
    selection = Selection(
        clients=tuple(dict.fromkeys(clients)),
        instruments=tuple(instrument(key).key for key in dict.fromkeys(instruments)),
        answers=answers,
        scores=scores,
        safety=include_safety,
        demographics=include_demographics,
    )
    path = Path(path)
    single = format in _FILES
    check_target(path, folder=not single, force=force)
    collected = collect(store, selection, progress)
    if not collected.tables:
        raise SettingsError("There is nothing to export: no data match the options.")
    rows = {name: table.height for name, table in collected.tables.items()}
    variables = codebook(collected.tables)
    with (new_file if single else new_folder)(path, force=force) as place:
        _WRITERS[format](place, collected.tables, variables)
        if not single:
            manifest = Manifest(
                format=format,
                written_at=datetime.now(UTC).isoformat(timespec="seconds"),
                rows=rows,
                include_safety=include_safety,
                sha256=digests(place),
            )
            text = manifest.model_dump_json(indent=2, exclude_defaults=True)
            (place / MANIFEST).write_text(f"{text}\n", encoding="utf-8")
        _log_export(store, path, format, selection, rows)
    return ExportReport(path, format, rows, collected.withheld, collected.undefined)


def _log_export(store: Store, path: Path, kind: str, selection: Selection, rows: Mapping[str, int]) -> None:
    """Log the export before its files are in place.

    Details about the safety channel are under ``safety``, which only some users of the log may read.
    """
    hidden = [key for key in selection.instruments if instrument(key).safety_channel]
    details = {"safety": {"instruments": hidden, "rows": dict(rows)}} if selection.safety else {"rows": dict(rows)}
    store.audit.record(
        "export",
        subject=selection.clients[0] if len(selection.clients) == 1 else None,
        file=path.name,
        format=kind,
        instruments=[key for key in selection.instruments if key not in hidden],
        clients=len(selection.clients) or "all",
        answers=selection.answers,
        scores=selection.scores,
        **details,
    )
