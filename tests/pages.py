"""The pages of the documentation, and what is in them."""

import re
from pathlib import Path

from places import ROOT

FORMAT = ROOT / "traces" / "FORMAT.md"
README = ROOT / "README.md"
# The README last: its models of its own take kernels that are known by then.
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), FORMAT, README]


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[tuple[int, str, str, str]]:
    """Line, language, options and text of each block of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in re.finditer(r"^([ ]*)```(\w+)([^\n]*)\n(.*?)^\1```$", text, flags=re.DOTALL | re.MULTILINE):
        indent, language, options, body = match.groups()
        line = text[: match.start()].count("\n") + 1
        found.append((line, language, options.strip(), re.sub(f"^{indent}", "", body, flags=re.MULTILINE)))
    return found


def table_rows(text: str) -> list[list[str]]:
    """Cells of the rows of a page's tables whose first cell is code."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def sections_of(page: Path) -> dict[str, str]:
    """Heading to what stands below it, up to the next heading."""
    parts = re.split(r"^#+ (.+)\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
