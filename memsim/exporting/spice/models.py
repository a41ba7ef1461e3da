"""The models' equations in the language of ngspice, written from docs/physics.md and not from the kernels.

``V(name)`` is a state on its scale from 0 at the lower bound to 1 at the upper
one, ``{name_lower}`` and ``{name_range}`` lead back to its unit, ``I(Vsense)``
and ``V(p,n)`` are the device's current and voltage, and any other name in braces
is a parameter of the device. ngspice may put the text in braces into the
expression as it is, so that a sum in braces needs parentheses around them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...devices import Device, IonDrift, Node, PershinDiVentra, Synapse, Team, ThresholdMemristor, Vteam, Yakopcic
from ...errors import InputError

I = "I(Vsense)"  # noqa: E741 (the field's name)
V = "V(p,n)"


@dataclass(frozen=True)
class Equations:
    """A device model for ngspice.

    Attributes
    ----------
    drifts : tuple of str
        dx/dt of each state variable in its unit a second; ``"0"`` never moves.
    voltage : str
        Under the current ``I(Vsense)``.
    current : str or None
        Under the voltage ``V(p,n)``; None where the model has no inverse.
    own : dict
        Parameters beside the device's own, name to value or expression.
    """

    drifts: tuple[str, ...]
    voltage: str
    current: str | None = None
    own: dict[str, float | str] = field(default_factory=dict)


def equations_of(device: Device) -> Equations:
    """The equations of a device model.

    Raises
    ------
    InputError
        It has none for ngspice: a model of the user's own.
    """
    found = _EQUATIONS.get(type(device))
    if found is None:
        known = ", ".join(sorted(kind.model_fields["model"].default for kind in _EQUATIONS))
        raise InputError(
            f"format='spice': {type(device).__name__} has no equations for ngspice, only {known} have; "
            f"drive one of these, or export the rows as CSV"
        )
    return found(device)


def ohmic(memristance: str, drift: str, **own: float | str) -> Equations:
    """A model with one variable whose voltage is a memristance in ohm times the current."""
    return Equations((drift,), f"({memristance})*{I}", f"{V}/({memristance})", own)


def beyond(quantity: str, threshold: str, direction: str = "both") -> str:
    """Distance beyond a threshold, with the quantity's sign; upwards only where printed so."""
    above = f"max({quantity}-{threshold},0)"
    return above if direction == "printed" else f"({above}+min({quantity}+{threshold},0))"


def _synapse(device: Synapse) -> Equations:
    """Eqs. 14 and 15."""
    drift = "({mobility*r_on*(r_off-r_on)/thickness^2})*" + beyond(I, "{i_th}", device.direction)
    return ohmic("{memristance_lower}+{memristance_range}*V(memristance)", drift, i_th=device.threshold or 0.0)


def _node(device: Node) -> Equations:
    """Eqs. 10 to 12; on its scale the state is the doped share of the film."""
    doped = "V(boundary)"
    memristance = f"{{r_off}}*(1-{doped})" + (f"+{{r_on}}*{doped}" if device.equation == 10 else "")
    return ohmic(memristance, "({mobility*r_on/thickness})*" + beyond(I, "{threshold}", device.direction))


def _threshold_memristor(device: ThresholdMemristor) -> Equations:
    """Eqs. 5 and 6."""
    net = "(" + I + "/{reference_current}+{bias_lower}+{bias_range}*V(bias))"
    activation = {"logistic": f"1/(1+exp(-{net}))", "tanh": f"tanh({net})", "identity": net}[device.activation]
    rate = "({learning_rate_lower}+{learning_rate_range}*V(learning_rate))"
    drifts = [f"{rate}*{_within(number, device.direction)}" for number in range(1, device.inputs + 2)]
    return Equations((*drifts, "0"), "{reference_voltage}*" + activation)


def _within(number: int, direction: str) -> str:
    """Distance beyond a variable's threshold, with the current's sign, inside its window; else 0."""
    threshold = f"{{thresholds_{number}}}"
    inside = f"(abs({I}) >= {threshold} && abs({I}) < ({{thresholds_{number}+window}}))"
    below = f"-(abs({I})+{threshold})" if direction == "printed" else f"{I}+{threshold}"
    return f"({inside} ? ({I} > 0 ? {I}-{threshold} : {below}) : 0)"


def _ion_drift(device: IonDrift) -> Equations:
    """HP's device: the doped share grows with the current."""
    window = {"joglekar": joglekar, "biolek": biolek, "prodromakis": prodromakis, "none": flat}[device.window]
    drift = "({mobility*r_on/thickness^2})*" + f"{I}*{window('V(doped)', I)}"
    return ohmic("{r_on}*V(doped)+{r_off}*(1-V(doped))", drift)


