"""Standard streams that take whatever is written to them, and text that any of them can show.

The work counts, not the words about it. A stream that is closed, full, or that
nobody reads any more drops what it cannot take; one that lacks a character gets
others in its place. Text from a file, a path or an exception is shown, never
obeyed: what moves a terminal's cursor or hides from the eye becomes an escape.
"""

import codecs
import errno
import io
import os
import select
import sys
from importlib.util import find_spec
from typing import Any, TextIO

# For the signs that memsim itself prints; any other that a stream lacks is shown by its number, which mistakes no name.
SUBSTITUTES = {
    "µ": "u", "Ω": "ohm", "±": "+-", "×": "x", "²": "^2", "⁻": "^-", "−": "-", "–": "-", "…": "...", "·": "*",
    "γ": "gamma", "π": "pi",
}  # fmt: skip
DEGRADING = "memsim.degrading"  # name of the codecs' error handler


def printable(text: str, encoding: str = "utf-8") -> str:
    r"""Text on one line, with nothing in it that a terminal obeys or hides, in characters that an encoding has.

    Control characters, line breaks, marks of direction, blanks that are no spaces
    and broken bytes are shown as escapes: ``\x1b``, ``\n``, ``\u202e``, ``\udcff``.
    """
    if not text.isprintable():
        text = "".join(character if character.isprintable() else _escape(character) for character in text)
    try:
        return text.encode(encoding, DEGRADING).decode(encoding)
    except LookupError:
        return text


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _degrade(error: UnicodeError) -> tuple[str, int]:
    """What a stream gets in the place of characters that its encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(SUBSTITUTES.get(character, _escape(character)) for character in lacking), error.end


codecs.register_error(DEGRADING, _degrade)


class _Descriptor(io.FileIO):
    """A standard stream's file. What it cannot take is dropped, and the first reason kept."""

    lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write, or drop; wait where another process has made the descriptor one that does not."""
        while self.lost is None:
            try:
                written = super().write(data)
                if written is not None:
                    return written
                select.select([], [self], [])
            except OSError as error:
                self.lost = error
        return len(data)


def prepare_streams() -> None:
    """Have stdout and stderr take anything, also where they were closed before the program began.

    Streams that the caller has put in their place keep their files.
    """
    _fill_descriptors()
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:  # closed from the start; its number may be another file's by now
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif stream is getattr(sys, f"__{name}__"):
            setattr(sys, name, _reopened(stream, number))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=DEGRADING)


def _fill_descriptors() -> None:
    """Point closed standard descriptors nowhere, lest the next file to be opened has their number, and their text."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free


def _reopened(stream: TextIO, number: int) -> TextIO:
    stream.flush()
    assert isinstance(stream, io.TextIOWrapper)
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(number, "w", closefd=False)), encoding=stream.encoding, errors=DEGRADING,
        line_buffering=stream.line_buffering, write_through=stream.write_through,
    )  # fmt: skip


def lost() -> OSError | None:
    """Why stdout has not taken all that was written to it; None where it has."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return getattr(raw, "lost", None)


def is_unread() -> bool:
    """Whether stdout is a pipe that nobody reads any more."""
    reason = lost()
    return reason is not None and reason.errno == errno.EPIPE


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook that can show what changes."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel") and find_spec("ipywidgets") is not None


def changes_in_place(stream: TextIO | None) -> bool:
    """Whether a stream can show a text that changes in its place."""
    return stream is not None and (stream.isatty() or in_notebook())


def tell(text: str) -> None:
    """Print a line on stderr."""
    _print(text, sys.stderr)


def say(text: str) -> None:
    """Print a line on stdout, as long as it is: of messages, and of what is copied from the terminal."""
    _print(text, sys.stdout)


def say_toml(text: str) -> None:
    r"""Print a TOML document on stdout. What it cannot take, or should not, becomes TOML's escapes, ``\u001b``."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in text.removesuffix("\n").split("\n"):
        shown = printable(line, encoding)
        _print(line if shown == line else "".join(_toml(character, encoding) for character in line), sys.stdout)


def _toml(character: str, encoding: str) -> str:
    return character if printable(character, encoding) == character else f"\\U{ord(character):08x}"


def _print(text: str, stream: TextIO | None) -> None:
    if stream is not None:  # as of a program without a terminal that uses memsim as a library
        stream.write(printable(text, stream.encoding or "utf-8") + "\n")
        stream.flush()
