"""Entries of the working day, the safety channel's own, the plan of measures, and what was entered in error.

Homework, small wins, conflicts, ruptures, ratings, releases of information, the plan of measures and the signals
get tables; a row entered in error is withdrawn with a reason, and of a relationship that ended it may be said that
leaving was a step forward.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("relationship_status", sa.Column("step_forward", sa.Boolean(), nullable=True))
    op.add_column("earlier", sa.Column("withdrawn", sa.Boolean(), nullable=True))
    _make_entries()
    _make_ratings()
    _make_plan()
    _make_signals()
    _make_safety()


def _make_entries() -> None:
    _table(
        "homework", "homework_id", "client_id", day("set_on"), text("task"), word("completion", nullable=True),
        number("helpful", nullable=True), day("reviewed_on", nullable=True), key=("homework_id",),
    )  # fmt: skip
    _table("small_win", "win_id", "client_id", day("occurred_on"), text("label"), key=("win_id",))
    _table(
        "conflict", "conflict_id", "client_id", day("occurred_on"), number("intensity", nullable=True),
        truth("repaired"), number("hours_to_repair", nullable=True), integer("count"),
        identifier("relationship_id", nullable=True), key=("conflict_id",), pairs=("relationship",),
    )  # fmt: skip
    _table(
        "alliance_rupture", "rupture_id", "client_id", day("occurred_on"), word("kind", nullable=True),
        truth("repaired"), day("repaired_on", nullable=True), text("label", nullable=True), key=("rupture_id",),
    )  # fmt: skip
    _table(
        "release_of_information", "release_id", "client_id", text("recipient"), text("purpose"), text("scales"),
        day("signed_on"), day("expires_on"), day("covers_from", nullable=True), day("covers_to", nullable=True),
        day("withdrawn_on", nullable=True), text("withdrawn_reason", nullable=True), key=("release_id",),
    )  # fmt: skip


def _make_ratings() -> None:
    _table(
        "couples_readiness", "client_id", day("rated_on"), number("rating"), text("reasons", nullable=True),
        key=("client_id", "rated_on"),
    )  # fmt: skip
    _table(
        "decision_clarity", "client_id", day("rated_on"), number("rating"), text("decision", nullable=True),
        key=("client_id", "rated_on"),
    )  # fmt: skip
    _table(
        "imagined_partner_view", "client_id", "relationship_id", day("rated_on"), number("rating"), word("aspect"),
        key=("client_id", "relationship_id", "rated_on", "aspect"), pairs=("relationship",),
    )  # fmt: skip


def _make_plan() -> None:
    _table(
        "planned_measure", "client_id", "instrument", day("starts_on"), integer("every_days", nullable=True),
        integer("every_sessions", nullable=True), day("ends_on", nullable=True),
        text("before_sessions", nullable=True), integer("baseline_askings", nullable=True),
        key=("client_id", "instrument"),
    )  # fmt: skip
    _table(
        "measure_pause", "client_id", day("starts_on"), day("ends_on", nullable=True),
        text("reason", nullable=True), key=("client_id", "starts_on"),
    )  # fmt: skip


def _make_signals() -> None:
    _table(
        "signal", "signal_id", "client_id", day("raised_on"), text("state"), text("inputs"),
        identifier("instrument", nullable=True), identifier("scale", nullable=True), text("model", nullable=True),
        text("version", nullable=True), key=("signal_id",), more=(_unique("signal", "client_id", "signal_id"),),
    )  # fmt: skip
    _table(
        "signal_answer", "signal_id", "client_id", day("answered_on"), word("answer"),
        word("change", nullable=True), text("reason", nullable=True), key=("signal_id", "answered_on"),
        pairs=("signal",),
    )  # fmt: skip


def _make_safety() -> None:
    _table(
        "safety_plan", "client_id", day("made_on"), day("last_review_on", nullable=True),
        day("next_review_on", nullable=True), word("review_reason", nullable=True), day("ended_on", nullable=True),
        key=("client_id", "made_on"),
    )  # fmt: skip
    _table(
        "duty_to_report", "client_id", day("considered_on"), word("outcome"), key=("client_id", "considered_on")
    )
    _table(
        "couples_contraindication", "client_id", day("since"), word("reason"), day("ended_on", nullable=True),
        key=("client_id", "since"),
    )  # fmt: skip
    flag = sa.ForeignKeyConstraint(
        ["administration_id", "item"],
        ["safety_flag.administration_id", "safety_flag.item"],
        name="fk_flag_response_administration_id_item",
    )
    _table(
        "flag_response", sa.Column("administration_id", Number, autoincrement=False, nullable=False), "item",
        "client_id", day("responded_on"), text("action"), key=("administration_id", "item"), more=(flag,),
    )  # fmt: skip


def identifier(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(64), nullable=nullable)


def day(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Date(), nullable=nullable)


def text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def word(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(32), nullable=nullable)


def number(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Double(), nullable=nullable)


def integer(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def truth(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), nullable=True)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def _table(
    name: str, *columns: sa.Column | str, key: tuple[str, ...], pairs: tuple[str, ...] = (), more: tuple = ()
) -> None:
    """Make a table of entries; ``pairs`` are tables of which a row of the same client is named."""
    links = [
        sa.ForeignKeyConstraint(
            ["client_id", f"{other}_id"],
            [f"{other}.client_id", f"{other}.{other}_id"],
            name=f"fk_{name}_client_id_{other}_id",
        )
        for other in pairs
    ]
    op.create_table(
        name,
        *(identifier(column) if isinstance(column, str) else column for column in columns),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name=f"fk_{name}_client_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name=f"fk_{name}_entry_id"),
        sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
        *links,
        *more,
    )
    if key[0] != "client_id":
        op.create_index(f"ix_{name}_client_id", name, ["client_id"], unique=False)
