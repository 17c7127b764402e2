"""Measurement-based care for individual relationship therapy.

The public names; each is loaded when first used, so that ``import mbc`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mbc.lazy import public_names

if TYPE_CHECKING:
    from mbc import care as care
    from mbc import figures as figures
    from mbc import models as models
    from mbc import outcomes as outcomes
    from mbc import reports as reports
    from mbc import simulate as simulate
    from mbc.errors import DoubtfulAnswers as DoubtfulAnswers
    from mbc.errors import MbcError as MbcError
    from mbc.instruments import Instrument as Instrument
    from mbc.instruments import applicable as applicable
    from mbc.instruments import instrument as instrument
    from mbc.instruments import score as score
    from mbc.instruments.library import instruments as instruments
    from mbc.store import Store as Store

__version__ = "0.2.0.dev0"

__getattr__, __dir__, _names = public_names(
    __name__,
    {
        # `mbc.instruments` is a package and also the public function of that name: the package is callable.
        "": ("care", "figures", "instruments", "models", "outcomes", "reports", "simulate"),
        "errors": ("DoubtfulAnswers", "MbcError"),
        "instruments": ("Instrument", "applicable", "instrument", "score"),
        "store": ("Store",),
    },
)
__all__ = sorted([*_names, "__version__"])  # noqa: PLE0605 - made from the map  # pyright: ignore[reportUnsupportedDunderAll]
