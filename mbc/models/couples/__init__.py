"""Couples: actor-partner and common-fate models."""
