"""Expected courses, forecasts and signals of one client; what is refused; what a model file holds."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtri

from mbc.errors import ModelError
from mbc.models import ExpectedCourse, expected_course, prospective_validation
from mbc.models.forecast.calibration.last_score_outcomes import Prognosis, Rule
from mbc.models.forecast.calibration.left_out_forecasts import SHARES
from mbc.models.forecast.course_model.outcome_scale import OutcomeScale
from mbc.models.forecast.validation.tables import bounds

pytestmark = pytest.mark.long

COLUMNS = {"outcome": "score", "time": "weeks", "client": "client"}
TIMES, SCORES = [0, 1, 2.5, 4], [22, 20, 21, 17]


@pytest.fixture(scope="module")
def mirrored(clinic):
    """The same clients on a scale that runs the other way."""
    turned = clinic.with_columns(score=40 - pl.col("score"))
    return expected_course(turned, **COLUMNS, higher_is_better=True, score_range=(0, 40), reliable_change=6)


def test_a_scale_that_runs_the_other_way_tells_the_same(model, mirrored):
    one, other = (
        model.forecast(TIMES, SCORES, goal=12),
        mirrored.forecast(TIMES, [40 - s for s in SCORES], goal=28),
    )
    assert other.expected == pytest.approx(40 - one.expected, abs=1e-4)
    assert (other.lower, other.upper) == pytest.approx((40 - one.upper, 40 - one.lower), abs=1e-4)
    assert other.improvement == pytest.approx(one.improvement, abs=1e-4)
    for name in ("improved", "deteriorated", "goal"):
        assert getattr(other, name).value == pytest.approx(getattr(one, name).value, abs=1e-4)


def test_the_unit_of_time_does_not_matter(clinic, model):
    days = expected_course(
        clinic.with_columns(weeks=pl.col("weeks") * 7),
        **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=6,
    )  # fmt: skip
    one, other = model.forecast(TIMES, SCORES), days.forecast([7 * t for t in TIMES], SCORES)
    assert other.expected == pytest.approx(one.expected, abs=1e-3)


def test_times_count_from_the_first_score_and_order_does_not_matter(model):
    shuffled = model.forecast([104, 100, 102.5, 101], [17, 22, 21, 20])
    assert shuffled.expected == pytest.approx(model.forecast(TIMES, SCORES).expected)


def test_chances_and_bands_are_of_one_distribution(model):
    """The 80 % band's ends are where the chance of being better is 10 % and 90 % (half a step aside)."""
    found = model.forecast(TIMES, SCORES)
    assert model.forecast(TIMES, SCORES, goal=found.upper - 0.5).goal.value == pytest.approx(0.9, abs=1e-6)
    assert model.forecast(TIMES, SCORES, goal=found.lower - 0.5).goal.value == pytest.approx(0.1, abs=1e-6)


def test_every_chance_has_an_interval_around_it(model):
    found = model.forecast(TIMES, SCORES, goal=10)
    for chance in (found.improved, found.deteriorated, found.goal):
        assert 0 <= chance.lower <= chance.value <= chance.upper <= 1


def test_a_wider_level_gives_a_wider_band(model):
    narrow, wide = model.forecast(TIMES, SCORES, level=0.5), model.forecast(TIMES, SCORES, level=0.9)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


def test_the_expected_course_follows_intake(model):
    low, high = model.expected(12, [1, 4, 10]), model.expected(28, [1, 4, 10])
    assert (low.expected < high.expected).all()
    assert (low.lower <= low.expected).all()
    assert (low.expected <= low.upper).all()
    assert low.to_frame().columns == ["time", "expected", "lower", "upper"]


def test_a_forecast_at_a_time_goes_beyond_neither_past_nor_record(model):
    assert "not in the future" in model.forecast(TIMES, SCORES, at=3).reason
    assert "longest" in model.forecast(TIMES, SCORES, at=4000).reason
    assert model.forecast(TIMES, SCORES, at=6).expected is not None


