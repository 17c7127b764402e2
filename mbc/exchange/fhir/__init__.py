"""FHIR R4: answers as QuestionnaireResponse, scores as Observation, alone, in a Bundle, or one per line."""

from __future__ import annotations

from mbc.exchange.fhir.answer_table import read_fhir
from mbc.exchange.fhir.resource_files import Loaded, load_resources

__all__ = ["Loaded", "load_resources", "read_fhir"]
