"""What an operation is: the controller's rules before and after a slot's pulses, and which states these may move."""

from collections.abc import Callable
from typing import Any

from ...kernels import controller
from ...kernels import state_dependent as modelled
from ...kernels.slots import Operation, Phase
from ...kernels.tiles import ANY_VARIABLE, NO_VARIABLE
from ...network.assembly import Assembly
from ...network.schedule import Slot

Rules = tuple[Callable[..., Any], ...]

BEFORE: dict[Operation, Rules] = {
    Operation.READ_SYNAPSES: (controller.drive_rows,),
    Operation.READ_NODES: (controller.drive_nodes,),
    Operation.RESTORE_NODES: (controller.restore_nodes,),
    Operation.BACKREAD_SYNAPSES: (controller.drive_columns,),
    Operation.READ_MEMRISTOR: (controller.tap_net_input,),
    Operation.READ_LINES: (controller.drive_lines,),
    Operation.READ_ACTIVATION: (controller.drive_nodes,),
    Operation.WRITE_SYNAPSES: (controller.request_synapses, controller.gather),
    Operation.WRITE_NODES: (controller.request_biases, controller.gather, controller.limit_biases),
    Operation.WRITE_VARIABLE: (controller.request_variable, controller.gather),
    Operation.WRITE_LINE: (controller.request_line, controller.gather),
}
AFTER: dict[Operation, Rules] = {
    Operation.READ_SYNAPSES: (controller.sum_columns,),
    Operation.READ_NODES: (controller.measure_nodes,),
    Operation.BACKREAD_SYNAPSES: (controller.sum_rows,),
    Operation.READ_MEMRISTOR: (controller.measure_memristor, controller.apply_delta_rule),
    Operation.READ_LINES: (controller.sum_columns,),
    Operation.READ_ACTIVATION: (controller.measure_memristor, controller.apply_delta_rule),
}
# Of banks whose pulses the controller finds in their model, where they differ.
BEFORE_OF_MODELLED: dict[Operation, Rules] = {
    Operation.WRITE_SYNAPSES: (
        modelled.request_synapses, controller.gather, modelled.aim_synapses, modelled.encode_towards,
    ),
    Operation.WRITE_LINE: (modelled.request_line, controller.gather, modelled.aim_synapses, modelled.encode_towards),
    Operation.WRITE_NODES: (
        modelled.request_biases, controller.gather, modelled.limit_biases, modelled.aim_nodes, modelled.encode_towards,
    ),
    Operation.VERIFY: (modelled.drive_verify,),
    Operation.CORRECT: (modelled.encode_towards,),
    Operation.RESTORE_VERIFY: (modelled.negate,),
    Operation.RESTORE_SYNAPSES: (modelled.restore_rows,),
    Operation.RESTORE_COLUMNS: (modelled.restore_columns,),
}  # fmt: skip
AFTER_OF_MODELLED: dict[Operation, Rules] = {
    Operation.READ_SYNAPSES: (modelled.observe_states, modelled.subtract_reference, controller.sum_columns),
    Operation.READ_NODES: (modelled.measure_nodes,),
    Operation.BACKREAD_SYNAPSES: (modelled.subtract_reference, controller.sum_rows),
    Operation.READ_LINES: (modelled.observe_states, modelled.subtract_reference, controller.sum_columns),
    Operation.VERIFY: (modelled.observe_states,),
}

UNMOVING = (Operation.READ_LINES, Operation.READ_MEMRISTOR, Operation.READ_ACTIVATION)  # the READs that move nothing


def rules_of(assembly: Assembly, slot: Slot) -> tuple[Rules, Rules]:
    """The rules of a slot: before its pulses, and after them."""
    before, after = _by_operation(assembly, slot)
    if assembly.config.learning.batch == 1:
        before = [rule for rule in before if rule is not controller.gather]
    if moves_in_read(assembly, slot):
        before.append(controller.keep_states)
    if slot.operation == Operation.READ_NODES and slot.layer == len(assembly.sizes) - 1:
        after.append(controller.find_gradient)
    if slot.operation == Operation.READ_LINES and all(bank.learns for bank in assembly.banks):  # no activation stage
        after += [controller.activate, controller.apply_delta_rule]
    if is_restored_by(slot) or (is_carried(assembly, slot) and slot.operation != Operation.WRITE_CARRIERS):
        after.append(controller.count_residuals)
    return tuple(before), tuple(after)


def _by_operation(assembly: Assembly, slot: Slot) -> tuple[list[Callable[..., Any]], list[Callable[..., Any]]]:
    operation = slot.operation
    if assembly.banks[slot.bank].modelled is None:
        return [*BEFORE.get(operation, ()), *_encoding(assembly, slot)], [*AFTER.get(operation, ())]
    before = [*BEFORE_OF_MODELLED.get(operation, BEFORE.get(operation, ()))]
    after = [*AFTER_OF_MODELLED.get(operation, AFTER.get(operation, ()))]
    if operation == Operation.VERIFY and slot.phase == Phase.RESTORE:
        before = [modelled.aim_restored, *before]
    if operation == Operation.VERIFY and slot.variable == 0:
        after = [*after, modelled.count_unverified]
    return before, after


def _encoding(assembly: Assembly, slot: Slot) -> Rules:
    """How what a WRITE requests becomes pulses."""
    if slot.phase != Phase.WRITE or is_carried(assembly, slot):
        return ()
    if slot.operation == Operation.WRITE_VARIABLE and assembly.config.learning.bias_current == "printed":
        return (controller.add_bias_current_printed,)
    return (controller.encode_amplitude,) if slot.pulses == 1 else (controller.encode_train,)


def is_carried(assembly: Assembly, slot: Slot) -> bool:
    """Whether carriers tell the variables of a slot's bank apart."""
    return bool(assembly.models[slot.bank].carried)


def is_read(slot: Slot) -> bool:
    """Whether a slot is a READ or a BACKREAD."""
    return slot.phase in (Phase.READ, Phase.BACKREAD)


def addressed_by(assembly: Assembly, slot: Slot) -> int:
    """Which variables a slot may move: all, one, or none."""
    known = assembly.banks[slot.bank].modelled
    if slot.operation == Operation.WRITE_VARIABLE:
        return slot.variable
    if slot.operation in (Operation.READ_SYNAPSES, Operation.BACKREAD_SYNAPSES, Operation.VERIFY):
        return ANY_VARIABLE if known is not None and known.moves else NO_VARIABLE
    if slot.operation in UNMOVING and not is_carried(assembly, slot):
        return NO_VARIABLE
    return ANY_VARIABLE


def moves_in_read(assembly: Assembly, slot: Slot) -> bool:
    """Whether a slot is a READ that moves states, which something after it is to undo."""
    known = assembly.banks[slot.bank].modelled
    moved = is_carried(assembly, slot) or (known is not None and known.moves)
    return slot.operation == Operation.READ_NODES or (is_read(slot) and moved)


def is_restored_by(slot: Slot) -> bool:
    """Whether states are back after a slot, or as near as they come: at a RESTORE, or its last correction."""
    return slot.phase == Phase.RESTORE and slot.variable <= 0 and slot.operation != Operation.VERIFY
