"""The training of a multilayer perceptron as a careful person writes it in NumPy: lanes last, every step taken.

The same algorithm and the same pulses as the emulator's, for the settings that
:func:`memsim.benchmarking.bench_networks.network_221` leaves at their defaults: writes
by amplitude, explicit Euler, the gradient's rules.
"""

import numpy as np

from ..calibration.bank import BankCalibration
from ..network.assembly import Assembly


class _Bank:
    """The devices of a bank, (devices, lanes), and what drives them."""

    def __init__(self, calibration: BankCalibration, initial: np.ndarray, steps: int, dt: float) -> None:
        self.calibration, self.steps, self.dt = calibration, steps, dt
        device = calibration.device
        self.x = initial[:, 0].copy()
        self.lower, self.upper = device.state_variables()[0].lower, device.state_variables()[0].upper
        self.k, self.threshold, *self.output = device.kernel_parameters()
        self.voltage, self.energy = np.zeros_like(self.x), np.zeros_like(self.x)
        self._total = np.zeros_like(self.x)

    def drive(self, current: np.ndarray) -> np.ndarray:
        """Step the devices through a pulse; the voltages of its last step."""
        moved = self.dt * (self.k * np.copysign(np.maximum(np.abs(current) - self.threshold, 0.0), current))
        if not moved.any():
            self._conduct(current)
            self.energy += current * self.dt * (self.steps * self.voltage)
            return self.voltage
        self._total.fill(0.0)
        for _ in range(self.steps):
            np.add(self.x, moved, out=self.x)
            np.maximum(self.x, self.lower, out=self.x)
            np.minimum(self.x, self.upper, out=self.x)
            self._conduct(current)
            self._total += self.voltage
        self.energy += current * self.dt * self._total
        return self.voltage

    def _conduct(self, current: np.ndarray) -> None:
        if not self.output:  # a synapse
            np.multiply(self.x, current, out=self.voltage)
            return
        r_on, r_off, thickness = self.output
        np.multiply(self.x, -(r_off - r_on) / thickness, out=self.voltage)
        self.voltage += 0.5 * (r_on + r_off)
        self.voltage *= current

    def write(self, change: np.ndarray) -> None:
        """Change weights, by pulses whose amplitude carries the size."""
        charge = change * self.calibration.state_per_weight / self.k
        amplitude = self.threshold + np.abs(charge) / (self.steps * self.dt)
        np.minimum(amplitude, self.calibration.driver_limit, out=amplitude)
        self.drive(np.where(charge != 0.0, np.copysign(amplitude, charge), 0.0))


class NumpyTraining:
    """A multilayer perceptron in training.

    Parameters
    ----------
    assembly : Assembly

    Attributes
    ----------
    states : list of (devices, lanes) float64
        Of each bank.
    """

    def __init__(self, assembly: Assembly) -> None:
        config = assembly.config
        self._assembly, self._rate = assembly, config.learning.rate
        banks = [
            _Bank(calibration, initial, config.time.read, config.time.dt)
            for calibration, initial in zip(assembly.banks, assembly.initial, strict=True)
        ]
        self._synapses, self._nodes = banks[::2], banks[1::2]
        self._banks = banks

    @property
    def states(self) -> list[np.ndarray]:
        """The states as they are now."""
        return [bank.x for bank in self._banks]

    def learn(self, order: np.ndarray) -> np.ndarray:
        """Show the samples in an order, (epochs, samples, lanes); the total error, (epochs, lanes)."""
        errors = np.zeros((len(order), order.shape[2]))
        for number, epoch in enumerate(order):
            for samples in epoch:
                errors[number] += self._show(self._assembly.inputs[samples].T, self._assembly.targets[samples].T)
        return errors

    def _show(self, inputs: np.ndarray, target: np.ndarray) -> np.ndarray:
        """All pulses of one sample, (inputs, lanes); the error, (lanes,)."""
        signals, nets, slopes, biases = [inputs], [], [], []
        for synapses, nodes in zip(self._synapses, self._nodes, strict=True):
            nets.append(self._read(synapses, signals[-1][:, None, :], len(nodes.x)).sum(axis=0))
            signal, slope, bias = _read_nodes(nodes, nets[-1])
            signals.append(signal)
            slopes.append(slope)
            biases.append(bias)
        difference = target - signals[-1]
        arriving, gradients = [difference], [difference * slopes[-1]]
        for layer in range(len(self._nodes) - 1, 0, -1):
            back = self._read(self._synapses[layer], gradients[0][None, :, :], len(self._nodes[layer].x)).sum(axis=1)
            arriving.insert(0, back)
            gradients.insert(0, back * slopes[layer - 1])
        for layer, (synapses, nodes) in enumerate(zip(self._synapses, self._nodes, strict=True)):
            change = self._rate * gradients[layer][None, :, :] * signals[layer][:, None, :]
            synapses.write(change.reshape(synapses.x.shape))
            self._write_nodes(nodes, biases[layer], arriving[layer], nets[layer])
        return 0.5 * (difference * difference).sum(axis=0)

    @staticmethod
    def _read(bank: _Bank, values: np.ndarray, columns: int) -> np.ndarray:
        """Weights times values, (rows, columns, lanes), read by pulses of at most the READ's full scale."""
        scale = np.abs(values).max(axis=(0, 1))
        scale[scale == 0.0] = 1.0
        amplitude = bank.calibration.read_current
        shape = (len(bank.x) // columns, columns, bank.x.shape[1])
        currents = np.broadcast_to(values / scale * amplitude, shape).reshape(bank.x.shape)
        weights = bank.drive(currents).reshape(shape)
        return weights * (1.0 / bank.calibration.state_per_weight / amplitude * scale)

    def _write_nodes(self, bank: _Bank, bias: np.ndarray, arriving: np.ndarray, net: np.ndarray) -> None:
        r_on, r_off, _ = bank.output
        change = -self._rate * arriving * ((r_off - r_on) / (r_off + r_on)) * net
        limit = bank.calibration.bias_limit
        bank.write(np.where(np.abs(bias + change) > limit, np.clip(bias + change, -limit, limit) - bias, change))


def _read_nodes(bank: _Bank, net: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """READ and RESTORE nodes: outputs, slopes, and bias weights, (nodes, lanes)."""
    r_on, r_off, thickness = bank.output
    unit, time = bank.calibration.unit_current, bank.steps * bank.dt
    current, factor = net * unit, 2.0 / (r_on + r_off)
    voltage = bank.drive(current).copy()
    bank.drive(-current)
    flows = current != 0.0
    resistance = np.divide(voltage, current, out=np.full_like(voltage, 0.5 * (r_on + r_off)), where=flows)
    doped = (r_off - resistance) / (r_off - r_on)
    over = np.maximum(np.abs(current) - bank.threshold, 0.0)
    free = (over > 0.0) & (doped > 1e-12) & (doped < 1.0 - 1e-12)
    drift_slope = factor * (r_off - r_on) / thickness * bank.k * time
    slope = np.where(flows, factor * resistance - np.where(free, drift_slope * current, 0.0), 0.0)
    moved = bank.k * time * np.copysign(over, current)
    bias = np.clip(2.0 * ((doped - 0.5) - moved / thickness), -1.0, 1.0)
    # Without a current nothing is read of a node, and nothing will be written.
    return factor * voltage / unit, slope, np.where(flows, bias, 0.0)
