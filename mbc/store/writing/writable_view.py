"""A record that is written to: a transaction is opened, kept with its lines in the audit trail, or only tried."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import get_args

import polars as pl

from mbc.errors import AccessDenied, MbcError, NotInRecord
from mbc.store.audit.log import append
from mbc.store.database import engine as engines
from mbc.store.schema.records import Administration, Definition, ImportSource
from mbc.store.view import RecordView
from mbc.store.writing import administrations
from mbc.store.writing import ownership as belonging
from mbc.store.writing.administration_batch import in_batches
from mbc.store.writing.definitions import Definitions
from mbc.store.writing.result import Outcome, Preview
from mbc.store.writing.safety_decisions import decide
from mbc.store.writing.transaction import Writing


class WritableView(RecordView):
    """The part of a store that writes."""

    @contextmanager
    def writing(self, *, by: str | None = None, source: ImportSource | None = None) -> Generator[Writing]:
        """Open one transaction: everything added inside is kept when the block ends well, and nothing otherwise.

        Parameters
        ----------
        by : str, optional
            Who writes; the user of this view, or whoever runs the command.
        source : ImportSource, optional
            The file that the rows come from.

        Yields
        ------
        Writing
            Its ``add`` and ``add_all`` write records.
        """
        who, record = self._writer(by), None
        named = lambda: None if record is None else record.only_named  # noqa: E731 - read when something is refused
        with self._audited("writing", named, logged=False), self._queued() as queue:
            with engines.writing(self._engine) as connection:
                record = Writing(connection, self._scope, by=who, now=datetime.now(UTC), source=source)
                yield record
                lines = [
                    self.audit.line(each.action, subject=each.subject, by=who, **each.detail)
                    for each in record.summary()
                ]
                append(connection, [*queue, *lines])
            queue.clear()

    def preview(
        self,
        questionnaires: Iterable[Administration] | pl.DataFrame,
        *,
        supersede: bool = False,
        new_clients: Collection[str] = (),
        definitions: Iterable[Definition] = (),
    ) -> list[Preview]:
        """Say what adding administrations would do, one by one, and why one would be refused. Writes nothing.

        Parameters
        ----------
        questionnaires : iterable of Administration, or polars.DataFrame
            In the order in which they would be added; a frame as `Writing.add_frame` takes it.
        supersede : bool
            Whether other content for an occasion would be a correction.
        new_clients : collection of str
            Clients that would be added before them.
        definitions : iterable of Definition
            Definitions of the clinic's own questionnaires that would be kept before them.
        """
        occasions, known = administrations.Occasions(), belonging.Known(self._scope)
        previews: list[Preview] = []
        refused: set[str] = set()
        with self._audited("preview", None, logged=False), self._reading() as connection:
            self._scope.require_writer(Administration)
            known.expect(connection, new_clients)
            on_record = Definitions.load(connection)
            for definition in definitions if self._scope.may_keep_definitions else ():
                on_record.add(definition)
            rules = on_record.rules(self._scope)
            for given in in_batches(questionnaires):
                batch, _ = decide(given, rules)
                known.load(connection, batch.client_id)
                keyed = administrations.Keyed.of(batch)
                occasions.load(connection, keyed.occasions)
                for place, client_id in enumerate(batch.client_id):
                    try:
                        belonging.require_administration(known, batch, place)
                        known.require_channel(batch.channel[place])
                        previews.append(_PREVIEWS[occasions.place(keyed, place, 0, supersede=supersede).outcome])
                    except MbcError as fault:
                        previews.append(Preview("refused", str(fault)))
                        if isinstance(fault, (AccessDenied, NotInRecord)):
                            refused.add(client_id)
        if refused and self._scope.user is not None:  # nothing was written, but what is there was asked for
            subject = refused.pop() if len(refused) == 1 else None
            self._log(self.audit.line("refused", subject=subject, asked="preview"))
        return previews


_PREVIEWS = {outcome: Preview(outcome) for outcome in get_args(Outcome)}
