"""``mbc questionnaire``: start the client's questionnaire, which has a box and can reach no record."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mbc.cli.askings import end_with_parent, with_parent_option
from mbc.cli.serve import end_cleanly, require_questionnaire


@click.command("questionnaire")
@click.option(
    "--box",
    "box_file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="MBC_BOX",
    show_envvar=True,
    required=True,
    metavar="FILE",
    help="The box in which 'mbc ask' puts requests; created if absent.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8051, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 chooses a free one."
)
@click.option("--https/--no-https", default=False, help="Browsers connect over https, through a proxy.")
@click.option("--proxy", default="127.0.0.1", show_default=True, help="With --https: the proxy's own address.")
@with_parent_option
def command(*, box_file: Path, host: str, port: int, https: bool, proxy: str, with_parent: bool) -> None:
    """Start the client's questionnaire; Ctrl-C stops it.

    It needs no record, key or account: run it as a system user of its own that can open only the
    box. Answers are encrypted for the clinic's key; this program cannot read them again.
    """
    require_questionnaire()
    from dashboards.questionnaire.serve import Serving, serve  # noqa: PLC0415 - loaded only when it is served

    end_cleanly()
    if with_parent:
        end_with_parent()
    serve(Serving(box_file, host, port, proxy if https else None), ready=_say_ready)


def _say_ready(address: str) -> None:
    click.echo(f"Questionnaire on {address}  (Ctrl-C stops)")
    sys.stdout.flush()  # read by programs that wait for it
