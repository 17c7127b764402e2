"""How an erased client leaves the box: askings, links, and the answers that nobody has collected."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from mbc.box.box import Box
from mbc.store import Store


@contextmanager
def clearing(store: Store, box: Box, client_id: str) -> Generator[list[str]]:
    """Take a client's askings out of the box when the block, which erases the client, has ended well.

    They are marked first. Where the program is stopped in between, `mbc.care.askings.collect.collect` removes what
    is marked and not on record any more.

    Parameters
    ----------
    store : Store
        The record, as the operator has it; afterwards nobody knows which askings were the client's.
    box : Box
        Where they are.
    client_id : str
        Who is erased.
    """
    numbers: list[str] = store.askings(client_id)["asking_id"].to_list()
    box.mark_erasing(numbers)
    try:
        yield numbers
    except BaseException:
        box.mark_erasing(numbers, undo=True)
        raise
    for number in numbers:
        box.discard(number)
