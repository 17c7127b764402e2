"""Real answers: the figures of the open data reached, and the two traps of their keys shown.

The files are public dumps of the Open-Source Psychometrics Project, kept beside the project and never in it.
The figures are those of that folder's README, computed by another program.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import mbc
from mbc.instruments import keyed_items, load_file

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"

# The web version asked for five answers where the ECR has seven: a questionnaire of its own, with the ECR's key.
ECR_WEB = """
key = "ecr_web"
name = "ECR with five answers, as asked on a web page"
source = "openpsychometrics_ecr"
licence = "permission"
answers = { range = [1, 5] }
items = [ITEMS]
[[scale]]
key = "anxiety"
items = [EVEN]
reverse = ["i22"]
rule = "mean"
range = [1, 5]
better = "lower"
[[scale]]
key = "avoidance"
items = [ODD]
reverse = ["i3", "i15", "i19", "i25", "i27", "i29", "i31", "i33", "i35"]
rule = "mean"
range = [1, 5]
better = "lower"
"""


def open_data(name, separator):
    file = DATA / name
    if not file.exists():
        pytest.skip(f"{name} is not beside the project")
    frame = pl.read_csv(file, separator=separator, infer_schema_length=None)
    items = [f"Q{n}" for n in range(1, 11 if name.startswith("rse") else 37)]
    # There, 0 means not answered.
    return frame.select(pl.col(items).replace(0, None))


@pytest.fixture(scope="module")
def rse():
    return open_data("rse.tsv.gz", "\t")


@pytest.fixture(scope="module")
def ecr():
    return open_data("ecr.csv.gz", ",")


def alpha(keyed):
    answers = keyed.drop_nulls().to_numpy()
    k = answers.shape[1]
    return k / (k - 1) * (1 - answers.var(axis=0, ddof=1).sum() / answers.sum(axis=1).var(ddof=1))


def keyed(frame, key, **options):
    return keyed_items(frame, key, **options).select(pl.selectors.contains("_keyed_"))


def item_rest(answers):
    complete = answers.drop_nulls().to_numpy()
    rest = complete.sum(axis=1, keepdims=True) - complete
    return [np.corrcoef(complete[:, i], rest[:, i])[0, 1] for i in range(complete.shape[1])]


def test_rses_reaches_the_figures_of_the_open_data(rse):
    out = mbc.score(rse, "rses", items="Q{n}", form="b", coding="1-4")
    total = out["rses_total"].drop_nulls()
    assert len(out) == 47974
    assert len(total) == 46546
    # The README gives the 10-40 metric; ours is 0-30 whatever the coding.
    assert total.mean() + 10 == pytest.approx(26.298, abs=5e-4)
    assert total.std() == pytest.approx(6.983, abs=5e-4)
    assert alpha(keyed(rse, "rses", items="Q{n}", form="b", coding="1-4")) == pytest.approx(0.9140, abs=5e-5)


def test_the_key_of_the_other_order_gives_a_negative_alpha(rse):
    with pytest.warns(mbc.DoubtfulAnswers, match="form='b'"):
        wrong = keyed(rse, "rses", items="Q{n}", form="a", coding="1-4")
    assert alpha(wrong) == pytest.approx(-1.27, abs=0.02)


def test_every_item_of_the_right_order_goes_with_the_rest(rse):
    found = item_rest(keyed(rse, "rses", items="Q{n}", form="b", coding="1-4"))
    assert min(found) == pytest.approx(0.54, abs=0.01)
    assert max(found) == pytest.approx(0.75, abs=0.01)


def test_the_raw_file_is_refused_with_the_reason():
    file = DATA / "rse.tsv.gz"
    if not file.exists():
        pytest.skip("rse.tsv.gz is not beside the project")
    frame = pl.read_csv(file, separator="\t", infer_schema_length=None)
    with pytest.raises(mbc.MbcError, match="If 0 stands for 'not answered'"):
        mbc.score(frame, "rses", items="Q{n}", form="b", coding="1-4")
    out = mbc.score(frame, "rses", items="Q{n}", form="b", coding="1-4", invalid="null")
    assert out["rses_total"].drop_nulls().len() == 46546


def test_ecr_reaches_the_figures_of_the_open_data(ecr, tmp_path):
    quoted = [f'"i{n}"' for n in range(1, 37)]
    text = ECR_WEB.replace("ITEMS", ", ".join(f"{{ id = {one} }}" for one in quoted))
    text = text.replace("EVEN", ", ".join(quoted[1::2])).replace("ODD", ", ".join(quoted[0::2]))
    (tmp_path / "ecr_web.toml").write_text(text)
    web = load_file(tmp_path / "ecr_web.toml")
    for scale, wanted in (("anxiety", 0.9155), ("avoidance", 0.9380)):
        assert alpha(keyed(ecr, web, scale=scale, items="Q{n}")) == pytest.approx(wanted, abs=5e-5)
        # The catalogue's ecr holds the same key, and a response scale of five answers.
        assert alpha(keyed(ecr, "ecr", scale=scale, items="Q{n}", coding="1-5")) == pytest.approx(wanted, abs=5e-5)
    out = mbc.score(ecr, web, items="Q{n}").drop_nulls()
    assert out["ecr_web_avoidance"].mean() == pytest.approx(2.54, abs=0.05)
    assert out["ecr_web_anxiety"].mean() == pytest.approx(3.06, abs=0.05)
    together = np.corrcoef(out["ecr_web_anxiety"], out["ecr_web_avoidance"])[0, 1]
    assert together == pytest.approx(-0.03, abs=0.02)


def test_ecr_s_is_found_inside_the_ecr(ecr):
    short = mbc.instrument("ecr_s")
    names = [f"Q{item.same_as.removeprefix('ecr:i')}" for item in short.items]
    assert alpha(keyed(ecr, "ecr_s", scale="anxiety", items=names, coding="1-7")) == pytest.approx(
        0.776, abs=0.005
    )
    assert alpha(keyed(ecr, "ecr_s", scale="avoidance", items=names, coding="1-7")) == pytest.approx(
        0.831, abs=0.005
    )


def test_alpha_alone_does_not_show_the_key_of_the_wrong_questionnaire(ecr):
    with pytest.warns(mbc.DoubtfulAnswers, match="against the rest"):
        wrong = {
            scale: keyed(ecr, "ecr_r", form="interleaved", scale=scale, items="Q{n}", coding="1-5")
            for scale in ("avoidance", "anxiety")
        }
    assert alpha(wrong["avoidance"]) == pytest.approx(0.80, abs=0.01)
    assert alpha(wrong["anxiety"]) == pytest.approx(0.88, abs=0.01)
    assert min(item_rest(wrong["avoidance"])) < 0  # the signs of item and rest do
