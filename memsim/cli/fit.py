"""``memsim fit``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..terminal.streams import say
from . import options
from .targets import check_targets

EPILOG = """\b
Examples:
  memsim fit examples/iv.csv --model ion-drift --free r_on,r_off,mobility,initial --plot fit.png
  memsim fit examples/iv.csv --model ion-drift --fix window=joglekar --free r_on,r_off,initial
  memsim fit pulses.csv --model vteam --free v_off,k_off --between held --start v_off=0.4 --bounds v_off=0.1:2
  memsim fit sweep.csv --model yakopcic --preset miao --free a1,a2,b --column current=I --out fitted.toml
  memsim drive fitted.toml --plot fitted.png    the fitted device again
"""


def _assigned(_: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    """``name=value``, each name once; a value is TOML, or else a plain string."""
    from ..files.reading import toml_value

    values: dict[str, Any] = {}
    for text in given:
        name, separator, value = (part.strip() for part in text.partition("="))
        if not separator or not name or name in values:
            raise click.BadParameter(f"must be NAME=VALUE, each name once (got {text!r})", param=param)
        values[name] = toml_value(str(param.opts[0]), name, value)
    return values


def _bounds(context: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """``name=lower:upper``."""
    bounds = {}
    for name, text in _assigned(context, param, given).items():
        try:
            lower, upper = (float(part) for part in str(text).split(":"))
        except ValueError:
            raise click.BadParameter(f"must be NAME=LOWER:UPPER (got {name}={text})", param=param) from None
        bounds[name] = (lower, upper)
    return bounds


def _columns(_: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """``time=NAME,current=NAME,voltage=NAME``, any of them."""
    pairs = [part.partition("=") for part in given]
    if not all(separator and name.strip() and column.strip() for name, separator, column in pairs):
        raise click.BadParameter("must be time=NAME, current=NAME or voltage=NAME", param=param)
    return {name.strip(): column.strip() for name, _, column in pairs}


def _initial(_: click.Context, param: click.Parameter, given: tuple[str, ...]) -> Any:
    """A number, or ``name=number``."""
    if not given:
        return None
    try:
        if all("=" in text for text in given):
            pairs = [text.partition("=") for text in given]
            return {name.strip(): float(value) for name, _, value in pairs}
        (number,) = given
        return float(number)
    except ValueError:
        raise click.BadParameter(f"must be a number, or NAME=NUMBER (got {' '.join(given)!r})", param=param) from None


def _repeated(flag: str, metavar: str, callback: Callable[..., Any], text: str, name: str | None = None) -> Any:
    names = (flag, name) if name else (flag,)
    return click.option(*names, multiple=True, metavar=metavar, callback=callback, help=f"{text} Repeatable.")


@click.command(name="fit", epilog=EPILOG)
@options.models
@options.path_argument("data", "DATA.csv")
@click.option("--model", required=True, help="Name of a device model; 'memsim devices' lists them.")
@click.option("--preset", help="The model's named set of parameters to start from.")
@click.option(
    "--free", type=options.NameList(), required=True, metavar="NAME,...",
    help="Parameters to fit; 'initial' is the starting state.",
)  # fmt: skip
@_repeated("--fix", "NAME=VALUE", _assigned, "A parameter that stays at a value; others stay at the model's.")
@_repeated("--start", "NAME=VALUE", _assigned, "Where a free parameter starts.")
@_repeated("--bounds", "NAME=LOWER:UPPER", _bounds, "Narrower bounds of a free parameter.")
@_repeated("--initial", "[NAME=]VALUE", _initial, "State at the first sample, in its unit; at rest where not given.")
@click.option(
    "--drive", type=click.Choice(["voltage", "current"]), default="voltage", show_default=True,
    help="What drives the model; the other is compared.",
)  # fmt: skip
@_repeated("--column", "time=NAME", _columns, "What time, current or voltage is called in the file.", "columns")
@click.option(
    "--between", type=click.Choice(["linear", "held"]), default="linear", show_default=True,
    help="The drive between samples: linear, or held at the next sample's value, as in pulse responses.",
)  # fmt: skip
@click.option("--substeps", type=int, default=1, show_default=True, help="Steps from one sample to the next.")
@click.option("--integrator", type=click.Choice(["heun", "euler"]), default="heun", show_default=True, help="Method.")
@click.option(
    "--loss", type=click.Choice(["linear", "soft_l1", "huber", "cauchy"]), default="linear", show_default=True,
    help="linear: least squares; in the others, outliers weigh less.",
)  # fmt: skip
@click.option(
    "--loss-scale", type=float, default=0.05, show_default=True,
    help="Residual, as a share of the range, from which on they do.",
)  # fmt: skip
@click.option(
    "--starts", type=int, default=64, show_default=True,
    help="Other starts that are tried, the same every time; the fit is made from the best three as well.",
)  # fmt: skip
@click.option("--evaluations", type=int, default=200, show_default=True, help="Steps of the fit at most, a start.")
@options.path_option("--plot", "Draw I-V curve, time course and residual (PNG, SVG or PDF).")
@options.path_option("--out", "Write the fitted device as a configuration of 'memsim drive' (.toml).")
@options.path_option("--json", "Write parameters, errors, correlations and residual (.json).")
@options.overwrite
@options.quiet
def command(
    *,
    data: Path,
    model: str,
    preset: str | None,
    free: tuple[str, ...],
    fix: dict[str, Any],
    start: dict[str, Any],
    columns: dict[str, str],
    plot: Path | None,
    out: Path | None,
    json: Path | None,
    overwrite: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Fit parameters of a device model to a measured I-V curve or pulse response.

    DATA.csv has the columns time (s), current (A) and voltage (V). Parameters
    start from the model's values, or from --preset and --start, and come with
    standard errors. Ctrl-C keeps the best so far.
    """
    from ..fitting.fit_report import show_fit
    from ..fitting.fit_settings import FitSettings
    from ..fitting.least_squares import fit_measurement
    from ..fitting.measurement import load_measurement
    from ..terminal.progress import Progress

    endings = {"out": (".toml",), "json": (".json",)}
    check_targets(overwrite, source=("DATA.csv", data), endings=endings, plot=plot, out=out, json=json)
    device = _device(model, preset, free, fix, start)
    measurement = load_measurement(data, columns)
    with Progress("fitting", quiet=quiet) as progress:
        fit = fit_measurement(device, measurement, FitSettings(free=free, **settings), progress)
    show_fit(fit)
    _write(fit, plot, out, json, overwrite)
    if fit.stopped:
        raise KeyboardInterrupt


def _device(model: str, preset: str | None, free: tuple[str, ...], fix: dict[str, Any], start: dict[str, Any]) -> Any:
    """The device that the fit starts from."""
    from ..devices import device_of
    from ..errors import InputError

    for name in fix:
        if name in free:
            raise InputError(f"--fix: {name}: is free as well; take it out of --free, or give its start with --start")
    for name in start:
        if name not in free:
            raise InputError(f"--start: {name}: is not free; name it in --free, or fix it with --fix")
    given = {"preset": preset} if preset else {}
    try:
        return device_of({"model": model, **given, **fix, **start})
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"--{error}") from None


def _write(fit: Any, plot: Path | None, out: Path | None, json: Path | None, overwrite: bool) -> None:
    from ..fitting.fit_report import write_json, write_toml

    if plot is not None:
        from ..fitting.fit_figure import draw

        draw(fit, plot, overwrite=overwrite)
    if out is not None:
        write_toml(fit, out)
    if json is not None:
        write_json(fit, json)
    for path in filter(None, (plot, out, json)):
        say(f"wrote {path}")
