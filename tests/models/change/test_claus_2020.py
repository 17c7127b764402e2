"""The R package clinicalsignificance's printed results on its data of 43 inpatients (articles of version 3.0)."""

import pytest

from mbc import models

ARTICLE = "clinicalsignificance 3.0, article '{}', claus_2020"


@pytest.fixture(scope="module")
def inpatients(real_data):
    data = real_data("claus_2020.csv")

    def occasions(score: str):
        return models.pre_post_pairs(data, client="id", time="time", score=score, pre=1, post=4, group="treatment")

    return occasions


def counts(result) -> str:
    table = models.outcome_rates(result).table
    return " ".join(str(n) for n in table["n"].to_list())


def counts_by_group(result, groups) -> str:
    table = models.outcome_rates(result, groups=groups).table
    parts = [" ".join(str(n) for n in table.filter(group=g)["n"].to_list()) for g in ("TAU", "PA")]
    return "; ".join(parts)


@pytest.mark.parametrize(("method", "expected"), [("jacobson-truax", "29 10 1"), ("hageman-arrindell", "32 7 1")])
def test_reliable_change_in_depression(validation, inpatients, method, expected):
    hamd = inpatients("hamd")
    assert (hamd.n, hamd.n_complete) == (43, 40)
    change = models.reliable_change(
        hamd.pre, hamd.post, reliability=0.80, method=method, higher_is_better=False, compat="clinicalsignificance"
    )
    source = ARTICLE.format("Distribution-Based Approach")
    validation(f"{method}, HAMD: improved unchanged deteriorated", source, expected, counts(change))
    if method == "jacobson-truax":
        by_group = counts_by_group(change, hamd.group)
        validation("jacobson-truax, HAMD by group: TAU; PA", source, "9 9 1; 20 1 0", by_group)


def test_minimal_important_difference_combined_with_cutoff_c(validation, inpatients):
    bdi = inpatients("bdi")
    sample = models.Norms.from_sample(bdi.pre, bdi.post)
    cut = models.cutoff("c", clinical=(sample.mean, sample.sd), functional=(7, 7), higher_is_better=False)
    source = ARTICLE.format("Combined Approach")
    validation("cutoff c, BDI", source, 20.15, round(float(cut), 2))
    change = models.anchor_change(bdi.pre, bdi.post, improvement=8, higher_is_better=False)
    result = models.clinical_significance(bdi.pre, bdi.post, change=change, cutoff=cut)
    name = "anchor 8 and cutoff c, BDI: recovered improved unchanged deteriorated harmed"
    validation(name, source, "11 9 17 3 0", counts(result))
    by_group = counts_by_group(result, bdi.group)
    validation("anchor 8 and cutoff c, BDI by group: TAU; PA", source, "4 2 10 3 0; 7 7 7 0 0", by_group)


def test_the_same_where_higher_is_better(validation, inpatients):
    who = inpatients("who")
    sample = models.Norms.from_sample(who.pre, who.post)
    compat = {"higher_is_better": True, "compat": "clinicalsignificance"}
    cut = models.cutoff("c", clinical=(sample.mean, sample.sd), functional=(7, 7), **compat)
    change = models.anchor_change(who.pre, who.post, improvement=8, higher_is_better=True)
    result = models.clinical_significance(who.pre, who.post, change=change, cutoff=cut, **compat)
    source = ARTICLE.format("Combined Approach")
    validation("anchor 8 and cutoff c, WHO-5 (higher is better)", source, "10 1 29 0 0", counts(result))
    four = models.anchor_change(who.pre, who.post, improvement=4, higher_is_better=True)
    validation("anchor 4, WHO-5", ARTICLE.format("Anchor-Based Approach"), "15 25 0", counts(four))


def test_anchor_percentage_and_cutoff_alone(validation, inpatients):
    bdi, hamd = inpatients("bdi"), inpatients("hamd")
    anchor = models.anchor_change(bdi.pre, bdi.post, improvement=7, higher_is_better=False)
    source = ARTICLE.format("Anchor-Based Approach")
    validation("anchor 7, BDI", source, "25 11 4", counts(anchor))
    validation("anchor 7, BDI by group: TAU; PA", source, "8 7 4; 17 4 0", counts_by_group(anchor, bdi.group))

    source = ARTICLE.format("Percentage-Change Approach")
    third = models.percentage_change(bdi.pre, bdi.post, improvement=0.3, higher_is_better=False)
    validation("30 %, BDI", source, "19 21 0", counts(third))
    two = models.percentage_change(hamd.pre, hamd.post, improvement=0.3, deterioration=0.2, higher_is_better=False)
    validation("30 % better or 20 % worse, HAMD", source, "25 14 1", counts(two))
    one = models.percentage_change(hamd.pre, hamd.post, improvement=0.3, higher_is_better=False)
    validation("30 %, HAMD by group: TAU; PA", source, "6 13 0; 19 2 0", counts_by_group(one, hamd.group))

    sample = models.Norms.from_sample(bdi.pre, bdi.post)
    cut = models.cutoff("c", clinical=(sample.mean, sample.sd), functional=(7, 7), higher_is_better=False)
    alone = models.clinical_significance(bdi.pre, bdi.post, cutoff=cut, compat="clinicalsignificance")
    source = ARTICLE.format("Statistical Approach")
    validation("cutoff c alone, BDI", source, "13 27 0", counts_three(alone))


def counts_three(result) -> str:
    rates = result.rates()
    return " ".join(str(rates[word].count) for word in ("improved", "unchanged", "deteriorated"))


def test_the_whole_group_s_change_by_its_posterior(validation, inpatients):
    bdi = inpatients("bdi")
    options = {"meaningful": 7, "higher_is_better": False, "compat": "clinicalsignificance"}
    made = models.group_change(bdi.pre, bdi.post, estimation="bayes", **options)
    source = ARTICLE.format("Anchor-Based Approach") + " (sampled there)"
    validation("posterior of the mean change, BDI: median", source, -9.40, made.estimate, within=0.01)
    validation("posterior of the mean change, BDI: lower", source, -12.87, made.lower, within=0.01)
    validation("posterior of the mean change, BDI: upper", source, -5.79, made.upper, within=0.02)
    validation("category of the group, BDI", source, "Probably clinically significant effect", made.category)


def test_slopes_against_the_sample_s_average_and_against_no_change(validation, real_data):
    """The package says 5 improved and 3 deteriorated where the average client falls by 3.4 points a wave."""
    data = real_data("claus_2020.csv").drop_nulls("bdi")
    waves = data.group_by("id").len()
    several = waves.filter(waves["len"] >= 3)["id"].to_list()
    fit = models.growth_curve(
        data.filter(data["id"].is_in(several)), outcome="bdi", time="time", client="id", shape="linear"
    )
    assert fit.n_clients == 40
    against = models.reliable_change(method="growth", growth=fit, reference="sample", higher_is_better=False)
    source = "clinicalsignificance 3.0 (HLM) run on claus_2020"
    validation(
        "growth, reference='sample', BDI: improved unchanged deteriorated", source, "5 32 3", counts(against)
    )
    total = models.reliable_change(method="growth", growth=fit, higher_is_better=False)
    assert models.outcome_rates(total).table["n"].to_list()[0] > 20
    assert models.outcome_rates(total).table["n"].to_list()[2] == 0
