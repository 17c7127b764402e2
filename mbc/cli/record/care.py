"""Commands of the course of care: sessions, relationships, clients and episodes."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import click

from mbc.cli.record.write import Made, day_option, entry_options, today, write
from mbc.errors import MbcError, NotInRecord
from mbc.store import Client, Episode, Relationship, RelationshipStatus, Session, Store
from mbc.store.schema.records import Status


@click.command("session")
@entry_options
@day_option("held_on", "--on")
@click.option("--missed", is_flag=True, help="The client did not attend.")
@click.option("--modality", help="How it was held, such as 'in person' or video.")
@click.option("--number", type=click.INT, help="Its number within the episode; default: the next.")
def session(*, client_id: str, store_url: str, username: str | None, supersede: str | None, **given: Any) -> None:
    """Record a session of the open episode of care, kept or missed."""

    def make(store: Store) -> Made:
        episode = open_episode(store, client_id)
        numbers = store.sessions(client_id=client_id).filter(episode_id=episode.episode_id)["number"]
        number = given["number"] if given["number"] is not None else max(numbers, default=0) + 1
        attended = not given["missed"]
        if given["modality"] is not None and not attended:
            raise click.UsageError(
                "--modality applies to a session that was kept, so it cannot be used with --missed."
            )
        return Made(
            [
                Session(
                    client_id, episode.episode_id, number, given["held_on"] or today(), attended, given["modality"]
                )
            ]
        )

    write(store_url, username, supersede, make)


@click.command("relationship")
@entry_options
@click.argument("label", required=False)
@click.option("--status", type=click.Choice(get_args(Status)), required=True, help="Status from that date.")
@day_option("since", "--since", "--on", help="Date of the status; default: today.")
@click.option(
    "--step-forward/--no-step-forward",
    default=None,
    help="If it ends: whether leaving was a step forward for the client.",
)
def relationship(
    *, client_id: str, label: str | None, store_url: str, username: str | None, supersede: str | None, **given: Any
) -> None:
    """Record a relationship by its LABEL (R1, never a name) and status; without LABEL, the client's own status.

    A label not yet on record starts a new relationship.
    """

    def make(store: Store) -> Made:
        day, forward = given["since"] or today(), given["step_forward"]
        if label is None:
            return Made([RelationshipStatus(client_id, given["status"], day, step_forward=forward)])
        known = relationships_by_label(store, client_id)
        named = known.get(label, label if label in known.values() else f"R-{secrets.token_hex(4)}")
        new = [] if named in known.values() else [Relationship(named, client_id, label)]
        return Made([*new, RelationshipStatus(client_id, given["status"], day, named, step_forward=forward)])

    write(store_url, username, supersede, make)


@click.command("client")
@entry_options
@click.option("--clinician", "clinician_id", metavar="ID", help="Their clinician; default: that of --as.")
@click.option("--alias", help="A short label of the clinic's own, never a name.")
@click.option("--no-episode", is_flag=True, help="Do not open an episode of care.")
@day_option("started_on", "--on", help="Day on which care began; default: today.")
def client(*, client_id: str, store_url: str, username: str | None, supersede: str | None, **given: Any) -> None:
    """Register a client by a pseudonym, and open an episode of care."""

    def make(store: Store) -> Made:
        clinician = given["clinician_id"] or (store.user.clinician_id if store.user else None)
        day = given["started_on"] or today()
        made = Client(client_id, given["alias"], clinician, day)
        if given["no_episode"]:
            return Made([made])
        return Made([made, Episode(f"E-{secrets.token_hex(4)}", client_id, clinician, started_on=day)])

    write(store_url, username, supersede, make)


@click.command("episode")
@entry_options
@day_option("started_on", "--started", help="Open an episode on this day.")
@day_option("referred_on", "--referred", help="With --started: date of the referral.")
@day_option("ended_on", "--ended", help="End the open episode on this day.")
@click.option("--ending", help="How it ended, such as 'planned' or 'dropped out'.")
def episode(*, client_id: str, store_url: str, username: str | None, supersede: str | None, **given: Any) -> None:
    """Open an episode of care (--started), or end the open one (--ended, --ending)."""
    if (given["started_on"] is None) == (given["ended_on"] is None):
        raise click.UsageError("Give --started to open an episode, or --ended with --ending to end the open one.")
    if (given["ending"] is None) != (given["ended_on"] is None):
        raise click.UsageError("Give --ended and --ending together: the date, and how it ended.")

    def make(store: Store) -> Made:
        if given["ended_on"] is not None:
            ended = replace(open_episode(store, client_id), ended_on=given["ended_on"], ending=given["ending"])
            return Made([ended], f"ended: {given['ending']}")
        if any(each.ended_on is None for each in _episodes(store, client_id)):
            raise MbcError(f"{client_id} has an open episode of care. End it first: --ended DAY --ending TEXT.")
        (clinician,) = store.clients(client_id=client_id)["clinician_id"]
        made = Episode(
            f"E-{secrets.token_hex(4)}", client_id, clinician, given["referred_on"], given["started_on"]
        )
        return Made([made])

    write(store_url, username, supersede, make)


def open_episode(store: Store, client_id: str) -> Episode:
    """Give the episode of care that has not ended, the latest first.

    Raises
    ------
    NotInRecord
        If there is none.
    """
    open_ones = [each for each in _episodes(store, client_id) if each.ended_on is None]
    if not open_ones:
        raise NotInRecord(
            f"{client_id} has no open episode of care. Open one: mbc record episode {client_id} --started DAY"
        )
    return max(open_ones, key=lambda each: each.started_on or date.min)


def relationships_by_label(store: Store, client_id: str) -> dict[str, str]:
    """Give the identifiers of a client's relationships by their labels."""
    return dict(store.relationships(client_id=client_id).select("label", "relationship_id").iter_rows())


def relationship_named(store: Store, client_id: str, named: str) -> str:
    """Give the identifier of a relationship that is named by its label or identifier.

    Raises
    ------
    NotInRecord
        If the client has none of that name.
    """
    known = relationships_by_label(store, client_id)
    if named not in known and named not in known.values():
        raise NotInRecord(f"{client_id} has no relationship '{named}'. On record: {', '.join(known) or 'none'}.")
    return known.get(named, named)


def _episodes(store: Store, client_id: str) -> list[Episode]:
    return [Episode(**row) for row in store.episodes(client_id=client_id).iter_rows(named=True)]


COMMANDS = {"session": session, "relationship": relationship, "client": client, "episode": episode}
