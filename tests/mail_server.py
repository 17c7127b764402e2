"""A mail server on this machine, for tests: it takes every message, or refuses every recipient."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """What it was given."""

    port: int
    lines: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuses: bool = False

    @property
    def message(self) -> str:
        """Everything that was said to it, in one text."""
        return "\n".join(self.lines)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run the server; one visitor after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = MailServer(listening.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listening, server), daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(listening: socket.socket, server: MailServer) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, connection.makefile("rw", encoding="utf-8", newline="\r\n") as talk:
            talk.write("220 ready\r\n")
            talk.flush()
            in_message = False
            for line in map(str.strip, talk):
                server.lines.append(line)
                answer = _answer(line, server, in_message=in_message)
                in_message = in_message and line != "."
                if answer == "354 go on":
                    in_message = True
                if answer:
                    talk.write(answer + "\r\n")
                    talk.flush()
                if answer == "221 bye":
                    break


def _answer(line: str, server: MailServer, *, in_message: bool) -> str:
    if in_message:
        return "250 taken" if line == "." else ""
    if recipient := re.match(r"RCPT TO:<(.+)>", line, re.IGNORECASE):
        if server.refuses:
            return f"550 no such box {recipient[1]}"
        server.recipients.append(recipient[1])
    command = line.split(" ", maxsplit=1)[0].upper()
    return {"DATA": "354 go on", "QUIT": "221 bye"}.get(command, "250 ok")
