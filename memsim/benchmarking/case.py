"""A case of a suite, and what all cases are given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from .bench_records import Record
from .c_banks import CBanks
from .c_network import CNetwork
from .compiler import NoCompilerError, find_compiler, version_of
from .timing import CAREFUL, QUICK, Effort

Built = TypeVar("Built")


@dataclass(frozen=True)
class Case:
    """Something to measure, which gives one or more records.

    Attributes
    ----------
    name : str
    measure : function
    seconds : float
        About how long it takes, beside the other cases.
    """

    name: str
    measure: Callable[[], list[Record]]
    seconds: float = 2.0


@dataclass
class Setting:
    """What all cases are given.

    Attributes
    ----------
    folder : Path
        For files, which are deleted afterwards.
    quick : bool
        Small cases, few turns.
    threads : int
        1 or more, at most.
    left_out : list of str
        What cannot be measured here, and why.
    failed : list of str
        Cases that failed, and why.
    """

    folder: Path
    quick: bool
    threads: int
    left_out: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def effort(self) -> Effort:
        """How much measuring is worth."""
        return QUICK if self.quick else CAREFUL

    @cached_property
    def compiler(self) -> list[str] | None:
        """The C compiler, where there is one."""
        try:
            return find_compiler()
        except NoCompilerError as error:
            self.left_out.append(f"C is left out: {error}")
            return None

    @cached_property
    def compiler_name(self) -> str:
        """The C compiler's version, or that there is none."""
        try:
            return version_of(find_compiler())
        except NoCompilerError:
            return "none"

    @cached_property
    def c_banks(self) -> CBanks | None:
        """The C reference of the kernels, where it compiles."""
        return self._built(CBanks)

    @cached_property
    def c_network(self) -> CNetwork | None:
        """The C reference of training, where it compiles."""
        return self._built(CNetwork)

    def _built(self, make: Callable[[list[str], Path], Built]) -> Built | None:
        """A C reference, or None, and a word on why."""
        if self.compiler is None:
            return None
        try:
            return make(self.compiler, self.folder)
        except NoCompilerError as error:
            self.left_out.append(f"C is left out: {error}")
            return None
