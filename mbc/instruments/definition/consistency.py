"""Whether a definition agrees with itself: ranges that can be reached, bands that cover, sources that exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from mbc.errors import nearest
from mbc.instruments.definition.algorithms import ALGORITHMS, PROCEDURES
from mbc.instruments.definition.schema import (
    CodingEntry,
    InstrumentEntry,
    ItemEntry,
    Number,
    ScaleEntry,
    SourceEntry,
)

_MOST_WORDS = 6
_SENTENCE = re.compile(r"(?i)[.!?…]|\b(i|i'm|i've|my|me|myself|we|our|you|your)\b")
_TOLERANCE = 1e-9


def faults(entry: InstrumentEntry, sources: Mapping[str, SourceEntry]) -> list[str]:
    """Say all that is wrong with a definition, one sentence each; empty when all is well."""
    return [
        *(_goals(entry) if entry.kind == "goals" else _items(entry)),
        *_forms(entry),
        *_codings(entry),
        *_labels(entry),
        *_flags(entry),
        *_unknown_names("procedures", entry.procedures, PROCEDURES),
        *(fault for scale in entry.scale for fault in _scale(entry, scale)),
        *(() if entry.scale else ("scale: there is none. Define how a score is computed: [[scale]].",)),
        *_repeated("scale", (scale.key for scale in entry.scale)),
        *_sources(entry, sources),
    ]


def item_entries(entry: InstrumentEntry) -> tuple[ItemEntry, ...]:
    """List the items, or else those that the scales name, in order of mention."""
    if entry.items:
        return entry.items
    ids = dict.fromkeys(item for scale in entry.scale for item in scale.items or ())
    return tuple(ItemEntry(id=item) for item in ids)


def answer_range(entry: InstrumentEntry, item: ItemEntry) -> tuple[int, int] | None:
    """Give an item's own range, or the one that items share."""
    return item.range or (entry.answers.range if entry.answers else None)


def scale_items(entry: InstrumentEntry, scale: ScaleEntry) -> tuple[str, ...]:
    """List the items of a scale; all of them when it names none."""
    return scale.items if scale.items is not None else tuple(item.id for item in item_entries(entry))


def reachable(entry: InstrumentEntry, scale: ScaleEntry) -> tuple[float, float] | None:
    """Find the lowest and highest score that accepted answers give; None where an item has no range."""
    by_id = {item.id: item for item in item_entries(entry)}
    ranges = [answer_range(entry, by_id[item]) for item in scale_items(entry, scale) if item in by_id]
    bounded = [limits for limits in ranges if limits is not None]
    if not bounded or len(bounded) < len(ranges):
        return None
    if scale.algorithm is not None:
        return ALGORITHMS[scale.algorithm].reachable(bounded)
    low, high = sum(limits[0] for limits in bounded), sum(limits[1] for limits in bounded)
    weight = (scale.factor or 1.0) / (len(bounded) if scale.rule in {"mean", "scaled_mean"} else 1)
    return low * weight, high * weight


def _goals(entry: InstrumentEntry) -> Iterator[str]:
    """Goals are a person's own: such a file has scales and what is known of them, but no items."""
    for name, given in (
        ("items", entry.items),
        ("answers", entry.answers),
        ("form", entry.form),
        ("coding", entry.coding),
        ("flag", entry.flag),
    ):
        if given:
            yield f"{name}: kind 'goals' has none; each person's goals are their own. Remove it."
    for scale in entry.scale:
        if scale.items or scale.rule != "procedure":
            yield f"scale {scale.key!r}, rule: is {scale.rule!r}; kind 'goals' has rule 'procedure' and no items."


def _items(entry: InstrumentEntry) -> Iterator[str]:
    items = item_entries(entry)
    if not items:
        yield "items: there are none. List them, or name them in a scale's items."
    yield from _repeated("item", (item.id for item in items))
    for item in items:
        span = answer_range(entry, item)
        if span is None:
            yield (f"item {item.id!r}, range: absent. Give the item a range, or one for all items: answers.range.")
        elif span[0] >= span[1]:
            yield f"item {item.id!r}, range: is {list(span)}; the lowest answer must come first."
    optional = {item.id for item in items if item.may_not_apply}
    for scale in entry.scale:
        if scale.rule != "sum" and optional.intersection(scale_items(entry, scale)):
            yield f"scale {scale.key!r}, rule: is {scale.rule!r}; items that may not apply require rule 'sum'."


