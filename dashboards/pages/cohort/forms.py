"""What the form of the cohort page does: a cohort is made on the server, logged, and sent as one file."""

from __future__ import annotations

import io
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from flask import Response, request, send_file
from flask.typing import ResponseReturnValue

from dashboards.web.flash import back_to
from dashboards.web.form_answers import form_on
from dashboards.web.visitor import user_store
from mbc.care.cohort.files import write_cohort
from mbc.care.cohort.prepare import prepare_cohort
from mbc.care.cohort.profiles import PROFILES
from mbc.errors import AccessDenied

PATH = "/cohort"
DOWNLOAD = "/download-cohort"
LEAST, MOST = 5, 50


@form_on(PATH, passes=AccessDenied)
def answer_download() -> ResponseReturnValue:
    """Make a cohort and send it as a zip file."""
    typed = request.form.get("k", "").strip()
    if not typed.isdecimal() or not LEAST <= int(typed) <= MOST:
        return back_to(PATH, f"The smallest number of people in a category must be from {LEAST} to {MOST}.")
    profile = request.form.get("profile", "coarse")
    if profile not in PROFILES:
        return back_to(PATH, f"Choose one of these: {', '.join(PROFILES)}.")
    store = user_store()
    if not store.has_permission("cohort:read"):
        store.audit.record("refused", asked="a cohort", fault="AccessDenied")
        raise AccessDenied("This account may not download a cohort.")
    prepared = prepare_cohort(store, profile=PROFILES[profile], k=int(typed))
    cohort = prepared.cohort
    file = f"cohort-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip"
    rows = {name: table.height for name, table in cohort.tables().items()}
    store.audit.record("export", format="cohort", file=file, rows=rows, key=False)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "cohort"
        write_cohort(cohort, place, risk=prepared.risk)
        packed = _zip(place)
    return _attachment(packed, file)


def _zip(folder: Path) -> io.BytesIO:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"cohort/{path.name}")
    packed.seek(0)
    return packed


def _attachment(content: io.BytesIO, name: str) -> Response:
    return send_file(content, mimetype="application/zip", as_attachment=True, download_name=name)
