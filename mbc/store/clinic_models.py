"""Models of the clinic's own scores that the record keeps: the operator's, never a user's."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

from mbc.errors import AccessDenied, StoreError
from mbc.store.audit.log import append
from mbc.store.database import engine as engines
from mbc.store.reading import model_cache
from mbc.store.reading.model_cache import KeptModel
from mbc.store.schema import tables as t
from mbc.store.view import RecordView
from mbc.store.writing.definitions import Definitions

CLAIM_LASTS = timedelta(minutes=10)  # then another process may try: whoever claimed it has died or is hung


class ClinicModels(RecordView):
    """The part of a store that keeps fitted models: of all clients together, and so the operator's."""

    def measured(self) -> list[str]:
        """Name the questionnaires of the care channel that anybody has answered.

        Raises
        ------
        AccessDenied
            If this is one user's view.
        """
        self._require_operator("measured")
        c = t.administration.c
        with self._reading() as connection:
            names = connection.execute(select(c.instrument).where(c.channel == "care").distinct()).scalars()
            return sorted(names)

    def kept_models(self, *, unless: Collection[str] = ()) -> list[KeptModel]:
        """Give the models on record that are as they were kept; an edited one is left out.

        Parameters
        ----------
        unless : collection of str
            Digests of models whose content is known: it is left empty.

        Raises
        ------
        AccessDenied
            If this is one user's view.
        """
        self._require_operator("kept models")
        with self._reading() as connection:
            return model_cache.read(connection, self._shared.score_key.read(), unless=unless)

    def claim_model(self, instrument: str, scale: str) -> bool:
        """Take it on to fit a model; False while another process does. `keep_model` ends it, or ten minutes do.

        Raises
        ------
        AccessDenied
            If this is one user's view.
        StoreError
            If the questionnaire is one of the safety channel, or the secret that digests of models are keyed with
            can be kept nowhere.
        """
        self._require_operator("kept models")
        if self._shared.score_key.make() is None:
            raise StoreError(
                "The clinic's models cannot be stored: there is no place for the secret key that protects them. "
                "Set MBC_SECRET_KEY, or let this user write to its folder for state (XDG_STATE_HOME)."
            )
        with engines.writing(self._engine) as connection:
            self._require_care(connection, instrument)
            now = datetime.now(UTC)
            return model_cache.claim(connection, instrument, scale, now=now, lasts=CLAIM_LASTS)

    def keep_model(self, model: KeptModel) -> bool:
        """Keep a model that was fitted to everybody's scores; the audit log says that it was.

        Returns
        -------
        bool
            False if it was not kept: somebody was erased since the record was read.

        Raises
        ------
        AccessDenied
            If this is one user's view.
        StoreError
            If the questionnaire is one of the safety channel.
        """
        self._require_operator("kept models")
        key = self._shared.score_key.make()
        with engines.writing(self._engine) as connection:
            self._require_care(connection, model.instrument)
            erased = connection.execute(select(func.count()).select_from(t.tombstone)).scalar_one()
            if key is None or model.revision.partition(".")[2] != str(erased):
                model_cache.release(connection, model.instrument, model.scale)
                return False
            model_cache.keep(connection, model, key)
            append(connection, [self.audit.line("model kept", instrument=model.instrument, scale=model.scale)])
        return True

    def _require_operator(self, what: str) -> None:
        with self._audited(what, None, logged=False):
            if self._scope.user is not None or self._scope.masked:
                raise AccessDenied(
                    f"{self._scope.who} may not use the clinic's models: they are based on all clients."
                )

    def _require_care(self, connection: Connection, instrument: str) -> None:
        rule = Definitions.load(connection).rules(self._scope).get(instrument)
        if rule is not None and rule.channel != "care":
            raise StoreError(f"'{instrument}' belongs to the safety channel: no model is fitted to it.")
