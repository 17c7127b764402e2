"""Which changes of the code no test notices: scripts/mutants.py [AREA ...] [--every=N] [--cases=N].

Without names all areas are tried. For a quick estimate, ``--every=6`` tries every sixth change only, and
``--cases=3`` takes at most three cases of each parametrized test: what those notice, all tests notice.

An area is some files and the tests that should notice a change of them. The tracked files are copied to TMPDIR;
the changes are made there, by mutmut, and each is tried in a process of its own with the tests that run its
function, until one fails. Unlike mutmut alone, functions behind ``@checked`` are changed too, texts that hold a
space are not (they are the wording of messages), and tests are collected once per area, not once per change.
build/mutants/AREA.txt has the counts and every change that was not noticed.
"""

from __future__ import annotations

import ast
import difflib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build/mutants"
COPIED = ("mbc", "dashboards", "tests", "docs", "data", "benchmarks", "typings", "*.toml", "*.md")
PYTEST = [
    "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-n", "0", "--hypothesis-profile=quick", "--tb=no",
    "-m", "not slow and not browser and not postgres",
]  # fmt: skip


class Area(NamedTuple):
    """The files that are changed, and the tests that should notice."""

    changed: str
    tests: tuple[str, ...]


AREAS = {
    "suppression": Area("mbc/privacy/small_numbers/protect.py", ("tests/privacy/small_numbers",)),
    "reliable-change": Area(
        "mbc/models/change/person/reliable_change.py",
        (
            "tests/models/change/test_edges.py",
            "tests/models/change/test_growth_slopes.py",
            "tests/models/change/test_jacobson_1989.py",
            "tests/models/change/test_parity.py",
            "tests/models/change/test_published_examples.py",
        ),
    ),
    "scoring": Area(
        "mbc/instruments/scoring/*.py",
        ("tests/instruments/scoring",),
    ),
    "access": Area("mbc/store/access/[!p]*.py", ("tests/store/access",)),
    "passwords": Area(
        "mbc/store/access/password_rules.py",
        ("tests/store/access/test_password_rules.py", "tests/store/access/test_leaked_passwords.py"),
    ),
}


class Change(NamedTuple):
    """One change of one function."""

    module: str
    name: str  # as mutmut names it, with a number at the end
    difference: str

    @property
    def function(self) -> str:
        """The function, as its calls are recorded."""
        return f"{self.module}.{self.name.rpartition('__mutmut_')[0]}"


def change_files(pattern: str, every: int) -> list[Change]:
    """Write the changes of the files into them, switched off; the current folder is the copy."""
    import libcst as cst
    from mutmut.mutation import file_mutation

    visitor: Any = file_mutation.MutationVisitor
    skips, makes = visitor._skip_node_and_children, visitor._create_mutations

    def skip(self: Any, node: cst.CSTNode) -> bool:
        behind = [item.decorator for item in node.decorators] if isinstance(node, cst.FunctionDef) else []
        if len(behind) == 1 and isinstance(behind[0], cst.Name) and behind[0].value == "checked":
            return False
        return bool(skips(self, node))

    number = count()

    def make(self: Any, node: cst.CSTNode) -> None:
        before = len(self.mutations)
        if not (isinstance(node, cst.SimpleString) and " " in node.value):
            makes(self, node)
        self.mutations[before:] = [made for made in self.mutations[before:] if not next(number) % every]

    visitor._skip_node_and_children, visitor._create_mutations = skip, make
    changes: list[Change] = []
    for path in sorted(Path().glob(pattern)):
        changed = file_mutation.mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
        path.write_text(changed.code, encoding="utf-8")
        module = ".".join(path.with_suffix("").parts)
        sources = {
            node.name: ast.get_source_segment(changed.code, node) or ""
            for node in ast.walk(ast.parse(changed.code))
            if isinstance(node, ast.FunctionDef)
        }
        for name in changed.mutant_names:
            before = sources[f"{name.rpartition('__mutmut_')[0]}__mutmut_orig"].replace("__mutmut_orig", "")
            after = sources[name].replace(f"__mutmut_{name.rpartition('_')[2]}", "")
            lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
            changes.append(Change(module, name, "\n".join(list(lines)[2:])))
    return changes


