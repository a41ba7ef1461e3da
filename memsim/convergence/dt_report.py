"""What a person sees of a check of dt: both differences of each bank, their order, and a warning with both numbers."""

from ..terminal.screen import Table, describe, numbers, show
from ..terminal.si import with_prefix
from .dt_check import OF_ENERGY, ORDERS, DtCheck, StateDifference, falls


def show_check(check: DtCheck) -> None:
    """A table of all banks, the outputs, and a sentence that says what they mean."""
    half, quarter = (with_prefix(check.dt / factor, "s") for factor in (2, 4))
    title = f"dt = {with_prefix(check.dt, 's')} against {half} and {quarter}: {check.covered}"
    headings = ("largest difference\ndt to dt/2", "dt/2 to dt/4", "order", "error left\nat dt, about")
    table = Table("bank", *numbers(*headings), title=title)
    for bank in check.banks:
        table.row(bank.bank, *(f"{x:.2e}" for x in (bank.half, bank.quarter)), _order(bank), f"{bank.remaining:.1e}")
    show(table)
    describe(
        f"states as shares of their range; outputs differ by up to {check.output:.2e}, then "
        f"{check.output_quarter:.2e}; "
        f"energies by {check.energy:.2e}, then {check.energy_quarter:.2e} of the largest"
    )
    describe(sentence(check), style="" if check.verdict in ("exact", "fine") else "bold yellow")


def _order(bank: StateDifference) -> str:
    return "-" if bank.order is None else f"{bank.order:.2f}"


def sentence(check: DtCheck) -> str:
    """What the numbers mean, and what to do."""
    worst, dt = check.worst, with_prefix(check.dt, "s")
    numbers = f"{worst.half:.2e} of its range from dt to dt/2, {worst.quarter:.2e} from dt/2 to dt/4 ({worst.bank})"
    if check.lost:
        return f"warning: dt = {dt} is unstable: {check.lost}"
    if check.verdict == "unstable":
        jumps = (
            f"; {worst.jumps:,} states are at a bound at dt or dt/2 that they are not at with the other"
            if worst.jumps
            else ""
        )
        return f"warning: dt = {dt} is unstable: {numbers}{jumps}{_others(check)}; take a smaller time.dt"
    if check.verdict == "stalled":
        return (
            f"warning: {check.stalled:,} steps or pulses cannot move a state, whose drift has vanished below its "
            "last digit, so that it stays for good; no dt mends that: let the drift take the distances from its bounds"
        )
    if check.verdict == "coarse":
        return (
            f"warning: dt = {dt} is too coarse for the tolerance {check.tolerance:g}: {numbers}, outputs by "
            f"{check.output:.2e}, energies by {check.energy:.2e}; take a smaller time.dt"
            + ("" if check.integrator != "euler" else ", or time.integrator = heun")
        )
    return (
        _exactly(check)
        if check.verdict == "exact"
        else f"fine: within the tolerance {check.tolerance:g}{_kinks(check)}"
    )


def _others(check: DtCheck) -> str:
    """Outputs and energies in words, where their differences do not fall."""
    names = {"outputs": (check.output, check.output_quarter, check.tolerance),
             "energies": (check.energy, check.energy_quarter, OF_ENERGY)}  # fmt: skip
    return "".join(
        f"; {name} by {numbers[0]:.2e}, then {numbers[1]:.2e}" for name, numbers in names.items() if not falls(*numbers)
    )


def _kinks(check: DtCheck) -> str:
    """A word on an order that is less than the method's."""
    expected, order = ORDERS.get(check.integrator), check.worst.order
    if expected is None or order is None or order > expected - 0.5:
        return ""
    return f"; the order is {order:.1f} and not {expected}, as where a drift has a kink, at a threshold or a bound"


def _exactly(check: DtCheck) -> str:
    """Why there is no difference but rounding."""
    if check.integrator == "exact":
        return "exact up to rounding: the solver takes each pulse in closed form"
    if all(bank.constant_drift for bank in check.banks):
        return (
            "exact up to rounding: the current alone decides the drift of these devices, "
            "so steps of any dt lead to the same states"
        )
    return "no difference but rounding: nothing moved that a finer dt would move elsewhere"
