"""What clients are given is complete in every language, and easy to read.

Reading age: the grade of Flesch and Kincaid (Kincaid, Fishburne, Rogers & Chissom, 1975: 0.39 words a sentence +
11.8 syllables a word - 15.59) for English; a child of 12 is in grade 6 or 7. For the others LIX (Björnsson,
1968: words a sentence + per cent of words of more than six letters), which was made for Swedish and is used across
languages: up to 30 is very easy (books for children), up to 40 easy (fiction), 50 to 60 official texts.
"""

from __future__ import annotations

import re
import string
from dataclasses import fields

import pytest

from mbc.errors import ReportError
from mbc.reports import languages
from mbc.reports.catalogue import _NAMES, Catalogue, catalogue

CODES = ("de", "en", "es", "fr", "nl")
EXAMPLES = {
    "kept": 12, "all": 14, "month": "2026", "first": 11, "last": 23, "first_day": "3", "last_day": "9", "best": 30,
    "limit": 6, "day": "9", "name": "x", "source": "x", "page": 1, "pages": 1, "who": "C1", "date": "9",
    "weeks": 2, "days": 9, "low": 0, "high": 30, "sessions": 2, "numbers": "3", "times": 2,
}  # fmt: skip


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def sentences(language: str) -> list[str]:
    """Every text of the catalogue that is a sentence."""
    words = catalogue(language)
    written = (text.format(**EXAMPLES) for key, text in words.texts.items() if not key.startswith("names."))
    parts = (part for text in written if re.search(r"[.?!]$", text) for part in re.split(r"(?<=[.?!:;])\s+", text))
    return [part for part in parts if len(re.findall(r"[^\W\d_]+", part)) > 1]


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text)


def syllables(word: str) -> int:
    """Syllables of an English word: groups of vowels, without a silent e at the end."""
    word = word.lower()
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    ed = word.endswith("ed") and not word.endswith(("ted", "ded")) and groups > 1
    return max(groups - silent - ed, 1)


def grade(texts: list[str]) -> float:
    every = [word for text in texts for word in words_of(text)]
    return 0.39 * len(every) / len(texts) + 11.8 * sum(map(syllables, every)) / len(every) - 15.59


def lix(texts: list[str]) -> float:
    every = [word for text in texts for word in words_of(text)]
    return len(every) / len(texts) + 100 * sum(len(word) > 6 for word in every) / len(every)


def test_the_formulas_on_texts_counted_by_hand():
    # 6 words, 6 syllables in one sentence: 0.39 * 6 + 11.8 - 15.59
    assert grade(["The cat sat on the mat."]) == pytest.approx(-1.45)
    assert [syllables(word) for word in ("questionnaire", "measure", "little", "changed", "wanted")] == [
        3,
        2,
        2,
        1,
        2,
    ]
    # 5 words, one of more than six letters
    assert lix(["Vi läser en trevlig bok."]) == pytest.approx(5 + 20)


def test_english_is_for_a_reader_of_twelve():
    assert grade(sentences("en")) <= 6.5
    assert max(len(words_of(text)) for text in sentences("en")) <= 25


@pytest.mark.parametrize("language", CODES)
def test_every_language_is_easy_to_read(language):
    texts = sentences(language)
    assert len(texts) > 30
    assert lix(texts) <= 40
    assert sum(len(words_of(text)) for text in texts) / len(texts) <= 12


def test_there_are_these_languages():
    assert tuple(languages()) == CODES


@pytest.mark.parametrize("language", CODES)
def test_a_language_has_every_text_with_the_same_places_and_no_other(language):
    own, english = catalogue(language), catalogue("en")
    assert own.texts.keys() == english.texts.keys()
    for key, text in own.texts.items():
        assert placeholders(text) == placeholders(english.texts[key]), key
        assert text.strip() == text != "", key
        assert language == "en" or key in SAME or text != english.texts[key], f"{key} is not translated"
    assert len(own.months) == len(own.short_months) == 12
    assert {field.name for field in fields(Catalogue)} >= {"decimal", "last_comma"}
    assert all(f"names.{name}" in own.texts for name in _NAMES.values())


SAME = {"sheet.code", "measures.questions", "page.page"}  # "Questions" is French, too


@pytest.mark.parametrize("language", CODES)
def test_no_text_speaks_of_what_a_partner_must_not_read(language):
    pattern = (
        r"(?i)relation|bezieh|relaci|relatie|partner|pareja|conjoint|therap|safe|sicherh|segurid|sécurité|veilig"
    )
    texts = {key: text for key, text in catalogue(language).texts.items() if not key.startswith("names.")}
    assert [key for key, text in texts.items() if re.search(pattern, text)] == []


@pytest.mark.parametrize("language", ["", "EN", "xx", "../languages/en", "de.toml"])
def test_another_language_is_refused(language):
    with pytest.raises(ReportError, match="'de', 'en', 'es', 'fr' or 'nl'"):
        catalogue(language)
