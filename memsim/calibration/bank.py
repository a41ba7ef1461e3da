"""Calibration: currents, thresholds and windows from the ranges of inputs, weights and updates.

The paper leaves thresholds and window widths to be calibrated for each problem.
They are chosen here such that no READ disturbs a state and no WRITE reaches
another variable's window; settings that are certain to fail are refused. What
may fail is counted while stepping (:mod:`memsim.runs.margins`).
"""

from dataclasses import dataclass, replace

import numpy as np

from ..configuration.sections import Configuration
from ..devices import Device, Synapse
from ..errors import InputError
from .nominal_banks import Modelled, NominalDevice, is_modelled, nominal_of

READ_MARGIN = 1.25  # calibrated threshold over the largest READ
WINDOW_MARGIN = 1.05  # calibrated window over the largest update
# A calibrated driver carries a state through this share of its range in one slot. By amplitude, all of it; a train
# of pulses has as many sizes as pulses, and a smaller range makes them finer.
WRITE_RANGE = {"amplitude": 1.0, "width": 0.05, "count": 0.05}
READ_SHARE = 1e-6  # of its range, that a synapse without a threshold moves in a calibrated READ at mid range
PROBE_SHARE = 1e-3  # of the current that stands for 1, in a READ that verifies nodes
SLOPE = {"logistic": 0.25, "tanh": 1.0, "identity": 1.0}  # largest g'


@dataclass(frozen=True)
class BankCalibration:
    """A bank of devices with all its currents chosen: what the controller knows of it.

    Attributes
    ----------
    name : str
    device : Device
        With its thresholds filled in.
    devices : int
        How many there are.
    threshold : float
        I_th in A; the first window's for a threshold memristor; of another model the largest current that moves no
        state, and 0 where any current does.
    read_current : float
        Full scale of a READ in A; 0 where READs have none.
    driver_limit : float
        Largest current of a WRITE in A.
    write_current : float
        Amplitude of a train's pulses beyond the threshold in A; 0 for writes by amplitude. Of a modelled bank the
        whole amplitude of those that raise the state.
    state_per_weight : float
        1/B in the state's unit; of modelled synapses in ohm.
    unit_current : float
        The current that stands for a signal of 1, in A.
    bias_limit : float
        Allowed magnitude of a bias weight.
    modelled : Modelled or None
        Of a bank that the controller writes by the device's model.
    integrator : str
        Euler's or Heun's method.
    kind : str
        What its devices are: ``"synapse"``, ``"node"`` or ``"memristor"``, as the sections on imperfections name them.
    learns : bool
        Whether anything is ever written to its devices: to all but those of an activation stage.
    """

    name: str
    device: Device
    devices: int
    threshold: float
    read_current: float
    driver_limit: float
    write_current: float
    state_per_weight: float
    unit_current: float
    bias_limit: float = 0.0
    modelled: Modelled | None = None
    integrator: str = "euler"
    kind: str = "synapse"
    learns: bool = True

    def weights(self, states: np.ndarray) -> np.ndarray:
        """The weights, or bias weights, that states of devices with one variable stand for; of any shape."""
        if self.modelled is None:
            return np.asarray(states / self.state_per_weight)
        known = self.modelled
        if self.kind == "node":
            return np.asarray((states - 0.5 * (known.lower + known.upper)) / (0.5 * (known.upper - known.lower)))
        resistances = nominal_of(self.device, "devices.synapse").memristances(states)
        return np.asarray((resistances - known.reference) / known.ohm_per_weight)

    def weight_span(self, span: float) -> float:
        """The range of weights that a range of states stands for: of a modelled bank that of all its states."""
        if self.modelled is None:
            return span / self.state_per_weight
        return float(np.ptp(self.weights(np.array([self.modelled.lower, self.modelled.upper]))))

    def states(self, weights: np.ndarray) -> np.ndarray:
        """The states that stand for weights; the inverse of :meth:`weights`."""
        if self.modelled is None:
            return np.asarray(weights * self.state_per_weight)
        known = self.modelled
        if self.kind == "node":
            return np.asarray(0.5 * (known.lower + known.upper) + 0.5 * (known.upper - known.lower) * weights)
        return nominal_of(self.device, "devices.synapse").states_of(known.reference + known.ohm_per_weight * weights)

    @property
    def carried(self) -> bool:
        """Whether carriers tell the variables of its devices apart."""
        return self.device.carried

    @property
    def variables(self) -> int:
        """State variables of each device."""
        return len(self.device.state_variables())

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Every current in A beyond which a state moves; empty where there is none."""
        several = [threshold for threshold, _ in self.device.threshold_windows] or [self.threshold]
        return tuple(threshold for threshold in several if threshold > 0)


def slot_time(config: Configuration) -> float:
    """Seconds of current that a WRITE slot has room for."""
    write = config.write
    steps = config.time.write if write.encoding != "count" else write.pulses * write.train_steps
    return steps * config.time.dt


def driver(config: Configuration, field: str, threshold: float, over: float) -> tuple[float, float]:
    """The driver's limit and the amplitude of a train's pulses, for writes up to ``over`` beyond the threshold."""
    limit = config.write.driver_limit
    if limit is not None and limit <= threshold:
        raise InputError(
            f"write.driver_limit: must be above the threshold {field} = {threshold:g} A, "
            f"or nothing can be written (got {limit:g} A)"
        )
    limit = threshold + over if limit is None else limit
    return limit, 0.0 if config.write.encoding == "amplitude" else min(over, limit - threshold)


def synapses(
    config: Configuration, name: str, count: int, unit_current: float, weight_limit: float, held: bool, layer: int = 1
) -> BankCalibration:
    """A bank of synapses of a layer; held ones are read under external control and need no threshold."""
    integrator = config.devices.integrator_of_layer("synapse", layer) or config.time.integrator
    device, role = config.devices.of_layer("synapse", layer)
    about = (role, name, count, unit_current, weight_limit, held)
    if isinstance(device, Synapse):  # the paper's: its threshold and drift are calibrated by its own formulas
        return replace(_paper_synapses(config, device, *about), integrator=integrator)
    return replace(_other_synapses(config, device, *about), integrator=integrator)


def _paper_synapses(
    config: Configuration, device: Synapse, role: str, name: str, count: int, unit_current: float, weight_limit: float,
    held: bool,
) -> BankCalibration:  # fmt: skip
    """A bank of the paper's synapses."""
    read = config.network.read_current or unit_current
    if device.threshold is None:
        device = device.model_copy(update={"threshold": 0.0 if held else READ_MARGIN * read})
    threshold = device.threshold or 0.0
    if not held and read >= threshold:
        raise InputError(
            f"{role}.threshold: must be above the READ's full scale network.read_current = {read:g} A, "
            f"or every READ disturbs the weights (got {threshold:g} A)"
        )
    half = 0.5 * device.state_range
    share = WRITE_RANGE[config.write.encoding]
    over = share * device.state_range / (device.drift_coefficient * slot_time(config))
    limit, train = driver(config, f"{role}.threshold", threshold, over)
    bank = BankCalibration(name, device, count, threshold, read, limit, train, half / weight_limit, unit_current)
    return with_model(config, bank, role, weight_limit, moves=False)