def _forms(entry: InstrumentEntry) -> Iterator[str]:
    ids = [item.id for item in item_entries(entry)]
    yield from _repeated("form", (form.key for form in entry.form))
    yield from _single_default("form", [form.default for form in entry.form])
    for form in entry.form:
        if form.order is None:
            continue
        yield from _unknown_names(f"form {form.key!r}, order", form.order, ids)
        yield from _repeated(f"form {form.key!r}, order: item", form.order)
        absent = [item_id for item_id in ids if item_id not in form.order]
        if absent:
            yield f"form {form.key!r}, order: lacks {', '.join(absent)}; a form must list every item once."


def _codings(entry: InstrumentEntry) -> Iterator[str]:
    ids = [item.id for item in item_entries(entry)]
    yield from _repeated("coding", (coding.key for coding in entry.coding))
    yield from _single_default("coding", [coding.default for coding in entry.coding])
    for coding in entry.coding:
        yield from _unknown_names(f"coding {coding.key!r}, flip", coding.flip, ids)
        if coding.default and (coding.offset or coding.flip):
            yield (
                f"coding {coding.key!r}: the default coding has neither offset nor flip; ranges are stated in it."
            )
        if coding.range is not None:
            yield from _other_range(entry, coding)


def _other_range(entry: InstrumentEntry, coding: CodingEntry) -> Iterator[str]:
    """Check a response scale of its own: for all items alike, and nothing leads back to the default coding."""
    where = f"coding {coding.key!r}, range"
    span = coding.range or (0, 0)
    if span[0] >= span[1]:
        yield f"{where}: is {list(span)}; the lowest answer must come first."
    if coding.default or coding.offset or coding.flip:
        yield f"{where}: cannot be combined with default, offset or flip; its scores are on a different metric."
    if any(item.range is not None or item.may_not_apply for item in entry.items):
        yield (
            f"{where}: requires items with the same range that always apply; another response scale applies to "
            "all of them."
        )


def _labels(entry: InstrumentEntry) -> Iterator[str]:
    for item in entry.items:
        if item.label is None:
            continue
        if entry.licence.status == "restricted":
            yield f"item {item.id!r}, label: is {item.label!r}; a restricted licence allows no text. Remove it."
        elif len(item.label.split()) > _MOST_WORDS or _SENTENCE.search(item.label):
            yield (
                f"item {item.id!r}, label: is {item.label!r}; a label names the topic in our own few words "
                f"(at most {_MOST_WORDS}), never the author's sentence."
            )


def _flags(entry: InstrumentEntry) -> Iterator[str]:
    ids = {item.id: item for item in item_entries(entry)}
    scales = {scale.key: scale for scale in entry.scale}
    for flag in entry.flag:
        if flag.item is not None and flag.scale is None:
            yield from _unknown_names("flag, item", (flag.item,), ids)
            span = answer_range(entry, ids[flag.item]) if flag.item in ids else None
        elif flag.scale is not None and flag.item is None:
            yield from _unknown_names("flag, scale", (flag.scale,), scales)
            scale = scales.get(flag.scale)
            span = scale.range if scale else None
            if scale and scale.rule != "sum":
                yield f"flag {flag.scale!r}: requires a scale with rule 'sum'; its rule is {scale.rule!r}."
        else:
            yield f"flag {flag.label!r}: names one item, or one scale. Give one of the two."
            continue
        if span and not span[0] < flag.at_least <= span[1]:
            yield (
                f"flag {flag.item or flag.scale!r}, at_least: is {flag.at_least:g}; "
                f"it must be above {span[0]:g} and at most {span[1]:g}."
            )


