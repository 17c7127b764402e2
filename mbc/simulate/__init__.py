"""Synthetic clinics with known truth: for the demo, for tests and for benchmarks."""

from __future__ import annotations

from mbc.simulate.people.stories import STORIES, Story
from mbc.simulate.synthetic import CLIENTS, CLINICIANS, SEED, START, WEEKS, Clinic, clinic

__all__ = ["CLIENTS", "CLINICIANS", "SEED", "START", "STORIES", "WEEKS", "Clinic", "Story", "clinic"]