def _other_synapses(
    config: Configuration, device: Device, role: str, name: str, count: int, unit_current: float, weight_limit: float,
    held: bool,
) -> BankCalibration:  # fmt: skip
    """A bank of synapses of any model that suits."""
    nominal = nominal_of(device, role)
    threshold = nominal.dead_zone
    read = config.network.read_current
    if read is None and held:
        read = unit_current
    elif read is None and threshold > 0:
        read = threshold / READ_MARGIN
    elif read is None:
        read = nominal.current_for(READ_SHARE * nominal.range / (config.time.read * config.time.dt), 1.0)
    if not held and 0.0 < threshold <= read:
        raise InputError(
            f"network.read_current: must be below {threshold:.6g} A, the largest current that moves no "
            f"{nominal.model}, or every READ disturbs the weights (got {read:g} A)"
        )
    bank = BankCalibration(
        name, nominal.device, count, 0.0 if held else threshold, read, *drivers(config, nominal), 1.0, unit_current
    )
    return with_model(config, bank, role, weight_limit, moves=threshold == 0.0 and not held)


def drivers(config: Configuration, nominal: NominalDevice, share: float = 1.0) -> tuple[float, float]:
    """The driver's limit and the amplitude of a train's raising pulses, for writes through a share of the range."""
    speed = share * nominal.range / slot_time(config)
    limit = config.write.driver_limit
    if limit is None:
        limit = max(nominal.current_for(speed, sign) for sign in (1.0, -1.0))
    train = config.write.encoding != "amplitude"
    return limit, min(limit, nominal.current_for(WRITE_RANGE["count"] * speed, 1.0)) if train else 0.0


def with_model(
    config: Configuration, bank: BankCalibration, role: str, weight_limit: float, *, moves: bool,
    kept_bias: bool = False, share: float = 1.0,
) -> BankCalibration:  # fmt: skip
    """A bank with what the controller calculates from its devices' model, where it does."""
    if not is_modelled(config, bank.device):
        return bank
    nominal = nominal_of(bank.device, role)
    low, high = nominal.ends
    train = config.write.encoding != "amplitude"
    speed = WRITE_RANGE["count"] * share * nominal.range / slot_time(config)
    raising = min(bank.driver_limit, nominal.current_for(speed, 1.0)) if train else 0.0
    lowering = min(bank.driver_limit, nominal.current_for(speed, -1.0)) if train else 0.0
    ohm_per_weight = 0.5 * abs(high - low) / weight_limit
    known = Modelled(
        nominal.lower, nominal.upper, 0.5 * (low + high), ohm_per_weight, nominal.polarity, lowering, moves, kept_bias
    )
    per_weight = bank.state_per_weight if bank.kind == "node" else ohm_per_weight
    return replace(bank, write_current=raising, state_per_weight=per_weight, modelled=known)
