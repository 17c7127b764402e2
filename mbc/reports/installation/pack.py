"""The validation pack: numbered requirements, the tests that show them, and their results here, to be signed."""

from __future__ import annotations

import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path

from mbc.distribution import DISTRIBUTION
from mbc.reports.document import Block, Document, Heading, Notice, Paragraph, Table
from mbc.reports.installation import access, program, record, scores
from mbc.reports.installation.requirement import Finding, Requirement, try_all

REQUIREMENTS: tuple[tuple[str, tuple[Requirement, ...]], ...] = (
    (
        "Scores and change",
        (
            Requirement("R1", "A score and its severity range are those published by the authors.",
                        ("tests/instruments/scoring",), scores.published_score),
            Requirement("R2", "A questionnaire with too many blanks has no score.",
                        ("tests/instruments/scoring",), scores.blanks),
            Requirement("R3", "Every questionnaire shipped names the publication it follows.",
                        ("tests/instruments/test_catalogue.py",), scores.definitions),
            Requirement("R4", "Reliable change reproduces the published example.",
                        ("tests/models/change",), scores.published_change),
        ),
    ),
    (
        "Data in and out",
        (
            Requirement("R5", "A file is stored completely or not at all.",
                        ("tests/exchange/plan/test_import_plan.py",), scores.all_or_nothing),
            Requirement("R6", "A file that is imported twice is stored once.",
                        ("tests/exchange/plan/test_import_plan.py",), scores.twice),
            Requirement("R7", "Ambiguous input is refused, not guessed.",
                        ("tests/exchange/cells/test_dates.py", "tests/exchange/test_more_files.py"),
                        scores.doubtful_days),
            Requirement("R8", "A record that is exported can be imported again and is the same.",
                        ("tests/exchange/export/test_export.py",), scores.round_trip),
            Requirement("R9", "An export contains nothing that a spreadsheet would execute.",
                        ("tests/exchange/export/test_export.py",), access.formulas),
        ),
    ),
    (
        "The record",
        (
            Requirement("R10", "An answer cannot be changed in the database directly: the database refuses.",
                        ("tests/store/processes",), record.unchangeable),
            Requirement("R11", "An answer that was changed despite that guard is detected.",
                        ("tests/store/maintenance",), record.tampering),
            Requirement("R12", "Reading a client's record leaves a log entry that cannot be removed unnoticed.",
                        ("tests/store/audit/test_log.py",), record.trail),
            Requirement("R13", "A correction keeps the earlier version, with the reason.",
                        ("tests/store/writing/test_transaction.py",), record.corrections),
            Requirement("R14", "A backup can be restored to the same record, and its completeness is verified.",
                        ("tests/store/backup",), record.backup),
            Requirement("R15", "A client is erased on request, and the rest of the record can still be verified.",
                        ("tests/store/maintenance",), record.erasure),
            Requirement("R16", "The database library does not damage a record under load.",
                        ("tests/store/processes",), record.database_library),
        ),
    ),
    (
        "Access",
        (
            Requirement("R17", "A clinician sees the records of their own clients, and no others.",
                        ("tests/store/access/test_access.py", "tests/store/access/test_roles_table.py"),
                        access.caseloads),
            Requirement("R18", "Answers about violence and harm are shown only with a separate permission.",
                        ("tests/attack/test_safety_twins.py",), access.safety_channel),
            Requirement("R19", "They are exported only on request, and only with that permission.",
                        ("tests/exchange/export/test_export.py",), access.exports),
            Requirement("R20", "Passwords are stored as slow hashes, and weak ones are refused.",
                        ("tests/store/accounts/test_accounts.py",), access.passwords),
        ),
    ),
    (
        "The program",
        (
            Requirement("R21", "Every program file is identical to the released one.",
                        ("tests/packaging",), program.files),
            Requirement("R22", "All required packages are installed, in supported versions.",
                        ("tests/packaging",), program.dependencies),
            Requirement("R23", "It makes no network connection.",
                        ("tests/browser/test_visit.py",), program.no_network),
        ),
    ),
)  # fmt: skip


def findings() -> list[list[Finding]]:
    """Try every requirement with synthetic records in a folder that is gone afterwards; no record is opened."""
    with tempfile.TemporaryDirectory(prefix="mbc-validation-") as folder:
        return [try_all(requirements, Path(folder)) for _, requirements in REQUIREMENTS]


def _verdict(counts: Counter[str]) -> str:
    unmet, other = counts["NOT MET"], counts["not applicable"]
    parts = [f"{counts['met']} of {counts.total()} requirements are met", f"{unmet or 'none'} not met"]
    if other:
        parts.append(f"{other} not applicable here")
    return f"{'; '.join(parts)}."


def _circumstances(now: datetime) -> str:
    where = f"{platform.node() or 'this computer'}, {platform.system()} {platform.release()}"
    return (
        f"Tried on {where}, Python {platform.python_version()} in {sys.prefix}, at {now:%Y-%m-%d %H:%M %Z}. Each "
        "trial made a record of people who do not exist and deleted it again; no record of the clinic was opened. "
        "The tests named are part of the source distribution, where 'make test' runs all of them; what is tried "
        "here is one example of each requirement, on this installation."
    )


def validation_document(results: Sequence[Sequence[Finding]], *, now: datetime) -> Document:
    """Write the pack.

    Parameters
    ----------
    results : sequence of sequence of Finding
        As `findings` gives them.
    now : datetime
        When they were tried, with the zone.
    """
    counts = Counter(finding.result for part in results for finding in part)
    release = f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}"
    blocks: list[Block] = [
        Paragraph(_verdict(counts), "lead"),
        Paragraph(_circumstances(now)),
    ]
    if counts["NOT MET"]:
        blocks.append(
            Notice("Do not use this installation for care until every unmet requirement has been explained.")
        )
    for (title, _), part in zip(REQUIREMENTS, results, strict=True):
        rows = tuple(
            (f.requirement.number, f.requirement.words, f.result, f.seen, ", ".join(f.requirement.tests))
            for f in part
        )
        blocks += [
            Heading(title),
            Table(title, ("No.", "Requirement", "Result", "Observation", "Evidence"), rows, (1, 6, 2, 6, 5)),
        ]
    signatures = tuple((role, "", "", "") for role in ("Tested by", "Reviewed by", "Released for use by"))
    blocks += [
        Heading("Signatures"),
        Table("Signatures", ("", "Name", "Date", "Signature"), signatures, (2, 4, 2, 4)),
    ]
    return Document(
        kind="validation",
        title="Validation of an installation",
        language="en",
        day=now.date(),
        facts=release,
        running=(release, f"{now:%Y-%m-%d}", "mbc verify --install"),
        page_words="page {page} of {pages}",
        layouts=(tuple(blocks),),
        most_sheets=12,
    )
