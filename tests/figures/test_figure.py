"""A figure is shown, saved under a name that says as what, and refuses the rest."""

from __future__ import annotations

import importlib.util

import pytest

from mbc import figures, models
from mbc.errors import FigureError
from mbc.figures import Figure

RATES = {"A": models.wilson_interval(8, 10), "B": models.wilson_interval(20, 40)}


@pytest.fixture
def figure() -> Figure:
    return figures.forest(RATES)


def test_the_suffix_says_what_is_written(figure, tmp_path):
    assert figure.save(tmp_path / "a.svg").read_text(encoding="utf-8") == figure.svg()
    assert figure.save(str(tmp_path / "b.SVG"), theme="dark").read_text(encoding="utf-8") == figure.svg(
        theme="dark"
    )


def test_a_page_is_complete_in_itself(figure, tmp_path):
    page = figure.save(tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Plotly.newPlot" in page
    assert 'src="http' not in page


@pytest.mark.parametrize("name", ["a.png", "a", "a.svg.gz", "svg"])
def test_another_suffix_is_refused_with_those_that_are_known(figure, tmp_path, name):
    with pytest.raises(FigureError, match=r"saved as \.svg, \.pdf or \.html"):
        figure.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_not_a_path_is_refused(figure):
    with pytest.raises(FigureError, match="path must be a file name"):
        figure.save(3)


def test_a_folder_that_does_not_exist_is_an_error_of_ours(figure, tmp_path):
    with pytest.raises(FigureError, match="cannot be written"):
        figure.save(tmp_path / "no" / "a.svg")


@pytest.mark.parametrize("call", ["svg", "pdf", "plotly"])
def test_an_unknown_theme_is_refused_with_those_that_are_known(figure, call):
    with pytest.raises(FigureError, match=r"theme must be .*'dark'"):
        getattr(figure, call)(theme="sepia")


@pytest.mark.parametrize("options", [{"theme": "print"}, {"width": 85}])
def test_what_is_only_for_paper_is_refused_for_a_page(figure, tmp_path, options):
    with pytest.raises(FigureError, match=r"\.svg and \.pdf"):
        figure.save(tmp_path / "a.html", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_shows_it_and_a_terminal_says_it(figure):
    assert figure._repr_html_().startswith("<div")
    assert "<svg" in figure._repr_html_()
    assert repr(figure).startswith("Figure: Estimates with intervals. A: 80.00 (49.02 to 94.33).")


@pytest.mark.skipif(importlib.util.find_spec("typst") is None, reason="Typst is not installed (extra: reports)")
def test_a_pdf_is_one_page_of_its_size_with_text_and_the_same_bytes(figure, tmp_path):
    first = figure.save(tmp_path / "a.pdf", width=170).read_bytes()
    assert first.startswith(b"%PDF-")
    assert first == figure.pdf(width=170)


def test_without_typst_a_pdf_says_how_to_get_it(figure, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "typst", None)
    with pytest.raises(FigureError, match=r"pip install 'mbc-toolkit\[reports\]'"):
        figure.save(tmp_path / "a.pdf")
    assert list(tmp_path.iterdir()) == []


def test_dir_lists_every_figure():
    listed = set(dir(figures))
    wanted = {
        "growth", "residuals", "fitted_values", "therapist_effects", "method_agreement", "true_change",
        "dropout_sensitivity", "cumulative_incidence", "lagged_paths", "forest", "funnel",
        "item_rest_correlations", "static", "Figure", "trajectory_figure", "goals_figure", "outcomes_figure",
        "sparkline_svg", "clinician_difference", "clinician_funnel",
    }  # fmt: skip
    assert listed == wanted


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("growth", "GrowthCurve"),
        ("residuals", "growth_curve"),
        ("fitted_values", "growth_curve"),
        ("therapist_effects", "TherapistGrowth"),
        ("method_agreement", "MethodComparison"),
        ("true_change", "TrueChangeCourse"),
        ("dropout_sensitivity", "DropoutSensitivity"),
        ("cumulative_incidence", "TimeToChange"),
        ("lagged_paths", "LaggedEffects"),
        ("forest", "mapping of labels"),
        ("funnel", "OutcomeRates"),
        ("item_rest_correlations", "models.item_rest_correlations"),
        ("static", "trajectory_figure"),
        ("clinician_funnel", "care.compare_clinicians"),
        ("clinician_difference", "care.own_outcomes"),
    ],
)
@pytest.mark.parametrize("wrong", [None, 3, "growth", [1, 2], {"a": 1}, object(), models.wilson_interval(1, 2)])
def test_another_result_is_refused_with_what_is_accepted(name, accepted, wrong):
    with pytest.raises(FigureError) as refused:
        getattr(figures, name)(wrong)
    assert accepted in str(refused.value) or "Proportion" in str(refused.value)


def test_a_width_that_its_words_do_not_fit_is_refused_with_what_they_need(drawn):
    with pytest.raises(FigureError, match=r"width must be at least 159 mm for the text of this figure, got 85\."):
        drawn["lagged_paths"].svg(width=85)
    assert drawn["lagged_paths"].svg(width=159).startswith("<svg")


def test_other_words_are_written_and_the_values_stay(drawn):
    before = drawn["growth"]
    after = before.reworded({"score": "Self-esteem (RSES), 0 < x < 30", "Mean course": "Mittlerer Verlauf"})
    assert after.drawing.panels[0].y.title == "Self-esteem (RSES), 0 &lt; x &lt; 30"
    assert after.drawing.series("Mittlerer Verlauf")[0].y == before.drawing.series("Mean course")[0].y
    assert "Self-esteem (RSES), 0 &lt; x &lt; 30</text>" in after.svg()
    assert before.drawing.series("Mean course")  # the first is as it was


def test_words_that_do_not_stand_there_are_refused_with_the_nearest(drawn):
    with pytest.raises(FigureError, match="'Mean curse' is not in this figure; it has 'Mean course'"):
        drawn["growth"].reworded({"Mean curse": "x"})
