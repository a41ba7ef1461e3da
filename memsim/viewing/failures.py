"""What can go wrong with a file that is looked at, and how a page says it."""

from ..errors import MemsimError
from ..traces.errors import NotARunFileError

FAILURES = (MemsimError, NotARunFileError, OSError, KeyError)  # of a file that is damaged, or gone


def said_of(error: Exception) -> str:
    """An error in a line: of a file its own words, of what nobody thought of its kind too."""
    if isinstance(error, FAILURES):
        return str(error).strip("'\"")
    return f"{type(error).__name__}: {error} (please report this)"
