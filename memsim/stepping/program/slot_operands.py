"""Operands: the records that a slot's instructions work on, cut from a block's memory."""

import math
from itertools import pairwise
from typing import Any

import numpy as np

from ...calibration.bank import BankCalibration
from ...calibration.carrier_waveforms import carriers_of
from ...devices import CarrierMemristor
from ...imperfections.retention import relaxes
from ...kernels.controller import LAST_IN_WINDOW
from ...kernels.operands import ALL, NOTHING, Carried, Control, Flawed, Flaws, Job, Layer, Nominal, Question, Tally
from ...kernels.past import CLOSED, GAIN
from ...kernels.slots import Activation, BiasRule, Imperfect, Operation, OutputGradient, Past, Phase
from ...kernels.stepping import method_of
from ...kernels.tiles import ANY_VARIABLE, WIDE
from ...network.assembly import Assembly
from ...network.schedule import Slot
from ..blocks import Block
from ..teams import Member, size_of_team

BIAS_RULES = {"gradient": BiasRule.GRADIENT, "printed": BiasRule.PRINTED, "none": BiasRule.NONE}
OF_MODELLED = ("lower", "upper", "reference", "polarity", "fall_current", "moves", "kept_bias")
FEWEST_COLUMNS = 8  # of a bank whose rows are looked at before they are driven: in each they save so many devices
GRADIENT_RULES = {"error": OutputGradient.ERROR, "printed": OutputGradient.PRINTED}


