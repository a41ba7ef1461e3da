"""Naive twin of the rules for devices whose drift depends on their state, one device after the other."""

import math

import naive
from naive import NOTHING, read_error, scaled, trust, within, within_limit

from memsim.kernels.slots import Operation, Phase

CLOSE = 2.0**-46
ROUNDING = 2.0**-49
DIFFERENCE = 2.0**-13
RESIDUAL = 1e-12


def root(function, low, high, at_low, at_high, close):
    """Where a function changes sign, by regula falsi; what a place keeps twice is halved, every third step bisects."""
    kept = None
    for trial in range(160):
        x = 0.5 * (low + high) if trial % 3 == 2 else (low * at_high - high * at_low) / (at_high - at_low)
        found = function(x)
        if abs(found) <= close:
            return x
        if (found > 0.0) == (at_high > 0.0):
            high, at_high = x, found
            at_low *= 0.5 if kept == "low" else 1.0
            kept = "low"
        else:
            low, at_low = x, found
            at_high *= 0.5 if kept == "high" else 1.0
            kept = "high"
    return x


class Model:
    """The controller's model of a bank's devices.

    Parameters
    ----------
    bank : naive.Bank
    config : memsim.configuration.sections.Configuration
    number : int
        The bank's.
    """

    def __init__(self, bank, config, number):
        functions = bank.calibration.device.functions()
        self.p = tuple(bank.parameters)
        self.drift_of, self.memristance_of = naive.plain(functions.drift), naive.plain(functions.memristance)
        self.lower, self.upper = bank.lower[0], bank.upper[0]
        self.physics, self.known = bank.physics, bank.calibration.modelled
        self.dt, self.slope_law = config.time.dt, config.write.law == "slope"
        self.step = naive.INTEGRATORS[naive.integrator_of(config, number)]

    @property
    def middle(self):
        """The middle of the range."""
        return 0.5 * (self.lower + self.upper)

    @property
    def half(self):
        """Half the range."""
        return 0.5 * (self.upper - self.lower)

    def drift(self, x, current):
        """Drift of the state."""
        return self.drift_of(x, current, self.p)

    def memristance(self, x):
        """V / I."""
        return self.memristance_of(x, self.p)

    def out_of_range(self, resistance):
        low, high = sorted([self.memristance(self.lower), self.memristance(self.upper)])
        return not low - RESIDUAL * (high - low) <= resistance <= high + RESIDUAL * (high - low)

    def state_of(self, resistance):
        """The state that has a memristance, or the nearer bound."""
        at_low, at_high = self.memristance(self.lower) - resistance, self.memristance(self.upper) - resistance
        if (at_low > 0.0) == (at_high > 0.0):
            return self.lower if abs(at_low) < abs(at_high) else self.upper
        close = CLOSE * (abs(at_low) + abs(at_high))
        return root(lambda x: self.memristance(x) - resistance, self.lower, self.upper, at_low, at_high, close)

    def effect(self, x, current, steps):
        """How far a pulse carries a state, by the law that is searched."""
        return self.drift(x, current) * (steps * self.dt) if self.slope_law else self.stepped(x, current, steps)

    def stepped(self, x, current, steps):
        """How far a pulse carries a state, step by step."""
        state = [x]
        for _ in range(steps):
            state = self.step(
                self.physics, state, current, current, dt=self.dt, p=self.p, lower=[self.lower], upper=[self.upper]
            )
        return state[0] - x

    def amplitude_towards(self, x, aim, sign, limit, steps):
        """The magnitude of the pulse that carries a state to its aim: by the slope, then by the whole pulse."""
        wanted, towards = abs(aim - x), math.copysign(1.0, aim - x)

        def by_slope(amplitude):
            return towards * (self.drift(x, sign * amplitude) * (steps * self.dt)) - wanted

        def missing(amplitude):
            return towards * self.effect(x, sign * amplitude, steps) - wanted

        close = CLOSE * wanted + ROUNDING * abs(x)
        nothing, most = by_slope(0.0), by_slope(limit)
        if nothing >= 0.0:
            return 0.0
        guess = root(by_slope, 0.0, limit, nothing, most, close) if most > 0.0 else limit
        if self.slope_law:
            return guess
        low = high = guess
        at_low = at_high = missing(guess)
        if abs(at_low) <= close:
            return guess
        share = 2.0**-5
        while at_low > 0.0:
            high, at_high = low, at_low
            low = guess * (1.0 - share) if share < 1.0 else 0.0
            at_low = missing(low) if low > 0.0 else nothing
            share *= 2.0
        while at_high < 0.0:
            if high == limit:
                return limit
            low, at_low = high, at_high
            high = min(guess * (1.0 + share), limit)
            at_high = missing(high)
            share *= 2.0
        return root(missing, low, high, at_low, at_high, close)

    def pulses_towards(self, x, aim, current, most, steps):
        """How many pulses come nearest, and what is missing then in pulses."""
        wanted = abs(aim - x)
        if self.slope_law:
            one = abs(self.effect(x, current, steps))
            number = min(wanted / one, most + 1.0) if one > 0.0 else most + 1.0
            return math.floor(number + 0.5), abs(math.floor(number + 0.5) - number)
        moved, reached = x, 0.0
        for pulse in range(most):
            moved += self.effect(moved, current, steps)
            covered = abs(moved - x)
            if covered >= wanted:
                share = (wanted - reached) / (covered - reached) if covered > reached else 1.0
                return (pulse + 1, 1.0 - share) if share >= 0.5 else (pulse, share)
            reached = covered
        return most + 1, 0.0

    def inside(self, x):
        """A state kept within its bounds."""
        return within(x, self.lower, self.upper)

    def state_before(self, x, current, steps):
        """The state before a pulse, by midpoint steps backwards."""
        for _ in range(steps):
            middle = x - 0.5 * self.dt * self.drift(x, current)
            x = self.inside(x - self.dt * self.drift(middle, current))
        return x

    def response(self, x, current, steps):
        """The state before a READ, dx/dx_0 and dx/dI."""
        back, charge = x, 0.0
        for _ in range(steps):
            middle = self.inside(back - 0.5 * self.dt * self.drift(back, current))
            rate = self.drift(middle, current)
            up, down = (self.drift(middle, current * (1.0 + side)) for side in (DIFFERENCE, -DIFFERENCE))
            if rate != 0.0:
                charge += (up - down) / (2.0 * DIFFERENCE * current * rate)
            back = self.inside(back - self.dt * rate)
        margin = RESIDUAL * (self.upper - self.lower)
        if not self.lower + margin < x < self.upper - margin:
            return back, 0.0, 0.0
        at_end, at_start = self.drift(x, current), self.drift(back, current)
        from_state = at_end / at_start if at_end != 0.0 and at_start != 0.0 else 1.0
        return back, from_state, at_end * (charge * self.dt)


