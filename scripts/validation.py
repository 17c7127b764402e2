"""Write docs/validation.md from comparisons that tests make and from studies: scripts/validation.py [--check]."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/validation.md"
STUDIES = ROOT / "benchmarks/results"  # sections that scripts under benchmarks/ write; each says how
HEAD = """# Validation

Every number below is compared by a test with one from outside: a paper's printed example, another program's
output (R scripts and their versions are in `tests/reference/`), or a second derivation. The tests assert each
comparison and check that it stands here; `python scripts/validation.py` writes this page anew.
"Difference" is that of the printed value: a paper that prints two decimals is met to two decimals.

Versions of the R reference run: R 4.2.2, metafor 3.8-1, psych 2.2.9, survival 3.5-3, cmprsk 2.2-11,
mvtnorm 1.1-3, lme4 1.1-31, TMB 1.9.2. The results of `clinicalsignificance` are those printed in its own articles
and in reference runs; the real data behind them are not part of this project, and those tests are skipped where
they are absent.

| method | source | expected | ours | difference |
|---|---|---|---|---|
"""


def collect() -> list[dict[str, str]]:
    """Run the comparing tests and gather what they compared."""
    with tempfile.TemporaryDirectory() as folder:
        sink = Path(folder) / "rows.jsonl"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "tests/models", "-q", "-p", "no:cacheprovider", "-x"],
            cwd=ROOT,
            env=os.environ | {"MBC_VALIDATION": str(sink)},
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(done.stdout[-3000:])
        return [json.loads(line) for line in sink.read_text(encoding="utf-8").splitlines()]


def page(rows: list[dict[str, str]]) -> str:
    """Lay the comparisons out, sources together."""
    columns = ("method", "source", "expected", "ours", "difference")
    unique = {tuple(row[name] for name in columns) for row in rows}
    lines = sorted(unique, key=lambda row: (row[1].casefold(), row[0].casefold(), row[2]))
    table = "".join("| " + " | ".join(line) + " |\n" for line in lines)
    studies = [path.read_text(encoding="utf-8") for path in sorted(STUDIES.glob("*.md"))]
    return "\n".join([HEAD + table, *studies])


if __name__ == "__main__":
    text = page(collect())
    if "--check" in sys.argv:
        sys.exit(
            0
            if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
            else "docs/validation.md is not current"
        )
    PAGE.write_text(text, encoding="utf-8")
    print(f"Comparisons and studies written to {PAGE.relative_to(ROOT)}")
