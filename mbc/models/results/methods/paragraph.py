"""The paragraph that a paper needs: the method, its reference sample, missing scores, seed and version."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mbc.models.results.methods import (
    change_methods,
    course_methods,
    growth_methods,
    measurement_methods,
    pooled_methods,
)
from mbc.models.results.references import bibtex_of, reference

Describe = Callable[[Any], Iterable[str]]

# Class of result -> the function that describes its method. A test holds that no class is left out.
DESCRIPTIONS: Mapping[str, Describe] = {
    **change_methods.DESCRIPTIONS,
    **course_methods.DESCRIPTIONS,
    **growth_methods.DESCRIPTIONS,
    **measurement_methods.DESCRIPTIONS,
    **pooled_methods.DESCRIPTIONS,
}

_CITED = re.compile(r"\[(@[a-z0-9]+(?:; @[a-z0-9]+)*)\]")
_RELIABILITY = {"alpha": "Cronbach's alpha", "omega": "McDonald's omega", "retest": "test-retest reliability"}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph with its citations written out, and the keys of the publications."""

    text: str
    keys: tuple[str, ...]

    @property
    def bibtex(self) -> str:
        """Entries of the publications, in order of their keys, then of this program."""
        return bibtex_of(self.keys, _version())

    @classmethod
    def of(cls, sentences: Iterable[str]) -> Paragraph:
        """Write out the citations ``[@key; @key]`` of sentences.

        Examples
        --------
        >>> Paragraph.of(["Change was judged by its index [@jacobson1991]."]).text
        'Change was judged by its index (Jacobson & Truax, 1991).'
        """
        marked = " ".join(sentences)
        keys = [key.lstrip("@") for group in _CITED.findall(marked) for key in group.split("; ")]

        def written(match: re.Match[str]) -> str:
            cited = [reference(key.lstrip("@")).citation for key in match[1].split("; ")]
            return f"({'; '.join(cited)})"

        return cls(_CITED.sub(written, marked), tuple(dict.fromkeys(keys)))


def paragraph_of(result: Any) -> Paragraph:
    """Write the paragraph of a result."""
    parent = result.origin.parent if result.origin is not None else None
    sentences = [] if parent is None else list(DESCRIPTIONS[described_as(parent)](parent))
    sentences += DESCRIPTIONS[described_as(result)](result)
    if result.origin is None or parent is None:
        sentences += _common(result)
    else:
        sentences += [*_common(parent), *_seed(result)]
    sentences.append(f"Computed with mbc {_version()}.")
    return Paragraph.of(dict.fromkeys(sentences))


def _version() -> str:
    # Not imported above: the package's front door knows every other package, and the statistics know none.
    return str(importlib.import_module("mbc").__version__)


def described_as(result: object) -> str:
    """Name of the first class of a result that has a description."""
    return next((kind.__name__ for kind in type(result).__mro__ if kind.__name__ in DESCRIPTIONS), "")


def _common(result: Any) -> Iterator[str]:
    """Give what any result may say: its reference sample, level of confidence, missing scores, and seed."""
    yield from _norms(getattr(result, "norms", None))
    confidence = getattr(result, "confidence", None)
    if isinstance(confidence, float):
        yield f"The level of confidence was {100 * confidence:g} %."
    n, missing = getattr(result, "n", None), getattr(result, "n_missing", None)
    if isinstance(n, int) and isinstance(missing, int) and missing:
        yield f"Of {n}, {missing} lacked the required scores and were not assessed."
    yield from _seed(result)


def _seed(result: Any) -> Iterator[str]:
    seed = getattr(result, "seed", None)
    if seed is None and result.origin is not None:
        seed = result.origin.option("seed")
    if isinstance(seed, int):
        yield f"Random numbers were drawn with seed {seed}."
    elif result.origin is not None and "seed" in result.origin.defaults:
        yield "No random seed was set."


def _norms(norms: Any) -> Iterator[str]:
    """Say which reference sample spread and reliability are from."""
    if norms is None or isinstance(norms, dict) or (norms.sd is None and norms.reliability is None):
        return
    parts = [] if norms.sd is None else [f"a standard deviation of {norms.sd:.4g}"]
    if norms.reliability is not None:
        kind = _RELIABILITY.get(str(norms.kind or "").casefold(), norms.kind or "reliability")
        parts.append(f"a {kind} of {norms.reliability:.3g}")
    sample = f" ({norms.sample})" if norms.sample else ""
    size = f", n = {norms.n}" if norms.n else ""
    source = f", from {norms.source}" if norms.source else ""
    yield f"The reference sample{sample} had {' and '.join(parts)}{size}{source}."
