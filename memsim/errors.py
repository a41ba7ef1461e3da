"""What can go wrong, as a tree of exceptions.

::

    MemsimError
     ├── InputError        something given by the user: field, bound, value, what to do
     ├── RunError          a run that failed while it went on
     │    ├── NotFiniteError  a state that is no longer a number
     │    └── ReplayError  a replay that differs from its run
     └── RunFileError      a file that is not a run file, or is broken

    KeyboardInterrupt
     └── StoppedCompilingError  Ctrl-C before anything had begun

The command line turns an :class:`InputError` and a :class:`RunFileError` into
one line and exit status 2, the others into one line and exit status 1.
"""

from .traces.errors import NotARunFileError


class MemsimError(Exception):
    """Any error that memsim raises on purpose."""


class InputError(MemsimError, ValueError):
    """Bad input. The message names the field, the bound and the value, and says what to do.

    Parameters
    ----------
    *clauses : str
        One for each thing that is wrong.
    """

    def __init__(self, *clauses: str) -> None:
        super().__init__("; ".join(clauses))
        self.clauses = clauses


class RunError(MemsimError, RuntimeError):
    """A run that could not go on."""


class NotFiniteError(RunError):
    """A device's state or a sample's error is infinite or no number.

    Parameters
    ----------
    message : str
    realisations : tuple of int
        In which that is so.
    """

    def __init__(self, message: str, realisations: tuple[int, ...]) -> None:
        super().__init__(message)
        self.realisations = realisations


class ReplayError(RunError):
    """A replay whose states are not those of the run's next keyframe."""


class OtherArithmeticError(ReplayError):
    """The same, of a run that another version of the arithmetic made."""


class StoppedCompilingError(KeyboardInterrupt):
    """Stopped while kernels were compiled: nothing has begun or been written yet."""

    def __init__(self) -> None:
        super().__init__("kernels that were compiled so far are kept")


class RunFileError(MemsimError, NotARunFileError):
    """A file that cannot be read as a run file."""
