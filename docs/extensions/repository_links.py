"""Links of the pages to files outside ``docs/``, as they are on the site.

The pages are read on a forge too, where a link leads to the file in the
repository. Here some of these files are pages, and the others downloads.
"""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# Files of the repository that are pages of the site.
PAGES = {
    ROOT / "README.md": "index.md",
    ROOT / "ARCHITECTURE.md": "architecture.md",
    ROOT / "CONTRIBUTING.md": "contributing.md",
    ROOT / "CHANGELOG.md": "changelog.md",
    ROOT / "traces" / "FORMAT.md": "reference/file-format.md",
}
INCLUDED = re.compile(r"^```\{include\} (\S+)\n```$", flags=re.MULTILINE)
LINK = re.compile(r"(?<=\]\()([^)\s#]+)(?=[)#])")


def include(app: Sphinx, document: str, content: list[str]) -> None:
    """Put the files that a page includes into it, and turn links to what lies outside of ``docs/``."""
    page = Path(app.srcdir) / f"{document}.md"
    if page.is_file():
        for name in INCLUDED.findall(content[0]):  # whose change makes the page anew
            app.env.note_dependency(str((page.parent / name).resolve()))
        text = INCLUDED.sub(lambda found: read(page.parent / found[1], page.parent), content[0])
        content[0] = turn(text, page.parent, page.parent)


def read(path: Path, folder: Path) -> str:
    """The text of a file of the repository, whose links start from another folder."""
    return turn(path.read_text(encoding="utf-8"), path.resolve().parent, folder)


def turn(text: str, origin: Path, folder: Path) -> str:
    """Links that start from one folder, as they are from another one of ``docs/``."""

    def turned(found: re.Match[str]) -> str:
        if "://" in found[0]:
            return found[0]
        target = (origin / found[0]).resolve()
        return os.path.relpath(DOCS / PAGES[target] if target in PAGES else target, folder)

    return LINK.sub(turned, text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Have every page pass :func:`include`."""
    app.connect("source-read", include)
    return {"parallel_read_safe": True}
