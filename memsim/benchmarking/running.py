"""Carrying out suites, case by case; Ctrl-C keeps what is done."""

import datetime
import importlib
import time
from collections.abc import Callable, Mapping

from ..errors import InputError, MemsimError
from ..fields import one_of
from . import instructions
from .bench_records import Record, Report, describe_machine, versions
from .case import Case, Setting
from .limits import measure_limits
from .pace import Pace

SUITES = {
    "kernel": "the stepping of a bank: every model, bank sizes, pulse widths, sparse activity",
    "tricks": "what each trick of the kernels earns",
    "trace": "every trace mode against no trace and a raw write; replayed windows against stored ones; figures; looks",
    "train": "whole networks: the 2-2-1 gate, a single layer, one of digits' size, 1 to 1000 lanes",
    "scaling": "threads; steps up to 10⁹ and device-steps up to 10¹⁰, with the memory they take",
    "start": "what a command takes before it works, kernels in the cache and not",
}

LIMITS = Case("the machine's limits", list, 3.0)

Progress = Callable[[Pace, int, int, str], None]


def suites_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The suites that were asked for, in their order; all where none was.

    Raises
    ------
    InputError
    """
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        raise InputError(f"SUITE: must be {one_of(SUITES, unknown[0])}")
    return tuple(name for name in SUITES if name in names or not names)


def run_suites(
    names: tuple[str, ...], setting: Setting, command: str, progress: Progress,
    took: Mapping[str, float] | None = None,
) -> Report:  # fmt: skip
    """Measure all cases of some suites.

    Parameters
    ----------
    names : tuple of str
    setting : Setting
    command : str
        For the report.
    progress : function
        Told before each case the pace, how many are done, of how many, and its name.
    took : dict, optional
        How long cases took in an earlier report, which says more than their estimates.

    Returns
    -------
    Report
        With what was done until Ctrl-C, where that came.
    """
    work = [(name, case) for name in names for case in (LIMITS, *_cases(name, setting))]
    pace = Pace([(took or {}).get(_key(name, case), case.seconds) for name, case in work])
    records: list[Record] = []
    limits: dict[str, dict[str, float]] = {}
    taken: dict[str, float] = {}
    complete = False
    if why := instructions.missing():
        setting.left_out.append(f"instructions are left out: {why}")
    try:
        for done, (name, case) in enumerate(work):
            progress(pace, done, len(work), f"{name}: {case.name}")
            begun = time.monotonic()
            if case is LIMITS:
                limits[name] = measure_limits(setting.folder, setting.effort)
            else:
                records += _measured(name, case, setting)
            taken[_key(name, case)] = time.monotonic() - begun
            pace.next()
        complete = True
    except KeyboardInterrupt:
        pass
    return Report(
        made=datetime.datetime.now(datetime.UTC), command=command, quick=setting.quick, complete=complete,
        compiler=setting.compiler_name, machine=describe_machine(), versions=versions(), limits=limits,
        left_out=tuple(setting.left_out),
        failed=tuple(setting.failed), took=taken, records=tuple(records),
    )  # fmt: skip


def _key(suite: str, case: Case) -> str:
    return f"{suite}: {case.name}"


def _measured(suite: str, case: Case, setting: Setting) -> list[Record]:
    """The records of a case; of one that fails none, and a word: the others are worth keeping."""
    try:
        return case.measure()
    except (MemsimError, OSError) as error:
        setting.failed.append(f"{suite}: {case.name}: failed: {str(error).splitlines()[0]}")
        return []


def _cases(name: str, setting: Setting) -> list[Case]:
    found: list[Case] = importlib.import_module(f".suites.{name}", __package__).cases(setting)
    return found
