"""The clinician's review on paper says what the page says, on at most two sheets, and nothing of safety."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from mbc import __version__, reports
from mbc.care import client_review, words
from mbc.care.client.moved_items import items_since_last_time
from mbc.care.client.review_words import state_words, value_words, verdict_line
from mbc.errors import NotInRecord, ReportError
from mbc.reports.clinician_review import review_document
from mbc.reports.document import Picture, all_words
from mbc.store import Store
from tests.dashboards.record import day, make_record
from tests.reports.documents import read_html, read_pdf, squeezed

DAY = day(11)


@pytest.fixture(scope="module")
def review(store):
    return client_review(store, "C001", as_of=DAY)


@pytest.fixture(scope="module")
def document(store):
    return reports.client_report(store, "C001", as_of=DAY)


@pytest.fixture(scope="module")
def printed(document):
    return read_pdf(document.pdf())


def test_the_print_says_what_the_page_says(review, printed):
    text = squeezed(printed.text)
    assert squeezed(f"{state_words(review)}. {review.headline}") in text
    for question in review.questions:
        assert squeezed(question.text + question.reason) in text
    for course in review.trajectories:
        value, _ = value_words(course)
        verdict, _ = verdict_line(course)
        assert squeezed(course.title) in text
        assert squeezed(value) in text
        assert squeezed(verdict) in text
    for goal in review.goals:
        assert squeezed(goal.label) in text
    # 10 at the start and 22 at the end, as they were written into the record
    assert "22(+12)" in text
    assert "9kept,1missed" in text.replace("sessions", "")


def test_the_pdf_and_the_html_have_the_same_words(document, printed):
    page = squeezed(read_html(document.html()).text)
    paper = squeezed(printed.text)
    alternatives = [block.alt for block in document.blocks if isinstance(block, Picture)]
    for text in all_words(document.blocks):
        assert squeezed(text) in page, text
        # captions of tables and of charts are heard, not seen
        if (
            text not in alternatives
            and not text.startswith("Chart of")
            and text != "Items with the largest changes"
        ):
            assert squeezed(text) in paper or text.startswith("Latest score and change"), text


def test_every_sheet_names_client_day_page_version_and_sources(printed):
    assert len(printed.pages) <= 2
    for number, page in enumerate(printed.pages, start=1):
        text = squeezed(page)
        assert "Willow(C001)" in text
        assert squeezed(words.day_words(DAY)) in text
        assert f"page{number}of{len(printed.pages)}" in text
        assert squeezed(f"mbc {__version__}") in text
        assert "sourcesofthelinesaregivenwitheachmeasure" in text
    assert squeezed("Measurement error ±") in squeezed(printed.text)


def test_the_pdf_is_accessible(printed):
    assert (printed.title, printed.language, printed.marked, printed.shows_title, printed.part) == (
        "Review: Willow", "en", True, True, "1",
    )  # fmt: skip
    assert printed.tags.count("H1") == 1
    levels = [int(tag[1]) for tag in printed.tags if re.fullmatch(r"H[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {"Table", "TH", "TD", "L", "LI", "P"} <= set(printed.tags)
    assert printed.alternatives
    assert all(printed.alternatives)
    assert any("self-esteem" in (alt or "") and "From 10" in (alt or "") for alt in printed.alternatives)


def test_the_html_needs_nothing_else_and_names_every_figure(document):
    content = document.html()
    page = read_html(content)
    assert {"script", "img", "link", "iframe", "object"}.isdisjoint(page.tags)
    assert [tag for tag in page.tags if tag in ("h1", "main")] == ["main", "h1"]
    assert ("lang", "en") in page.attributes
    addresses = [value for name, value in page.attributes if name in ("src", "href", "action")]
    assert addresses == []
    assert "url(http" not in content
    assert page.tags.count("svg") == page.tags.count("desc") > 0
    assert content == document.html()


def test_everything_is_drawn_in_ink(document):
    for svg in re.findall(r"<svg.*?</svg>", document.html(), flags=re.DOTALL):
        for red, green, blue in re.findall(r'"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})"', svg):
            assert red == green == blue


@pytest.mark.parametrize(("paper", "size"), [("a4", (210, 297)), ("us-letter", (215.9, 279.4))])
def test_both_papers(document, paper, size):
    printed = read_pdf(document.pdf(paper=paper))
    assert len(printed.pages) <= 2
    assert all(page == pytest.approx(size, abs=0.3) for page in printed.sizes)


def test_another_paper_is_refused(document):
    with pytest.raises(ReportError, match="a4"):
        document.pdf(paper="a5")


def test_the_same_record_gives_the_same_bytes(document, tmp_path):
    make_record(f"sqlite:///{tmp_path / 'again.db'}")
    with Store.open(f"sqlite:///{tmp_path / 'again.db'}") as again:
        other = reports.client_report(again, "C001", as_of=DAY)
    assert other.pdf() == document.pdf()
    assert other.html() == document.html()


def test_a_long_record_still_has_two_sheets(review, store):
    long = "Say what I need, " * 20
    course = review.trajectories[0]
    many = replace(
        review,
        constructs=(
            replace(
                review.constructs[0],
                trajectories=tuple(replace(course, title=f"Scale {i}: RSES") for i in range(35)),
            ),
        ),
        goals=tuple(replace(review.goals[0], label=f"{i} {long}") for i in range(30)),
        completeness=review.completeness * 5,
    )  # fmt: skip
    _, moved = items_since_last_time(store, review)
    printed = read_pdf(review_document(many, moved).pdf())
    assert len(printed.pages) == 2
    assert "more goals on the page" in " ".join(printed.text.split())


def test_markup_in_the_record_is_written_and_not_obeyed(review):
    hostile = '#panic("x") *b* $x^2$ = h </style><script>alert(1)</script> <sheets>'
    document = review_document(replace(review, alias=hostile, goals=(replace(review.goals[0], label=hostile),)))
    printed = read_pdf(document.pdf())
    assert squeezed(hostile) in squeezed(printed.text)
    assert printed.title == f"Review: {hostile}"
    assert "script" not in read_html(document.html()).tags


def test_a_client_without_answers(store):
    document = reports.client_report(store, "C002", as_of=DAY)
    assert "No questionnaire is on record yet." in all_words(document.blocks)
    assert len(read_pdf(document.pdf()).pages) == 1


def test_a_client_of_somebody_else_does_not_exist(store_of):
    with pytest.raises(NotInRecord):
        reports.client_report(store_of("birch"), "C001")


def test_a_document_that_does_not_fit_is_refused(document):
    long = replace(document, layouts=(document.blocks * 5,), most_sheets=1)
    with pytest.raises(ReportError, match=r"the limit is 1\. .*\.html"):
        long.pdf()