def _scale(entry: InstrumentEntry, scale: ScaleEntry) -> Iterator[str]:
    where = f"scale {scale.key!r}"
    ids = [item.id for item in item_entries(entry)]
    own = scale_items(entry, scale)
    yield from (f"{where}, {fault}" for fault in _unknown_names("items", own, ids))
    yield from (f"{where}, {fault}" for fault in _repeated("items: item", own))
    yield from (f"{where}, {fault}" for fault in _unknown_names("reverse", scale.reverse, own))
    if (scale.rule in {"scaled_sum", "scaled_mean"}) != (scale.factor is not None):
        yield (
            f"{where}, factor: is for the rules 'scaled_sum' and 'scaled_mean' only; the rule is {scale.rule!r}."
        )
    for name, given in (("algorithm", scale.algorithm), ("procedure", scale.procedure)):
        if (scale.rule == name) != (given is not None):
            yield f"{where}, {name}: is for the rule '{name}' only; the rule is {scale.rule!r}."
    yield from (f"{where}, {fault}" for fault in _range(entry, scale))
    yield from (f"{where}, {fault}" for fault in _bands(scale))
    yield from (f"{where}, {fault}" for fault in _lines(scale))
    yield from (f"{where}, {fault}" for fault in _missing(scale, len(own)))
    yield from (f"{where}, {fault}" for fault in _change_norm(scale))


def _range(entry: InstrumentEntry, scale: ScaleEntry) -> Iterator[str]:
    if scale.algorithm is not None and scale.algorithm not in ALGORITHMS:
        yield from _unknown_names("algorithm", (scale.algorithm,), ALGORITHMS)
        return
    if scale.procedure is not None:
        yield from _unknown_names("procedure", (scale.procedure,), PROCEDURES)
        return
    got = reachable(entry, scale)
    if got is None or all(abs(a - b) < _TOLERANCE for a, b in zip(got, scale.range, strict=True)):
        return
    times = f", times {scale.factor or 1:g},"
    does = {"sum": "sum", "mean": "average", "scaled_sum": f"sum{times}", "scaled_mean": f"average{times}"}.get(
        scale.rule, "come"
    )
    yield (
        f"range: is {_span(scale.range)}, but {_answered(entry, scale)} can only {does} to {_span(got)}. "
        "Correct the range, the items or their answers."
    )


def _answered(entry: InstrumentEntry, scale: ScaleEntry) -> str:
    by_id = {item.id: item for item in item_entries(entry)}
    own = [item for item in scale_items(entry, scale) if item in by_id]
    spans = {answer_range(entry, by_id[item]) for item in own}
    if len(spans) == 1 and (span := next(iter(spans))):
        return f"{len(own)} items answered {span[0]}-{span[1]}"
    return f"{len(own)} items with the answers given"


def _bands(scale: ScaleEntry) -> Iterator[str]:
    if not scale.bands:
        return
    starts = [band.start for band in scale.bands]
    if abs(starts[0] - scale.range[0]) > _TOLERANCE:
        yield f"bands: begin at {starts[0]:g}; they must begin at the bottom of the range, {scale.range[0]:g}."
    for below, above in pairwise(starts):
        if above <= below:
            yield f"bands: {above:g} follows {below:g}; each band must begin above the previous one."
    if starts[-1] > scale.range[1]:
        yield f"bands: the last begins at {starts[-1]:g}, beyond the range {_span(scale.range)}."
    yield from _repeated("bands: label", (band.label for band in scale.bands))


def _lines(scale: ScaleEntry) -> Iterator[str]:
    low, high = scale.range
    for cutoff in scale.cutoff:
        if not low <= cutoff.value <= high:
            yield f"cutoff {cutoff.value:g}: is outside the range {_span(scale.range)}."
    for norm in scale.norm:
        if not low <= norm.mean <= high:
            yield f"norm {norm.population!r}, mean: is {norm.mean:g}, outside the range {_span(scale.range)}."
    for change in scale.change:
        if change.points > high - low:
            yield f"change {change.points:g}: is more than the whole range {_span(scale.range)}."
    for what, lines in (("cutoff", scale.cutoff), ("change", scale.change)):
        if sum(line.default for line in lines) > 1:
            yield f"{what}: more than one is the default; mark one."
    if (scale.cutoff or scale.norm or scale.change) and scale.better is None:
        yield "better: absent. Say whether 'higher' or 'lower' scores are better."


