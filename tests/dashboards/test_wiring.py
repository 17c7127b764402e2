"""Every callback speaks of components that are there, and nothing is served from elsewhere."""

from __future__ import annotations

import pytest
from dash import Dash

from dashboards.app import PAGES as REGISTERED
from dashboards.components.shell import shell
from dashboards.pages.dispatch import page_for
from dashboards.routes import PageRequest
from tests.dashboards.reading import ids_of, of_kind, pattern, text_of

PAGES = (
    ("ash", "/caseload"),
    ("ash", "/client/C001"),
    ("ana", "/outcomes"),
    ("birch", "/outcomes"),
    ("ash", "/to-review"),
    ("ash", "/other-records"),
    ("adam", "/accounts"),
    ("adam", "/accounts/ash"),
    ("adam", "/caseloads"),
    ("adam", "/audit-log"),
    ("adam", "/erasure"),
    ("ash", "/account"),
)


def lay_out(store_of, who: str, path: str) -> list[object]:
    store = store_of(who)
    return page_for(REGISTERED, path, PageRequest(store=store, user=store.user, path=path))


def layouts(store_of) -> list[object]:
    user = store_of("ash").user
    frame: list[object] = [shell(user, REGISTERED.of(user), "light", "token")]
    return frame + [lay_out(store_of, who, path) for who, path in PAGES]


def test_callbacks_speak_of_components_that_are_on_some_page(app: Dash, store_of):
    there = set().union(*map(ids_of, layouts(store_of)))
    for callback in app._callback_list:
        spoken = [one["id"] for one in callback["inputs"] + callback["state"]]
        outputs = callback["output"].strip(".").split("...")
        spoken += [one.rpartition(".")[0] for one in outputs]
        assert {pattern(one) for one in spoken} <= there


def test_ids_are_on_one_page_only(store_of):
    found = [one for layout in layouts(store_of) for one in ids_of(layout) if not one.startswith("pattern")]
    assert len(found) == len(set(found))


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_each_page_has_one_first_heading_and_no_level_is_skipped(store_of, who: str, path: str):
    page = lay_out(store_of, who, path)
    assert len(of_kind(page, "H1")) == 1
    levels = [int(type(one).__name__[1]) for kind in ("H1", "H2", "H3", "H4") for one in of_kind(page, kind)]
    assert set(levels) in ({1}, {1, 2}, {1, 2, 3})


@pytest.mark.parametrize(
    ("user", "pages"),
    [
        ("ash", ["Caseload", "Outcomes", "To review", "Colleagues' records", "My account"]),
        ("oak", ["Caseload", "Outcomes", "Colleagues' records", "My account"]),
        ("ana", ["Outcomes", "My account"]),
        ("adam", ["Accounts", "Caseloads", "Audit log", "Erasure", "Settings", "My account"]),
    ],
)
def test_the_navigation_holds_what_the_visitor_may_open(store_of, user: str, pages: list[str]):
    visitor = store_of(user).user
    (nav,) = of_kind(shell(visitor, REGISTERED.of(visitor), "light", "token"), "Nav")
    assert [text_of(link) for link in of_kind(nav, "Link")] == pages


def test_scripts_and_styles_come_from_here(app: Dash, signed_in):
    signed_in("ash").get("/caseload")
    assert app.scripts.config.serve_locally
    assert app.css.config.serve_locally
    for path in app.scripts.get_all_scripts() + app.css.get_all_css():
        assert "external_url" not in path or "relative_package_path" in path
    assert not app.config.external_scripts
    assert not app.config.external_stylesheets


def test_nothing_of_the_tools_for_developers_is_on_whatever_the_environment_says(
    record_url: str, monkeypatch: pytest.MonkeyPatch, make_app
):
    for name in ("DASH_DEBUG", "DASH_MCP_ENABLED", "DASH_UI", "DASH_HOT_RELOAD", "DASH_SERVE_DEV_BUNDLES"):
        monkeypatch.setenv(name, "true")
    app = make_app(record_url)
    assert not app._enable_mcp
    assert not app._dev_tools.ui
    assert not app._dev_tools.hot_reload
    assert not any("mcp" in rule.rule for rule in app.server.url_map.iter_rules())


def test_a_callback_answers_for_the_visitors_own_clients_alone(app: Dash, signed_in):
    browser = signed_in("ash")

    def page(path: str):
        asked = {"output": "main.children", "outputs": {"id": "main", "property": "children"}}
        asked |= {
            "inputs": [{"id": "url", "property": "pathname", "value": path}],
            "changedPropIds": ["url.pathname"],
        }
        return browser.post("/_dash-update-component", json=asked)

    own, theirs, nobodys = (page(f"/client/{client}") for client in ("C001", "C003", "C999"))
    assert "Willow" in own.text
    assert theirs.json == nobodys.json
    assert "Hazel" not in theirs.text


def test_a_callback_of_a_page_refuses_somebody_elses_client_like_nobodys(app: Dash, signed_in):
    browser = signed_in("ash")
    (output,) = [name for name in app.callback_map if "record-button" in name]
    places = (("record", "children"), ("record-button", "children"), ("record-button", "aria-expanded"))

    def restricted(path: str):
        asked = {
            "output": output,
            "outputs": [{"id": name, "property": what} for name, what in places],
            "inputs": [{"id": "record-button", "property": "n_clicks", "value": 1}],
            "state": [{"id": "url", "property": "pathname", "value": path}],
            "changedPropIds": ["record-button.n_clicks"],
        }
        return browser.post("/_dash-update-component", json=asked)

    assert restricted("/client/C001").status_code == 200
    theirs, nobodys = restricted("/client/C003"), restricted("/client/C999")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.data == nobodys.data