def test_an_intake_that_hardly_anybody_had_gets_a_wider_band_and_says_so(clinic):
    first = pl.col("score").sort_by("weeks").first().over("client")
    some = clinic.filter(first.is_between(15, 25))
    model = expected_course(some, **COLUMNS, higher_is_better=False, score_range=(0, 40))
    inside, found, far = (model.forecast([0, 1], [first_score, 30]) for first_score in (25, 31, 39))
    assert (inside.note, found.reason) == ("", "")
    assert "Fewer than five of the clients" in found.note
    assert found.upper - found.lower > inside.upper - inside.lower
    assert far.clients < found.clients <= 4 < inside.clients
    assert found.improved.upper - found.improved.lower > inside.improved.upper - inside.improved.lower
    signal = model.signal([0, 1, 2], [39, 39, 39])
    assert signal.state != "insufficient data"
    assert "times as wide" in signal.reason
    path, usual = model.expected(39, [1]), model.expected(25, [1])
    assert path.note
    assert path.upper[0] - path.lower[0] > usual.upper[0] - usual.lower[0]
    with pytest.raises(ModelError, match="outside the scale"):
        model.expected(80, [1])


def test_one_bad_week_is_watched_and_two_are_not_on_track(model):
    good = model.signal([0, 1, 2, 3], [22, 17, 13, 10])
    once = model.signal([0, 1, 2, 3, 4], [22, 17, 13, 10, 28])
    twice = model.signal([0, 1, 2, 3, 4, 5], [22, 17, 13, 10, 28, 29])
    assert [one.state for one in (good, once, twice)] == ["on track", "watch", "not on track"]
    assert once.concern == twice.concern == "deterioration"
    assert "one session is not enough" in once.reason
    assert "two sessions in a row" in twice.reason


def test_a_flag_that_falls_is_watched_once_more(model):
    assert model.signal([0, 1, 2, 3, 4, 5], [22, 20, 28, 29, 20, 9]).state in {"watch", "on track"}
    after = model.signal([0, 1, 2, 3, 4], [22, 17, 13, 29, 9])
    assert after.state == "watch"
    assert "previous session" in after.reason


def test_two_sessions_with_different_concerns_are_told_apart(model):
    stuck_then_worse = model.signal([0, 1, 2, 3, 4, 5], [22, 23, 23, 24, 25, 29])
    assert stuck_then_worse.state == "not on track"
    assert stuck_then_worse.concern == "deterioration"
    assert "At the previous session, too little improvement was forecast." in stuck_then_worse.reason


def test_two_scores_are_not_enough_to_say(model):
    found = model.signal([0, 1], [22, 30])
    assert found.state == "insufficient data"
    assert "3 scores" in found.reason


def test_below_the_cutoff_nobody_fails_to_respond(clinic):
    found = expected_course(
        clinic, **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=6, cutoff=25
    )
    flat = [0, 1, 2, 3, 4], [18, 18, 18, 18, 18]
    assert found.signal(*flat).concern is None
    assert found.signal([0, 1, 2, 3, 4], [18, 18, 18, 25, 25]).concern == "deterioration"


def test_better_forecasts_rank_before_worse(model):
    improving, failing = model.signal([0, 1, 2, 3], [22, 15, 12, 9]), model.signal([0, 1, 2, 3], [22, 24, 25, 26])
    assert improving.improvement > failing.improvement


def test_the_card_says_whom_it_learned_from_and_what_it_is_worth(model):
    text = model.card.text()
    assert "made-up scale" in text
    assert f"{model.card.clients} clients" in text
    assert "no decision should be based on it alone" in text
    assert all(session.clients >= 20 for session in model.card.sessions)


def test_without_a_reliable_change_the_records_give_one_and_say_so(clinic):
    found = expected_course(clinic, **COLUMNS, higher_is_better=False, score_range=(0, 40))
    assert 2 < found.rule.reliable_change < 15  # the error's SD is 0.6 * 5 points: 1.96 sqrt(2) * 3 = 8.3
    assert "scatter of these records" in found.card.text()


def test_the_same_records_give_the_same_model(clinic, model):
    again = expected_course(
        clinic.sample(fraction=1.0, shuffle=True, seed=3).sort("client", maintain_order=True),
        **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=6, measure="made-up scale",
        time_unit="weeks",
    )  # fmt: skip
    assert again.version == model.version


def test_a_model_file_forecasts_as_the_model_does(model, tmp_path):
    path = tmp_path / "model.json"
    model.save(path)
    loaded = ExpectedCourse.load(path)
    assert loaded.version == model.version
    one, other = model.forecast(TIMES, SCORES, goal=10), loaded.forecast(TIMES, SCORES, goal=10)
    assert other.expected == pytest.approx(one.expected, abs=1e-6)
    assert other.goal.value == pytest.approx(one.goal.value, abs=1e-6)
    assert loaded.card.text() == model.card.text()
    assert loaded.signal(TIMES, SCORES).reason == model.signal(TIMES, SCORES).reason


