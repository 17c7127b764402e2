"""What the demo shows: a record of the synthetic clinic, made again when it is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mbc.care.forecast.kept_models import make_models
from mbc.care.scoring.rescore import keep_scores
from mbc.exchange import import_record
from mbc.simulate import clinic
from mbc.store import Store

DEMO_CLINICIAN: Final = "K01"  # sees every storied client
RECORD_FILES: Final = "record"
DATABASE: Final = "demo.db"


def make_demo_store(folder: str | Path) -> str:
    """Lay the synthetic clinic down as files and bring them into a record, through the door that users take.

    Parameters
    ----------
    folder : str or Path
        Made when absent. A record made here before is kept as it is, with what was added to it.

    Returns
    -------
    str
        URL of the record; accounts are for the caller to add.
    """
    home = Path(folder)
    database = home / DATABASE
    url = f"sqlite:///{database}"
    if database.exists() and _holds_clients(url):
        return url
    files = clinic(alliance=True).write(home / RECORD_FILES)
    with Store.open(url, create=True) as store:
        import_record(files, store, by="demo")
        keep_scores(store)
        list(make_models(store, max(store.sessions()["held_on"].to_list())))
    return url


def _holds_clients(url: str) -> bool:
    with Store.open(url) as store:
        return not store.clients().is_empty()
