"""What may leave the clinic: small numbers suppressed, people de-identified."""

from __future__ import annotations

from mbc.privacy.suppression import PublishedCounts, rounded_percent, suppress

__all__ = ["PublishedCounts", "rounded_percent", "suppress"]