def test_a_model_file_is_written_whole_or_not_at_all(model, tmp_path):
    with pytest.raises(ModelError, match="cannot be written"):
        model.save(tmp_path / "no folder" / "model.json")
    model.save(tmp_path / "model.json")
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]


def test_a_model_file_holds_no_clients_numbers(clinic, tmp_path):
    """Clients' own times are many digits that occur nowhere else: none of them is in the file."""
    rng = np.random.default_rng(9)
    odd = clinic.with_columns(weeks=pl.col("weeks") + pl.Series(rng.uniform(0.001, 0.009, clinic.height)))
    model = expected_course(odd, **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=6)
    model.save(tmp_path / "model.json")
    text = (tmp_path / "model.json").read_text()
    held = set()

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)
        elif isinstance(value, float):
            held.add(value)

    walk(json.loads(text))
    first = odd.group_by("client").agg(pl.col("weeks").min().alias("first"))
    since = odd.join(first, on="client").select(pl.col("weeks") - pl.col("first")).to_series()
    ends = odd.group_by("client").agg(pl.col("weeks").max() - pl.col("weeks").min())["weeks"]
    assert not held & {float(f"{t:.12g}") for t in since if t > 0}
    assert not held & {float(f"{t:.12g}") for t in ends}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-200], "not a model file"),
        (lambda text: text.replace('"format": 2', '"format": 3'), "does not read"),
        (lambda text: text.replace('"reliable_change": 6.0', '"reliable_change": 5.0'), "was changed"),
        (lambda _: "[1, 2]", "not a model file"),
        (lambda _: "", "not a model file"),
    ],
)
def test_a_damaged_model_file_is_refused(model, tmp_path, change, message):
    path = tmp_path / "model.json"
    model.save(path)
    path.write_text(change(path.read_text()))
    with pytest.raises(ModelError, match=message):
        ExpectedCourse.load(path)


def test_an_absent_model_file_is_said_to_be(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        ExpectedCourse.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score_range": (0, 20)}, "outside 0 to 20"),
        ({"score_range": (40, 0)}, "lowest score"),
        ({"reliable_change": -1}, "reliable_change must be > 0"),
        ({"folds": 1}, "folds must be"),
    ],
)
def test_numbers_that_cannot_be_are_refused(clinic, options, message):
    with pytest.raises(ModelError, match=message):
        expected_course(clinic, **COLUMNS, higher_is_better=False, **{"score_range": (0, 40), **options})


def test_too_few_clients_are_refused(clinic):
    with pytest.raises(ModelError, match="needs 40 clients"):
        expected_course(clinic.filter(pl.col("client") < 30), **COLUMNS, higher_is_better=False)


@pytest.mark.parametrize(
    ("times", "scores", "message"),
    [([0, 1], [3], "same length"), ([], [], "same length"), ([0, 1], [3, float("nan")], "finite")],
)
def test_a_history_that_cannot_be_is_refused(model, times, scores, message):
    with pytest.raises(ModelError, match=message):
        model.forecast(times, scores)


def test_a_level_in_percent_is_refused(model):
    with pytest.raises(ModelError, match="percentage"):
        model.forecast(TIMES, SCORES, level=80)


@pytest.mark.parametrize("level", [0.985, 0.999])
def test_a_band_wider_than_what_was_calibrated_is_refused(model, level):
    with pytest.raises(ModelError, match=r"level must be 0.98 at most"):
        model.forecast(TIMES, SCORES, level=level)
    with pytest.raises(ModelError, match=r"level must be 0.98 at most"):
        model.expected(20, [1], level=level)


@pytest.mark.parametrize("wrong", [-1, 41, 200])
def test_a_score_that_the_scale_does_not_have_is_not_forecast_from(model, wrong):
    scores = [22, 20, wrong, 17]
    found = model.forecast(TIMES, scores)
    assert found.expected is None
    assert found.reason == f"A score of {wrong} is outside the scale, 0 to 40."
    assert model.signal(TIMES, scores).state == "insufficient data"


@pytest.mark.parametrize("goal", [-1, 41, float("nan")])
def test_a_goal_is_a_score_of_the_scale(model, goal):
    with pytest.raises(ModelError, match=r"goal must be a (score of the scale, 0 to 40|finite number)"):
        model.forecast(TIMES, SCORES, goal=goal)


