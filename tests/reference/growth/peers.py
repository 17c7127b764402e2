"""Log-likelihoods of statsmodels, glmm and mixedlm-rs on every hard case: ``python peers.py > peers_python.json``.

Needs ``glmm`` and ``mixedlm-rs`` of PyPI beside the project's own environment. A program that fails leaves its
error.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
from make_data import HARD, STRAIGHT, case


def statsmodels(data: pd.DataFrame, time: str, more: str, *, reml: bool) -> float:
    """Fit as its documentation does, with a tighter gradient."""
    smf = importlib.import_module("statsmodels.formula.api")
    model = smf.mixedlm(f"y ~ {time} + severity{more}", data, groups="client", re_formula=f"~ {time}")
    return float(model.fit(reml=reml, gtol=1e-9).llf)


def glmm(data: pd.DataFrame, time: str, more: str, *, reml: bool) -> float:
    """Its formulas know no functions: the column is made first."""
    data = data.assign(f=np.log1p(data["weeks"]) if time != "time" else data["time"])
    formula = f"y ~ f + severity{more} + (1 + f | client)"
    return float(importlib.import_module("glmm").fit(data, formula, reml=reml, satterthwaite=False).loglik)


def mixedlm_rs(data: pd.DataFrame, time: str, more: str, *, reml: bool) -> float:
    """Same arguments as statsmodels."""
    peer: Any = importlib.import_module("mixedlm_rs")
    model = peer.mixedlm(f"y ~ {time} + severity{more}", data, groups="client", re_formula=f"~ {time}")
    return float(model.fit(reml=reml).llf)


def main() -> None:
    """Print one JSON object: case_method -> program -> log-likelihood or error."""
    warnings.simplefilter("ignore")
    out: dict[str, Any] = {
        "versions": {name: importlib.metadata.version(name) for name in ("statsmodels", "glmm", "mixedlm-rs")}
    }
    for name in HARD:
        data = case(name).to_pandas()
        time = "time" if name in STRAIGHT else "np.log1p(weeks)"
        more = " + twin" if name == "collinear" else ""
        for reml in (True, False):
            found: dict[str, Any] = {}
            for program in (statsmodels, glmm, mixedlm_rs):
                try:
                    value = program(data, time, more, reml=reml)
                    found[program.__name__] = value if np.isfinite(value) else str(value)
                except Exception as error:  # noqa: BLE001  whatever stops a peer is what is recorded
                    found[program.__name__] = f"{type(error).__name__}: {error}"
            out[f"{name}_{'reml' if reml else 'ml'}"] = found
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
