"""Detect the format of a file from its first bytes and its header, never from its name alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mbc.errors import ImportRefused, SettingsError
from mbc.exchange.fhir import read_fhir
from mbc.exchange.files import parquet, spss
from mbc.exchange.files.delimited import looks_like_json, read_text_table
from mbc.exchange.files.excel import read_sheet
from mbc.exchange.files.file_digest import digest
from mbc.exchange.files.gzip_file import unpacked
from mbc.exchange.files.messages import quote
from mbc.exchange.files.text_table import TextTable
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.header.study_days import with_study_days
from mbc.exchange.header.survey_tools import as_survey_export
from mbc.exchange.redcap import from_eav, is_eav, is_redcap, read_dictionary, read_redcap

_GZIP = b"\x1f\x8b"
_ARCHIVE = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
MOST_BYTES = 1 << 30


def open_table(path: str | Path, options: ImportOptions) -> TextTable:
    """Read a file as a table of answers, whatever its format.

    Parameters
    ----------
    path : str or Path
        CSV or other delimited text, Excel, SPSS, Parquet, a REDCap export, FHIR JSON; any of them packed by gzip.
    options : ImportOptions
        ``sheet``, ``separator``, ``dictionary`` and ``questionnaire`` apply to single formats.

    Raises
    ------
    ImportRefused
        When the file cannot be read as a table.
    SettingsError
        When an option does not fit the format, or its library is not installed.
    """
    path = Path(path)
    start = first_bytes(path)
    kind = kind_of(start)
    if kind == "gzip":
        with unpacked(path) as inner:
            table = open_table(inner, options)
        return replace(table, name=path.name, sha256=digest(path))
    _check_options(kind, path, options)
    match kind:
        case "excel":
            table = read_sheet(path, sheet=options.sheet)
        case "spss":
            table = spss.read_spss(path, encoding=options.encoding)
        case "parquet":
            table = parquet.read_parquet(path)
        case "fhir":
            return read_fhir(path, options)
        case _:
            table = read_text_table(path, separator=options.separator, encoding=options.encoding)
    table = with_study_days(as_survey_export(table, options), options)
    per_value = is_eav(table)
    if options.dictionary is None and not per_value and not is_redcap(table):
        return table
    dictionary = None if options.dictionary is None else read_dictionary(options.dictionary)
    if per_value:
        table = from_eav(table, dictionary)
    return read_redcap(table, dictionary, options)


def first_bytes(path: Path) -> bytes:
    """Read the beginning of a file; refuse what is not a file, or far too large."""
    if path.is_dir():
        raise ImportRefused(f"'{quote(path)}' is a folder, not a file.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ImportRefused(
                f"'{quote(path.name)}' has more than {MOST_BYTES >> 20} MB. Import it in parts, or as Parquet."
            )
        with path.open("rb") as file:
            return file.read(4096)
    except OSError as fault:
        raise ImportRefused(f"'{quote(path, longest=200)}' cannot be read: {fault.strerror}.") from fault


def kind_of(start: bytes) -> str:
    """Name the format that a file's first bytes are those of.

    Examples
    --------
    >>> kind_of(b"PK..."), kind_of(b"client,date"), kind_of(b'{"resourceType": "Bundle"}')
    ('text', 'text', 'fhir')
    """
    if start.startswith(_GZIP):
        return "gzip"
    if start.startswith(_ARCHIVE):
        return "excel"
    if start.startswith(spss.MARKS):
        return "spss"
    if start.startswith(parquet.MARK):
        return "parquet"
    if looks_like_json(start):
        return "fhir"
    return "old office" if start.startswith(_OLD_OFFICE) else "text"


def _check_options(kind: str, path: Path, options: ImportOptions) -> None:
    if kind == "old office":
        raise ImportRefused(
            f"'{quote(path.name)}' is an old Excel workbook (.xls), or one protected by a password. Save it as "
            ".xlsx, without a password, then import the new file."
        )
    if options.sheet is not None and kind != "excel":
        raise SettingsError(f"'{quote(path.name)}' is not a workbook, so --sheet does not apply.")
    if options.encoding is not None and kind not in {"spss", "text"}:
        raise SettingsError(f"'{quote(path.name)}' is not SPSS or text, so --encoding does not apply.")
    if options.questionnaire is not None and kind != "fhir":
        raise SettingsError(f"'{quote(path.name)}' is not FHIR JSON, so --questionnaire does not apply.")
    if options.start_date is not None and kind == "fhir":
        raise SettingsError(f"'{quote(path.name)}' is FHIR JSON, which is dated, so --start-date does not apply.")
    if options.dictionary is not None and kind == "fhir":
        raise SettingsError(f"'{quote(path.name)}' is FHIR JSON, so --dictionary does not apply.")
