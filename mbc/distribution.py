"""What the package is called where it is installed from, and the command that installs it with its extras.

The import name is ``mbc``; on the public index that name belongs to another project. Every message, page and
command that names the distribution takes it from here: a test holds
``pyproject.toml`` and the documentation to it.
"""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "mbc-toolkit"
UPGRADE: Final = f"pip install --upgrade {DISTRIBUTION}"


def install_hint(*extras: str) -> str:
    """Write the command that installs this package with some of its extras.

    Parameters
    ----------
    *extras : str
        Names of optional dependencies as in ``pyproject.toml``: ``"export"``, ``"dashboards"`` ...

    Returns
    -------
    str
        A line to copy into a shell.

    Examples
    --------
    >>> install_hint("export")
    "pip install 'mbc-toolkit[export]'"
    >>> install_hint()
    'pip install mbc-toolkit'
    """
    return f"pip install '{DISTRIBUTION}[{','.join(extras)}]'" if extras else f"pip install {DISTRIBUTION}"
