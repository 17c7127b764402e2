"""``python -m mbc`` is the ``mbc`` command."""

from mbc.cli import main

main()
