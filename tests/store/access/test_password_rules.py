"""Passwords that would be tried first are refused, whatever decorates them; a few unrelated words are not."""

from __future__ import annotations

import itertools
import random

import pytest

from mbc.cli.demo import _WORDS
from mbc.errors import SettingsError
from mbc.store.access.common_words import COMMON_WORDS
from mbc.store.access.password_rules import SHORTEST, require_good

pytestmark = pytest.mark.long

SEEN_ACCEPTED_ONCE = (  # by people who tried
    "P@ssw0rd1234", "passw0rd1234", "iloveyouforever", "letmeinplease", "michelle1234", "liverpool123",
    "manchesterunited", "Summer2026!!", "1234qwer1234", "thequickbrownfox", "aaaabbbbcccc", "qwertyuiop12",
    "1qaz2wsx3edc", "ann.smith1234", "AnnSmith2026!", "Clinic2026!!!", "L1verp00l!2026",
)  # fmt: skip
GOOD = (
    "harbour lamp, seven geese", "seven geese, one harbour lamp", "nine otters, a lantern", "kettle-nettle-quartz",
    "ofirtinderbox", "xk2 vmpw 9trq", "lavende1r-hovercraft", "blaue Kiste voller Nebel",
)  # fmt: skip


def refused(password: str, username: str = "ann.smith") -> bool:
    try:
        require_good(password, username=username)
    except SettingsError:
        return True
    return False


@pytest.mark.parametrize("password", SEEN_ACCEPTED_ONCE)
def test_what_is_tried_first_is_refused(password):
    assert len(password) >= SHORTEST
    assert refused(password)


@pytest.mark.parametrize("password", GOOD)
def test_a_few_unrelated_words_are_accepted(password):
    assert not refused(password)


def test_hundreds_of_the_commonest_kinds_are_refused():
    endings = ("1234", "12345", "123456", "2024", "2025", "2026", "2026!", "!!!", "007", "1!", "123!", "69")
    words = random.Random(6).sample(sorted(COMMON_WORDS), 120)
    made = {f"{word.capitalize()}{ending}" for word, ending in itertools.product(words, endings)}
    pairs = random.Random(5).sample(sorted(itertools.product(sorted(COMMON_WORDS), repeat=2)), 400)
    made |= {f"{first}{second}" for first, second in pairs} | {f"{first}{second}1" for first, second in pairs}
    long_enough = sorted(password for password in made if len(password) >= SHORTEST)
    assert len(long_enough) >= 600
    assert [password for password in long_enough if not refused(password)] == []


def test_the_demo_s_passwords_are_accepted():
    chosen = random.Random(7)
    assert not any(refused("-".join(chosen.choice(_WORDS) for _ in range(4))) for _ in range(100))


def test_an_endless_password_is_refused_at_once():
    assert refused("a" * 1025)
    assert not refused("harbour lamp " * 70)


def test_1024_characters_are_taken():
    password = ("harbour lamp, seven geese. " * 40)[:1024]
    assert require_good(password, username="ann.smith") == password


def test_a_character_that_cannot_be_typed_is_named_as_the_reason():
    with pytest.raises(SettingsError, match="contains a character that cannot be typed"):
        require_good("harbour lamp,\x00 seven geese", username="ann.smith")


@pytest.mark.parametrize(("password", "few"), [
    ("vkvkzjzwvwkj", False), ("vkvkzjzvkkzj", True),  # five different characters, four
    ("vkzvkzkzv-4+7", False), ("vkvvkvkkv-4+7", True),  # three different letters, two
])  # fmt: skip
def test_five_different_characters_are_enough_and_three_different_letters(password, few):
    assert refused(password) is few


def test_a_name_of_three_letters_counts_as_a_word():
    assert refused("zvk+2026+zvk!", username="zvk.smith")
    assert refused("zvk2026zvk2027", username="ZVK")
    assert not refused("zvk+2026+zvk+plinth", username="zvk.smith")


@pytest.mark.parametrize(("password", "reason"), [
    ("seven geese", r"has 11 characters; it needs at least 12\. A few unrelated words are easy"),
    ("harbour lamp " * 80, r"has 1040 characters; the limit is 1024\."),
    ("Clinic2026!!!", r"is too easy to guess\. Choose a few unrelated words\."),
])  # fmt: skip
def test_a_refusal_says_why_and_never_repeats_the_password(password, reason):
    with pytest.raises(SettingsError, match=rf"^The password {reason}") as refusal:
        require_good(password, username="ann.smith")
    assert password not in str(refusal.value)


def test_digits_at_the_ends_are_not_read_as_letters():
    assert refused("passw0rd0134")  # o, i, e and a at the end would be four letters beyond the word
    assert refused("0134passw0rd")


@pytest.mark.parametrize(
    "password",
    [
        "poiuytrewqpo", "lkjhgfdsalkj", "987654321098", "zyxwvutsrqpo",  # a row of keys from its end
        "trewqpoiuytr",  # round the end of a row
        "abc.mnbvcxz+99", "efg-hij-klm!", "123-qwe-456-asd",  # walks of three letters count as words
        "aaa.bbb.ccc.1", "ggg-password-ttt",
    ],
)  # fmt: skip
def test_walks_in_either_direction_and_short_runs_are_refused(password):
    assert refused(password)


@pytest.mark.parametrize("password", ["abc-xyz-qwe-asd-jkl", "abx-efz-hik-klo", "aab-cce-ffh-iik"])
def test_four_short_runs_or_letters_in_no_row_are_accepted(password):
    assert not refused(password)


def test_at_most_three_words_and_fewer_than_four_letters_beyond_are_refused():
    assert refused("password.xkv.9")
    assert not refused("password.xkvw.9")
    assert refused("dragon-monkey-summer")
    assert not refused("dragon-monkey-summer-winter")
