"""Instruments by the names that the field uses in speech, from their keys."""

from __future__ import annotations


def short_name(key: str) -> str:
    """Write an instrument's key as the field does.

    Examples
    --------
    >>> short_name("csi16"), short_name("ecr_r"), short_name("who5")
    ('CSI-16', 'ECR-R', 'WHO-5')
    """
    head = key.rstrip("0123456789")
    return "-".join(part.upper() for part in (*head.split("_"), key[len(head) :]) if part)
