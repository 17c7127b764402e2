"""Whether the column that is taken for the client only numbers the rows."""

from __future__ import annotations

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import join_names, quote
from mbc.exchange.header.columns import Columns, fold

_FEWEST_ROWS = 2
_OTHERS = frozenset(
    {"token", "code", "clientcode", "pseudonym", "participant", "subject", "subjectid", "case", "caseid", "email",
     "respondent", "user", "userid", "username", "studyid", "personid", "person", "externalreference"}
)  # fmt: skip


def refuse_row_numbers(columns: Columns) -> None:
    """Refuse a column such as ``id`` that counts 1, 2, 3, where another column may be the person.

    Raises
    ------
    ImportRefused
        Names both, and how to say which is meant.
    """
    header = columns.find("client_id")
    if header is None or "client_id" in columns.given or len(columns.table.frame) < _FEWEST_ROWS:
        return
    numbers = columns.table.frame[header]
    if numbers.to_list() != [str(n) for n in range(1, len(numbers) + 1)]:
        return
    others = [name for name in columns.table.columns if name != header and fold(name) in _OTHERS]
    others = [name for name in others if columns.table.frame[name].is_not_null().any()]
    if others:
        raise ImportRefused(
            f"Column '{quote(header)}' counts the rows of '{quote(columns.table.name)}' (1, 2, 3 ...), and "
            f"{join_names(others)} may identify the clients. Choose one: --map client_id='{quote(others[0])}', or "
            f"--map client_id='{quote(header)}'."
        )
