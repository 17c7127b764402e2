"""Time growth models side by side: ours, statsmodels, lme4, and packages of PyPI, from one data frame.

``python benchmarks/growth.py --clients 100 1000 10000`` fits ``y ~ log1p(weeks) + severity + (1 + log1p(weeks)
| client)`` by REML and takes coefficients, standard errors and every client's effects (ours with their
conditional covariances). Each program runs in a process of its own on the same data, in rounds one after the
other, so that whatever else the machine does falls on all; the clock runs from the data frame in memory to the
effects; memory is what the fit added to the loaded data at its peak. ``floor`` reads every row once and passes
six times over what is kept of the clients; ``limit`` also takes the logarithm of every time and writes every
client's effects with their covariances, as whatever fits this model must. glmm's formulas know no log1p:
``glmm_ready`` is handed the column ready made, and so are lme-python, mixedlm and interlace-lme. Programs that
are not installed are skipped with a line. Peers in another environment: ``--peer-python PATH``.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PYTHON_PEERS = (
    "mbc",
    "mbc_mixedlm",
    "floor",
    "limit",
    "statsmodels",
    "glmm",
    "glmm_ready",
    "mixedlm_rs",
    "lme_python",
    "mixedlm",
    "interlace",
)
PEERS_BESIDE = ("glmm", "mixedlm", "lme_python", "interlace")  # what --peer-python may have and this one has not
READY = ("glmm_ready", "lme_python", "mixedlm", "interlace")  # are handed the column log1p(weeks) ready made
ROUNDS = 3
LIMITS = {
    "statsmodels": 10_000,
    "lme4": 100_000,
    "interlace": 10_000,
}  # beyond these a run takes many minutes: --all lifts them
R_SCRIPT = """
suppressMessages(library(lme4))
args <- commandArgs(TRUE); data <- read.csv(args[1]); repeats <- as.integer(args[2])
invisible(gc(reset = TRUE)); before <- sum(gc()[, 2]); times <- numeric(0)
for (i in seq_len(repeats)) {
  t <- system.time({ fit <- lmer(y ~ log1p(weeks) + severity + (1 + log1p(weeks) | client), data,
    control = lmerControl(calc.derivs = FALSE)); effects <- ranef(fit, condVar = FALSE) })[["elapsed"]]
  times <- c(times, t)
}
peak <- sum(gc()[, 6]) - before
cat(sprintf('{"seconds": [%s], "megabytes": %.1f, "log_likelihood": %.10f}', paste(times, collapse = ","), peak,
  as.numeric(logLik(fit))))
