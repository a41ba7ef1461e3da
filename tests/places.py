"""Where the checkout is, and what lies in it."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES, DATA, REFERENCE = ROOT / "examples", ROOT / "tests" / "data", ROOT / "tests" / "reference"
