"""How exactly a model may store estimates from clients: rounded, so that no quantile is one client's own value."""

from __future__ import annotations

import numpy as np

from mbc.models.growth.matrices import Floats


def rounded(values: Floats, digits: int = 3) -> Floats:
    """Round to so many significant digits.

    Examples
    --------
    >>> rounded(np.array([0.0, 12.3456, -0.00123456])).tolist()
    [0.0, 12.3, -0.00123]
    """
    size = np.floor(np.log10(np.where(values == 0, 1.0, np.abs(values))))
    unit = 10.0 ** (digits - 1 - size)
    return np.round(values * unit) / unit