"""


def make(clients: int, seed: int = 1) -> dict[str, np.ndarray]:
    """2-16 sessions a client, geometric dropout, irregular gaps."""
    rng = np.random.default_rng(seed)
    sessions = np.clip(rng.geometric(0.11, clients), 2, 16)
    client = np.repeat(np.arange(clients), sessions)
    gaps = np.round(rng.gamma(2.0, 0.6, client.size) + 0.1, 2)
    starts = np.concatenate([[0], np.cumsum(sessions)[:-1]])
    gaps[starts] = 0.0
    walked = np.cumsum(gaps)
    weeks = np.round(walked - np.repeat(walked[starts], sessions), 2)
    severity = np.round(rng.normal(20, 5, clients), 1)[client]
    root = np.linalg.cholesky(np.array([[17.6, -2.0], [-2.0, 4.0]]))
    effects = (rng.standard_normal((clients, 2)) @ root.T)[client]
    f = np.log1p(weeks)
    y = 5 + 0.8 * severity - 2.5 * f + effects[:, 0] + effects[:, 1] * f + rng.normal(0, 3.2, client.size)
    return {"client": client, "weeks": weeks, "severity": severity, "y": np.round(y, 3)}


def _frame(path: str, kind: str) -> Any:
    columns = {name: np.load(Path(path) / f"{name}.npy") for name in ("client", "weeks", "severity", "y")}
    return _import("polars" if kind == "polars" else "pandas").DataFrame(columns)


def _import(name: str) -> Any:
    """Import a peer that may not be there."""
    return importlib.import_module(name)


def _mbc(frame: Any) -> float:
    fit = _import("mbc.models").growth_curve(
        frame, outcome="y", time="weeks", client="client", covariates=["severity"]
    )
    assert fit.effects.means.shape[1] == 2
    assert (fit.estimates.standard_errors > 0).all()
    return fit.log_likelihood


@functools.lru_cache(maxsize=1)
def _kept(clients: int) -> np.ndarray:
    """As many numbers as Z'Z and Z'[X y] are."""
    return np.ones((11, clients))


def _floor(frame: Any) -> float:
    total = sum(float(frame[name].to_numpy().sum()) for name in ("client", "weeks", "severity", "y"))
    kept = _kept(int(frame["client"].iloc[-1]) + 1)
    return total + sum(float(kept.sum()) for _ in range(6))


def _limit(frame: Any) -> float:
    total = _floor(frame) + float(np.log(frame["weeks"].to_numpy() + 1.0).sum())
    kept = _kept(int(frame["client"].iloc[-1]) + 1)
    effects = np.empty((6, kept.shape[1]))  # two means, and a symmetric covariance as two by two
    effects[:] = kept[:6]
    return total + float(effects[0, -1])


def _mbc_mixedlm(frame: Any) -> float:
    result = _import("mbc.models").mixedlm(
        "y ~ np.log1p(weeks) + severity", frame, groups="client", re_formula="~ np.log1p(weeks)"
    )
    assert result.random_effects_frame.shape[1] == 2
    return float(result.llf)


def _statsmodels(frame: Any) -> float:
    fit = (
        _import("statsmodels.formula.api")
        .mixedlm("y ~ np.log1p(weeks) + severity", frame, groups="client", re_formula="~ np.log1p(weeks)")
        .fit()
    )
    assert fit.random_effects
    return float(fit.llf)


def _glmm(frame: Any) -> float:
    return _glmm_ready(frame.assign(log_weeks=np.log1p(frame["weeks"])))


def _glmm_ready(frame: Any) -> float:
    formula = "y ~ log_weeks + severity + (1 + log_weeks | client)"
    fit = _import("glmm").fit(frame, formula, reml=True, satterthwaite=False)
    assert len(fit.ranef)
    return float(fit.loglik)


def _mixedlm_rs(frame: Any) -> float:
    fit = (
        _import("mixedlm_rs")
        .mixedlm("y ~ np.log1p(weeks) + severity", frame, groups="client", re_formula="~ np.log1p(weeks)")
        .fit()
    )
    assert len(fit.random_effects_array)
    return float(fit.llf)


def _with_log_weeks(frame: Any) -> Any:
    return frame if "log_weeks" in frame.columns else frame.assign(log_weeks=np.log1p(frame["weeks"]))


def _lme_python(frame: Any) -> float:
    formula = "y ~ log_weeks + severity + (1 + log_weeks | client)"
    named = _with_log_weeks(frame).assign(client=frame["client"].astype(str))
    fit = _import("lme_python").lmer(formula, named, reml=True)
    assert fit.ranef
    assert fit.std_errors
    return float(fit.log_likelihood)


def _mixedlm(frame: Any) -> float:
    formula = "y ~ log_weeks + severity + (1 + log_weeks | client)"
    fit = _import("mixedlm").lmer(formula, _with_log_weeks(frame))
    assert fit.ranef()
    return float(fit.logLik().value)


def _interlace(frame: Any) -> float:
    fit = _import("interlace").fit(
        "y ~ log_weeks + severity", _with_log_weeks(frame), random=["(1 + log_weeks | client)"]
    )
    assert fit.random_effects is not None
    return float(fit.llf)


FITS: dict[str, Callable[[Any], float]] = {
    "mbc": _mbc,
    "mbc_mixedlm": _mbc_mixedlm,
    "statsmodels": _statsmodels,
    "floor": _floor,
    "limit": _limit,
    "glmm": _glmm,
    "glmm_ready": _glmm_ready,
    "mixedlm_rs": _mixedlm_rs,
    "lme_python": _lme_python,
    "mixedlm": _mixedlm,
    "interlace": _interlace,
}


def one(program: str, path: str, repeats: int, kind: str) -> None:
    """Run one program in this process and print a line of JSON."""
    warnings.simplefilter("ignore")
    fit = FITS[program]
    frame = _frame(path, kind)
    if program in READY:
        frame = frame.assign(log_weeks=np.log1p(frame["weeks"]))
    small = frame.head(400).copy() if kind == "pandas" else frame.head(400)
    small_value = fit(small)  # imports, caches
    assert np.isfinite(small_value)
    Path("/proc/self/clear_refs").write_text("5")
    base = _memory("VmRSS")
    seconds, processor = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        value = fit(frame)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    peak = _memory("VmHWM") - base
    print(json.dumps({"seconds": seconds, "processor": processor, "megabytes": peak, "log_likelihood": value}))


def _memory(key: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return float("nan")


def _run(command: list[str]) -> dict[str, Any] | str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed"
    return json.loads(done.stdout.strip().splitlines()[-1])


def _available(program: str, python: str) -> bool:
    module = {"mbc_mixedlm": "mbc", "floor": "numpy", "limit": "numpy", "glmm_ready": "glmm"}.get(program, program)
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--programs", nargs="+", default=[*PYTHON_PEERS, "lme4"])
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--frame", choices=["pandas", "polars"], default="pandas", help="what mbc is given")
    parser.add_argument("--all", action="store_true", help="run slow programs at every size")
    parser.add_argument("--one", nargs=4, metavar=("PROGRAM", "FOLDER", "REPEATS", "KIND"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        program, folder, repeats, kind = options.one
        one(program, folder, int(repeats), kind)
        return
    interpreter = {
        program: options.peer_python if program.startswith(PEERS_BESIDE) else sys.executable
        for program in options.programs
    }
    present = {}
    for program in options.programs:
        found = shutil.which("Rscript") if program == "lme4" else _available(program, interpreter[program])
        present[program] = bool(found)
        if not found:
            print(f"{program}: not installed, skipped")
    print(
        "| clients | rows | program | least | median | least, over ours | medians | least processor time "
        "| memory | log-likelihood |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for clients in options.clients:
        compare(clients, [p for p in options.programs if present[p]], interpreter, options)


def compare(clients: int, programs: list[str], interpreter: dict[str, str], options: Any) -> None:
    """Run every program on one data set and print its rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        data = make(clients)
        for name, column in data.items():
            np.save(Path(folder) / f"{name}.npy", column)
        if "lme4" in programs:
            _import("polars").DataFrame(data).write_csv(Path(folder) / "data.csv")
            (Path(folder) / "fit.R").write_text(R_SCRIPT)
        found: dict[str, list[dict[str, Any] | str]] = {program: [] for program in programs}
        slow = [p for p in programs if clients > LIMITS.get(p, 10**9) and not options.all]
        for round_ in range(ROUNDS):
            for program in programs:
                repeats = _repeats(program, clients)
                if program in slow or (repeats == 1 and round_ and program in LIMITS):
                    continue
                if program == "lme4":
                    command = ["Rscript", f"{folder}/fit.R", f"{folder}/data.csv", str(repeats)]
                else:
                    kind = options.frame if program == "mbc" else "pandas"
                    command = [interpreter[program], __file__, "--one", program, folder, str(repeats), kind]
                found[program].append(_run(command))
        ours = _seconds(found.get("mbc", []))
        for program in programs:
            seconds, last = _seconds(found[program]), found[program][-1] if found[program] else "not run (slow)"
            if isinstance(last, str) or not seconds:
                print(f"| {clients:,} | | {program} | {last} | | | | | | |", flush=True)
                continue
            least, median = min(seconds), statistics.median(seconds)
            ratios = f"{least / min(ours):,.1f} | {median / statistics.median(ours):,.1f}" if ours else " | "
            used = [
                second for run in found[program] if isinstance(run, dict) for second in run.get("processor", [])
            ]
            value = "" if program in ("floor", "limit") else f"{last['log_likelihood']:.6f}"
            print(
                f"| {clients:,} | {len(data['y']):,} | {program} | {_shown(least)} | {_shown(median)} | {ratios} "
                f"| {_shown(min(used)) if used else ''} | {last['megabytes']:,.0f} MB | {value} |",
                flush=True,
            )


def _seconds(found: list[dict[str, Any] | str]) -> list[float]:
    return [second for one_run in found if not isinstance(one_run, str) for second in one_run["seconds"]]


def _repeats(program: str, clients: int) -> int:
    """Fits in one round."""
    slow = {"statsmodels": 300, "lme4": 20, "lme_python": 4, "mixedlm": 20, "interlace": 10_000}.get(program, 1)
    return max(1, min(100, 40_000 // (clients * slow), 3 if clients >= 100_000 else 100))


def _shown(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


if __name__ == "__main__":
    main()
