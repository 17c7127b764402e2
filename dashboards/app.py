"""The Dash application, put together from its pages: the only wiring there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from dash import Dash, html
from dash.development.base_component import Component
from flask import Flask

from dashboards.components import ids
from dashboards.components.shell import register_shell, shell
from dashboards.pages import dispatch
from dashboards.pages.account import layout as account
from dashboards.pages.accounts import layout as accounts
from dashboards.pages.audit_log import layout as audit_log
from dashboards.pages.caseload import layout as caseload
from dashboards.pages.caseloads import layout as caseloads
from dashboards.pages.client import layout as client
from dashboards.pages.clinic_settings import layout as clinic_settings
from dashboards.pages.cohort import layout as cohort
from dashboards.pages.erasure import layout as erasure
from dashboards.pages.other_records import layout as other_records
from dashboards.pages.outcomes import layout as outcomes
from dashboards.pages.record import layout as record
from dashboards.pages.send import layout as send
from dashboards.pages.to_review import layout as to_review
from dashboards.routes import Pages
from dashboards.settings import Settings
from dashboards.web.asking_access import close_askings, set_askings
from dashboards.web.callback_check import install_callback_check
from dashboards.web.error_pages import install_error_pages
from dashboards.web.faults import PatientFlask
from dashboards.web.guard import install_guard
from dashboards.web.headers import install_headers
from dashboards.web.health import HEALTH_ENDPOINTS, install_health
from dashboards.web.hosts import install_hosts
from dashboards.web.html_shell import TITLE, QuietDash
from dashboards.web.kept_parts import install_kept_parts
from dashboards.web.pause_notice import notice
from dashboards.web.plain_page import install_plain_pages
from dashboards.web.provider import install_provider
from dashboards.web.rate_limit import RateLimits, install_rate_limits
from dashboards.web.server_page import install_written_pages
from dashboards.web.sessions import Sessions, csrf_token
from dashboards.web.sign_in import install_sign_in
from dashboards.web.theme import drawn_theme
from dashboards.web.visitor import (
    close_record,
    has_ended,
    is_signed_in,
    set_record,
    signed_in_user,
    synthetic_mark,
)
from mbc.care.forecast.model_files import read_models
from mbc.store import Store

PAGES = Pages(
    (
        caseload.PAGE, client.PAGE, record.PAGE, record.NEW_CLIENT_PAGE, send.PAGE,
        outcomes.PAGE, outcomes.MEASURE_PAGE, cohort.PAGE, to_review.PAGE, other_records.PAGE,
        accounts.PAGE, accounts.ACCOUNT_PAGE, caseloads.PAGE, audit_log.PAGE, erasure.PAGE,
        clinic_settings.PAGE, account.PAGE,
    )
)  # fmt: skip
_HERE = Path(__file__).parent
# Each is set explicitly: an environment variable could turn on what is left out.
_NO_TOOLS: dict[str, bool] = {
    "debug": False,
    "dev_tools_ui": False,
    "dev_tools_props_check": False,
    "dev_tools_serve_dev_bundles": False,
    "dev_tools_hot_reload": False,
    "dev_tools_silence_routes_logging": False,
    "dev_tools_disable_version_check": True,
    "dev_tools_validate_callbacks": False,
}
_LARGEST_REQUEST = 1_000_000  # bytes; the pages send a few hundred


@contextmanager
def open_app(store_url: str, settings: Settings, rates: RateLimits | None = None) -> Iterator[Dash]:
    """Make the application as `create_app` does, and give the record's connections back at the end."""
    app = create_app(store_url, settings, rates)
    try:
        yield app
    finally:
        close_askings(app.server.extensions)
        close_record(app.server.extensions)


def create_app(store_url: str, settings: Settings, rates: RateLimits | None = None) -> Dash:
    """Make the application for one record.

    Parameters
    ----------
    store_url : str
        Address of the record, as `mbc.Store.open` takes it.
    settings : Settings
        Key, timeouts, and whether browsers come over https.
    rates : RateLimits, optional
        How often one visitor may ask; without it there is no limit.

    Returns
    -------
    dash.Dash
        ``app.server`` is the WSGI application.

    Raises
    ------
    StoreError
        If the record cannot be opened.
    """
    server = _server(store_url, settings, rates)
    app = QuietDash(
        "dashboards",
        server=cast("Any", server),  # Dash takes a Flask server; its annotation does not say so
        assets_folder=str(_HERE / "assets"),
        assets_ignore=r"first\.js",  # the page itself loads it, before everything else
        title=TITLE,
        update_title="",
        serve_locally=True,
        enable_mcp=False,
        suppress_callback_exceptions=True,  # pages come and go; a test checks that every id exists on its page
        add_log_handler=False,
    )
    app.enable_dev_tools(**_NO_TOOLS)
    app.idle_seconds = round(settings.idle_minutes * 60)
    app.layout = _layout
    install_callback_check(server, app, lists=ids.LISTS)
    install_kept_parts(server)
    dispatch.register(app, PAGES)
    register_shell(app)
    install_headers(server, app.csp_hashes, https=settings.https)
    server.test_client().get("/sign-in")  # Dash sets itself up at the first request: not while two visitors wait
    return app


def _layout() -> Component:
    # Dash asks once by itself, at the first request, whoever sent that
    return (
        shell(
            signed_in_user(),
            PAGES.of(signed_in_user()),
            drawn_theme(),
            csrf_token(),
            notice(),
            synthetic=synthetic_mark(),
        )
        if is_signed_in()
        else html.Div()
    )


def _open(store_url: str, settings: Settings) -> Store:
    return Store.open(store_url, busy_seconds=settings.busy_seconds).from_origin("server")


def _server(store_url: str, settings: Settings, rates: RateLimits | None) -> Flask:
    """Make the server with access closed by default: the guard runs before every route that is added later."""
    server = PatientFlask("dashboards", static_folder=None, template_folder=str(_HERE / "templates"))
    server.pages = PAGES
    server.secret_key = settings.secret_key
    server.config.update(
        MAX_CONTENT_LENGTH=_LARGEST_REQUEST,
        MBC_IDLE_SECONDS=round(settings.idle_minutes * 60),
        SESSION_COOKIE_NAME=settings.cookie,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_PATH="/",
        MBC_SYNTHETIC=settings.synthetic,
        MBC_PERSONAL=settings.personal,
    )
    server.context_processor(lambda: {"synthetic": synthetic_mark()})
    models = read_models(settings.models)
    set_record(server.extensions, _open(store_url, settings), store_url, models, settings.today)
    set_askings(server.extensions, settings.asking)
    sessions = Sessions(settings, has_ended)
    install_hosts(server, settings.hosts, open_endpoints=HEALTH_ENDPOINTS)
    if rates is not None:
        install_rate_limits(server, rates)
    install_guard(server, sessions, PAGES)
    install_written_pages(server, PAGES, lambda path: dispatch.write_page(PAGES, path))
    install_plain_pages(server, PAGES, lambda path: dispatch.lay_out(PAGES, path))
    install_provider(server, settings.provider)
    install_sign_in(server, sessions, PAGES)
    for address, answer in PAGES.forms.items():
        server.add_url_rule(address, address, answer, methods=["POST"])
    install_health(server)
    install_error_pages(server)
    return server
