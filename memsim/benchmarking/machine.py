"""What was measured on: processor, cores, memory, versions."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from ..provenance import PACKAGES, program_version
from .bench_records import Machine


def describe_machine() -> Machine:
    """The present machine."""
    return Machine(processor=_processor(), cores=cores(), memory_bytes=_memory(), system=platform.platform())


def versions() -> dict[str, str]:
    """Versions of memsim and of what it stands on."""
    found = {package: version(package) for package in PACKAGES}
    return {"memsim": program_version(), "python": sys.version.split()[0], **found}


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    """The processor's name as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    about = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    named = {name.strip(): value.strip() for name, value in about.items()}
    family = f", family {named['cpu family']}, model {named['model']}" if "cpu family" in named else ""
    return named.get("model name", platform.processor() or platform.machine()) + family


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0
