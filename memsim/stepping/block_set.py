"""The blocks of a run seen as one: what they hold of all realisations, in the realisations' order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..kernels.operands import Keyframes
from ..network.assembly import Assembly
from .blocks import OF_STATES, Block, new_block, put_states


@dataclass
class KeyframeStates:
    """Keyframes that a stretch came to.

    Attributes
    ----------
    samples : (n,) int64
        Samples that were complete at each.
    states : list of (n, devices, variables, realisations) float64
        Of each bank.
    bias : (n, units, realisations) float64
        Bias weights as the controller last knew them.
    past : list of (n, kinds, devices, realisations) float64
        What the past left in each bank's devices; empty where it does not count.
    """

    samples: np.ndarray
    states: list[np.ndarray]
    bias: np.ndarray
    past: list[np.ndarray]


@dataclass
class Checkpoint:
    """All that a run goes on from, at the end of a mini-batch: nothing is gathered there.

    Attributes
    ----------
    sample : int
        Samples that are complete.
    states : list of (devices, variables, realisations) float64
    bias : (units, realisations) float64
    past : list of (kinds, devices, realisations) float64
        See :class:`~memsim.kernels.slots.Past`, of each bank; empty where it does not count, or for a fresh one.
    error : (realisations,) float64
        Of the epoch in progress.
    counters : list of dict
        For each bank, name to values as :meth:`BlockSet.counter` gives them; empty where counting starts anew.
    device_steps : int
    """

    sample: int
    states: list[np.ndarray]
    bias: np.ndarray
    past: list[np.ndarray]
    error: np.ndarray
    counters: list[dict[str, np.ndarray]]
    device_steps: int


class BlockSet:
    """All blocks of a run.

    Parameters
    ----------
    assembly : Assembly
    parts : list of (n,) int64
        The realisations of each block; each is in one of them.
    """

    def __init__(self, assembly: Assembly, parts: list[np.ndarray]) -> None:
        self._assembly = assembly
        self._blocks = [new_block(assembly, part) for part in parts]
        self._inverse = np.argsort(np.concatenate(parts))
        if assembly.start is not None:
            self._put_bias(assembly.start.beginning.bias)

    def __len__(self) -> int:
        return len(self._blocks)

    def __getitem__(self, number: int) -> Block:
        return self._blocks[number]

    def __iter__(self) -> Iterator[Block]:
        return iter(self._blocks)

    @property
    def bank_numbers(self) -> range:
        """The places of the banks in the network."""
        return range(len(self._assembly.banks))

    def joined(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Arrays of all blocks, realisations last, as one in the order of the realisations."""
        return parts[0].copy() if len(parts) == 1 else np.concatenate(parts, axis=-1)[..., self._inverse]

    def states(self) -> list[np.ndarray]:
        """The states of each bank, (devices, variables, realisations), copied."""
        return [self._states_of(bank, [block.state[None] for block in self._blocks])[0] for bank in self.bank_numbers]

    def past(self) -> list[np.ndarray]:
        """The past of each bank's devices, (kinds, devices, realisations), copied; none where it does not count."""
        return [past[0] for past in self._past_of([block.past[None] for block in self._blocks])]

    def bias(self) -> np.ndarray:
        """Bias weights as the controller last knew them, (units, realisations)."""
        return self.joined([block.memory.bias for block in self._blocks])

    def counter(self, name: str, bank: int) -> np.ndarray:
        """A counter of a bank: (devices, realisations), with phases before both or variables between them."""
        if name == "energy":
            return self.counter("complete_energy", bank) + self.counter("epoch_energy", bank)
        return self.joined([_values_of(block, name, bank) for block in self._blocks])

    def counters(self, names: Sequence[str]) -> list[dict[str, np.ndarray]]:
        """Counters of each bank by their names."""
        return [{name: self.counter(name, bank) for name in names} for bank in self.bank_numbers]

    def keyframes(self, samples: np.ndarray, kept: Sequence[Keyframes]) -> KeyframeStates:
        """Keyframes from what each block kept."""
        return KeyframeStates(
            samples,
            [self._states_of(bank, [part.state for part in kept]) for bank in self.bank_numbers],
            self.joined([part.bias for part in kept]),
            self._past_of([part.past for part in kept]),
        )

    def request(self, bank: int, aims: np.ndarray, devices: np.ndarray) -> None:
        """Have devices of a bank led to states by the VERIFYs and CORRECTs to come.

        Parameters
        ----------
        bank : int
        aims : (devices, realisations) float64
        devices : (devices,) bool
            Which of them; the others get no pulse.
        """
        for block in self._blocks:
            _values_of(block, "aim", bank)[:] = aims[:, block.realisations]
            _values_of(block, "request", bank)[:] = devices[:, None]

    def restore(self, at: Checkpoint) -> None:
        """Put what a checkpoint holds into the blocks."""
        self._put_bias(at.bias)
        counters = [_energies_apart(counted) for counted in at.counters]
        for block in self._blocks:
            part = block.realisations
            for bank, states in zip(block.banks, at.states, strict=True):
                bank.gathered[:] = 0.0
                put_states(bank, states[..., part])
            for number, past in enumerate(at.past or self._assembly.past):
                block.of_elements(block.banks[number].past, number)[:] = past[..., part]
            for number, counted in enumerate(counters):
                for name, values in counted.items():
                    _values_of(block, name, number)[:] = values[..., part]

    def _put_bias(self, bias: np.ndarray) -> None:
        for block in self._blocks:
            block.memory.bias[:] = bias[:, block.realisations]

    def _states_of(self, bank: int, flat: Sequence[np.ndarray]) -> np.ndarray:
        """A bank's states from (n, states) of each block, (n, devices, variables, realisations)."""
        return self._parts_of(bank, "state", flat).swapaxes(1, 2)

    def _past_of(self, flat: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Each bank's past from (n, numbers) of each block, (n, kinds, devices, realisations)."""
        return [self._parts_of(bank, "past", flat) for bank in self.bank_numbers] if self._assembly.past else []

    def _parts_of(self, bank: int, name: str, flat: Sequence[np.ndarray]) -> np.ndarray:
        return self.joined([
            block.part_of(values, name, bank) for block, values in zip(self._blocks, flat, strict=True)
        ])  # fmt: skip


def _values_of(block: Block, name: str, bank: int) -> np.ndarray:
    """A block's values of a bank, (devices, realisations), phases before both, variables between them; a view."""
    values = block.of_elements(getattr(block.banks[bank], name), bank)
    return values.swapaxes(0, 1) if name in OF_STATES else values


def _energies_apart(counters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Counters with the energy of complete epochs in the place of the whole; earlier files have not told them apart."""
    found = {name: values for name, values in counters.items() if name != "energy"}
    if "energy" in counters and "complete_energy" not in counters:
        found["complete_energy"] = counters["energy"] - counters.get("epoch_energy", 0.0)
    return found
