"""Settings that all tests share."""

import dataclasses
import gc
import re

import hypothesis
import pytest

from memsim.cli import main

# The same examples in every run, and no word on how long they take: a first call may compile a kernel.
hypothesis.settings.register_profile(
    "memsim", derandomize=True, deadline=None, max_examples=50, database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)  # fmt: skip
hypothesis.settings.load_profile("memsim")

# What stderr says where a test is the first that needs some kernels.
COMPILING = re.compile(r"^(sweep: )?compiling kernels \(once\).*\n", re.MULTILINE)


@dataclasses.dataclass
class Called:
    """What a call of the command line gave: exit status, stdout, stderr."""

    status: int
    out: str
    err: str


@pytest.fixture
def cli(capsys):
    """Call the command line in this process."""

    def call(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Called(int(end.value.code or 0), out, COMPILING.sub("", err))

    return call


@pytest.fixture
def refused(cli):
    """Call the command line with bad input: one line on stderr that matches, status 2, nothing else."""

    def call(message, *arguments):
        result = cli(*arguments)
        assert result.status == 2, result
        assert result.out == ""
        assert result.err.count("\n") == 1, result.err
        assert result.err.startswith("memsim: error: ")
        assert re.search(message, result.err), result.err

    return call


def pytest_collection_finish():
    """Look for garbage less often, and not among what was imported: otherwise that takes a tenth of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
