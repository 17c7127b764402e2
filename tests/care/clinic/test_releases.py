"""A released period is frozen; nobody learns from all releases together what one of them hides."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Iterator, Sequence

import polars as pl
import pytest
from click.testing import CliRunner
from scipy.optimize import linprog

from mbc import outcomes
from mbc.care import clinic_report
from mbc.care.clinic.releases import make_release, release_table
from mbc.cli.program import program
from mbc.errors import AccessDenied, Conflict, NotInRecord, SettingsError, StoreError
from mbc.outcomes.cohorts import period_of
from mbc.store import Administration, Client, Clinician, Episode, Session, Store
from tests.outcomes.made_people import Tables, make_people

pytestmark = pytest.mark.long

TODAY = dt.date(2027, 1, 10)
QUARTERS = ("2026-Q1", "2026-Q2", "2026-Q3")
PASSWORD = "a long enough passphrase"


def fill(store: Store, tables: Tables) -> None:
    with store.writing(by="test") as record:
        for key in ("K1", "K2", "K3"):
            record.add(Clinician(key, key))
        record.add_all([Client(row["client_id"], clinician_id="K1") for row in tables.clients])
        columns = ("episode_id", "client_id", "clinician_id", "referred_on", "started_on", "ended_on", "ending")
        record.add_all([Episode(*(row[name] for name in columns)) for row in tables.episodes])
        record.add_all(
            [
                Session(
                    row["client_id"], row["episode_id"], row["number"], row["held_on"], attended=row["attended"]
                )
                for row in tables.sessions
            ]
        )
        record.add_all(
            [
                Administration(
                    row["client_id"], row["instrument"], row["taken_on"], totals={"total": row["score"]}
                )
                for row in tables.scores
            ]
        )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path_factory.mktemp('releases') / 'clinic.db'}"
    with Store.create(url) as made:
        fill(made, make_people(seed=5, size=160))
        made.accounts.add("ana", PASSWORD, "analyst")
        made.accounts.add("ash", PASSWORD, "clinician", clinician_id="K1")
        for quarter in QUARTERS:
            make_release(made, quarter, today=TODAY)
        yield made


def exact(store: Store, quarter: str, definition: str) -> outcomes.OutcomeReport:
    period = period_of(quarter)
    return clinic_report(store, start=period.start, end=period.end, definition=definition, cohort="finished")


@pytest.fixture(scope="module")
def exact_report(store):
    """Exact reports of the module's record, each made once: nothing is written to it but refused releases."""
    return functools.cache(lambda quarter, definition: exact(store, quarter, definition))


def published(store: Store, quarter: str, definition: str) -> dict[str, dict]:
    reports = store.as_user("ana").release(quarter).content["reports"]
    (report,) = (each for each in reports if each["definition"] == definition)
    return {figure["metric"]: figure for figure in report["figures"]}


# What anybody can read in the definitions: which counts add up to which.
NHS_SUMS = [
    ("finished_course", ("reliable_improvement", "reliable_deterioration", "no_reliable_change")),
    ("finished_course", ("not_at_caseness", "at_caseness")),
    ("ended_in_period", ("finished_course", "ended_before_treatment", "ended_treated_once")),
]
NHS_DENOMINATORS = {
    "recovery": "at_caseness", "reliable_recovery": "at_caseness",
    "ended_before_treatment": "ended_in_period", "ended_treated_once": "ended_in_period",
    "first_to_second_over_28": "second_in_period", "first_to_second_over_90": "second_in_period",
    "open_no_contact_over_90": "open_with_contact",
}  # fmt: skip
NHS_NESTED = [
    ("recovery", "reliable_recovery"), ("reliable_improvement", "reliable_recovery"),
    ("first_treatment_18_weeks", "first_treatment_6_weeks"),
    ("first_to_second_over_28", "first_to_second_over_90"),
    ("at_caseness", "recovery"), ("second_in_period", "first_to_second_over_28"),
    ("open_with_contact", "open_no_contact_over_90"), ("finished_course", "first_treatment_18_weeks"),
]  # fmt: skip