def _team(device: Team) -> Equations:
    """Drift beyond two threshold currents."""
    return _beyond_thresholds(device.window, I, "{i_off}", "{i_on}")


def _vteam(device: Vteam) -> Equations:
    """Drift beyond two threshold voltages."""
    return _beyond_thresholds(device.window, V, "{v_off}", "{v_on}")


def _beyond_thresholds(window: str, drive: str, above: str, below: str) -> Equations:
    """Each direction with its own threshold, speed, exponent and window; a device is ohmic."""
    x = "({position_lower}+{position_range}*V(position))"
    if window == "kvatinsky":
        growing, falling = kvatinsky(f"({x}-{{a_off}})/{{w_c}}"), kvatinsky(f"({{a_on}}-{x})/{{w_c}}")
    else:
        share = {"joglekar": joglekar, "biolek": biolek, "prodromakis": prodromakis, "none": flat}[window]
        growing, falling = share("V(position)", "1"), share("V(position)", "(-1)")
    off = f"{{k_off}}*max({drive}/{above}-1,0)^{{alpha_off}}*{growing}"
    on = f"{{k_on}}*max({drive}/{below}-1,0)^{{alpha_on}}*{falling}"
    return ohmic("{r_on}+({r_off-r_on})*V(position)", f"{off}+{on}")


def _yakopcic(device: Yakopcic) -> Equations:
    """A hyperbolic sine; under a current, the inverse of one."""
    x, v = "({x_lower}+{x_range}*V(x))", V
    growth = f"({v} > {{v_p}} ? {{a_p}}*(exp(max({v},0))-exp({{v_p}})) : 0)"
    decay = f"({v} < -{{v_n}} ? {{a_n}}*(exp(max(-{v},0))-exp({{v_n}})) : 0)"
    rising = f"({x} > {{x_p}} ? exp(-{{alpha_p}}*({x}-{{x_p}}))*(1-{x})/({{1-x_p}}) : 1)"
    falling = f"({x} < ({{1-x_n}}) ? exp({{alpha_n}}*({x}-({{1-x_n}})))*{x}/({{1-x_n}}) : 1)"
    upwards, downwards = (rising, falling) if device.eta > 0 else (falling, rising)
    return Equations(
        drifts=(f"{{eta}}*({growth}*{upwards}-{decay}*{downwards})",),
        voltage=f"asinh({I}/(({I} < 0 ? {{a2}} : {{a1}})*{x}))/{{b}}",
        current=f"({v} < 0 ? {{a2}} : {{a1}})*{x}*sinh({{b}}*{v})",
    )


def _pershin_di_ventra(device: PershinDiVentra) -> Equations:
    """A rate that is piecewise linear in the voltage."""
    bend = f"(abs({V}+{{v_t}})-abs({V}-{{v_t}}))"
    return ohmic("{memristance_lower}+{memristance_range}*V(memristance)", f"{{beta}}*{V}+({{(alpha-beta)/2}})*{bend}")


def flat(x: str, direction: str) -> str:
    """No window."""
    return "1"


def joglekar(x: str, direction: str) -> str:
    """1 - (2x - 1)^(2p); the square first, as ngspice takes powers of magnitudes."""
    return f"(1-((2*{x}-1)*(2*{x}-1))^{{exponent}})"


def biolek(x: str, direction: str) -> str:
    """1 - x^(2p) where the state grows, 1 - (x - 1)^(2p) where it falls."""
    return f"({direction} > 0 ? 1-({x}*{x})^{{exponent}} : 1-(({x}-1)*({x}-1))^{{exponent}})"


def prodromakis(x: str, direction: str) -> str:
    """J (1 - ((x - 1/2)^2 + 3/4)^p)."""
    return f"({{scale}}*(1-(({x}-0.5)*({x}-0.5)+0.75)^{{exponent}}))"


def kvatinsky(past: str) -> str:
    """exp(-exp(past)); beyond 5 it is less than 1e-64, and the inner exponential would overflow."""
    return f"exp(-exp(min({past},5)))"


_EQUATIONS: dict[type[Device], Callable[[Any], Equations]] = {
    Synapse: _synapse,
    Node: _node,
    ThresholdMemristor: _threshold_memristor,
    IonDrift: _ion_drift,
    Team: _team,
    Vteam: _vteam,
    Yakopcic: _yakopcic,
    PershinDiVentra: _pershin_di_ventra,
}