class Network(naive.Network):
    """A network some of whose banks are written by their devices' model."""

    def __init__(self, assembly, realisation):
        super().__init__(assembly, realisation)
        self.models = [
            Model(b, self.config, number) if b.calibration.modelled else None for number, b in enumerate(self.banks)
        ]
        self.sensitivity = [[] for _ in self.net]
        for bank in self.banks:
            for device in bank.devices:
                device.known = device.aim = 0.0  # states, measured and wanted
                device.request = 0.0
                device.bias = math.nan if any(m and m.known.kept_bias for m in self.models) else 0.0

    def show(self, inputs, target):
        """All slots of one sample; those of modelled banks by rules of their own."""
        own = {
            Operation.READ_SYNAPSES, Operation.BACKREAD_SYNAPSES, Operation.READ_NODES, Operation.READ_LINES,
            Operation.WRITE_SYNAPSES, Operation.WRITE_NODES, Operation.WRITE_LINE, Operation.RESTORE_SYNAPSES,
            Operation.RESTORE_COLUMNS, Operation.RESTORE_NODES, Operation.VERIFY, Operation.CORRECT,
            Operation.RESTORE_VERIFY,
        }  # fmt: skip
        self.signal[0] = [float(value) for value in inputs]
        self.target = [float(value) for value in target]
        for slot in self.assembly.schedule.slots:
            name = Operation(slot.operation).name.lower()
            modelled = self.models[slot.bank] is not None and slot.operation in own
            getattr(self, f"modelled_{name}" if modelled else name)(slot)
            self.steps += slot.width
            self.rest(self.assembly.schedule.rest_steps)
            self.steps += self.assembly.schedule.rest_steps

    def addressed(self, slot):
        """What a READ may move."""
        return naive.ANYTHING if self.models[slot.bank].known.moves else NOTHING

    def keep(self, slot):
        """Remember the states before a READ that moves them."""
        for device in self.banks[slot.bank].devices:
            device.before = device.state

    # READs

    def modelled_read_synapses(self, slot):
        """A READ against a reference resistor, which also tells the states."""
        bank, grid = self.synapses(slot)
        signal = self.signal[slot.layer - 1]
        self.scale = self.scale_of(signal)
        for i, row in enumerate(grid):
            for synapse in row:
                synapse.current = scaled(signal[i], self.scale, bank.calibration.read_current)
        if self.models[slot.bank].known.moves:
            self.keep(slot)
        self.drive(slot, addressed=self.addressed(slot))
        self.observe(slot)
        columns = [[row[k] for row in grid] for k in range(len(grid[0]))]
        self.net[slot.layer] = [self.sum_of(slot, column) for column in columns]

    def modelled_backread_synapses(self, slot):
        """The same from the other side."""
        bank, grid = self.synapses(slot)
        gradient = self.gradient[slot.layer]
        self.scale = self.scale_of(gradient)
        for row in grid:
            for k, synapse in enumerate(row):
                synapse.current = scaled(gradient[k], self.scale, bank.calibration.read_current)
        if self.models[slot.bank].known.moves:
            self.keep(slot)
        self.drive(slot, addressed=self.addressed(slot))
        below = slot.layer - 1
        self.arriving[below] = [self.sum_of(slot, row) for row in grid]
        self.gradient[below] = [a * slope for a, slope in zip(self.arriving[below], self.slope[below], strict=True)]

    def modelled_read_lines(self, slot):
        """READ all lines, held, against a reference resistor."""
        bank = self.banks[slot.bank]
        self.scale = max(self.scale_of(self.signal[0]), 1.0)
        for variable, line in enumerate(bank.devices):
            line.current = scaled(self.line_signal(variable), self.scale, bank.calibration.read_current)
        self.drive(slot, addressed=NOTHING)
        self.observe(slot)
        self.activate(self.sum_of(slot, bank.devices))

    def sum_of(self, slot, devices):
        """The sum of some devices' voltages, less those of the reference resistors, scaled back to weights."""
        calibration, model = self.banks[slot.bank].calibration, self.models[slot.bank]
        total = 0.0
        for device in devices:
            total += device.voltage - model.known.reference * device.current
        return total * (self.banks[slot.bank].weight_per_state / calibration.read_current * self.scale)

    def observe(self, slot):
        """The states of what was driven, from V / I; of a READ that moves them, those before it."""
        model = self.models[slot.bank]
        for device in self.banks[slot.bank].devices:
            if device.current != 0.0:
                device.out_of_range += model.out_of_range(device.voltage / device.current)
                device.known = model.state_of(device.voltage / device.current)
                if model.known.moves and not slot.held:
                    device.known = model.state_before(device.known, device.current, slot.pulse_steps)

    def modelled_read_nodes(self, slot):
        """Output, slope, bias weight and its effect from one voltage."""
        bank, model = self.banks[slot.bank], self.models[slot.bank]
        unit = bank.calibration.unit_current
        self.keep(slot)
        for node, net in zip(bank.devices, self.net[slot.layer], strict=True):
            node.current = net * unit
        self.drive(slot)
        factor = 2.0 / (model.memristance(model.lower) + model.memristance(model.upper))
        small = DIFFERENCE * model.half
        self.signal[slot.layer] = [factor * node.voltage / unit for node in bank.devices]
        slopes, sensitivities = [], []
        for node in bank.devices:
            if node.current == 0.0:
                slopes.append(0.0)
                sensitivities.append(0.0)
                continue
            resistance = self.resistance_of(bank, model, node, slot)
            node.out_of_range += model.out_of_range(resistance)
            x = model.state_of(resistance)
            before, from_state, from_current = model.response(x, node.current, slot.pulse_steps)
            steepness = (model.memristance(x + small) - model.memristance(x - small)) / (2.0 * small)
            slopes.append(factor * (resistance + node.current * steepness * from_current))
            sensitivities.append(factor * (node.current / unit) * steepness * from_state * model.half)
            if not model.known.kept_bias or math.isnan(node.bias):
                node.bias = (before - model.middle) / model.half
        self.slope[slot.layer], self.sensitivity[slot.layer] = slopes, sensitivities
        if slot.layer == len(self.signal) - 1:
            self.compare_outputs()

    def resistance_of(self, bank, model, node, slot):
        """Return a node's memristance at a READ's end, from V / I and from what is known of it."""
        measured, error = node.voltage / node.current, read_error(self.section("periphery", bank))
        if error == 0.0:
            return measured
        unknown = math.isnan(node.bias)
        known = model.middle if unknown else model.middle + model.half * node.bias
        moved = 0.0 if slot.held else model.stepped(known, node.current, slot.pulse_steps)
        expected = model.memristance(known + moved)
        span = abs(model.memristance(model.upper) - model.memristance(model.lower))
        unseen = 0.5 * span * (1.0 if unknown else 0.5 * bank.calibration.bias_limit)
        return expected + trust(node.current, error, unseen) * (measured - expected)

    # RESTOREs

    def modelled_restore_synapses(self, slot):
        """Undo a READ."""
        bank, grid = self.synapses(slot)
        for i, row in enumerate(grid):
            for synapse in row:
                synapse.current = scaled(self.signal[slot.layer - 1][i], self.scale, -bank.calibration.read_current)
        self.drive(slot)
        self.count_residuals(slot)

    def modelled_restore_columns(self, slot):
        """Undo a BACKREAD."""
        bank, grid = self.synapses(slot)
        for row in grid:
            for k, synapse in enumerate(row):
                synapse.current = scaled(self.gradient[slot.layer][k], self.scale, -bank.calibration.read_current)
        self.drive(slot)
        self.count_residuals(slot)

    def modelled_restore_nodes(self, slot):
        """Undo a READ; where it is verified, the last reading counts what is left."""
        bank = self.banks[slot.bank]
        for node, net in zip(bank.devices, self.net[slot.layer], strict=True):
            node.current = net * -bank.calibration.unit_current
        self.drive(slot)
        if slot.variable <= 0:
            self.count_residuals(slot)

    def count_residuals(self, slot):
        """What a RESTORE left."""
        bank = self.banks[slot.bank]
        for device in bank.devices:
            share = abs(device.state[0] - device.before[0]) / (bank.upper[0] - bank.lower[0])
            device.residual = max(device.residual, share)
            device.unrestored += share > RESIDUAL

    # WRITEs

    def modelled_write_synapses(self, slot):
        """Delta w_ij = eta * delta_j * V_i, in ohm."""
        bank, grid = self.synapses(slot)
        for i, row in enumerate(grid):
            for k, synapse in enumerate(row):
                change = self.rate * self.gradient[slot.layer][k] * self.signal[slot.layer - 1][i]
                synapse.request = self.gather(synapse, change * bank.calibration.state_per_weight)
        self.aim_and_write(slot)

    def modelled_write_line(self, slot):
        """One line is written."""
        bank = self.banks[slot.bank]
        unit = self.rate * bank.calibration.state_per_weight
        for variable, line in enumerate(bank.devices):
            line.request = 0.0
            if variable == slot.variable:
                line.request = self.gather(line, self.gradient[1][0] * self.line_signal(variable) * unit)
        self.aim_and_write(slot)

    def aim_and_write(self, slot):
        """Aims from the measured states on, and pulses towards them."""
        model = self.models[slot.bank]
        whole = abs(model.memristance(model.upper) - model.memristance(model.lower))
        for device in self.banks[slot.bank].devices:
            if device.request != 0.0:
                wanted = model.memristance(device.known) + device.request
                device.aim = model.state_of(wanted)
                device.shortened += abs(model.memristance(device.aim) - wanted) > RESIDUAL * whole
        self.encode_towards(slot, 0.0)

    def modelled_write_nodes(self, slot):
        """Eq. 18 by the configured rule, with what the READ told of the bias weight's effect."""
        bank, model = self.banks[slot.bank], self.models[slot.bank]
        learning, layer, limit = self.config.learning, slot.layer, bank.calibration.bias_limit
        for k, node in enumerate(bank.devices):
            change = 0.0
            if learning.bias_rule == "gradient":
                change = self.rate * self.arriving[layer][k] * self.sensitivity[layer][k]
            elif learning.bias_rule == "printed":
                change = self.rate * self.gradient[layer][k]
            change = self.gather(node, change)
            node.request = 0.0
            if change != 0.0 and not math.isnan(node.bias):
                node.request = within_limit(node.bias, change, limit)
                node.shortened += node.request != change
                node.bias += node.request
            if node.request != 0.0:
                node.aim = model.middle + model.half * node.bias
                node.known = model.middle + model.half * (node.bias - node.request)
        self.encode_towards(slot, 0.0)

    def encode_towards(self, slot, tolerance):
        """Pulses for the devices that are not yet where they should be."""
        calibration, model = self.banks[slot.bank].calibration, self.models[slot.bank]
        for device in self.banks[slot.bank].devices:
            device.current, device.count = 0.0, 0
            far = device.aim - device.known
            if device.request == 0.0 or abs(far) <= tolerance * (model.upper - model.lower):
                continue
            if abs(far) <= self.config.write.resolution * (model.upper - model.lower):
                device.unsent += 1
                continue
            sign = model.known.polarity * math.copysign(1.0, far)
            if slot.pulses == 1:
                amplitude = model.amplitude_towards(
                    device.known, device.aim, sign, calibration.driver_limit, slot.pulse_steps
                )
                device.clipped += amplitude == calibration.driver_limit
            else:
                amplitude = calibration.write_current if far > 0.0 else model.known.fall_current
                number, missed = model.pulses_towards(
                    device.known, device.aim, sign * amplitude, slot.pulses, slot.pulse_steps
                )
                device.clipped += number > slot.pulses
                device.rounded += missed > RESIDUAL
                device.rounding = max(device.rounding, missed * amplitude * (slot.pulse_steps * model.dt))
                device.count = min(number, slot.pulses)
            device.current = sign * amplitude
        self.drive(slot)

    # Verifying

    def modelled_verify(self, slot):
        """A small READ of what is written or restored; the last one counts what is not where it should be."""
        bank, model = self.banks[slot.bank], self.models[slot.bank]
        for k, device in enumerate(bank.devices):
            if slot.phase == Phase.RESTORE:
                known = not math.isnan(device.bias) and self.net[slot.layer][k] != 0.0
                device.aim = model.middle + model.half * device.bias if known else 0.0
                device.request = 1.0 if known else 0.0
            device.current = bank.calibration.read_current if device.request != 0.0 else 0.0
        self.drive(slot, addressed=self.addressed(slot))
        self.observe(slot)
        if slot.variable == 0:
            tolerance = self.config.write.tolerance * (model.upper - model.lower)
            for device in bank.devices:
                device.unverified += device.request != 0.0 and abs(device.aim - device.known) > tolerance

    def modelled_restore_verify(self, slot):
        """Undo a VERIFY."""
        for device in self.banks[slot.bank].devices:
            device.current = -device.current
        self.drive(slot)
        if slot.phase == Phase.RESTORE and slot.variable == 0:
            self.count_residuals(slot)

    def modelled_correct(self, slot):
        """Lead what is not yet there on."""
        self.encode_towards(slot, self.config.write.tolerance)