def _missing(scale: ScaleEntry, items: int) -> Iterator[str]:
    missing = scale.missing
    if missing.at_least is not None and missing.at_most is not None:
        yield "missing: gives at_least and at_most; one of them is enough. Remove one."
    if missing.at_least is not None and missing.at_least > items:
        yield f"missing.at_least: is {missing.at_least}; the scale has {items} items."
    if missing.at_most is not None and missing.at_most >= items:
        yield f"missing.at_most: is {missing.at_most}; fewer than all {items} items may be blank."
    if (missing.source is None) != (missing.confidence is None):
        yield "missing: source and confidence go together; a rule without them is our convention."


def _change_norm(scale: ScaleEntry) -> Iterator[str]:
    if scale.change_norm is None:
        return
    norms = {norm.id: norm for norm in scale.norm if norm.id}
    yield from _unknown_names("change_norm.norm", (scale.change_norm.norm,), norms)
    yield from _unknown_names(
        "change_norm.reliability", (scale.change_norm.reliability,), [r.id for r in scale.reliability if r.id]
    )
    norm = norms.get(scale.change_norm.norm)
    if norm is not None and norm.sd is None:
        yield f"change_norm.norm: {scale.change_norm.norm!r} has no sd."


def _sources(entry: InstrumentEntry, sources: Mapping[str, SourceEntry]) -> Iterator[str]:
    all_sources = {**sources, **entry.sources}
    for where, key in cited(entry):
        for fault in _unknown_names(where, (key,), all_sources):
            yield f"{fault} Every number must cite a source: add it under [sources.{key}]."


def cited(entry: InstrumentEntry) -> Iterator[tuple[str, str]]:
    """Every source that the file names, and where."""
    yield "source", entry.source
    if entry.licence.source:
        yield "licence.source", entry.licence.source
    for what, listed in (("form", entry.form), ("coding", entry.coding)):
        for variant in listed:
            if variant.source:
                yield f"{what} {variant.key!r}, source", variant.source
    yield from _numbered("fact", entry.fact)
    for scale in entry.scale:
        where = f"scale {scale.key!r}"
        for name, key in (
            ("source", scale.source),
            ("bands_source", scale.bands_source),
            ("missing.source", scale.missing.source),
        ):
            if key:
                yield f"{where}, {name}", key
        groups: tuple[tuple[str, tuple[Number, ...]], ...] = (
            ("cutoff", scale.cutoff),
            ("norm", scale.norm),
            ("reliability", scale.reliability),
            ("change", scale.change),
        )
        for name, numbers in groups:
            yield from _numbered(f"{where}, {name}", numbers)


def _numbered(where: str, numbers: Iterable[Number]) -> Iterator[tuple[str, str]]:
    for number in numbers:
        yield f"{where}.source", number.source
        if number.via:
            yield f"{where}.via", number.via


def _unknown_names(where: str, listed: Iterable[str], allowed: Iterable[str]) -> Iterator[str]:
    names = list(allowed)
    for name in listed:
        if name not in names:
            near = nearest(name, names, most=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            yield f"{where}: {name!r} does not exist.{hint}"


def _repeated(what: str, keys: Iterable[str]) -> Iterator[str]:
    earlier: set[str] = set()
    for key in keys:
        if key in earlier:
            yield f"{what} {key!r}: occurs twice. Keep one."
        earlier.add(key)


def _single_default(what: str, defaults: list[bool]) -> Iterator[str]:
    if defaults and sum(defaults) != 1:
        yield f"{what}: {sum(defaults)} of {len(defaults)} are the default; mark exactly one with default = true."


def _span(span: tuple[float, float]) -> str:
    return f"[{span[0]:g}, {span[1]:g}]"