def ranges(figures: dict[str, dict], k: int) -> dict[str, tuple[int, int | None]]:
    """What a reader knows of each count: the rounded counts, wherever they stand, and NULL for what is hidden."""
    known: dict[str, tuple[int, int | None]] = {}
    for name, figure in figures.items():
        group = NHS_DENOMINATORS.get(name, "finished_course")
        if figure["value"] is not None or name.startswith("paired"):
            continue
        for count, of in ((name, figure["count"]), (group, figure["of"])):
            if of is None:
                known.setdefault(count, (0, None))
            elif of == 0:
                known[count] = (0, 0)
            else:
                known[count] = (max(of - k // 2, k), of - k // 2 + k - 1)
    return known


def attack(
    known: dict[str, tuple[int, int | None]],
    target: dict[str, int],
    sums: Sequence[tuple[str, tuple[str, ...]]] = NHS_SUMS,
    nested: Sequence[tuple[str, str]] = NHS_NESTED,
) -> tuple[float, float]:
    names = list(known)
    equal, most = [], []
    for total, parts in sums:
        equal.append([-1.0 if name == total else 1.0 if name in parts else 0.0 for name in names])
    for total, part in nested:
        most.append([-1.0 if name == total else 1.0 if name == part else 0.0 for name in names])
    goal = [float(target.get(name, 0)) for name in names]
    ends = []
    for sign in (1, -1):
        made = linprog([sign * factor for factor in goal], most, [0.0] * len(most), equal, [0.0] * len(equal),
                       list(known.values()), integrality=1)  # fmt: skip
        ends.append(sign * made.fun if made.status == 0 else -sign * float("inf"))
        assert made.status in (0, 3)
    return ends[0], ends[1]


def truths(report: outcomes.OutcomeReport) -> dict[str, int]:
    counts: dict[str, int] = {}
    for metric in report.metrics:
        counts[metric.metric] = metric.numerator
        counts[NHS_DENOMINATORS.get(metric.metric, "finished_course")] = metric.denominator
    return counts


@pytest.mark.parametrize("quarter", QUARTERS)
def test_linear_programming_over_a_release_narrows_no_hidden_count(store, exact_report, quarter):
    figures = published(store, quarter, "nhs")
    known, true = ranges(figures, 5), truths(exact_report(quarter, "nhs"))
    small = [name for name in known if 0 < true[name] < 5]
    assert small
    for name in known:
        low, high = attack(known, {name: 1})
        assert low <= true[name] <= high, name
        if name in small:
            assert low <= 1
            assert high >= 4, name


# What is public of a whole release: NHS courses ("n") and two measures ("p", "g"), with those who are missing.
SCALES = {"p": "phq9_total", "g": "gad7_total"}
UNKNOWN = {"recovery": "n.unresolved_cases", "reliable_recovery": "n.unresolved_cases",
           **dict.fromkeys(("reliable_improvement", "reliable_deterioration", "no_reliable_change"),
                           "n.unresolved")}  # fmt: skip
BOTH_SUMS = [
    *[(f"n.{total}", tuple(f"n.{part}" for part in parts)) for total, parts in NHS_SUMS],
    ("n.finished_course", ("n.paired_both_measures", "n.unresolved")),
    ("n.unresolved", ("n.unresolved_cases", "n.unresolved_others")),
    ("n.at_caseness", ("n.recovery", "n.unresolved_cases", "n.cases_not_recovered")),
    *[("n.ended_in_period", (f"{s}.measured", f"{s}.not_measured")) for s in SCALES],
    *[(f"{s}.measured", (f"{s}.paired", f"{s}.not_paired")) for s in SCALES],
    *[(f"{s}.paired", tuple(f"{s}.{part}" for part in ("recovered", "improved", "unchanged", "deteriorated")))
      for s in SCALES],
]  # fmt: skip
BOTH_NESTED = [
    *[(f"n.{total}", f"n.{part}") for total, part in NHS_NESTED],
    ("n.not_at_caseness", "n.unresolved_others"),
    *[(f"{s}.paired", "n.paired_both_measures") for s in SCALES],
    *[(f"{s}.paired", f"{s}.began") for s in SCALES],
    *[(f"{s}.began", f"{s}.recovered") for s in SCALES],
    *[(f"{s}.not_paired", f"{s}.began_not_paired") for s in SCALES],
]


class Knowledge(dict[str, tuple[int, int | None]]):
    """The lowest and highest value that each count can have."""

    def learn(self, name: str, rounded: int | None) -> None:
        low, high = (0, None) if rounded is None else (max(rounded - 2, 5), rounded + 2)
        if rounded == 0:
            low, high = 0, 0
        before_low, before_high = self.get(name, (0, None))
        self[name] = (max(low, before_low), high if before_high is None else before_high)


def everything_known(reports: list[dict]) -> Knowledge:
    """What a reader knows of each count of a release: figures, the flow, and who is missing, from the bounds."""
    known = Knowledge()
    nhs, scales = reports
    for figure in nhs["figures"]:
        name = figure["metric"]
        if figure["value"] is None and not name.startswith("paired"):
            known.learn(f"n.{name}", figure["count"])
            known.learn(f"n.{NHS_DENOMINATORS.get(name, 'finished_course')}", figure["of"])
        if name in UNKNOWN:
            known.learn(UNKNOWN[name], missing_of(figure, in_addition=False))
    steps = ("ended_in_period", "finished_course", "paired_both_measures")
    for step, name in zip(nhs["flow"], steps, strict=True):
        known.learn(f"n.{name}", step["count"])
    for figure in scales["figures"]:
        for prefix, scale in SCALES.items():
            if figure["metric"].startswith(scale):
                learn_of_scale(known, figure, prefix, figure["metric"].removeprefix(f"{scale}_"))
    for step in scales["flow"]:
        prefix = "p" if "PHQ" in step["group"] else "g"
        name = {"Have a first score": "measured", "Have a later score": "paired"}.get(step["title"])
        known.learn(f"{prefix}.{name}" if name else "n.ended_in_period", step["count"])
    everywhere = dict.fromkeys((part for _, parts in BOTH_SUMS for part in parts), (0, None))
    return Knowledge(everywhere | known)


def learn_of_scale(known: Knowledge, figure: dict, prefix: str, name: str) -> None:
    if name in CATEGORIES:
        known.learn(f"{prefix}.{name}", figure["count"])
        known.learn(f"{prefix}.not_paired", missing_of(figure, in_addition=True))
    if name in (*CATEGORIES, "effect_size"):
        known.learn(f"{prefix}.paired", figure["of"])
    if name == "recovered_of_distressed":
        known.learn(f"{prefix}.recovered", figure["count"])
        known.learn(f"{prefix}.began", figure["of"])
        known.learn(f"{prefix}.began_not_paired", missing_of(figure, in_addition=True))


def missing_of(figure: dict, *, in_addition: bool) -> int | None:
    """Who is missing follows from the best case: the multiples of five that could have given it, if it is one."""
    if figure["best"] is None:
        return None
    count, of = min(figure["count"], figure["of"]), figure["of"]
    fitting = [
        missing
        for missing in range(0, 2000, 5)
        if round(100 * min(count + missing, n := of + missing * in_addition) / n) == figure["best"]
    ]
    return fitting[0] if len(fitting) == 1 else None


def test_nothing_released_together_narrows_a_hidden_count(store, exact_report):
    """Bounds, flow and figures of both definitions at once: the attacker adds up across them."""
    small = shown_bounds = 0
    for quarter in QUARTERS:
        reports = store.as_user("ana").release(quarter).content["reports"]
        known = everything_known(reports)
        shown_bounds += sum(figure["best"] is not None for each in reports for figure in each["figures"])
        true = {f"n.{name}": count for name, count in exact_report(quarter, "nhs").tables[0].counts.items()}
        report = exact_report(quarter, "jacobson-truax")
        for prefix, scale in SCALES.items():
            place = list(dict.fromkeys(metric.key for metric in report.metrics)).index(scale)
            true |= {f"{prefix}.{name}": count for name, count in report.tables[place].counts.items()}
        for name in known.keys() & true.keys():
            low, high = attack(known, {name: 1}, BOTH_SUMS, BOTH_NESTED)
            assert low <= true[name] <= high, name
            if 0 < true[name] < 5:
                small += 1
                assert low <= 1, name
                assert high >= 4, name
    assert small > 5
    assert shown_bounds > 5


CATEGORIES = ("recovered", "improved", "unchanged", "deteriorated")


def known_of_scale(figures: dict[str, dict], scale: str) -> dict[str, tuple[int, int | None]]:
    """What a reader knows of one scale: its rates, their denominators, and the n that stands with the mean."""
    known: dict[str, tuple[int, int | None]] = {}

    def learn(name: str, rounded: int | None) -> None:
        if rounded is None:
            known.setdefault(name, (0, None))
        else:
            known[name] = (0, 0) if rounded == 0 else (max(rounded - 2, 5), rounded + 2)

    for name in CATEGORIES:
        learn(name, figures[f"{scale}_{name}"]["count"])
        learn("paired", figures[f"{scale}_{name}"]["of"])
    learn("paired", figures[f"{scale}_effect_size"]["of"])
    distressed = figures[f"{scale}_recovered_of_distressed"]
    learn("recovered", distressed["count"])
    learn("began", distressed["of"])
    return known


@pytest.mark.parametrize("scale", ["phq9_total", "gad7_total"])
def test_linear_programming_over_one_measure_narrows_no_hidden_count(store, exact_report, scale):
    small = 0
    for quarter in QUARTERS:
        known = known_of_scale(published(store, quarter, "jacobson-truax"), scale)
        report = exact_report(quarter, "jacobson-truax")
        names = list(known)
        equal = [[-1.0 if name == "paired" else float(name in CATEGORIES) for name in names]]
        most = [
            [-1.0 if name == total else float(name == part) for name in names]
            for total, part in (("paired", "began"), ("began", "recovered"))
        ]
        for target in CATEGORIES:
            true = report[f"{scale}_{target}"].numerator
            ends = []
            for sign in (1, -1):
                goal = [float(sign * (name == target)) for name in names]
                made = linprog(goal, most, [0.0, 0.0], equal, [0.0], list(known.values()), integrality=1)
                ends.append(sign * made.fun if made.status == 0 else float("inf"))
            assert ends[0] <= true <= ends[1]
            if 0 < true < 5:
                small += 1
                assert ends[0] <= 1
                assert ends[1] >= 4
    assert small


def test_s1_a_year_cannot_be_released_over_its_quarters(store):
    for nested in ("2026", "2026-Q1"):
        with pytest.raises(Conflict, match="never"):
            make_release(store, nested, today=TODAY)
    periods = [(release.start, release.end) for release in store.releases()]
    assert all(a[1] < b[0] or b[1] < a[0] for i, a in enumerate(periods) for b in periods[i + 1 :])


def test_s1_quarters_count_nobody_twice(store, exact_report):
    """Adding up is no attack where cohorts do not nest: each episode is in one release."""
    ended = store.episodes().drop_nulls("ended_on")
    within = ended.filter(pl.col("ended_on").is_between(dt.date(2026, 1, 1), dt.date(2026, 9, 30))).height
    total = sum(truths(exact_report(quarter, "nhs"))["ended_in_period"] for quarter in QUARTERS)
    assert len(store.counted_in_releases()) == within == total


def test_s2_a_late_entry_changes_no_release_and_is_counted_in_the_next(tmp_path):
    with Store.create(f"sqlite:///{tmp_path / 'late.db'}") as store:
        fill(store, make_people(seed=6, size=60))
        store.accounts.add("ana", PASSWORD, "analyst")
        make_release(store, "2026-Q2", today=TODAY)
        before = store.as_user("ana").release("2026-Q2")
        expected = truths(exact(store, "2026-Q3", "nhs"))["ended_in_period"]
        with store.writing(by="test") as record:
            for number in range(6):
                who, day = f"L{number}", dt.date(2026, 5, 2)
                record.add(Client(who, clinician_id="K1"))
                record.add(Episode(f"{who}.E1", who, "K1", day, day, dt.date(2026, 6, 1 + number), "planned"))
        assert store.as_user("ana").release("2026-Q2") == before
        made = make_release(store, "2026-Q3", today=TODAY)
        assert made.content["late_entries"] == "5"
        in_q2 = sum(
            dt.date(2026, 4, 1) <= d <= dt.date(2026, 6, 30) for d in store.episodes()["ended_on"].drop_nulls()
        )
        assert len(store.counted_in_releases()) == in_q2 + expected


def test_s3_no_published_number_has_more_than_three_digits(store):
    for quarter in QUARTERS:
        text = json.dumps([report["figures"] for report in store.release(quarter).content["reports"]])
        assert not re.search(r"\d\.\d{3}", text)
        for figure in release_table(store.release(quarter)).iter_rows(named=True):
            assert figure["count"] is None or figure["count"] % 5 == 0
            assert figure["of"] is None or figure["of"] % 5 == 0


def test_s3_a_mean_rests_on_twenty_people_and_its_sums_cannot_be_recalculated(store, exact_report):
    """All sums that round to the published d are possible: there are many, so no single change follows."""
    for quarter in QUARTERS:
        for name, figure in published(store, quarter, "jacobson-truax").items():
            if name.endswith("effect_size") and figure["value"] is not None:
                metric = exact_report(quarter, "jacobson-truax")[name]
                assert metric.denominator >= 20
                assert figure["of"] % 5 == 0
                assert figure["value"] == f"{metric.value:.2f}"
                assert (figure["lower"], figure["upper"]) == (
                    None,
                    None,
                )  # an interval would give t, and so the sum


def test_s4_completeness_is_a_band_and_none_where_a_band_would_count_the_missing(store, exact_report):
    bands = set()
    for quarter in QUARTERS:
        for definition in ("nhs", "jacobson-truax"):
            report = exact_report(quarter, definition)
            for name, figure in published(store, quarter, definition).items():
                if report[name].completeness:
                    assert figure["count"] is figure["of"] is None
                    assert not (figure["value"] and report[name].denominator < 18)
                    bands.add(figure["value"])
                    missing = report[name].denominator - (report[name].numerator or 0)
                    if 0 < missing < 5:  # shown only where every number from 1 to 4 lies in the same band
                        assert figure["hidden"] or report[name].denominator >= 40
    assert bands <= {"over 90 %", "80 to 90 %", "under 80 %", None}
    assert len(bands) > 2


def test_s5_an_analyst_gets_releases_and_nothing_else(store):
    analyst = store.as_user("ana")
    for definition in ("nhs", "jacobson-truax"):
        with pytest.raises(AccessDenied, match="only see published figures"):
            clinic_report(analyst, definition=definition, start=dt.date(2026, 1, 1), end=dt.date(2026, 3, 31))
    for closed in (analyst.episode_digests, analyst.counted_in_releases):
        with pytest.raises(AccessDenied):
            closed()
    with pytest.raises(AccessDenied):
        make_release(analyst, "2026-Q4", today=TODAY)
    text = repr(analyst.releases())
    assert not re.search(r"\bP\d{3}\b|\bK[123]\b", text)
    assert "counted'" not in text


def test_a_clinician_who_could_subtract_their_own_clients_reads_no_release(store):
    with pytest.raises(AccessDenied, match="subtracted"):
        store.as_user("ash").releases()


def test_what_is_released_agrees_with_the_exact_report_up_to_rounding(store, exact_report):
    for quarter in QUARTERS:
        report = exact_report(quarter, "nhs")
        for name, figure in published(store, quarter, "nhs").items():
            if figure["count"] is not None:
                assert abs(figure["count"] - report[name].numerator) <= 2
                assert abs(figure["of"] - report[name].denominator) <= 2
            if figure["percent"] is not None:
                assert figure["percent"] == round(100 * min(figure["count"], figure["of"]) / figure["of"])


def test_a_release_cannot_be_changed_and_says_what_it_holds(store):
    with store._engine.connect() as connection, pytest.raises(Exception, match="never changed"):
        connection.exec_driver_sql("DELETE FROM release")
    content = store.release("2026-Q1").content
    assert {report["definition"] for report in content["reports"]} == {"nhs", "jacobson-truax"}
    assert content["definitions"][0]["measures"][0]["caseness"] == 10
    assert "never published again" in content["replaces"]
    with pytest.raises(NotInRecord, match="2026-Q3, 2026-Q2, 2026-Q1"):
        store.release("2025-Q1")


def test_a_release_changed_behind_the_record_is_refused(tmp_path):
    with Store.create(f"sqlite:///{tmp_path / 'c.db'}") as store:
        fill(store, make_people(seed=8, size=5))
        make_release(store, "2026-Q2", today=TODAY)
        with store._engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER release_kept_from_update")
            connection.exec_driver_sql("UPDATE release SET content = '{}'")
        with pytest.raises(StoreError, match="not what was published"):
            store.releases()


@pytest.mark.parametrize("name", ["2026-Q4", "2026"])
def test_a_period_that_is_not_over_is_not_released(store, name):
    with pytest.raises(SettingsError, match="not over"):
        make_release(store, name, today=dt.date(2026, 12, 31))


@pytest.mark.parametrize(
    ("definitions", "words"),
    [
        (["nhs", "nhs"], "have the same rules"),
        (["nhs", "saes"], "takes its reference from this clinic's own clients"),
    ],
)
def test_what_would_publish_people_twice_or_exactly_is_refused(store, definitions, words):
    with pytest.raises(SettingsError, match=words):
        make_release(store, "2026-Q4", definitions=definitions, today=TODAY)
    assert len(store.releases()) == len(QUARTERS)


@pytest.mark.parametrize("name", ["2026-Q5", "26-Q1", "2026-07-01", "0000", ""])
def test_a_release_is_of_a_quarter_or_a_year(store, name):
    with pytest.raises(SettingsError, match="quarter or year"):
        make_release(store, name, today=TODAY)


def test_the_command_makes_lists_and_shows(tmp_path):
    url, file = f"sqlite:///{tmp_path / 'c.db'}", tmp_path / "q2.csv"
    with Store.create(url) as store:
        fill(store, make_people(seed=9, size=40))
        store.accounts.add("ana", PASSWORD, "analyst")

    def run(words: str) -> str:
        result = CliRunner().invoke(program, [*words.split(), "--store", url], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    assert "Released 2026-Q2" in run("release make 2026-Q2 --preset cms11")
    assert "2026-Q2" in run("release list --as ana")
    assert "NHS Talking Therapies" in run(f"release show 2026-Q2 --as ana --csv {file}")
    rows = pl.read_csv(file, schema_overrides={"count": pl.Int64})
    assert (rows["count"].drop_nulls() % 11).sum() == 0