class Trial:
    """A pytest plugin that tries each change with the collected tests, instead of running them once."""

    def __init__(self, changes: Sequence[Change], cases: int) -> None:
        self.changes = changes
        self.cases = cases
        self.outcomes: dict[Change, str] = {}
        self.failing: list[str] = []  # although nothing was changed: they show nothing, and are left out

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests once to learn which functions each calls, then those of its function for each change."""
        cases: dict[str, list[pytest.Item]] = defaultdict(list)
        for item in session.items:
            cases[item.nodeid.partition("[")[0]].append(item)
        if any(thread.read_text().startswith("polars-0") for thread in Path("/proc/self/task").glob("*/comm")):
            pytest.exit(
                "A module of tests works with polars when it is collected: its threads would not survive.", 2
            )
        items = {item.nodeid: item for group in cases.values() for item in spread(group, self.cases)}
        calls, seconds = self._learn(list(items.values()))
        useful: Counter[str] = Counter()
        for number, change in enumerate(self.changes, 1):
            names = sorted(calls[change.function], key=lambda name: -(useful[name] + 0.1) / (seconds[name] + 0.01))
            limit = 30 + 10 * sum(seconds[name] for name in names)
            outcome, name = self._try(change, [items[name] for name in names], limit)
            useful[name] += 1
            self.outcomes[change] = outcome
            print(f"{number}/{len(self.changes)} {change.name}: {outcome} {name}", file=sys.stderr, flush=True)
        return True

    def _learn(self, items: Sequence[pytest.Item]) -> tuple[dict[str, set[str]], dict[str, float]]:
        calls: dict[str, set[str]] = defaultdict(set)
        seconds: dict[str, float] = {}
        for line in in_child(lambda write: run_unchanged(items, write), limit=3600)[1]:
            name, taken, *functions = line.split("\t")
            seconds[name] = float(taken)
            for function in functions:
                calls[function].add(name)
        self.failing = [item.nodeid for item in items if item.nodeid not in seconds]
        return calls, seconds

    def _try(self, change: Change, items: Sequence[pytest.Item], limit: float) -> tuple[str, str]:
        if not items:
            return "no tests", ""
        status, lines = in_child(lambda write: run_changed(change, items, write), limit=limit)
        if os.WIFSIGNALED(status):
            return "timeout", ""
        return ("noticed", lines[-1]) if os.WEXITSTATUS(status) else ("not noticed", "")


def spread(group: Sequence[pytest.Item], most: int) -> Sequence[pytest.Item]:
    """Take at most so many, evenly over the sequence; 0 takes all."""
    if not most or len(group) <= most:
        return group
    return [group[round(place * (len(group) - 1) / max(1, most - 1))] for place in range(most)]


def in_child(work: Any, *, limit: float) -> tuple[int, list[str]]:
    """Do some work in a fork with a limit of processor seconds, and return its status and the lines it wrote."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_CPU, (int(process_time() + limit) + 1, int(process_time() + limit) + 2))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        with os.fdopen(writer, "w", encoding="utf-8") as file:
            code = work(lambda line: print(line, file=file, flush=True))
        os._exit(code)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        lines = file.read().splitlines()
    return os.waitpid(child, 0)[1], lines


def run_unchanged(items: Sequence[pytest.Item], write: Any) -> int:
    """Run tests with the original functions; write the name, the seconds and the functions called of each."""
    from mutmut.mutation import trampoline

    called: set[str] = set()
    trampoline.record_trampoline_hit = lambda name, **_: called.add(name)
    trampoline.set_mutant_under_test("stats")
    for item, following in zip(items, [*items[1:], None], strict=True):
        called.clear()
        started = process_time()
        if not failed(item, following):
            write("\t".join([item.nodeid, str(process_time() - started), *called]))
    return 0


def run_changed(change: Change, items: Sequence[pytest.Item], write: Any) -> int:
    """Run tests with one change until one fails, and write its name."""
    from mutmut.mutation import trampoline

    trampoline.set_mutant_under_test(f"{change.module}.{change.name}")
    for item, following in zip(items, [*items[1:], None], strict=True):
        if failed(item, following):
            write(item.nodeid)
            return 1
    return 0


def failed(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run one test."""
    from _pytest.runner import runtestprotocol

    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def try_area(area: Area, report: Path, *, every: int, cases: int) -> None:
    """Try the changes of an area in the current folder, a copy, and write the outcomes."""
    trial = Trial(change_files(area.changed, every), cases)
    if pytest.main([*PYTEST, *area.tests], plugins=[trial]) or not trial.outcomes:
        sys.exit(f"{report.stem}: nothing was tried.")
    counts = Counter(trial.outcomes.values())
    lines = [f"{outcome}: {count}" for outcome, count in sorted(counts.items())]
    lines += [f"fails although nothing was changed, left out: {name}" for name in trial.failing]
    for change, outcome in trial.outcomes.items():
        if outcome != "noticed":
            lines.append(f"\n# {change.module} {change.name}: {outcome}\n{change.difference}")
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    share = 100 * (counts["noticed"] + counts["timeout"]) / counts.total()
    print(f"{report.stem}: {share:.1f} % of {counts.total()} changes noticed: {dict(counts)}")


def copy_tracked_files(folder: Path) -> None:
    """Copy what git knows, as it is now."""
    command = ["git", "ls-files", "-z", *COPIED]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


def option(arguments: Sequence[str], name: str, default: int) -> int:
    """Read ``--name=3``."""
    given = [word.partition("=")[2] for word in arguments if word.startswith(f"--{name}=")]
    return int(given[-1]) if given else default


def main(arguments: Sequence[str]) -> None:
    """Try the areas, each in a copy and a process of its own."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    options = [word for word in arguments if word.startswith("--")]
    for name in [word for word in arguments if word not in options] or list(AREAS):
        if name not in AREAS:
            sys.exit(f"There is no area {name!r}; there are {', '.join(AREAS)}.")
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            copy_tracked_files(Path(folder))
            subprocess.run(
                [sys.executable, __file__, "--here", name, *options],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": folder},
                check=True,
            )


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["--here"]:
        sys.path[0] = str(Path.cwd())
        report = RESULTS / f"{words[1]}.txt"
        try_area(AREAS[words[1]], report, every=option(words, "every", 1), cases=option(words, "cases", 0))
    else:
        main(words)
