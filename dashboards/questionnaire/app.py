"""The questionnaire as an application: a link or a code, one question after the other, review, thanks."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from dashboards.questionnaire.frame import Frame, frame_for, preferred
from dashboards.questionnaire.limits import REQUESTS, WRONG_CODES, Limits, network
from dashboards.questionnaire.page import install_headers, page
from dashboards.questionnaire.score_lines import shown_lines
from dashboards.questionnaire.several import number_of, read_several, shown_questions
from mbc.box.box import SENT_SECONDS, Box, OpenAsking, Visit
from mbc.box.content import Question
from mbc.box.token import is_secret, normal_code

_LARGEST_FORM = 4_000  # bytes
_LOG = logging.getLogger("mbc.questionnaire")
_SEE_OTHER = 303


class ReviewRow(NamedTuple):
    """One line of the page before sending."""

    number: int
    question: str
    answer: str
    loaded: bool  # whether the answer is loaded wording
    href: str


@dataclass(frozen=True, slots=True)
class _Reply:
    """Answers requests with what is in the box."""

    box: Box
    limits: Limits

    # ---- the way in

    def code_page(self) -> ResponseReturnValue:
        """Ask for a code, and begin a visit: a code is never part of an address, which a tablet would remember."""
        frame = preferred(request.headers.get("Accept-Language", ""))
        if request.method != "POST":
            return page("code.html", frame)
        address = network(request.remote_addr or "")
        if self.limits.is_spent(address, WRONG_CODES):
            return page("code.html", frame, status=429, problem=frame["too_many"])
        code = normal_code(request.form.get("code", ""))
        opened = None if code is None else self.box.find(code)
        if opened is None:
            self.limits.take(address, WRONG_CODES)
            return page("code.html", frame, status=404, problem=frame["code_wrong"])
        return redirect(f"/v/{self.box.begin(opened)}/start", _SEE_OTHER)

    def first_page(self, token: str) -> ResponseReturnValue:
        """Greet whoever comes by a link; begin when asked to."""
        opened = self._opened(token)
        if isinstance(opened, Response):
            return opened
        if request.method == "POST":
            secret = self.box.begin(opened, token)
            return redirect(f"/v/{secret}/{_next_place(opened, -1) + 1}", _SEE_OTHER)
        if request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
            self.box.mark_opened(opened.number)
        return _greeting(opened, f"/f/{token}", begun=opened.begun, leave=opened.asking.leave_to)

    def stop_page(self, token: str) -> ResponseReturnValue:
        """Let the client end all of it."""
        opened = self._opened(token)
        return (
            opened if isinstance(opened, Response) else self._stop(opened, f"/f/{token}", opened.asking.leave_to)
        )

    def start_page(self, secret: str) -> ResponseReturnValue:
        """Greet whoever came by a code."""
        visit = self._visit(secret)
        if isinstance(visit, Response):
            return visit
        opened = visit.opened
        if request.method == "POST":
            return redirect(f"/v/{secret}/{_next_place(opened, -1) + 1}", _SEE_OTHER)
        begun, leave = bool(opened.answered), f"/v/{secret}/leave"
        return _greeting(opened, f"/v/{secret}/start", begun=begun, leave=leave, home=_home(visit, secret))

    def stop_visit_page(self, secret: str) -> ResponseReturnValue:
        """Let a client who entered a code opt out of all requests."""
        visit = self._visit(secret)
        if isinstance(visit, Response):
            return visit
        return self._stop(visit.opened, f"/v/{secret}/start", f"/v/{secret}/leave", _home(visit, secret))

    # ---- during a visit

    def question_page(self, secret: str, number: int) -> ResponseReturnValue:
        """Show a question, or as many as the clinic shows at once; or take what was answered and go on."""
        visit = self._visit(secret)
        if isinstance(visit, Response):
            return visit
        questions = visit.opened.asking.questions
        if not 1 <= number <= len(questions):
            return redirect(f"/v/{secret}/review", _SEE_OTHER)
        if visit.opened.asking.per_page > 1:
            return self._several(visit, secret, visit.opened.asking.page_of(number - 1))
        return self._single(visit, secret, number)

    def _single(self, visit: Visit, secret: str, number: int) -> ResponseReturnValue:
        questions = visit.opened.asking.questions
        if request.method != "POST":
            return self._question(visit, secret, number)
        place, question = number - 1, questions[number - 1][1]
        value: float | None = None
        if "blank" not in request.form:
            value = number_of(question, request.form.get("value", ""))
            if value is None:
                return self._question(visit, secret, number, wrong=True)
        if self.box.answer(secret, place, value) is None:
            return self._closed(visited=True)
        following = _next_place(visit.opened, place)
        return redirect(f"/v/{secret}/{'review' if following >= len(questions) else following + 1}", _SEE_OTHER)

    def review_page(self, secret: str) -> ResponseReturnValue:
        """Show everything before it is sent; send it."""
        visit = self._visit(secret)
        if isinstance(visit, Response):
            return visit
        opened, asking = visit.opened, visit.opened.asking
        if request.method == "POST" and opened.answered:
            return redirect(f"/v/{secret}/sent" if self.box.send(secret) else f"/v/{secret}/review", _SEE_OTHER)
        frame = frame_for(asking.language)
        rows = [_row(visit, secret, place, frame) for place in range(len(asking.questions))]
        open_places = [place for place in range(len(rows)) if place not in opened.answered]
        blanks = [*open_places, *(place for place, value in visit.draft.items() if value is None)]
        return self._in_visit(
            "review.html",
            visit,
            secret,
            here=f"/v/{secret}/review",
            rows=rows,
            blanks=len(blanks),
            first_blank=f"/v/{secret}/{min(blanks, default=0) + 1}",
            any_answer=bool(opened.answered),
        )

    def sent_page(self, secret: str) -> ResponseReturnValue:
        """Thank; nothing of what was answered can be reached from here."""
        visit = self.box.visit(secret) if is_secret(secret) else None
        if visit is None or not visit.sent:
            return self._closed(visited=True)
        asking, frame = visit.opened.asking, frame_for(visit.opened.asking.language)
        on_tablet = visit.opened.kind == "code"  # which goes to the next person: it explains nothing
        explanation = None if on_tablet else asking.explanation
        scores = self.box.earlier_scores(secret)
        leave = f"/v/{secret}/leave" if explanation or scores else None
        return page(
            "sent.html",
            frame,
            asking=asking,
            help_shown=asking.shows_help,
            heading=frame["thanks"],
            text=frame["thanks_text"],
            explanation=explanation,
            lines=shown_lines(scores, asking, frame) if scores else (),
            leave=leave,
            home="/" if on_tablet else leave if scores else None,
            home_after=SENT_SECONDS if scores else None,  # what is shown is taken away when nobody looks
        )

    def leave(self, secret: str) -> ResponseReturnValue:
        """End the visit and go elsewhere."""
        visit = self.box.visit(secret) if is_secret(secret) else None
        if visit is None:
            return redirect("/blank", _SEE_OTHER)
        self.box.leave(secret)
        return redirect("/" if visit.opened.kind == "code" else visit.opened.asking.leave_to, _SEE_OTHER)

    def fault(self, fault: Exception) -> ResponseReturnValue:
        """Word a fault; its details go to nobody."""
        frame = preferred(request.headers.get("Accept-Language", ""))
        if isinstance(fault, HTTPException) and (fault.code or 500) < 500:
            return self._closed(status=fault.code or 400)
        _LOG.error("fault", extra={"kind": type(fault).__name__})
        return page("message.html", frame, status=503, heading=frame["title"], text=frame["fault"])

    def count(self) -> ResponseReturnValue | None:
        """Refuse requests that come too often."""
        if self.limits.take(network(request.remote_addr or ""), REQUESTS):
            return None
        return self._too_many()

    # ---- inside

    def _several(self, visit: Visit, secret: str, places: range) -> ResponseReturnValue:
        """Show several questions, or take their answers and go on; a question without a choice stays open."""
        asking, total = visit.opened.asking, len(visit.opened.asking.questions)
        frame, problems = frame_for(asking.language), dict[int, str]()
        if request.method == "POST":
            answers, wrong = read_several(asking, places, request.form)
            if answers and self.box.answer_all(secret, answers) is None:
                return self._closed(visited=True)
            if not wrong:
                following = _next_place(visit.opened, places[-1])
                return redirect(f"/v/{secret}/{'review' if following >= total else following + 1}", _SEE_OTHER)
            visit = self.box.visit(secret) or visit
            problems = {place: _number_words(frame, asking.questions[place][1]) for place in wrong}
        first, sheet = places[0] + 1, asking.questions[places[0]][0]
        return self._in_visit(
            "several.html",
            visit,
            secret,
            help_shown=asking.shows_help and sheet.asks_for_help,
            status=400 if problems else 200,
            here=f"/v/{secret}/{first}",
            previous=_previous(secret, first),
            heading=_heading(frame, places, total),
            sheet=sheet,
            questions=shown_questions(visit, places, problems),
            number=first,
            total=total,
            time=frame.minutes(asking.minutes(total - places[0])),
        )

    def _question(self, visit: Visit, secret: str, number: int, *, wrong: bool = False) -> Response:
        asking, place = visit.opened.asking, number - 1
        sheet, question = asking.questions[place]
        frame, total = frame_for(asking.language), len(asking.questions)
        forward = "review" if number == total else str(number + 1)
        return self._in_visit(
            "question.html",
            visit,
            secret,
            help_shown=asking.shows_help and sheet.asks_for_help,
            status=400 if wrong else 200,
            here=f"/v/{secret}/{number}",
            previous=_previous(secret, number),
            forward=f"/v/{secret}/{forward}" if place in visit.opened.answered else None,
            sheet=sheet,
            question=question,
            number=number,
            total=total,
            given=place in visit.draft,
            value=visit.draft.get(place),
            problem=_number_words(frame, question) if wrong else None,
            time=frame.minutes(asking.minutes(total - place)),
            lowest=f"{question.lowest:g}",
            highest=f"{question.highest:g}",
        )

    def _in_visit(self, template: str, visit: Visit, secret: str, **values: Any) -> Response:
        frame = frame_for(visit.opened.asking.language)
        leave, home = f"/v/{secret}/leave", _home(visit, secret)
        return page(template, frame, asking=visit.opened.asking, leave=leave, home=home, **values)

    def _stop(self, opened: OpenAsking, here: str, leave: str, home: str | None = None) -> Response:
        frame = frame_for(opened.asking.language)
        if request.method != "POST":
            return page("stop.html", frame, here=here, leave=leave, home=home)
        self.box.stop(opened.number)
        home = "/" if home else None
        return page("message.html", frame, heading=frame["thanks"], text=frame["stop_all_done"], home=home)

    def _opened(self, token: str) -> OpenAsking | Response:
        # the token of a link has 128 random bits: nobody guesses it, so nobody is kept out by others' guesses
        opened = self.box.find(token) if is_secret(token) else None
        return self._closed() if opened is None else opened

    def _visit(self, secret: str) -> Visit | Response:
        visit = self.box.visit(secret) if is_secret(secret) else None
        if visit is None:
            return self._closed(visited=True)
        return redirect(f"/v/{secret}/sent", _SEE_OTHER) if visit.sent else visit  # pyright: ignore[reportReturnType]

    def _closed(self, *, visited: bool = False, status: int = 404) -> Response:
        frame = preferred(request.headers.get("Accept-Language", ""))
        text = frame["visit_closed_text" if visited else "closed_text"]
        home = "/" if visited else None  # a tablet goes back to the page for codes by itself
        return page("message.html", frame, status=status, heading=frame["closed"], text=text, home=home)

    def _too_many(self) -> Response:
        frame = preferred(request.headers.get("Accept-Language", ""))
        return page("message.html", frame, status=429, heading=frame["closed"], text=frame["too_many"])


def create_app(box: Box, *, https: bool = False, limits: Limits | None = None) -> Flask:
    """Make the application.

    Parameters
    ----------
    box : Box
        The only thing it can reach.
    https : bool
        Whether browsers come over https, through a proxy.
    limits : Limits, optional
        How often one address may ask.
    """
    here = Path(__file__).parent
    server = Flask("questionnaire", static_folder=None, template_folder=str(here / "pages"))
    server.config.update(MAX_CONTENT_LENGTH=_LARGEST_FORM, MAX_FORM_PARTS=10)
    server.jinja_env.trim_blocks = server.jinja_env.lstrip_blocks = True
    reply = _Reply(box, limits or Limits())
    server.before_request(reply.count)
    both = ["GET", "POST"]
    server.add_url_rule("/", "code", reply.code_page, methods=both)
    server.add_url_rule("/f/<token>", "first", reply.first_page, methods=both)
    server.add_url_rule("/f/<token>/stop", "stop", reply.stop_page, methods=both)
    server.add_url_rule("/v/<secret>/start", "start", reply.start_page, methods=both)
    server.add_url_rule("/v/<secret>/start/stop", "stop visit", reply.stop_visit_page, methods=both)
    server.add_url_rule("/v/<secret>/<int:number>", "question", reply.question_page, methods=both)
    server.add_url_rule("/v/<secret>/review", "review", reply.review_page, methods=both)
    server.add_url_rule("/v/<secret>/sent", "sent", reply.sent_page)
    server.add_url_rule("/v/<secret>/leave", "leave", reply.leave)
    server.add_url_rule("/blank", "blank", lambda: Response("", mimetype="text/html"))
    server.add_url_rule("/healthz", "health", lambda: Response("ok\n", mimetype="text/plain"))
    server.register_error_handler(Exception, reply.fault)
    install_headers(server, https=https)
    return server


def _greeting(opened: OpenAsking, here: str, *, begun: bool, leave: str, home: str | None = None) -> Response:
    frame = frame_for(opened.asking.language)
    left = len(opened.asking.questions) - len(opened.answered)
    return page(
        "first.html",
        frame,
        asking=opened.asking,
        here=here,
        leave=leave,
        home=home,
        begun=begun,
        time=frame.minutes(opened.asking.minutes(left)),
        until=frame.day(opened.expires_at),
    )


def _previous(secret: str, number: int) -> str:
    """Where "back" leads from a question, by its number; from the first to what was answered so far."""
    return f"/v/{secret}/{number - 1}" if number > 1 else f"/v/{secret}/review"


def _home(visit: Visit, secret: str) -> str | None:
    """Where a tablet goes by itself when nothing happens for a minute: the visit ends there."""
    return f"/v/{secret}/leave" if visit.opened.kind == "code" else None


def _next_place(opened: OpenAsking, after: int) -> int:
    """Give the next question without an answer; the number of questions where there is none."""
    total = len(opened.asking.questions)
    return next((place for place in range(after + 1, total) if place not in opened.answered), total)


def _heading(frame: Frame, places: range, total: int) -> str:
    if len(places) == 1:
        return frame["question_of"].format(number=places[0] + 1, total=total)
    return frame["questions_of"].format(first=places[0] + 1, last=places[-1] + 1, total=total)


def _number_words(frame: Frame, question: Question) -> str:
    return frame["number_wrong"].format(lowest=f"{question.lowest:g}", highest=f"{question.highest:g}")


def _row(visit: Visit, secret: str, place: int, frame: Frame) -> ReviewRow:
    _, question = visit.opened.asking.questions[place]
    value = visit.draft.get(place)
    choice = next((each for each in question.choices if each.value == value), None)
    if place not in visit.opened.answered or (place in visit.draft and value is None):
        answer = frame["not_answered"]
    elif place not in visit.draft:
        answer = frame["answered_earlier"]
    else:
        answer = (choice.text if choice else "") or f"{value:g}"
    loaded = choice is not None and bool(choice.text)
    return ReviewRow(place + 1, question.text, answer, loaded, f"/v/{secret}/{place + 1}")
