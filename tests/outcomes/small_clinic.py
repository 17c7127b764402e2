"""The folder of a small synthetic clinic, for tests of what is done with a folder whatever it holds."""

from __future__ import annotations

from pathlib import Path

from mbc import simulate


def write_small_clinic(folder: Path, seed: int = simulate.SEED) -> Path:
    """Write the record of twelve clients, with the two questionnaires that the NHS definition counts.

    The time of a report, and of a check of the folder, grows with the number of questionnaires.
    """
    simulate.clinic(clients=12, clinicians=2, seed=seed).write(folder)
    for file in (folder / "administrations").iterdir():
        if file.stem not in ("phq9", "gad7"):
            file.unlink()
    return folder
