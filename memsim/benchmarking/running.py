"""Carrying out suites, case by case; Ctrl-C keeps what is done."""

import datetime
import importlib
from collections.abc import Callable

from ..errors import InputError, MemsimError
from ..fields import one_of
from .bench_records import Record, Report, describe_machine, versions
from .case import Case, Setting
from .limits import measure_limits

SUITES = {
    "kernel": "the stepping of a bank: every model, bank sizes, pulse widths, sparse activity",
    "tricks": "what each trick of the kernels earns",
    "trace": "every trace mode against no trace and a raw write; replayed windows against stored ones; figures; looks",
    "train": "whole networks: the 2-2-1 gate, a single layer, one of digits' size, 1 to 1000 lanes",
    "scaling": "threads; steps up to 10⁹ and device-steps up to 10¹⁰, with the memory they take",
    "start": "what a command takes before it works, kernels in the cache and not",
    "peers": "memsim beside other people's tools: error over time, numbers of devices, starts",
}
ON_REQUEST = ("peers",)  # it needs other people's tools, and measures them more than memsim

Progress = Callable[[int, int, str], None]


def suites_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The suites that were asked for, in their order; where none was, all but :data:`ON_REQUEST`.

    Raises
    ------
    InputError
    """
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        raise InputError(f"SUITE: must be {one_of(SUITES, unknown[0])}")
    return tuple(name for name in SUITES if name in names or (not names and name not in ON_REQUEST))


def run_suites(names: tuple[str, ...], setting: Setting, command: str, progress: Progress) -> Report:
    """Measure all cases of some suites.

    Parameters
    ----------
    names : tuple of str
    setting : Setting
    command : str
        For the report.
    progress : function
        Told before each case how many are done, of how many, and its name.

    Returns
    -------
    Report
        With what was done until Ctrl-C, where that came.
    """
    cases = {name: _cases(name, setting) for name in names}
    total = sum(map(len, cases.values()))
    records: list[Record] = []
    limits: dict[str, dict[str, float]] = {}
    done, complete = 0, False
    try:
        for name in names:
            progress(done, total, f"{name}: the machine's limits")
            limits[name] = measure_limits(setting.folder, setting.effort)
            for case in cases[name]:
                progress(done, total, f"{name}: {case.name}")
                records += _measured(name, case, setting)
                done += 1
        complete = True
    except KeyboardInterrupt:
        pass
    return Report(
        made=datetime.datetime.now(datetime.UTC), command=command, quick=setting.quick, complete=complete,
        compiler=setting.compiler_name, machine=describe_machine(), versions=versions(), limits=limits,
        left_out=tuple(setting.left_out),
        failed=tuple(setting.failed), records=tuple(records),
    )  # fmt: skip


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
