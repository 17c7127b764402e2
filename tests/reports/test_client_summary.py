"""The page that a client takes home: what it says, and what it never says unless that was ticked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mbc import reports
from mbc.care import client_review
from mbc.errors import NotInRecord, ReportError
from mbc.reports.catalogue import catalogue
from mbc.reports.document import all_words
from mbc.reports.plain_summary import printed_goals, summary_document
from mbc.reports.private_matters import is_private, speaks_of_others
from tests.dashboards.record import day
from tests.reports.documents import read_html, read_pdf, squeezed

DAY = day(11)
LANGUAGES = ("de", "en", "es", "fr", "nl")
SECRETS = re.compile(
    r"(?i)csi|satisfaction|relationship|partner|R1|ended|break|single|ecr|attachment|alliance|wai"
)


@pytest.fixture(scope="module")
def review(store):
    return client_review(store, "C001", as_of=DAY)


def test_it_says_where_the_client_stands_and_how_sure_that_is(store, review):
    document = reports.client_summary(store, "C001", as_of=DAY)
    printed = read_pdf(document.pdf())
    text = squeezed(printed.text)
    (esteem,) = [course for course in review.trajectories if course.instrument == "rses"]
    live = esteem.current
    assert live.verdict == "clearly better"
    assert squeezed("Clearly better: how you see yourself") in text
    # 10 on the first day and 22 on the last, as they were written into the record
    assert squeezed("It was 10 on 5 January 2026. It is 22 on 16 March 2026.") in text
    assert squeezed(f"moves of up to {live.noise.threshold:.1f} points") in text
    assert squeezed("You kept 9 of 10 sessions.") in text
    assert squeezed("What this page cannot say") in text
    assert squeezed("SaywhatIneed268") in text
    assert len(printed.pages) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_sheet_in_each_language(store, language):
    document = reports.client_summary(store, "C001", language=language, as_of=DAY)
    words = catalogue(language)
    for paper in ("a4", "us-letter"):
        printed = read_pdf(document.pdf(paper=paper))
        assert len(printed.pages) == 1
        assert (printed.language, printed.title, printed.part) == (language, words.text("summary.title"), "1")
        assert all(printed.alternatives)
    page = read_html(document.html())
    assert ("lang", language) in page.attributes
    assert squeezed(words.text("summary.cannot_1")) in squeezed(page.text)
    assert squeezed(words.day(DAY)) in squeezed(printed.text)


def test_every_verdict_has_its_words_and_no_verdict_is_without_its_doubt(review):
    (esteem,) = [course for course in review.trajectories if course.instrument == "rses"]
    live = esteem.current
    for verdict in (
        "clearly better",
        "better once",
        "no clear change",
        "worse once",
        "clearly worse",
        "not known",
    ):
        for since in (None, DAY):
            judged = replace(live, judgement=replace(live.judgement, verdict=verdict, since=since))
            course = replace(esteem, segments=(judged,))
            one = replace(review, constructs=(replace(review.constructs[0], trajectories=(course,)),), goals=())
            for language in LANGUAGES:
                words = catalogue(language)
                text = squeezed(" ".join(all_words(summary_document(one, words).blocks)))
                assert squeezed(words.text("summary.cannot_3")) in text
                limit = words.number(live.noise.threshold, 1)
                assert squeezed(words.text("summary.band", limit=limit)) in text


def test_what_a_partner_must_not_read_is_out_by_default(store):
    document = reports.client_summary(store, "C001", as_of=DAY)
    printed = read_pdf(document.pdf())
    everything = "\n".join([printed.text, printed.metadata, document.html(), *map(str, printed.alternatives)])
    assert (
        SECRETS.findall(
            re.sub(r'(?s)<style>.*?</style>|id="[^"]*"|url\([^)]*\)|labelledby="[^"]*"', "", everything)
        )
        == []
    )


def test_each_thing_is_ticked_by_itself(store, review):
    ticked = reports.client_summary(store, "C001", include=["events"], as_of=DAY)
    assert "Ended R1" in ticked.html()
    # the relationship that was rated is over: there is nothing to print of it now
    rating = replace(review.trajectories[0], construct="relationship_satisfaction", instrument="csi4")
    rated = replace(review, constructs=(replace(review.constructs[0], trajectories=(rating,)),))
    words = catalogue("en")
    assert "your relationship" not in summary_document(rated, words).html()
    assert "our relationship" in summary_document(rated, words, include=["relationship"]).html()
    alliance = replace(rating, construct="alliance", instrument="wai_sr")
    worked = replace(review, constructs=(replace(review.constructs[0], trajectories=(alliance,)),))
    assert "how we work together" not in summary_document(worked, words, include=["relationship"]).html()
    assert "how we work together" in summary_document(worked, words, include=["alliance"]).html()
    own = replace(rating, construct="clinic_own", instrument="mine")
    assert is_private(own) == "relationship"


@pytest.mark.parametrize(
    "goal",
    [
        "Leave him before summer", "Find a place of my own after moving out", "Feel less jealous",
        "File for divorce", "Say no to my partner", "Not text my ex", "Be safe at home", "Mich trennen",
        "Mit meinem Mann reden",
        "Ausziehen", "Dejar la casa", "Hablar con mi pareja", "Quitter la maison", "Parler à mon mari",
        "Van hem weggaan", "Mijn relatie beëindigen",
    ],
)  # fmt: skip
def test_goals_about_leaving_or_another_person_are_out(review, goal):
    worded = replace(review, goals=(replace(review.goals[0], label=goal),))
    assert printed_goals(worded) == ()
    assert printed_goals(worded, ["goals"]) == worded.goals


@pytest.mark.parametrize("goal", ["Sleep through the night", "Take up running", "Wieder malen", "Dormir mejor"])
def test_other_goals_stay(goal):
    assert not speaks_of_others(goal)


def test_a_goal_on_a_relationship_scale_is_out(review):
    rating = replace(review.trajectories[0], construct="relationship_satisfaction", instrument="csi16")
    rated = replace(
        review,
        constructs=(replace(review.constructs[0], trajectories=(rating,)),),
        goals=(replace(review.goals[0], label="Up to 60", scale="csi16"),),
    )
    assert printed_goals(rated) == ()


def test_chosen_measures(store):
    document = reports.client_summary(store, "C001", measures=["phq9"], as_of=DAY)
    text = " ".join(all_words(document.blocks))
    assert "Low mood" in text
    assert "how you see yourself" not in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measures": ["csi4"]}, "ticked for this print: relationship"),
        ({"measures": ["gad7"]}, "no answers to 'gad7'"),
        ({"include": ["safety"]}, "cannot be included"),
        ({"language": "it"}, "'es', 'fr' or 'nl'"),
    ],
)
def test_what_cannot_be_printed_is_refused(store, options, message):
    with pytest.raises(ReportError, match=message):
        reports.client_summary(store, "C001", as_of=DAY, **options)


def test_a_client_of_somebody_else_does_not_exist(store_of):
    with pytest.raises(NotInRecord):
        reports.client_summary(store_of("birch"), "C001")


def test_a_long_record_is_one_sheet(review):
    course = review.trajectories[0]
    many = replace(
        review,
        constructs=(replace(review.constructs[0], trajectories=(course,) * 12),),
        goals=tuple(replace(review.goals[0], label=f"{i} Sleep through the night " * 8) for i in range(20)),
    )
    for language in LANGUAGES:
        assert len(read_pdf(summary_document(many, catalogue(language)).pdf(paper="us-letter")).pages) == 1


def test_a_client_without_answers(store):
    text = " ".join(all_words(reports.client_summary(store, "C002", as_of=DAY).blocks))
    assert "not enough answers" in text
