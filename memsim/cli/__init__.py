"""The command line: one module a command, loaded when it is called."""

import atexit
import errno
import gc
import re
import sys
import traceback
import warnings

import click

from ..terminal.interrupts import forget, status_of_stop
from ..terminal.streams import is_unread, lost, prepare_streams, printable, say, tell
from .lazy import LazyGroup

# Command to the module that holds it and its line in `memsim --help`, so that
# help needs to load none of them.
COMMANDS = {
    "run": "Train a network from a configuration file, every pulse stepped.",
    "sweep": "Run a grid, a list, or a random or Sobol design over any fields, packed and in parallel.",
    "reproduce": "Reproduce Figures 3, 4 and 5 of 'Perceptrons from Memristors'.",
    "drive": "Drive any device with any waveform, as a current or a voltage.",
    "fit": "Fit a device model's parameters to a measured I-V curve or pulse response.",
    "energy": "Show what a run took: energy a sample, read against write, power, simulated time.",
    "schedule": "Show the slots of one training sample, as a table or a timing diagram.",
    "devices": "List the device models, or show one: equations, parameters, source.",
    "compile": "Compile kernels ahead of the runs that need them, as for images and clusters.",
    "bench": "Measure memsim beside C, NumPy and the machine's own limits.",
    "trace": "Look into a run file: a page, info, plots, exports, replays, checks.",
}

GARBAGE_THRESHOLD = 50_000  # objects made and not freed, between two collections of the young ones

EPILOG = """\b
Examples:
  memsim reproduce
  memsim run examples/xor.toml --out xor.h5
  memsim run examples/xor.toml --set learning.epochs=50 --set trace.mode=full
  memsim sweep examples/sweep.toml --out rates
  memsim trace info xor.h5
  memsim trace view xor.h5
  memsim energy xor.h5 --plot energy.png
  memsim schedule examples/xor.toml --plot timing.png
  memsim drive examples/hysteresis.toml --plot loops.png
"""


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from ..provenance import program_version

        say(f"memsim {program_version()}")
        ctx.exit()


@click.group(
    cls=LazyGroup, package=__name__, one_liners=COMMANDS, epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Version.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def group(debug: bool) -> None:
    """Emulate neural networks whose synapses and neurons are memristors, pulse by pulse.

    A configuration file (TOML) says what to run; --set changes any field of it.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors become one line on stderr and an exit status.

    Status 0: done. 1: the run failed. 2: bad input. 130: stopped with Ctrl-C, 143: by SIGTERM.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    prepare_streams()
    warnings.formatwarning = _line_of_warning
    _collect_less_garbage()
    forget()
    status = _carry_out(arguments)
    sys.exit(_of_output(status))


def _line_of_warning(message: Warning | str, *_: object, **__: object) -> str:
    """What is shown of a warning of Python's: one line, without the place in the program."""
    return printable(f"warning: {message}") + "\n"


def _carry_out(arguments: list[str]) -> int:
    """Run the command line; the exit status."""
    try:
        status = group.main(args=arguments, prog_name="memsim", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        called = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "memsim"
        text = error.format_message().rstrip(".")
        tell(f"memsim: error: {text}; {called} --help shows the usage")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        # click has an exception of its own in the place of two.
        if isinstance(error.__cause__, EOFError):
            return _report(error.__cause__, "--debug" in arguments)
        kept = str(error.__cause__ or error)
        tell(f"memsim: stopped{kept and '; '}{kept}")
        return status_of_stop()
    except Exception as error:
        return _report(error, "--debug" in arguments)
    return status if isinstance(status, int) else 0


def _of_output(status: int) -> int:
    """The exit status, 1 where nothing else was wrong than that stdout took less than it was given.

    A pipe that nobody reads any more has no loss: whoever read it has what they wanted.
    """
    reason = lost()
    if reason is None or is_unread():
        return status
    tell(f"memsim: error: stdout: {reason.strerror}; what it did not take is lost, all else is done")
    return status or 1


def _collect_less_garbage() -> None:
    """Have Python look for garbage less often, and not at all when the process ends.

    What a command imports is some hundred thousand objects that live as long as
    the process. Walking through them took a fifth of a short run's processor time.
    """
    gc.set_threshold(GARBAGE_THRESHOLD)
    atexit.register(gc.freeze)


def _report(error: Exception, debug: bool) -> int:
    """Say what went wrong in one line; the exit status."""
    from ..errors import InputError, MemsimError, RunError
    from ..traces.errors import NotARunFileError

    for line in "".join(traceback.format_exception(error)).splitlines() if debug else ():
        tell(line)
    if isinstance(error, MemoryError):
        error = RunError(f"there is not enough memory: {error or 'nothing more was given'}; take a smaller run or span")
    known = isinstance(error, MemsimError | OSError)
    text = (
        re.sub(r"\[Errno -?\d+\] ", "", str(error))
        if known and str(error)
        else f"{type(error).__name__}: {error} (please report this; --debug shows where)"
    )
    tell(f"memsim: error: {text}")
    bad_name = isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG
    return 2 if bad_name or isinstance(error, InputError | NotARunFileError) else 1
