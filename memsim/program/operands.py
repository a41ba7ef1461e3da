"""Operands: the records that a slot's instructions work on, cut from a block's memory."""

from typing import Any

import numpy as np

from ..assembly import Assembly
from ..blocks import Block
from ..calibration import BankCalibration
from ..carriers import carriers_of
from ..devices import CarrierMemristor, Node, PerceptronMemristor, Synapse, ThresholdMemristor
from ..kernels.controller import LAST_IN_WINDOW
from ..kernels.operands import Carried, Control, Flawed, Job, Layer, Nominal, Tally
from ..kernels.past import CLOSED, GAIN
from ..kernels.slots import Activation, BiasRule, Imperfect, Operation, OutputGradient, Phase, WriteLaw
from ..kernels.tiles import ANY_VARIABLE, NO_VARIABLE
from ..schedule import Slot
from .rules import is_carried

BIAS_RULES = {"gradient": BiasRule.GRADIENT, "printed": BiasRule.PRINTED, "none": BiasRule.NONE}
OF_MODELLED = ("lower", "upper", "reference", "polarity", "fall_current", "moves", "kept_bias")
GRADIENT_RULES = {"error": OutputGradient.ERROR, "printed": OutputGradient.PRINTED}


def pulse_of(
    assembly: Assembly, block: Block, number: int, phase: Phase, currents: np.ndarray, steps: int, *, offset: int = 0,
    addressed: int = ANY_VARIABLE, held: bool = False, recorded: bool,
) -> Job:  # fmt: skip
    """A pulse of a bank, not yet parted into tiles; ``currents`` is one of the bank's."""
    bank, before = block.banks[number], block.banks[:number]
    return Job(
        states=bank.state,
        currents=currents,
        parameters=bank.parameters,
        lower=bank.lower,
        upper=bank.upper,
        tally=Tally(
            voltage=bank.voltage, energy=bank.energy[phase], epoch_energy=bank.epoch_energy[phase],
            peak_current=bank.peak_current[phase], disturbed=bank.disturbed[phase], bound=bank.bound[phase],
            highest=bank.highest, lowest=bank.lowest,
        ),
        tile=block.tile,
        elements=bank.elements,
        steps=steps,
        dt=assembly.dt,
        addressed=addressed,
        held=held,
        skip=assembly.skip,
        offset=offset,
        recorded=recorded,
        elements_before=sum(b.elements for b in before),
        states_before=sum(b.elements * len(b.state) for b in before),
    )  # fmt: skip


def addressed_by(assembly: Assembly, slot: Slot) -> int:
    """Which variables a slot may move: all, one, or none."""
    known = assembly.banks[slot.bank].modelled
    if slot.operation == Operation.WRITE_VARIABLE:
        return slot.variable
    if slot.operation in (Operation.READ_SYNAPSES, Operation.BACKREAD_SYNAPSES, Operation.VERIFY):
        return ANY_VARIABLE if known is not None and known.moves else NO_VARIABLE
    if slot.operation in (Operation.READ_LINES, Operation.READ_MEMRISTOR) and not is_carried(assembly, slot):
        return NO_VARIABLE
    return ANY_VARIABLE


def control_of(assembly: Assembly, block: Block, slot: Slot) -> Control:
    """What the controller's rules work on."""
    config, bank, lanes = assembly.config, block.banks[slot.bank], block.lanes
    layer = _layer(assembly, block, slot.layer)
    columns = len(layer.net)
    request, gathered = bank.request[: bank.elements], bank.gathered[0, : bank.elements]
    if slot.operation == Operation.WRITE_VARIABLE:
        gathered = bank.gathered[slot.variable, : bank.elements]
    elif slot.operation == Operation.WRITE_LINE:
        line = slice(slot.variable * lanes, (slot.variable + 1) * lanes)
        request, gathered = request[line], gathered[line]
    corrects = slot.operation == Operation.CORRECT
    return Control(
        bank=bank,
        nominal=nominal_of(assembly, slot),
        sample=block.sample,
        below=_layer(assembly, block, slot.layer - 1),
        layer=layer,
        rows=bank.devices // columns,
        columns=columns,
        line_signal=_line_signal(assembly, block, slot),
        request=request,
        gathered=gathered,
        turn=np.zeros(1),
        parameters=np.array(assembly.banks[slot.bank].device.kernel_parameters(), dtype=np.float64),
        pulse_time=slot.pulse_steps * assembly.dt,
        pulses=slot.pulses,
        batch=config.learning.batch,
        made_for=config.learning.rate,
        bias_rule=BIAS_RULES[config.learning.bias_rule],
        gradient_rule=GRADIENT_RULES[config.learning.output_gradient],
        activation=_activation(assembly),
        write_law=WriteLaw[config.write.law.upper()],
        write_tolerance=config.write.tolerance if corrects else 0.0,
        held=slot.held,
        # The controller's model has the steps of the run, also where devices are stepped more finely.
        model_steps=slot.pulse_steps // assembly.finer,
        model_dt=assembly.dt * assembly.finer,
    )


