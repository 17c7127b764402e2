"""Decide which counts of a table may be published: small ones are hidden, and others that would give them away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mbc.privacy.small_numbers.attacker import Relation, Shown, feasible_range, limiting_counts
from mbc.privacy.small_numbers.rounded_counts import SmallNumberRule


@dataclass(frozen=True, slots=True)
class Table:
    """True counts and how they are related."""

    counts: Mapping[str, int]
    relations: tuple[Relation, ...] = ()
    hide_first: tuple[
        str, ...
    ] = ()  # given up first where another count must be protected, as far as they are counted
    unpublished: tuple[str, ...] = ()  # named by relations and published nowhere
    parts: tuple[tuple[str, ...], ...] = ()  # counts that stand together: given up before those of another part


def joined(tables: Mapping[str, Table], between: Iterable[Relation] = ()) -> Table:
    """Make one table of several, so that counts are protected against all that is published beside them.

    Parameters
    ----------
    tables : mapping of str to Table
        By prefix: a count goes by its prefix and its own name. A name that begins with ``@`` is the same in all.
    between : iterable of Relation
        How counts of different tables are related, by their names with prefix.

    Examples
    --------
    >>> made = joined({"a.": Table({"n": 9}, (Relation("@all", ("n",), exact=False),), unpublished=("@all",))})
    >>> made.counts, made.relations[0].total, made.relations[0].parts
    ({'a.n': 9}, '@all', ('a.n',))
    """
    counts: dict[str, int] = {}
    relations: list[Relation] = []
    hide_first: list[str] = []
    unpublished: dict[str, None] = {}
    for prefix, table in tables.items():

        def named(name: str, prefix: str = prefix) -> str:
            return name if name.startswith("@") else f"{prefix}{name}"

        counts |= {named(name): count for name, count in table.counts.items()}
        relations += [
            replace(each, total=named(each.total), parts=tuple(map(named, each.parts))) for each in table.relations
        ]
        hide_first += map(named, table.hide_first)
        unpublished |= dict.fromkeys(map(named, table.unpublished))
    parts = tuple(tuple(f"{prefix}{name}" for name in table.counts) for prefix, table in tables.items())
    return Table(counts, (*relations, *between), tuple(hide_first), tuple(unpublished), parts)


def protect(table: Table, rule: SmallNumberRule) -> dict[str, Shown]:
    """Hide and round the counts of a table.

    Three steps. Counts from 1 to k - 1 are hidden, all others rounded to multiples of k (zero stays zero). Where
    everybody of a group falls into a single part, a zero of another part is hidden too: otherwise what is true of
    each member would be published. Then everything is searched as an attacker would who knows the rule and every
    relation: as long as a hidden count, or a small rest of a group, can be narrowed to fewer than k - 1 values, or
    a zero that was hidden is known to be one, another count is hidden, or it is not told any more that a hidden
    one is small.

    The true counts are possible whatever is published. Where the solver says otherwise it is wrong, and the count
    is taken as known: more is hidden then, never less.

    Parameters
    ----------
    table : Table
    rule : SmallNumberRule

    Returns
    -------
    dict of str to Shown

    Examples
    --------
    >>> rule = SmallNumberRule("nhs5", 5)
    >>> counts = {"all": 17, "improved": 8, "same": 8, "worse": 1}
    >>> parts = Relation("all", ("improved", "same", "worse"))
    >>> made = protect(Table(counts, (parts,), ("same",)), rule)
    >>> {name: shown.rounded for name, shown in made.items()}
    {'all': 15, 'improved': 10, 'same': None, 'worse': None}
    """
    shown = {
        name: Shown(None, small=True) if rule.hides(count) else Shown(rule.rounded(count))
        for name, count in table.counts.items()
    }
    hidden_zeros = _of_one_kind(table)
    shown |= {name: Shown(None) for name in hidden_zeros}
    shown |= {name: Shown(None) for name in table.unpublished}
    named = dict.fromkeys((*table.hide_first, *_parts(table.relations), *table.counts))
    order = [name for name in named if name in shown]  # a relation may name a count that this table lacks
    sensitive = [(quantity, rule.smallest - 2) for quantity in _sensitive(table, rule)]
    sensitive += [({name: 1}, 1) for name in hidden_zeros]
    for quantity, least in sensitive:
        width = _width(quantity, shown, table, rule)
        while width < least:
            spare, width = _spare(quantity, width, shown, table, order, rule)
            if spare is None:
                break
            shown[spare] = Shown(None)
    return shown


def _spare(
    quantity: Mapping[str, int],
    before: float,
    shown: dict[str, Shown],
    table: Table,
    order: Sequence[str],
    rule: SmallNumberRule,
) -> tuple[str | None, float]:
    """Choose the count to hide next, the first that most widens what could be concluded, and say how wide that is.

    Until now that is ``before``. First come those that are hidden already, of which it is not told any more that
    they are small. Counts of the same part of the table come before those of another part.
    """
    possible = [name for name in order if shown[name].small]
    possible += [name for name in order if shown[name].rounded is not None]
    limiting = limiting_counts(quantity, shown, table.relations, rule)
    first = [name for name in possible if name in limiting]
    together = {name for part in table.parts if not quantity.keys().isdisjoint(part) for name in part}
    for candidates in (
        [name for name in first if name in together],
        [name for name in first if name not in together],
    ):
        widest, best = before, None
        for name in candidates:
            width = min(_width(quantity, shown | {name: Shown(None)}, table, rule), rule.smallest)
            if width > widest:
                widest, best = width, name
            if widest >= rule.smallest:
                break  # no other could do more
        if best is not None:
            return best, widest
    related = _related(quantity, table.relations)
    spare = next((name for name in (*first, *possible) if name in related), None)
    return spare, before if spare is None else _width(quantity, shown | {spare: Shown(None)}, table, rule)


def _parts(relations: Iterable[Relation]) -> list[str]:
    return [part for relation in relations for part in relation.parts if not part.startswith("@")]


def _related(quantity: Mapping[str, int], relations: Sequence[Relation]) -> set[str]:
    """Name the counts that stand in a relation with what is to be protected, directly or through others."""
    related, left = set(quantity), list(relations)
    while left:
        joining = [each for each in left if not related.isdisjoint((each.total, *each.parts))]
        if not joining:
            break
        related.update(name for each in joining for name in (each.total, *each.parts))
        left = [each for each in left if each not in joining]
    return related


def _of_one_kind(table: Table) -> list[str]:
    """Find, for each group that falls into a single part, the zero to be hidden with it."""
    hidden: list[str] = []
    for relation in table.relations:
        if (
            not relation.exact
            or not relation.kinds
            or len(relation.parts) < 2
            or not table.counts.get(relation.total)
        ):
            continue
        filled = [part for part in relation.parts if table.counts.get(part)]
        empty = [part for part in relation.parts if table.counts.get(part) == 0]
        if len(filled) == 1 and empty:
            hidden.append(next((name for name in table.hide_first if name in empty), empty[0]))
    return hidden


def _sensitive(table: Table, rule: SmallNumberRule) -> list[dict[str, int]]:
    """Name what must not be narrowed: small counts, and small rests of a group."""
    small: list[dict[str, int]] = [{name: 1} for name, count in table.counts.items() if rule.hides(count)]
    for relation in table.relations:
        if relation.exact or len(relation.parts) != 1:
            continue
        (part,) = relation.parts
        if not {part, relation.total} <= table.counts.keys():
            continue
        if rule.hides(table.counts[relation.total] - table.counts[part]):
            small.append({relation.total: 1, part: -1})
    return small


def _width(quantity: Mapping[str, int], shown: Mapping[str, Shown], table: Table, rule: SmallNumberRule) -> float:
    """Give how far apart the values are that could be concluded; 0 where the solver rules out the true one."""
    true = sum(factor * table.counts[name] for name, factor in quantity.items())
    try:
        lowest, highest = feasible_range(quantity, shown, table.relations, rule)
    except ArithmeticError:
        return 0
    return highest - lowest if lowest <= true <= highest else 0
