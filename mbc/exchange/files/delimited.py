"""What is in a delimited text file: its header and its cells, as text, each with its row number."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from pathlib import Path

import polars as pl

from mbc.errors import EmptyTable, ImportRefused
from mbc.exchange.files.messages import count_noun, name_rows, quote
from mbc.exchange.files.text_table import (
    MOST_CELLS,
    TextTable,
    numbered,
    too_many_cells,
    unique_names,
    without_unnamed,
)

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

_NOT_TEXT: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "an Excel or OpenDocument workbook. Save it as 'CSV UTF-8', then import the new file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls). Save it as 'CSV UTF-8', then import the new file"),
    (b"%PDF", "a PDF document. Import the table it was printed from"),
    (b"$FL2", "an SPSS data file. Save it as CSV, then import the new file"),
    (b"PAR1", "a Parquet file. Save it as CSV, then import the new file"),
    (b"SQLite format 3", "an SQLite database, not a table of answers"),
)
_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*(\{\s*[\"}]|\[\s*[\[{\"])")
_OTHER_TEXT: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (_JSON, "JSON"),
    (re.compile(rb"(\xef\xbb\xbf)?\s*<(\?xml|!doctype|html)", re.IGNORECASE), "XML or HTML"),
)
_BYTE_ORDER_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_ROWS = 40
_LONGEST_LINE = 16 << 20  # characters


def read_text_table(
    path: str | Path, *, separator: str | None = None, strip: bool = True, encoding: str | None = None
) -> TextTable:
    """Read a CSV, TSV or other delimited text file whatever its encoding, separator or line ends.

    Parameters
    ----------
    path : str or Path
        The file.
    separator : str, optional
        One of ``,`` ``;`` tab ``|``; recognised from the first rows when not given.
    strip : bool
        Take white space off the ends of cells.
    encoding : str, optional
        Recognised when not given.

    Raises
    ------
    ImportRefused
        When the file is missing, empty, no text, has no rows, or has rows that do not fit its header.
    """
    path = Path(path)
    raw = _bytes(path)
    refuse_what_is_no_text(raw, path)
    text, encoding, notes = _decoded(raw, path, encoding)
    separator = separator or separator_of(text, path)
    header, body, first_row = header_of(text, separator, path)
    names, repeated = unique_names(header)
    rows = body.count("\n") + 1
    if rows * len(names) > MOST_CELLS:  # rows that end early take as much room as full ones
        raise ImportRefused(too_many_cells(path, rows, len(names), most=MOST_CELLS))
    cells = cells_of(body, names, separator, first_row, path)
    names, frame = without_unnamed(header, names, numbered(cells, names, first_row=first_row, strip=strip))
    if frame.is_empty():
        raise EmptyTable(f"'{quote(path.name)}' has a header but no rows: there is nothing to import.")
    return TextTable(
        name=path.name,
        sha256=hashlib.sha256(raw).hexdigest(),
        columns=names,
        repeated=repeated,
        frame=frame,
        notes=(*notes, *short_rows(body, len(header), separator, first_row, path)),
        encoding=encoding,
        separator=separator,
    )


def looks_like_json(raw: bytes) -> bool:
    """Say whether a file begins as JSON does, in UTF-8 or a wider encoding.

    Examples
    --------
    >>> looks_like_json(b'{"a": 1}'), looks_like_json('{"a": 1}'.encode("utf-16")), looks_like_json(b"a,b")
    (True, True, False)
    """
    encoding = _declared_encoding(raw)
    if encoding not in {None, "utf-8-sig"}:
        raw = raw[: len(raw) // 4 * 4].decode(str(encoding), errors="replace").lstrip("\ufeff").encode()
    return _JSON.match(raw) is not None


def decode_json(raw: bytes, path: Path) -> str:
    """Decode JSON, whatever its encoding.

    Raises
    ------
    ImportRefused
        When the bytes are not of the encoding that they begin with.
    """
    encoding = _declared_encoding(raw) or "utf-8"
    try:
        return raw.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError as fault:
        raise ImportRefused(
            f"'{quote(path.name)}' is damaged: byte {fault.start} is not {encoding}. Write it again as UTF-8."
        ) from fault


def _declared_encoding(raw: bytes) -> str | None:
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if raw.startswith(mark)), None)
    return marked or _wide_encoding(raw)


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise ImportRefused(f"'{quote(path)}' is a folder, not a file.")
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise ImportRefused(f"'{quote(path, longest=200)}' cannot be read: {fault.strerror}.") from fault
    if not raw.strip(codecs.BOM_UTF8 + b" \t\r\n\x00"):
        raise ImportRefused(_empty(path))
    return raw


def _empty(path: Path) -> str:
    return f"'{quote(path.name)}' is empty: there is nothing to import."


def refuse_what_is_no_text(raw: bytes, path: Path) -> None:
    """Refuse a file whose first bytes show another format."""
    for mark, what in _NOT_TEXT:
        if raw.startswith(mark):
            raise ImportRefused(f"'{quote(path.name)}' is not a CSV file but {what}.")
    for shape, what in _OTHER_TEXT:
        if shape.match(raw):
            raise ImportRefused(f"'{quote(path.name)}' is not a CSV file but {what}. Save the table as CSV first.")


def _decoded(raw: bytes, path: Path, stated: str | None) -> tuple[str, str, tuple[str, ...]]:
    """Text, the encoding's name, and a note when the encoding had to be guessed."""
    encoding = stated or _declared_encoding(raw)
    notes: tuple[str, ...] = ()
    try:
        text = raw.decode(encoding or "utf-8")
    except UnicodeDecodeError as fault:
        if encoding:
            raise ImportRefused(
                f"'{quote(path.name)}' is not {encoding}, or is damaged, at byte {fault.start}."
            ) from fault
        text, encoding = _western(raw)
        guessed = (
            f"The file is not UTF-8; it was read as {encoding} (Western European). If letters are wrong, give "
            "the correct encoding, such as --encoding windows-1250."
        )
        notes = (guessed,)
    if "\x00" in text:
        raise ImportRefused(f"'{quote(path.name)}' is not a text file: it contains NUL characters.")
    if "\n" not in text:
        text = text.replace("\r", "\n")  # line ends of the oldest Macs, which Excel still offers
    _refuse_long_lines(text, path)
    return text, encoding or "utf-8", notes