def _layer(assembly: Assembly, block: Block, layer: int) -> Layer:
    """The controller's memory of a layer."""
    first = sum(assembly.sizes[:layer])
    return Layer(*(values[first : first + assembly.sizes[layer]] for values in block.memory))


def _line_signal(assembly: Assembly, block: Block, slot: Slot) -> np.ndarray:
    """The signal of the line that a WRITE addresses; 1 of the bias."""
    is_input = 0 <= slot.variable < assembly.sizes[0]
    return np.asarray(block.memory.signal[slot.variable]) if is_input else np.ones(block.lanes)


def _activation(assembly: Assembly) -> Activation:
    """The activation stage of a single-layer perceptron."""
    memristor = assembly.memristor
    return Activation.IDENTITY if memristor is None else Activation[memristor.activation.upper()]


def nominal_of(assembly: Assembly, slot: Slot) -> Nominal:
    """What the controller knows of a slot's bank."""
    bank, config = assembly.banks[slot.bank], assembly.config
    threshold, limit = bank.threshold, bank.driver_limit
    device, known = bank.device, bank.modelled
    if slot.operation == Operation.WRITE_VARIABLE and isinstance(device, ThresholdMemristor) and device.thresholds:
        threshold = device.thresholds[slot.variable]
        limit = min(limit, threshold + LAST_IN_WINDOW * (device.window or 0.0))
    return Nominal(
        threshold=threshold,
        read_current=bank.read_current,
        limit=limit,
        write_current=bank.write_current,
        state_per_weight=bank.state_per_weight,
        unit_current=bank.unit_current,
        unit_voltage=device.reference_voltage if isinstance(device, PerceptronMemristor) else 0.0,
        bias_limit=bank.bias_limit,
        full_scale=config.network.read_scale,
        **({name: getattr(known, name) for name in OF_MODELLED} if known else {}),
        tolerance=config.write.tolerance if known else 0.0,
        **_constants(bank),
    )


def _constants(bank: BankCalibration) -> dict[str, Any]:
    """The nominal drift and resistances of the paper's synapse and node; requests of modelled banks are no charges."""
    device = bank.device
    if bank.modelled is not None:
        return {"drift": 1.0}
    if not isinstance(device, Synapse | Node):
        return {}
    r_on = device.output_r_on if isinstance(device, Node) else device.r_on
    return {"drift": device.drift_coefficient, "r_on": r_on, "r_off": device.r_off, "range": device.state_range}


def flawed_of(
    assembly: Assembly, block: Block, number: int, *, train: bool = False, offset: int = 0, time_since: float = 0.0
) -> Flawed:
    """A bank with its flaws; ``train`` says that its pulses are those of a train."""
    bank, kind = block.banks[number], assembly.kinds[number]
    own = bank.parameters.reshape(-1, len(bank.current))[:, : bank.elements] if kind else np.empty((0, 0))
    first = len(assembly.banks[number].device.kernel_parameters())
    beyond = first + 2 + len(bank.state)
    varies = Imperfect.VARYING in kind
    return Flawed(
        bank=bank,
        flaws=assembly.flaws[number],
        drive=(bank.train if train else bank.current)[: bank.elements],
        factors=own[first] if kind else np.empty(0),
        closed=own[beyond + CLOSED] if varies else np.empty(0),
        gain=own[beyond + GAIN] if varies else np.empty(0),
        seeds=block.seeds,
        number=number,
        finer=assembly.finer,
        offset=offset,
        time_since=time_since,
    )


def carried_of(assembly: Assembly, block: Block, slot: Slot, turn: np.ndarray) -> Carried:
    """A bank whose variables are told apart by carriers."""
    bank, calibration = block.banks[slot.bank], assembly.banks[slot.bank]
    device: Any = calibration.device
    pulse_time = slot.pulse_steps * assembly.dt
    rows = len(device.kernel_parameters())
    own = bank.parameters.reshape(-1, len(bank.current)) if assembly.kinds[slot.bank] else bank.parameters[:, None]
    assert isinstance(device, CarrierMemristor)
    return Carried(
        bank=bank,
        sample=block.sample,
        carriers=carriers_of(device, assembly.config.time),
        parameters=own[:rows],
        signal=block.memory.signal[: assembly.sizes[0]],
        gradient=block.memory.gradient[assembly.sizes[0]],
        turn=turn,
        limit=calibration.driver_limit,
        unit_charge=calibration.unit_current * pulse_time,
        pulse_time=pulse_time,
        made_for=assembly.config.learning.rate,
        batch=assembly.config.learning.batch,
        finer=assembly.finer,
    )
