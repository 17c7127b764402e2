"""Pages without JavaScript: the words, the tables and the sources, let through by the same guard."""

from __future__ import annotations

import pytest
from dash import dcc, html

from dashboards.web.plain_page import to_html

pytestmark = pytest.mark.long


def test_a_client_page_has_its_words_and_tables_without_scripts(signed_in):
    page = signed_in("ash").get("/client/C001?plain=1")
    assert page.status_code == 200
    for words in (
        "Willow",
        "Self-esteem",
        "+12",
        "not asked while single",
        "Show table of scores",
        "16 Mar 2026",
        "Sources",
    ):
        assert words in page.text
    assert "<script" not in page.text
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/caseload", "/outcomes", "/to-review", "/other-records"])
def test_every_page_can_be_read_so(signed_in, path: str):
    page = signed_in("ash").get(f"{path}?plain=1")
    assert page.status_code == 200
    assert "<h1" in page.text


def test_the_restricted_section_is_not_in_it(signed_in):
    page = signed_in("ash").get("/client/C001?plain=1").text.casefold()
    assert not [word for word in ("suicid", "self-harm", "thoughts of death", "flag") if word in page]


def test_the_guard_stands_before_it(app, signed_in):
    assert app.server.test_client().get("/client/C001?plain=1").status_code == 303
    theirs, nobodys = (signed_in("ash").get(f"/client/{client}?plain=1") for client in ("C003", "C999"))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.text == nobodys.text


def test_markup_is_written_not_obeyed():
    part = html.P(["<script>", html.A("x", href='/a?b="c'), dcc.Graph(figure={})], className='a"b')
    assert to_html(part) == '<p class="a&quot;b">&lt;script&gt;<a href="/a?b=&quot;c">x</a></p>'


def test_the_page_with_scripts_leads_there_when_there_are_none(signed_in):
    assert '<meta http-equiv="refresh" content="0; url=?plain=1">' in signed_in("ash").get("/client/C001").text
