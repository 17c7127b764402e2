"""Write what the record must know of each shipped questionnaire: its channel, and which answers raise a flag.

Run after a change of a definition: python scripts/safety_rules.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mbc.instruments import all_keys, instrument
from mbc.instruments.definition.safety_rule import safety_rule

FILE = Path(__file__).resolve().parents[1] / "mbc" / "store" / "schema" / "safety_rules.json"


def rules() -> dict[str, Any]:
    """Collect the rules of the catalogue."""
    return {key: safety_rule(instrument(key)) for key in sorted(all_keys())}


if __name__ == "__main__":
    FILE.write_text(json.dumps(rules(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
