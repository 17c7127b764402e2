"""A record, its box, and a client who answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from mbc.box.box import Box
from mbc.care.askings.ask import AskOptions, MadeAsking, ask
from mbc.care.askings.settings import AskingSettings
from mbc.instruments import wording
from mbc.store import Client, Clinician, Relationship, RelationshipStatus, Store

SETTINGS = AskingSettings(help={"en": "Call 112."})
FIRST = date(2026, 1, 5)


@dataclass
class Clinic:
    """Both sides of one clinic."""

    store: Store
    box: Box
    folder: Path

    def ask(self, *keys: str, client_id: str = "C001", as_user: str | None = None, **options) -> MadeAsking:
        view = self.store if as_user is None else self.store.as_user(as_user)
        settings = options.pop("settings", SETTINGS)
        return ask(view, self.box, settings, client_id, keys, AskOptions(**options))

    def answer(self, made: MadeAsking, *values: float | None, send: bool = True) -> str:
        """Answer from the first question on; a later one is left untouched."""
        opened = self.box.find(made.link.rpartition("/")[2])
        assert opened is not None
        visit = self.box.begin(opened)
        for place, value in enumerate(values):
            self.box.answer(visit, place, value)
        if send:
            self.box.send(visit)
        return visit


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Path:
    """Wording of the PHQ-9 and the HITS in words of the test's own."""
    monkeypatch.setenv("MBC_WORDING", str(tmp_path / "wording"))
    for key, items, values in (("phq9", 9, (0, 1, 2, 3)), ("hits", 4, (1, 2, 3, 4, 5)), ("csi4", 4, None)):
        head = "item,text," + ("options" if values is None else ",".join(map(str, values))) + "\n"
        rows = []
        for n in range(1, items + 1):
            if values is None:
                low, high = (0, 6) if n == 1 else (0, 5)
                options = '"' + " | ".join(f"{v}, w{v}" for v in range(low, high + 1)) + '"'
            else:
                options = ",".join(f"w{value}" for value in values)
            rows.append(f"{n},question {n}?,{options}\n")
        file = tmp_path / f"{key}.csv"
        file.write_text(head + "".join(rows), encoding="utf-8")
        wording.load(
            key, file, language="en", licence_held="for tests", coding="printed" if key == "csi4" else None
        )
    return tmp_path


@pytest.fixture
def clinic(tmp_path, shelf) -> Iterator[Clinic]:
    with Store.create(f"sqlite:///{tmp_path}/clinic.db") as store:
        with store.writing(by="tests") as record:
            record.add_all([Clinician("K1", "Dr Ash"), Clinician("K2", "Dr Birch")])
            record.add_all([Client("C001", "Willow", "K1", FIRST), Client("C002", None, "K2", FIRST)])
            record.add_all([Relationship("R1", "C001", "R1"), Relationship("R2", "C002", "R1")])
            record.add(RelationshipStatus("C001", "dating", FIRST, "R1"))
            record.add(RelationshipStatus("C002", "single", FIRST))
        store.accounts.add("ash", "harbour lamp, seven geese", "clinician", "K1")
        store.accounts.add("fir", "harbour lamp, seven geese", "clinician", "K1", permissions=["safety:read"])
        (tmp_path / "boxes").mkdir()
        box = Box(tmp_path / "boxes" / "clinic.box")
        yield Clinic(store, box, tmp_path)
        box.close()
