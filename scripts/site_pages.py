"""What the site is made of beyond its pages: a hook of MkDocs, called when the site is built.

Fills the navigation where it says ``folder/*`` with the pages of that folder, in the order of their titles, and
makes changelog.md of CHANGELOG.md, and says how much each page weighs in the search.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG = "changelog.md"
# What a search finds first: pages to do something by, before those that only mention the word.
BOOSTS = {
    "start/install.md": 6, "start/": 4, "methods/": 2, "import-export.md": 2, "guides/": 1, "reference/": 0.2,
    "validation.md": 0.3, "decisions.md": 0.3, "benchmarks.md": 0.3, CHANGELOG: 0.2, "architecture.md": 0.5,
}  # fmt: skip


def on_config(config: Any, **_: Any) -> Any:
    """Write out the navigation."""
    config.nav = expanded(config.nav, Path(config.docs_dir))
    return config


def expanded(entries: list[Any], docs: Path) -> list[Any]:
    """Replace each ``folder/*`` by the pages in the folder that are not its index.

    Examples
    --------
    >>> expanded(["index.md", {"Methods": ["methods/index.md"]}], ROOT / "docs")
    ['index.md', {'Methods': ['methods/index.md']}]
    """
    written: list[Any] = []
    for entry in entries:
        if isinstance(entry, dict):
            written += [
                {title: expanded(inner, docs) if isinstance(inner, list) else inner}
                for title, inner in entry.items()
            ]
        elif entry.endswith("/*"):
            pages = [page for page in (docs / entry.removesuffix("/*")).glob("*.md") if page.name != "index.md"]
            written += [page.relative_to(docs).as_posix() for page in sorted(pages, key=title)]
        else:
            written.append(entry)
    return written


def title(page: Path) -> str:
    """Read the first heading of a page."""
    found = re.search(r"^# (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return (found[1] if found else page.stem).casefold()


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Say how much a page weighs in the search, and fill the page of the changelog."""
    place = page.file.src_uri
    boost = next((weight for start, weight in BOOSTS.items() if place.startswith(start)), 1)
    page.meta.setdefault("search", {"boost": boost})
    if page.file.src_uri != CHANGELOG:
        return markdown
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return re.sub(r"\]\(docs/", "](", text)
