"""Data in and out: files are read, checked row by row and shown as a plan before anything is stored."""

from __future__ import annotations
