"""Faults while a client answers: no answer that was taken is lost, none counts twice, none is another client's.

The program is killed before every statement that it sends to its box, connections are lost after every request,
buttons are pressed twice at once, two devices hold one link, and clocks differ.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from dashboards.questionnaire.app import create_app
from mbc.box.box import Box
from mbc.box.content import Asking, Choice, Question, Sheet
from mbc.box.seal import KeyPair, unseal
from mbc.box.token import new_token

pytestmark = pytest.mark.long
KEYS = KeyPair.new()
CHOICES = tuple(Choice(value=value, text=str(value)) for value in range(5))
QUESTION = Question(text="How?", choices=CHOICES, lowest=0, highest=4)
ASKING = Asking(language="en", sheets=(Sheet(questions=(QUESTION,) * 3),))
VALUES = (3, 1, 4)


def put(box: Box, asking_id: str = "A1", *, days: float = 4, per_page: int = 1) -> str:
    token, until = new_token(), datetime.now(UTC) + timedelta(days=days)
    asking = ASKING.model_copy(update={"per_page": per_page})
    box.add(asking_id, asking, public_key=KEYS.public, expires_at=until, token=token)
    return f"/f/{token}"


def answers(box: Box, asking_id: str = "A1") -> dict[int, float | None]:
    contents = [unseal(KEYS, sealed) for sealed in box.sealed(asking_id)]
    assert {content["asking"] for content in contents} <= {asking_id}
    return {content["place"]: content["value"] for content in contents if "place" in content}


def marks(box: Box, asking_id: str = "A1") -> int:
    return sum("sent" in unseal(KEYS, sealed) for sealed in box.sealed(asking_id))


def go_through(browser: FlaskClient, link: str, taken: Callable[[str], None] = lambda _: None) -> None:
    """Answer as a client does, from wherever the link leads to; says after each request what was taken."""
    here = browser.post(link).location
    while here is not None and not here.endswith("/sent"):
        page = here.rpartition("/")[2]
        if page == "review":
            here = browser.post(here).location
            taken("sent")
        elif int(page) > len(VALUES):  # everything is answered, and was not sent
            here = browser.get(here).location
        else:
            place = int(page) - 1
            here = browser.post(here, data={"value": str(VALUES[place])}).location
            taken(str(place))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "clinic.box"


def killed_visit(file: Path, link: str, step: int, note: Path) -> bool:
    """Answer in a process that is killed before its n-th statement; says whether it was."""
    child = os.fork()
    if child == 0:
        try:
            box, left = Box(file), [step]

            def count(_: str) -> None:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            box._connection.set_trace_callback(count)
            with note.open("a") as notes:

                def taken(what: str) -> None:
                    notes.write(f"{what}\n")
                    notes.flush()

                go_through(create_app(box).test_client(), link, taken)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are copied, as Unix can")
@pytest.mark.parametrize("every", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_before_any_statement_nothing_that_was_taken_is_lost(tmp_path, every):
    for step in range(1, 500, every):
        file, note = tmp_path / f"{step}.box", tmp_path / f"{step}.txt"
        note.touch()
        with closing(Box(file)) as box:
            link = put(box)
        was_killed = killed_visit(file, link, step, note)
        taken = note.read_text().split()
        with closing(Box(file)) as box:  # the program was started again
            for place in map(int, (each for each in taken if each != "sent")):
                assert answers(box)[place] == VALUES[place]
            browser = create_app(box).test_client()
            if "sent" in taken or browser.get(link).status_code == 404:
                assert marks(box) == 1
            else:
                go_through(browser, link)
            assert answers(box) == dict(enumerate(VALUES))
            assert marks(box) == 1
            assert [each.state(datetime.now(UTC)) for each in box.progress()] == ["answered"]
        if not was_killed:
            break
    assert 20 < step < 499  # it came to its end, after many kills


def test_a_lost_connection_after_any_request_and_the_same_again_is_once(file):
    with closing(Box(file)) as box:
        link, browser = put(box), create_app(box).test_client()
        browser.post(link)  # its answer was lost on the way
        visit = browser.post(link).location.rpartition("/")[0]
        for place, value in enumerate(VALUES):
            for _ in range(2):
                done = browser.post(f"{visit}/{place + 1}", data={"value": str(value)})
                assert done.location == f"{visit}/{place + 2 if place < 2 else 'review'}"
        places = [browser.post(f"{visit}/review").location for _ in range(3)]
        assert places == [f"{visit}/sent"] * 3
        assert "Thank you" in browser.get(places[0]).text
        late = browser.post(f"{visit}/1", data={"value": "0"})  # a tap that was on its way all the time
        assert late.location == f"{visit}/sent"
        assert answers(box) == dict(enumerate(VALUES))
        assert marks(box) == 1


@pytest.mark.parametrize("per_page", [1, 3])
def test_pressed_twice_at_the_same_time_is_once(file, per_page):
    with closing(Box(file)) as box:
        app = create_app(box)
        visits = [
            app.test_client().post(put(box, f"A{n}", per_page=per_page)).location.rpartition("/")[0]
            for n in range(4)
        ]

        def press(request: tuple[str, dict[str, str]]) -> int:
            return app.test_client().post(request[0], data=request[1]).status_code

        def sent(n: int, place: int) -> dict[str, str]:
            value = str((VALUES[place] + n) % 5)
            return {"value": value} if per_page == 1 else {f"value-{place + 1}": value}

        with ThreadPoolExecutor(8) as pool:
            for place in range(3):
                both = [
                    (f"{visit}/{place + 1}", sent(n, place)) for n, visit in enumerate(visits) for _ in range(2)
                ]
                assert set(pool.map(press, both)) == {303}
            assert set(pool.map(press, [(f"{visit}/review", {}) for visit in visits for _ in range(2)])) == {303}
        for n in range(4):
            assert answers(box, f"A{n}") == {place: (value + n) % 5 for place, value in enumerate(VALUES)}
            assert marks(box, f"A{n}") == 1


def test_two_devices_with_one_link_see_nothing_of_each_other_and_one_of_them_sends(file):
    with closing(Box(file)) as box:
        link, app = put(box), create_app(box)
        client, partner = app.test_client(), app.test_client()
        first = client.post(link).location.rpartition("/")[0]
        client.post(f"{first}/1", data={"value": "3"})
        came = partner.post(link).location
        second = came.rpartition("/")[0]
        assert came.endswith("/2")  # that something was answered shows; what, does not
        for page in (f"{second}/1", f"{second}/2", f"{second}/review"):
            body = partner.get(page).text.partition("<body")[2]
            assert "chosen" not in body
            assert "checked" not in body
        assert "answered earlier" in partner.get(f"{second}/review").text
        partner.post(f"{second}/2", data={"value": "0"})
        client.post(f"{first}/2", data={"value": "1"})
        client.post(f"{first}/3", data={"value": "4"})
        partner.post(f"{second}/1", data={"value": "0"})  # over an answer that the client has given
        assert "<strong>3</strong>" in re.sub("<strong[^>]*>", "<strong>", client.get(f"{first}/review").text)
        assert client.post(f"{first}/review").location == f"{first}/sent"
        refused = partner.post(f"{second}/1", data={"value": "0"})
        assert refused.status_code == 404
        assert partner.get(f"{second}/sent").status_code == 404
        assert partner.get(link).status_code == 404
        assert answers(box) == dict(enumerate(VALUES))  # what the client saw before sending


def test_the_link_after_an_answer_tells_the_partner_nothing_not_even_that_it_was_one(file):
    """Used, stopped, withdrawn, expired and never made: page, status and headers are the same for each."""
    with closing(Box(file)) as box:
        browser = create_app(box).test_client()
        used, stopped, withdrawn, expired = (put(box, f"A{n}", days=4 - n) for n in range(1, 5))
        go_through(browser, used)
        browser.post(f"{stopped}/stop")
        box.withdraw("A3")
        seen = {
            (answer.status_code, answer.text, tuple(sorted(answer.headers.items())))
            for link in (used, stopped, withdrawn, expired, f"/f/{new_token()}")
            for answer in (browser.get(link),)
        }
        assert len(seen) == 1
        (page,) = (text for _, text, _ in seen)
        assert not re.search("answer|sent|stop|thank", page.partition("<body")[2], re.IGNORECASE)


def test_clocks_that_go_back_or_jump_lose_nothing(file):
    now = [datetime.now(UTC).timestamp()]
    with closing(Box(file, clock=lambda: now[0])) as box:
        link, browser = put(box, days=1), create_app(box).test_client()
        visit = browser.post(link).location.rpartition("/")[0]
        browser.post(f"{visit}/1", data={"value": "3"})
        now[0] -= 7200  # set back by two hours
        assert browser.post(f"{visit}/2", data={"value": "1"}).status_code == 303
        now[0] += 10_800  # and forward by three: the visit has been idle for too long
        assert browser.get(f"{visit}/3").status_code == 404
        go_through(browser, link)
        assert answers(box) == dict(enumerate(VALUES))
        late = put(box, "A2", days=1)
        visit = browser.post(late).location.rpartition("/")[0]
        now[0] += 86_400
        assert browser.post(f"{visit}/1", data={"value": "3"}).status_code == 404
        assert answers(box, "A2") == {}
