"""``mbc ask``, ``collect``, ``remind`` and ``report sheet`` as a clinic uses them, against a real mail server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mbc.box.box import Box
from mbc.sqlite_library import SQLITE
from mbc.store import Administration, Client, Clinician, Episode, Goal, PlannedMeasure, Store
from tests.cli.in_process import Ended, mbc
from tests.mail_server import MailServer, mail_server

DAY = date(2026, 1, 5)
SETTINGS = """
address = "https://form.example.org"
box = "boxes/clinic.box"
expires_days = 5
[batteries]
weekly = ["checkin"]
[mail]
server = "127.0.0.1"
port = {port}
security = "none"
sender = "Post <post@example.org>"
contacts = "contacts.csv"
"""


@dataclass
class Clinic:
    """A record, its settings, and the command line."""

    folder: Path
    mail: MailServer

    @property
    def record(self) -> Path:
        return self.folder / "clinic.db"

    def run(self, command: str, *words: object, store: bool = True) -> Ended:
        settings = ("--settings", self.folder / "asking.toml")
        return mbc(*command.split(), *words, "--store", f"sqlite:///{self.record}", *settings)

    def answer(self, text: str, *values: float) -> None:
        token = re.search(r"https://form\.example\.org/f/(\S+)", text)[1]
        with closing(Box(self.folder / "boxes" / "clinic.box")) as box:
            visit = box.begin(box.find(token))
            for place, value in enumerate(values):
                box.answer(visit, place, value)
            box.send(visit)

    def age(self, days: float) -> None:
        """Let all askings have been made earlier."""
        with closing(SQLITE.connect(self.record)) as record:
            moment = datetime.now(UTC) - timedelta(days=days)
            record.execute("UPDATE asking SET made_at = ?", (moment.strftime("%Y-%m-%d %H:%M:%S.%f"),))
            record.commit()

    def expire(self) -> None:
        """Let all askings have ended."""
        with closing(SQLITE.connect(self.record)) as record:
            record.execute("UPDATE asking SET expires_at = made_at")
            record.commit()


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    monkeypatch.setenv("MBC_WORDING", str(tmp_path / "wording"))
    with Store.create(f"sqlite:///{tmp_path}/clinic.db") as store, store.writing() as record:
        record.add_all(
            [Clinician("K1", "Dr Ash"), Client("C001", "Willow", "K1", DAY), Client("C002", None, "K1", DAY)]
        )
        record.add(Goal("G1", "C001", "Sleep", DAY))
    (tmp_path / "boxes").mkdir()
    contacts = tmp_path / "contacts.csv"
    contacts.write_text("client_id,address\nC001,willow@example.com\n", encoding="utf-8")
    contacts.chmod(0o600)
    with mail_server() as mail:
        (tmp_path / "asking.toml").write_text(SETTINGS.format(port=mail.port), encoding="utf-8")
        yield Clinic(tmp_path, mail)


def test_ask_answer_collect_list(clinic):
    made = clinic.run("ask", "C001", "--battery", "weekly", "--goal", "G1=Nights")
    assert made.returncode == 0, made.stderr
    assert "9 questions" in made.stdout
    assert re.search(r"Code +[A-Z0-9]{4}-[A-Z0-9]{4}\n", made.stdout)
    assert " made " in clinic.run("ask", "C001", "--list").stdout
    clinic.answer(made.stdout, *[2] * 9)
    assert clinic.run("collect").stdout == "1 request answered, 2 questionnaires stored.\n"
    assert clinic.run("collect").stdout == "0 requests answered, 0 questionnaires stored.\n"
    listed = clinic.run("ask", "C001", "--list").stdout
    assert "answered   checkin, goal" in listed
    assert not re.search(r"\bsent\b", listed)


def test_what_is_due_by_the_plan_is_asked_once(clinic):
    nothing = clinic.run("ask", "C001", "--due")
    assert (nothing.returncode, "nothing is due" in nothing.stderr) == (1, True)
    with Store.open(f"sqlite:///{clinic.record}") as store, store.writing() as record:
        record.add(PlannedMeasure("C001", "checkin", DAY, every_days=7))
    assert "8 questions" in clinic.run("ask", "C001", "--due").stdout
    assert clinic.run("ask", "C001", "--due").returncode == 1


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("C001",), 1, "Name at least one questionnaire"),
    (("C009", "checkin"), 1, "no client 'C009'"),
    (("C001", "checkinn"), 1, "checkin"),
    (("C001", "rses"), 1, "No wording is loaded"),
    (("C001", "--battery", "monthly"), 1, "There are: weekly"),
    (("C001", "checkin", "--language", "xx"), 1, "No wording is loaded"),
    (("C001", "--goal", "G9"), 1, "no goal 'G9'"),
    (("C001", "hits", "--alone"), 1, "together with something"),
    (("C002", "checkin", "--mail"), 1, "no address for C002"),
    (("C001", "checkin", "--mail-to", "willow"), 1, "Enter one email address"),
    (("C001", "checkin", "--mail", "--mail-to", "a@b.c"), 2, "not both"),
    (("--battery", "weekly"), 2, "Name the client"),
    (("C001", "checkin", "--dry-run"), 2, "works only with --all-due"),
    (("C001", "--all-due", "--battery", "weekly"), 2, "leave out"),
    (("--all-due", "--show-scores"), 2, "leave out --show-scores"),
    (("C001", "checkin", "--show-scores"), 1, "confirm that nobody looks on (--alone)"),
    (("C001", "checkin", "--alone", "--show-scores"), 1, "C001 has fewer than 3 earlier scores"),
)


def test_what_cannot_be_asked_is_refused_and_nothing_is_made(clinic):
    for words, status, message in REFUSED:
        ended = clinic.run("ask", *words)
        assert ended.returncode == status, words
        assert message in ended.stderr
        assert "Traceback" not in ended.stderr
    assert clinic.run("ask", "--list").stdout == "No requests.\n"
    assert clinic.mail.recipients == []


def test_earlier_scores_are_shown_when_chosen_and_the_clinician_reads_which(clinic):
    with Store.open(f"sqlite:///{clinic.record}") as store, store.writing() as record:
        record.add_all(Administration("C001", "checkin", DAY + timedelta(days=n), (n,) * 8) for n in range(4))
    made = clinic.run("ask", "C001", "--battery", "weekly", "--alone", "--show-scores")
    assert made.returncode == 0, made.stderr
    assert "Then shown  earlier scores, by this link only: checkin (4)\n" in made.stdout
    assert "Then shown" not in clinic.run("ask", "C001", "checkin", "--alone").stdout


def test_mail_reminder_withdrawal_and_what_a_refused_message_leaves(clinic):
    first = clinic.run("ask", "C001", "checkin", "--mail")
    assert "The mail server accepted the link." in first.stdout
    assert clinic.run("ask", "C002", "checkin", "--mail-to", "hazel@example.com").returncode == 0
    assert clinic.mail.recipients == ["willow@example.com", "hazel@example.com"]
    assert clinic.run("remind", "--dry-run").stdout.endswith("0 would be sent.\n")
    clinic.age(3)
    shown = clinic.run("remind", "--dry-run").stdout
    assert "To willow@example.com, from Post <post@example.org>: A few minutes" in shown
    assert "C001" not in shown
    clinic.mail.refuses = True
    refused = clinic.run("remind")
    assert (refused.returncode, refused.stdout) == (1, "0 sent.\n")
    assert "willow@" not in refused.stderr
    clinic.mail.refuses = False
    assert clinic.run("remind").stdout == "1 sent.\n"
    assert clinic.run("remind").stdout == "0 sent.\n"
    assert len(clinic.mail.recipients) == 3
    clinic.answer(clinic.mail.message.rpartition("Here is the page:")[2], 1, 2)  # by the link of the reminder
    number = re.search(r"Request (\w+)", first.stdout)[1]
    gone = clinic.run("ask", "--withdraw", number)
    assert gone.returncode in (0, 1)
    assert clinic.run("collect").stdout.startswith("1 request answered")
    clinic.mail.refuses = True
    third = clinic.run("ask", "C001", "checkin", "--mail")
    assert third.returncode == 1
    assert "https://form.example.org/f/" in third.stdout  # to be given in another way
    assert "550" in third.stderr


def test_an_erasure_needs_the_box_where_something_may_be_in_it(clinic):
    clinic.answer(clinic.run("ask", "C001", "checkin").stdout, 1, 2)
    store = ("--store", f"sqlite:///{clinic.record}", "--yes", "--reason", "on request")
    lost = mbc("erase", "C001", *store)
    assert lost.returncode == 1
    assert "--without-box" in lost.stderr
    assert mbc("erase", "C001", *store, "--settings", clinic.folder / "asking.toml").returncode == 0
    with closing(Box(clinic.folder / "boxes" / "clinic.box")) as box:
        assert box.progress() == []
    assert mbc("erase", "C002", *store).returncode == 0  # was never asked


def test_a_sheet_for_paper_names_nobody_and_says_its_code(clinic):
    file = clinic.folder / "sheet.html"
    ended = clinic.run("report sheet", "C001", "checkin", "--language", "de", "-o", file)
    assert ended.returncode == 0, ended.stderr
    code = re.search(r"Code ([A-Z0-9]{3}-[A-Z0-9]{3})", ended.stdout)[1]
    page = file.read_text(encoding="utf-8")
    assert page.count(code) >= 2  # above the questions, and on every sheet
    assert "Wie war diese Woche" in page
    for hidden in ("C001", "Willow", "checkin", "Check-in", "mbc"):
        assert hidden not in re.sub("<style>.*?</style>", "", page, flags=re.DOTALL)
    again = clinic.run("report sheet", "C002", "checkin", "--language", "de", "-o", clinic.folder / "other.html")
    assert code not in again.stdout
    goals = clinic.run("report sheet", "C001", "--goal", "G1=Rest", "-o", clinic.folder / "goals.html")
    assert re.search(r"Code [A-Z0-9]{3}-[A-Z0-9]{3}", goals.stdout)
    assert "1.  Rest" in (clinic.folder / "goals.html").read_text(encoding="utf-8")
    refused = clinic.run("report sheet", "C001", "phq9", "-o", clinic.folder / "third.pdf")
    assert refused.returncode == 1
    assert "[help]" in refused.stderr


def test_everybody_who_is_due_is_asked_once_by_mail(clinic):
    with Store.open(f"sqlite:///{clinic.record}") as store, store.writing() as record:
        record.add_all([Client(f"C00{n}", None, "K1", DAY) for n in (3, 4)])
        record.add_all(PlannedMeasure(f"C00{n}", "checkin", DAY, every_days=7) for n in (1, 2, 3, 4))
        record.add(PlannedMeasure("C003", "rses", DAY, every_days=7))  # its wording is not loaded
        record.add(Episode("E4", "C004", "K1", DAY, DAY, DAY, "agreed"))  # no longer in care
    contacts = clinic.folder / "contacts.csv"
    contacts.write_text(contacts.read_text() + "C003,hazel@example.com\nC004,elm@example.com\n", encoding="utf-8")
    tried = clinic.run("ask", "--all-due", "--dry-run")
    assert tried.stdout.startswith("2 would be asked.\n  checkin ")
    assert tried.stdout.endswith("1 due, without an address on file.\n")
    assert (tried.returncode, "1 client not asked: No wording is loaded for rses" in tried.stderr) == (1, True)
    assert (clinic.mail.recipients, clinic.run("ask", "--list").stdout) == ([], "No requests.\n")
    clinic.mail.refuses = True
    refused = clinic.run("ask", "--all-due")
    assert refused.stdout.startswith("0 asked.\n")
    assert "1 client not asked: the mail server answered 550" in refused.stderr
    clinic.mail.refuses = False
    asked = clinic.run("ask", "--all-due", "--explain")
    assert asked.stdout.startswith("1 asked.\n")
    assert "https" not in asked.stdout
    assert not [hidden for hidden in ("C00", "@example", "Willow") if hidden in asked.stdout + asked.stderr]
    assert clinic.mail.recipients == ["willow@example.com"]
    clinic.expire()  # nobody answered: the next occasion is asked, not this one again
    assert clinic.run("ask", "--all-due").stdout.startswith("0 asked.\n")
    assert clinic.mail.recipients == ["willow@example.com"]


def test_how_progress_is_measured_goes_into_the_box_when_the_clinician_says_so(clinic):
    assert clinic.run("ask", "C001", "checkin", "--explain", "--language", "de").returncode == 0
    assert clinic.run("ask", "C001", "checkin").returncode == 0
    with closing(Box(clinic.folder / "boxes" / "clinic.box")) as box:
        kept = [row[0] for row in box._connection.execute("SELECT content FROM asking ORDER BY number")]
    assert ["Wie wir sehen" in content for content in kept] == [True, False]
