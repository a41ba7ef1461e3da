"""The text of a netlist: header, a subcircuit for each kind of device, the devices, and the analysis."""

import re
from collections.abc import Iterable

import numpy as np

from ...devices import UNBOUNDED, StateVariable
from .circuit import EDGE, STEP, Circuit, Instance, Kind, names_of
from .models import Equations, equations_of

# At a bound a drift outwards fades over this share of the range: steep, and yet smooth for Newton's method.
FADING = 1e-6
OPTIONS = "reltol=1e-7 abstol=1e-15 vntol=1e-11 chgtol=1e-16 trtol=1 method=gear itl4=200 interp"


def netlist(circuit: Circuit, data: str) -> str:
    """The whole netlist.

    Parameters
    ----------
    circuit : Circuit
    data : str
        Name of the file that ngspice is to write.
    """
    kinds = {kind.name: _subcircuit(kind, circuit.drive) for kind in circuit.kinds}
    holds = [f"Vhold_{kind.name} hold_{kind.name} 0 {kind.hold}" for kind in circuit.kinds if kind.hold]
    parts = [
        *_header(circuit, data),
        *(line for lines in kinds.values() for line in lines),
        *(["* External control holds states where this voltage is 0.", *holds, ""] if holds else []),
        *(line for instance in circuit.instances for line in _device(instance, circuit.drive)),
        *_analysis(circuit, data),
    ]
    return "\n".join(parts) + "\n"


def data_name(stem: str) -> str:
    """A name for ngspice's file that needs no quotes."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", stem).lstrip("-") + ".data"


def _comments(text: str) -> list[str]:
    """Each line as a comment; a text from a file cannot become anything else."""
    return [f"* {line}".rstrip() for line in text.splitlines()]


def _header(circuit: Circuit, data: str) -> list[str]:
    ends = f"{circuit.steps} steps of {circuit.dt!r} s"
    text = [
        circuit.title,
        *circuit.about,
        f"Run it with: ngspice -n -b THIS_FILE. It writes {data}: a line with names, then a row for the end of each of",
        f"{ends}, time in s from the stretch's start; states in their units, currents in A, voltages in V.",
        "Each device is a subcircuit. Its states are the voltages of capacitors of 1 F, on a scale from 0 at the lower",
        f"bound to 1 at the upper one; outwards a drift fades over {FADING:g} of the range before a bound. Jumps of",
        f"the drive begin at the end of a step and take {EDGE * circuit.dt:.3g} s ({EDGE:g} of a step).",
    ]
    return ["* " + " ".join(text[0].split()), *(line for part in text[1:] for line in _comments(part)), ""]


def _subcircuit(kind: Kind, drive: str) -> list[str]:
    """A subcircuit from p to n, its starting states as parameters on their scales."""
    device, equations = kind.device, equations_of(kind.device)
    starts = " ".join(f"{variable.name}_start=0" for variable in kind.variables)
    return [
        *_comments(f"{kind.name}: {device.title}\n{device.equations}\n{device.source}"),
        f".subckt {kind.name} p n{' hold' if kind.hold else ''} params: {starts}",
        *(f".param {name}={value!r} ; {about}" for name, value, about in _parameters(kind)),
        *(f".param {name}={value!r}" for name, value in equations.own.items()),
        "Vsense p sense 0",
        _output(equations, drive),
        *(
            line
            for variable, drift in zip(kind.variables, equations.drifts, strict=True)
            for line in _state(variable, drift, kind.hold is not None)
        ),
        f".ends {kind.name}",
        "",
    ]


def _parameters(kind: Kind) -> Iterable[tuple[str, float, str]]:
    """Name, value and meaning of the numbers of a kind: its device's fields, then the scales of its states."""
    for name, field in type(kind.device).model_fields.items():
        value, extra = getattr(kind.device, name), field.json_schema_extra
        about = f"{extra['unit'] if isinstance(extra, dict) else '1'}, {field.description}"
        if isinstance(value, tuple):
            yield from ((f"{name}_{k + 1}", float(part), about) for k, part in enumerate(value))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name, float(value), about
    for variable, (lower, span) in zip(kind.variables, kind.scales, strict=True):
        yield f"{variable.name}_lower", float(lower), f"{variable.unit}, state at 0 V"
        yield f"{variable.name}_range", float(span), f"{variable.unit}, for 1 V more"


def _output(equations: Equations, drive: str) -> str:
    """What the device is between its terminals: under a voltage a source of current, where the model has an inverse."""
    if drive == "voltage" and equations.current is not None:
        return f"Bdevice sense n I={equations.current}"
    return f"Bdevice sense n V={equations.voltage}"


def _state(variable: StateVariable, drift: str, held: bool) -> list[str]:
    """A capacitor that its drift charges, in shares of the range a second, and that stops at its bounds."""
    name = variable.name
    capacitor = f"C{name} {name} 0 1 ic={{{name}_start}}"
    if drift == "0":
        return [capacitor]
    rate = f"({drift})/{{{name}_range}}" + ("*V(hold)" if held else "")
    upwards = f"*(1-exp(min((V({name})-1)/{FADING!r},10)))" if variable.upper < UNBOUNDED else ""
    speed = f"V({name}_rate)"
    downwards = f"*(1-exp(min(-V({name})/{FADING!r},10)))"
    return [
        capacitor,
        f"B{name}_rate {name}_rate 0 V={rate}",
        f"B{name} 0 {name} I={speed} > 0 ? {speed}{upwards} : {speed}{downwards}",
    ]


def _device(instance: Instance, drive: str) -> list[str]:
    """A device from its own node to ground, and the sources that drive it: beside each other, or in a row."""
    name, kind = instance.name, instance.kind
    places = (instance.initial - np.array([low for low, _ in kind.scales])) / np.array([s for _, s in kind.scales])
    starts = " ".join(
        f"{variable.name}_start={float(place)!r}" for variable, place in zip(kind.variables, places, strict=True)
    )
    hold = f" hold_{kind.name}" if kind.hold else ""
    lines = [f"X{name} {name} 0{hold} {kind.name} {starts}"]
    nodes = [name, *(f"{name}_{k}" for k in range(1, len(instance.sources))), "0"]
    for k, source in enumerate(instance.sources):
        if drive == "current":
            lines.append(f"I{name}_{k} 0 {name} {source}")
        else:
            lines.append(f"V{name}_{k} {nodes[k]} {nodes[k + 1]} {source}")
    return lines


def _analysis(circuit: Circuit, data: str) -> list[str]:
    """Tolerances, the transient analysis, and what is written."""
    names = names_of(circuit.instances)
    stop, longest = circuit.steps * circuit.dt, STEP * circuit.dt
    return [
        "",
        f".options {OPTIONS}",
        f".tran {circuit.dt!r} {stop!r} 0 {longest!r} uic",
        ".control",
        "set numdgt=15",
        "set wr_singlescale",
        "set wr_vecnames",
        "run",
        *(line for instance in circuit.instances for line in _vectors(instance)),
        f"wrdata {data} {' '.join(names)}",
        "quit",
        ".endc",
        ".end",
    ]


def _vectors(instance: Instance) -> list[str]:
    """The columns of a device: its states in their units, its current, its voltage."""
    name, kind = instance.name, instance.kind
    states = [
        f"let {name}_{variable.name} = {float(lower)!r} + {float(span)!r} * v(x{name}.{variable.name})"
        for variable, (lower, span) in zip(kind.variables, kind.scales, strict=True)
    ]
    return [*states, f"let {name}_current = i(v.x{name}.vsense)", f"let {name}_voltage = v({name})"]