def test_times_that_cannot_be_are_refused(model):
    with pytest.raises(ModelError, match="at must be a finite number"):
        model.forecast(TIMES, SCORES, at=float("nan"))
    with pytest.raises(ModelError, match="0 or more, got -3"):
        model.expected(20, [1, -3])


@pytest.mark.parametrize("points", [0.0, -3.0, float("nan"), float("inf")])
@pytest.mark.parametrize("learn", [expected_course, prospective_validation])
def test_a_reliable_change_is_a_number_of_points(clinic, learn, points):
    with pytest.raises(ModelError, match=r"reliable_change must be (> 0 score points|a finite number)"):
        learn(clinic, **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=points)


def far_off(*, higher: bool) -> tuple[Prognosis, Rule]:
    """Somebody forecast to end where they began, hardly any scatter, and a change of 30 points called reliable."""
    quantiles = np.array([ndtri(SHARES)])
    scale = OutcomeScale(0, 40, higher, "none", 1)
    expected = np.array([5.0 if higher else 35.0])
    return Prognosis(expected, np.array([1.0]), quantiles, np.array([100.0]), scale), Rule(higher, 30)


@pytest.mark.parametrize("higher", [True, False])
def test_a_chance_that_is_next_to_none_is_not_taken_for_want_of_room(higher):
    found, rule = far_off(higher=higher)
    assert 0 < found.chance_improved(found.expected, rule)[0] < 1e-6
    assert found.chance_improved(found.expected, Rule(higher, 36))[0] == 0  # beyond the end of the scale


@pytest.mark.parametrize("higher", [True, False])
def test_the_end_of_the_scale_is_within_it_whatever_floats_say(higher):
    scale = OutcomeScale(1, 7, higher, "none", 0.1)
    intake = np.array([5.9 if higher else 2.1])
    rule = Rule(higher, 1.1000000000000005)  # 5.9 + 1.1 and 2.1 - 1.1 are the ends, but for the last digit
    found = Prognosis(intake, np.array([1.0]), np.array([ndtri(SHARES)]), np.array([100.0]), scale)
    assert found.chance_improved(intake, rule)[0] > 0


def test_a_file_of_a_number_too_long_is_no_model(tmp_path):
    path = tmp_path / "model.json"
    path.write_text(f'{{"kind": {"9" * 5000}}}')
    with pytest.raises(ModelError, match="is not a model file"):
        ExpectedCourse.load(path)


def test_clients_with_two_scores_can_be_validated():
    rng = np.random.default_rng(3)
    first = rng.integers(15, 35, 80)
    rows = [(i, t, float(s)) for i, a in enumerate(first) for t, s in ((0, a), (6, a - rng.integers(0, 12)))]
    frame = pl.DataFrame(rows, schema=["client", "weeks", "score"], orient="row")
    found = prospective_validation(
        frame, **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=6, folds=2
    )
    assert found.errors["session"].unique().to_list() == [1]
    assert found.errors["rmse"].is_finite().all()
    assert found.overall_coverage is None  # nothing was forecast from a third session on


def test_an_interval_of_no_width_is_none():
    assert bounds(np.zeros(1000)) == (None, None)
    assert bounds(np.arange(1001.0)) == (25.0, 975.0)


def test_want_of_room_is_said_not_called_a_chance(clinic):
    """An intake of 5 on 0 to 40 cannot improve by 6 points."""
    low = clinic.with_columns(score=(pl.col("score") / 3).round())
    model = expected_course(low, **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=6)
    reason = model.signal([0, 1, 2, 3], [5, 5, 5, 5]).reason
    assert "From this intake the scale has no room for an improvement of 6 points." in reason
    assert "chance" not in reason


def test_a_model_of_two_scores_each_says_nothing_of_longer_courses(clinic):
    two = clinic.filter(pl.int_range(pl.len()).over("client") < 2)
    found = expected_course(two, **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=6)
    signal = found.signal([0, 1, 2, 3], [22, 22, 23, 22])
    assert signal.state == "insufficient data"
    assert "does not apply to longer ones" in signal.reason


def test_with_few_deteriorated_clients_only_a_likely_deterioration_is_flagged(model):
    assert model.card.deteriorated * model.card.clients < 10
    assert model.thresholds.deterioration == 0.5
