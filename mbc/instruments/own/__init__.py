"""Questionnaires of one's own: definition files in a folder, checked, and joined to the catalogue."""

from __future__ import annotations
