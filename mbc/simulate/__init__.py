"""Synthetic clinics with known truth: for the demo, for tests and for benchmarks."""

from __future__ import annotations

from mbc.simulate.clinic import CLIENTS, CLINICIANS, SEED, START, WEEKS, Clinic, clinic
from mbc.simulate.stories import STORIES, Story

__all__ = ["CLIENTS", "CLINICIANS", "SEED", "START", "STORIES", "WEEKS", "Clinic", "Story", "clinic"]