class Cutter:
    """Cuts the operands of a program from the memory of a block.

    Parameters
    ----------
    assembly : Assembly
    block : Block
    recorded : tuple of int
        Banks whose every step is recorded.
    member : Member
        For whose thread.
    """

    def __init__(self, assembly: Assembly, block: Block, recorded: tuple[int, ...], member: Member) -> None:
        self.assembly, self.block, self.recorded, self.member = assembly, block, recorded, member
        units = np.cumsum([0, *assembly.sizes])
        self._layers = [Layer(*(values[a:b] for values in block.memory)) for a, b in pairwise(units)]
        self._tallies: dict[tuple[int, Phase], Tally] = {}
        self._near = [model.drift_near is not None for model in assembly.models]
        self._parameters = [np.array(bank.device.kernel_parameters(), dtype=np.float64) for bank in assembly.banks]
        self._driven = [np.zeros(bank.devices + 3, dtype=np.int64) for bank in assembly.banks]
        self._tiles = [np.zeros(bank.devices + 3, dtype=np.int64) for bank in assembly.banks]

    def pulse(
        self, number: int, phase: Phase, currents: np.ndarray, steps: int, *, offset: int = 0,
        addressed: int = ANY_VARIABLE, held: bool = False, driven: np.ndarray = ALL,
    ) -> Job:  # fmt: skip
        """A pulse of a bank, not yet parted into tiles; ``currents`` is one of the bank's."""
        bank, before = self.block.banks[number], self.block.banks[:number]
        return Job(
            states=bank.state,
            currents=currents,
            parameters=bank.parameters,
            lower=bank.lower,
            upper=bank.upper,
            tally=self._tally(number, phase),
            tile=self.block.tile,
            elements=bank.elements,
            steps=steps,
            dt=self.assembly.dt,
            addressed=addressed,
            held=held,
            logit=bank.past[Past.LOGIT] if self._near[number] else NOTHING,
            relaxes=relaxes(self.assembly.banks[number], self.assembly.config.imperfections),
            quiet=self._is_quiet(number),
            skip=self.assembly.skip,
            offset=offset,
            recorded=number in self.recorded,
            elements_before=sum(b.elements for b in before),
            states_before=sum(b.elements * len(b.state) for b in before),
            driven=driven,
        )

    def leaves_out(self, slot: Slot) -> bool:
        """Whether rows without a signal are left out of a slot; where columns get signals, no row is without."""
        wide = self.assembly.sizes[slot.layer] >= FEWEST_COLUMNS
        return wide and slot.operation != Operation.BACKREAD_SYNAPSES and self._is_plain(slot)

    def may_share(self, slot: Slot) -> bool:
        """Whether a team may share a slot, if it is large enough."""
        backwards = slot.operation == Operation.BACKREAD_SYNAPSES
        return self.leaves_out(slot) or (backwards and self._is_plain(slot))

    def shares(self, slot: Slot) -> bool:
        """Whether the team shares a slot."""
        members, elements = self.member.members, self.block.banks[slot.bank].elements
        return members > 1 and size_of_team([elements], members) == members and self.may_share(slot)

    def _is_plain(self, slot: Slot) -> bool:
        """Whether a slot looks at some rows of its bank, each on its own, and nobody at the others.

        No flaw, no row of the trace, no rule of a modelled bank, no train, and no mini-batch, whose requests have
        rows of other samples in them.
        """
        writes = slot.operation == Operation.WRITE_SYNAPSES and self.assembly.config.learning.batch == 1
        reads = slot.operation in (Operation.READ_SYNAPSES, Operation.BACKREAD_SYNAPSES)
        perfect = self.assembly.flaws[slot.bank] == Flaws() and self.assembly.banks[slot.bank].modelled is None
        unseen = self._is_quiet(slot.bank) and slot.bank not in self.recorded
        return (reads or writes) and slot.pulses == 1 and perfect and unseen

    def tiles_of(self, slot: Slot) -> np.ndarray:
        """The stretches of tiles that a slot's pulse steps."""
        if self.leaves_out(slot):
            return self._tiles[slot.bank]
        if not self.shares(slot):
            return ALL
        bank = self.block.banks[slot.bank]
        row = bank.elements // self._rows_of(slot)
        return np.array([1, *(min(row * i, len(bank.current) // WIDE * WIDE) for i in self._share(slot))])

    def _rows_of(self, slot: Slot) -> int:
        return self.block.banks[slot.bank].devices // self.assembly.sizes[slot.layer]

    def _group(self, slot: Slot) -> int:
        """Rows of a slot that fill whole tiles."""
        return WIDE // math.gcd(WIDE, self.assembly.sizes[slot.layer] * self.block.lanes)

    def _share(self, slot: Slot) -> tuple[int, int]:
        """The rows that a member takes where all are driven: from which, and up to which."""
        rows, group, member = self._rows_of(slot), self._group(slot), self.member
        groups = (rows - 1) // group  # and the last, which is the last member's in any case
        first, last = (group * (groups * number // member.members) for number in (member.number, member.number + 1))
        return first, rows if member.is_last else last

    def _is_quiet(self, number: int) -> bool:
        """Whether a device of a bank that gets no current has no voltage, and moves in no way."""
        ohmic = self.assembly.models[number].memristance is not None
        return self.assembly.skip and ohmic and self.assembly.rests(number)

    def _tally(self, number: int, phase: Phase) -> Tally:
        """What is counted of a bank in a phase."""
        if (number, phase) not in self._tallies:
            bank = self.block.banks[number]
            counted = {name: getattr(bank, name)[phase] for name in ("peak_current", "disturbed", "bound", "stalled")}
            self._tallies[number, phase] = Tally(
                voltage=bank.voltage, energy=bank.epoch_energy[phase], **counted, highest=bank.highest,
                lowest=bank.lowest,
            )  # fmt: skip
        return self._tallies[number, phase]

    def control_of_all(self, slot: Slot, control: Control) -> Control:
        """What rules work on after all members of a team have done their share."""
        driven = np.zeros_like(control.driven) if self.leaves_out(slot) else np.array([1, 0, control.rows])
        return control._replace(driven=driven, member=0, members=1)

    def _driven_by(self, slot: Slot) -> np.ndarray:
        """Where the stretches of rows that a slot drives are listed."""
        if self.leaves_out(slot):
            return self._driven[slot.bank]
        return np.array([1, *(self._share(slot) if self.shares(slot) else (0, self._rows_of(slot)))])

    def control(self, slot: Slot) -> Control:
        """What the controller's rules work on."""
        assembly, config = self.assembly, self.assembly.config
        bank, layer, lanes = self.block.banks[slot.bank], self._layers[slot.layer], self.block.lanes
        columns, nominal = len(layer.net), self._nominal(slot)
        request, gathered = bank.request[: bank.elements], bank.gathered[0, : bank.elements]
        if slot.operation == Operation.WRITE_VARIABLE:
            gathered = bank.gathered[slot.variable, : bank.elements]
        elif slot.operation == Operation.WRITE_LINE:
            line = slice(slot.variable * lanes, (slot.variable + 1) * lanes)
            request, gathered = request[line], gathered[line]
        return Control(
            bank=bank,
            nominal=nominal,
            sample=self.block.sample,
            below=self._layers[slot.layer - 1],
            layer=layer,
            rows=bank.devices // columns,
            columns=columns,
            line_signal=self._line_signal(slot),
            request=request,
            gathered=gathered,
            turn=np.zeros(1),
            question=self._question(slot, nominal),
            pulse_time=slot.pulse_steps * assembly.dt,
            pulses=slot.pulses,
            made_for=config.learning.rate,
            bias_rule=BIAS_RULES[config.learning.bias_rule],
            gradient_rule=GRADIENT_RULES[config.learning.output_gradient],
            activation=self._activation(),
            write_tolerance=config.write.tolerance if slot.operation == Operation.CORRECT else 0.0,
            held=slot.held,
            driven=self._driven_by(slot),
            tiles=self._tiles[slot.bank],
            member=self.member.number if self.shares(slot) else 0,
            members=self.member.members if self.shares(slot) else 1,
            group=self._group(slot),
        )

    def _question(self, slot: Slot, nominal: Nominal) -> Question:
        """What the controller asks the model of a bank with."""
        assembly = self.assembly
        return Question(
            parameters=self._parameters[slot.bank],
            beside=np.zeros(2),
            lower=nominal.lower,
            upper=nominal.upper,
            limit=nominal.limit,
            slope=assembly.config.write.law == "slope",
            heun=method_of(assembly.models[slot.bank], assembly.integrator(slot.bank)) == "heun",
            # The controller's model has the steps of the run, also where devices are stepped more finely.
            steps=slot.pulse_steps // assembly.finer,
            dt=assembly.dt * assembly.finer,
            pulses=slot.pulses,
        )

    def _line_signal(self, slot: Slot) -> np.ndarray:
        """The signal of the line that a WRITE addresses; 1 of the bias."""
        signal = self._layers[0].signal
        return np.asarray(signal[slot.variable]) if 0 <= slot.variable < len(signal) else np.ones(self.block.lanes)

    def _activation(self) -> Activation:
        """The activation stage of a single-layer perceptron."""
        memristor = self.assembly.memristor
        return Activation.IDENTITY if memristor is None else Activation[memristor.activation.upper()]

    def _nominal(self, slot: Slot) -> Nominal:
        """What the controller knows of a slot's bank."""
        assembly, bank, config = self.assembly, self.assembly.banks[slot.bank], self.assembly.config
        threshold, limit = bank.threshold, bank.driver_limit
        device, known = bank.device, bank.modelled
        if slot.operation == Operation.WRITE_VARIABLE and device.threshold_windows:
            threshold, width = device.threshold_windows[slot.variable]
            limit = min(limit, threshold + LAST_IN_WINDOW * width)
        return Nominal(
            threshold=threshold,
            read_current=bank.read_current,
            limit=limit,
            write_current=bank.write_current,
            state_per_weight=bank.state_per_weight,
            unit_current=bank.unit_current,
            unit_voltage=device.unit_voltage,
            bias_limit=bank.bias_limit,
            full_scale=config.network.read_scale,
            resolution=self._resolution(slot, bank),
            read_error=read_error(assembly.flaws[slot.bank]),
            **({name: getattr(known, name) for name in OF_MODELLED} if known else {}),
            tolerance=config.write.tolerance if known else 0.0,
            **_constants(bank),
        )

    def _resolution(self, slot: Slot, bank: BankCalibration) -> float:
        """The controller's resolution as what a slot's requests are: a charge in A s, or a share of the range."""
        share, device = self.assembly.config.write.resolution, bank.device
        if bank.modelled is not None:
            return share
        if device.by_charge:
            return device.charge_of(share)
        # The memristor's own learning rate turns the charge of a signal of 1 into a weight.
        charge = bank.unit_current * slot.pulse_steps * self.assembly.dt * slot.pulses
        return share * charge / self.assembly.config.learning.rate

    def flawed(self, number: int, *, train: bool = False, time_since: float = 0.0) -> Flawed:
        """A bank with its flaws; ``train`` says that its pulses are those of a train."""
        bank, kind = self.block.banks[number], self.assembly.kinds[number]
        own = bank.parameters.reshape(-1, len(bank.current))[:, : bank.elements] if kind else np.empty((1, 0))
        factor = len(self._parameters[number]) if kind else 0
        beyond = factor + 2 + len(bank.state)
        varies = Imperfect.VARYING in kind
        return Flawed(
            bank=bank,
            flaws=self.assembly.flaws[number],
            drive=(bank.train if train else bank.current)[: bank.elements],
            factors=own[factor],
            closed=own[beyond + CLOSED] if varies else np.empty(0),
            gain=own[beyond + GAIN] if varies else np.empty(0),
            seeds=self.block.seeds,
            number=number,
            finer=self.assembly.finer,
            time_since=time_since,
        )

    def carried(self, slot: Slot, turn: np.ndarray) -> Carried:
        """A bank whose variables are told apart by carriers."""
        bank, calibration = self.block.banks[slot.bank], self.assembly.banks[slot.bank]
        learning = self.assembly.config.learning
        assert isinstance(calibration.device, CarrierMemristor)
        pulse_time = slot.pulse_steps * self.assembly.dt
        flawed = bool(self.assembly.kinds[slot.bank])  # each element then has its own parameters
        parameters = bank.parameters.reshape(-1, len(bank.current) if flawed else 1)
        return Carried(
            bank=bank,
            sample=self.block.sample,
            carriers=carriers_of(calibration.device, self.assembly.config.time),
            parameters=parameters[: len(self._parameters[slot.bank])],
            signal=self._layers[0].signal,
            gradient=self._layers[1].gradient[0],
            turn=turn,
            limit=calibration.driver_limit,
            unit_charge=calibration.unit_current * pulse_time,
            pulse_time=pulse_time,
            made_for=learning.rate,
            batch=learning.batch,
            finer=self.assembly.finer,
        )


def read_error(flaws: Flaws) -> float:
    """Standard deviation of what a read-out gives, by noise and by rounding to its steps, in V."""
    return math.hypot(flaws.read_noise, flaws.readout_step / math.sqrt(12.0))


def _constants(bank: BankCalibration) -> dict[str, Any]:
    """The constants of a bank's device that rules take; requests of modelled banks are no charges."""
    return bank.device.nominal_constants() if bank.modelled is None else {"drift": 1.0}
