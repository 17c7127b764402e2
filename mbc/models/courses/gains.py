"""What a search for sudden gains found: one row per gain, and what became of every step examined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.norms import Norms
from mbc.models.change.inputs.reasons import Reason
from mbc.models.courses.chance import Chance
from mbc.models.courses.criteria import Criteria
from mbc.models.courses.sessions import read_rows
from mbc.models.courses.suddengains_package import NAMES
from mbc.models.results.result import Result
from mbc.models.results.tables import Backend, frame

Select = Literal["first", "last", "smallest", "largest"]
Kind = Literal["gain", "loss"]
METHOD = "Tang & DeRubeis (1999)"


@dataclass(frozen=True, slots=True, eq=False)
class SuddenGains(Result):
    """Every sudden gain (or loss) of every client.

    ``table`` has one row per gain: the client; ``number`` (1 is the client's first), ``session`` (n, counted from
    1), ``before`` and ``after`` (the times of the two sessions); the scores ``n_minus_2`` ... ``n_plus_3``;
    ``magnitude`` and ``total_change`` (scale points in the direction of the step), ``proportion`` (magnitude /
    total change, null unless the client ended better than at the start); ``reversal_value``, ``reversed`` (null
    where no later score is known) and ``reversed_at``; ``adjacent``, ``overlapping`` (another gain among the six
    scores); ``bridged`` (missed sessions between the two).

    ``steps`` has one row per step examined: client, session, before, after, ``criterion_1`` ... and ``gain``,
    null where it cannot be known.
    """

    table: pl.DataFrame = field(repr=False)
    steps: pl.DataFrame = field(repr=False)
    clients: pl.DataFrame = field(repr=False)  # one column: everybody searched
    around: pl.DataFrame = field(repr=False)  # per gain the times of its six sessions, as numbers
    kind: Kind
    criteria: Criteria
    higher_is_better: bool
    sessions: str  # how sessions were distinguished: "numbers", "rows" or "columns"
    bridged: bool
    norms: Norms  # what the cutoff was computed from
    columns: tuple[str, str, str]  # client, time and score, as the frame calls them
    n: int  # clients
    n_missing: int  # clients of whom no step could be judged
    n_steps: int  # steps between sessions
    n_examined: int  # of these, with a session on either side
    n_judged: int  # of these, with the scores that the criteria need
    n_dropped: int  # rows without a client or a time
    chance: Chance | None
    compat: str | None
    notes: tuple[str, ...]
    reason: Reason | None  # why there can be no gain at all
    backend: Backend = "polars"
    method: str = METHOD

    def __len__(self) -> int:
        """Count the gains."""
        return self.table.height

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the table to whatever reads Arrow: ``polars.DataFrame(gains)``, ``pyarrow.table(gains)``."""
        stream: Any = self.table.__arrow_c_stream__
        return stream(requested_schema)

    @property
    def n_clients_with_gains(self) -> int:
        """Clients with at least one."""
        return self.table[self.columns[0]].n_unique()

    @property
    def input_backend(self) -> Backend | None:
        """Kind of table that came in."""
        return self.backend

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per gain, of the kind that came in unless another is named."""
        return dict(self.table.to_dict())

    @checked
    def by_client(self, select: Select = "first", *, backend: Backend | None = None) -> Any:
        """Make a table of one row per client: one of the gains, or nulls; and how many there were.

        Parameters
        ----------
        select : {"first", "last", "smallest", "largest"}
            Which of several; the earliest of equally large ones.
        """
        who = self.columns[0]
        order, size = ("sg_session_n", "sg_magnitude") if self.compat else ("session", "magnitude")
        if select not in {"first", "last", "smallest", "largest"}:
            raise ModelError(f"select must be 'first', 'last', 'smallest' or 'largest', got {select!r}.")
        by = [order] if select in {"first", "last"} else [size, order]
        down = [select in {"last", "largest"}, False][: len(by)]
        chosen = self.table.sort(by, descending=down).unique(who, keep="first", maintain_order=True)
        counted = self.table.group_by(who).len("gains")
        people = self.clients.join(counted, on=who, how="left").join(chosen, on=who, how="left")
        filled = people.with_columns(pl.col("gains").fill_null(0).cast(pl.Int64)).sort(who)
        if self.compat:
            filled = filled.drop("gains").with_columns(pl.col("sg_crit123", "sg_freq_byperson").fill_null(0))
        return frame({name: filled[name] for name in filled.columns}, backend or self.backend)

    @checked
    def values_around(self, data: object, *, score: str, backend: Backend | None = None) -> Any:
        """Give another measure's scores at the six sessions around every gain.

        Parameters
        ----------
        data : frame
            In long form, with the same client and time columns.
        score : str
            The other measure.
        """
        who, when, _ = self.columns
        rows = read_rows(data, client=who, time=when, score=score)
        other = pl.DataFrame({"client": rows.table["client"], "time": rows.elapsed, "value": rows.scores})
        made = self.table.select(who, *(("id_sg",) if self.compat else ("number",)))
        for name, short in zip(self.around.columns, NAMES, strict=True):
            at = pl.DataFrame({"client": self.table[who], "time": self.around[name]})
            matched = at.join(other, on=["client", "time"], how="left", maintain_order="left")
            label = f"sg_{score}_{short}" if self.compat else f"{score}_{name}"
            made = made.with_columns(matched["value"].fill_nan(None).alias(label))
        return frame({name: made[name] for name in made.columns}, backend or self.backend)