def _refuse_long_lines(text: str, path: Path) -> None:
    start, line = 0, 1
    while len(text) - start > _LONGEST_LINE:
        end = text.rfind("\n", start, start + _LONGEST_LINE)
        if end < 0:
            line += text.count("\n", 0, start)
            raise ImportRefused(
                f"'{quote(path.name)}': line {line} has more than {_LONGEST_LINE >> 20} million characters. Is it "
                "a table? Save it with line breaks."
            )
        start = end + 1


def _wide_encoding(raw: bytes) -> str | None:
    """UTF-16 without its byte order mark: every other byte of plain text is zero."""
    sample = raw[:2000]
    pairs = len(sample) // 2
    if pairs and sample[1::2].count(0) > 0.6 * pairs:
        return "utf-16-le"
    if pairs and sample[0::2].count(0) > 0.6 * pairs:
        return "utf-16-be"
    return None


def _western(raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "latin-1"


def _records(text: str, separator: str) -> list[list[str]]:
    sample = csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=separator)
    records: list[list[str]] = []
    for record in sample:
        if any(cell.strip() for cell in record):
            records.append(record)
        if len(records) == _SAMPLE_ROWS:
            break
    return records


def separator_of(text: str, path: Path) -> str:
    """Choose the separator under which the first rows have the header's width, and the most columns."""
    declared = text.lstrip()[:5].casefold()
    if declared.startswith("sep=") and declared[4:] in SEPARATORS:
        return declared[4:]  # the first line that Excel writes and obeys
    best, best_fit = "", (0.0, 0)
    for separator in SEPARATORS:
        try:
            header, *rows = _records(text, separator) or [[]]
        except csv.Error:
            continue
        width = len(header)
        fit = (sum(len(row) == width for row in rows) / len(rows) if rows else 1.0, width)
        if width > 1 and (fit[0] >= 0.5, *fit) > (best_fit[0] >= 0.5, *best_fit):
            best, best_fit = separator, fit
    if not text.strip(f'{"".join(SEPARATORS)} "\r\n') or not text.strip():
        raise ImportRefused(_empty(path))
    if not best:
        first = text.strip().splitlines()[0]
        raise ImportRefused(
            f"'{quote(path.name)}' has a single column, '{quote(first)}'. Cells are separated by "
            f"{', '.join(SEPARATORS.values())}; is another separator in use?"
        )
    return best


