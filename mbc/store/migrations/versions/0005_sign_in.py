"""Second factors, settings of the clinic, sign-in attempts, and a keyed digest of each kept score.

What each account may do is sealed as it is found, its password included: see `mbc.store.accounts.account_state`.
"""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from mbc.store.accounts.account_state import logged_states
from mbc.store.audit import hash_chain as chain

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "second_factor",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("added_at", Moment, nullable=False),
        sa.Column("last_step", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["account.username"], name="fk_second_factor_username"),
        sa.PrimaryKeyConstraint("username", name="pk_second_factor"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["account.username"], name="fk_recovery_code_username"),
        sa.PrimaryKeyConstraint("username", "code", name="pk_recovery_code"),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_setting"),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_until", Moment, nullable=True),
        sa.PrimaryKeyConstraint("username", "address", name="pk_sign_in_attempt"),
    )
    op.add_column("score", sa.Column("digest", sa.String(64), nullable=True))
    _seal_accounts(op.get_bind())


def _seal_accounts(connection: sa.Connection) -> None:
    states = _states(connection)
    if not states:
        return
    last = connection.execute(sa.text("SELECT sequence, digest FROM audit ORDER BY sequence DESC LIMIT 1")).first()
    sequence, previous = (0, chain.GENESIS) if last is None else (last.sequence, last.digest)
    faults = list(_faults(connection, states))
    detail = {"from": down_revision, "to": revision, "accounts": states, "faults": faults}
    line = chain.Line(
        datetime.now(UTC), _who(), chain.UPGRADE, None, json.dumps(detail, sort_keys=True), "command line"
    )
    (row,) = chain.chain_lines([line], sequence, previous)
    if connection.dialect.name == "sqlite":
        row["at"] = row["at"].replace(tzinfo=None)
    audit = sa.table("audit", *(sa.column(name, Moment if name == "at" else None) for name in row))
    connection.execute(sa.insert(audit), row)


def _states(connection: sa.Connection) -> dict[str, dict[str, Any]]:
    permissions = _grouped(connection, "SELECT username, permission FROM account_permission")
    supervises = _grouped(connection, "SELECT username, clinician_id FROM supervision")
    query = sa.text("SELECT username, role, clinician_id, active, password_hash FROM account")
    return {
        row.username: {
            "role": row.role,
            "clinician": row.clinician_id,
            "active": bool(row.active),
            "permissions": sorted(permissions.get(row.username, [])),
            "supervises": sorted(supervises.get(row.username, [])),
            "password": hashlib.sha256(row.password_hash.encode(errors="replace")).hexdigest(),
            "factor": None,
        }
        for row in connection.execute(query)
    }


def _faults(connection: sa.Connection, states: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Compare the accounts with the lines about them, before they are sealed as they are: nothing is laundered."""
    logged = logged_states(connection)
    for name, state in sorted(states.items()):
        if name not in logged:
            yield f"Account '{name}': no line of the audit log says that it was made."
        elif any(state[key] != value for key, value in logged[name].state.items() if key != "factor"):
            yield f"Account '{name}': what it may do is not what the audit log says."


def _grouped(connection: sa.Connection, query: str) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in connection.execute(sa.text(query)):
        grouped.setdefault(name, []).append(value)
    return grouped


def _who() -> str:
    try:
        return f"operator {getpass.getuser()}"[:64]
    except (KeyError, OSError):
        return "operator"
