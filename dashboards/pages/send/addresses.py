"""Where the page is, and where its forms are sent."""

from __future__ import annotations

from dashboards.routes import CLIENT_ID, client_path

PATTERN = rf"/client/{CLIENT_ID}/send"
ASK, PAPER, WITHDRAW = "/ask-client", "/print-sheet", "/withdraw-asking"


def send_path(client_id: str) -> str:
    """Give the path of the page."""
    return f"{client_path(client_id)}/send"