def header_of(text: str, separator: str, path: Path) -> tuple[list[str], str, int]:
    """Header names, the text below the header, and the row number of its first record."""
    lines = io.StringIO(text, newline="")
    row = 0
    try:
        for record in csv.reader(iter(lines.readline, ""), delimiter=separator, strict=True):
            row += 1
            if any(cell.strip() for cell in record) and not _declares_separator(record, row):
                names = [" ".join(cell.strip().strip('"').split()) for cell in record]
                return names, lines.read(), row + 1
    except csv.Error as fault:
        raise ImportRefused(f"'{quote(path.name)}', row {row + 1}: {fault} in the header.") from fault
    raise ImportRefused(_empty(path))


def _declares_separator(record: list[str], row: int) -> bool:
    return row == 1 and record[0].casefold().startswith("sep=")


def cells_of(body: str, names: tuple[str, ...], separator: str, first_row: int, path: Path) -> pl.DataFrame:
    """Cells of the records below the header, as text."""
    schema = dict.fromkeys(names, pl.String)
    if not body.strip():
        return pl.DataFrame(schema=schema)
    try:
        return pl.read_csv(
            body.encode(), has_header=False, schema=schema, separator=separator, infer_schema=False, glob=False
        )
    except pl.exceptions.PolarsError:
        return _cells_one_by_one(body, names, separator, first_row, path)


def _cells_one_by_one(
    body: str, names: tuple[str, ...], separator: str, first_row: int, path: Path
) -> pl.DataFrame:
    """Read what the fast reader refused: stray quotes, or more cells than the header has."""
    width, row = len(names), first_row - 1
    records: list[list[str]] = []
    faults: list[str] = []
    try:
        for row, record in enumerate(
            csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True), first_row
        ):
            if any(cell.strip() for cell in record[width:]):
                faults.append(f"row {row}: {len(record)} cells, but the header has {width}")
            records.append((record + [""] * width)[:width])
    except csv.Error as fault:
        if "unexpected end" in str(fault):
            raise ImportRefused(_cut_off(path, row + 1)) from fault
        repair = "A quotation mark is opened but not closed, or is inside a quoted cell"
        raise ImportRefused(f"'{quote(path.name)}', row {row + 1}: {fault}. {repair}.") from fault
    if faults:
        raise ImportRefused(
            f"'{quote(path.name)}' has {count_noun(len(faults), 'row')} with more cells than the header's "
            f"{width}. A cell that contains a {SEPARATORS.get(separator, 'separator')} needs quotation marks; a "
            "title above the header must be removed.",
            faults,
        )
    return pl.DataFrame(records, schema=dict.fromkeys(names, pl.String), orient="row")


def short_rows(body: str, width: int, separator: str, first_row: int, path: Path) -> tuple[str, ...]:
    """Say which rows have fewer cells than the header; refuse a file that ends in mid-row.

    Excel leaves out separators at the end of some rows, so a short row alone is not a fault.
    """
    if not body.strip():
        return ()
    rows, counts = _cell_counts(body, separator, first_row, path)
    short = [(row, count) for row, count in zip(rows, counts, strict=True) if count < width]
    if not short:
        return ()
    if len(short) == 1 and short[0][0] == rows[-1] and not body.endswith(("\n", "\r")):
        raise ImportRefused(
            f"'{quote(path.name)}' ends in the middle of row {short[0][0]}: it has {short[0][1]} "
            f"cells, the header {width}. Was the file truncated? Export it again, or complete the row."
        )
    note = (
        f"{count_noun(len(short), 'row')} with fewer cells than the header; the cells missing at the end are "
        f"blank ({name_rows(row for row, _ in short)})."
    )
    return (note,)


def _cell_counts(body: str, separator: str, first_row: int, path: Path) -> tuple[list[int], list[int]]:
    """Row numbers of the rows that hold anything, and how many cells each has."""
    if '"' not in body:
        lines = pl.Series(body.split("\n"))
        filled = lines.str.contains(r"[^\s,;|]")
        counts = lines.str.count_matches(separator, literal=True) + 1
        return (filled.arg_true() + first_row).to_list(), counts.filter(filled).to_list()
    rows: list[int] = []
    counted: list[int] = []
    row = first_row - 1
    try:
        for row, record in enumerate(
            csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True), first_row
        ):
            if any(cell.strip() for cell in record):
                rows.append(row)
                counted.append(len(record))
    except csv.Error as fault:
        if "unexpected end" in str(fault):
            raise ImportRefused(_cut_off(path, row + 1)) from fault
        return [], []  # quotation marks within cells, which the reader of cells understands or refuses
    return rows, counted


def _cut_off(path: Path, row: int) -> str:
    return (
        f"'{quote(path.name)}' ends in the middle of row {row}: a quotation mark is opened but not closed. Was "
        "the file truncated? Export it again, or complete the row."
    )
