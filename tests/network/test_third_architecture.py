"""A kind of network that memsim does not have is one file: its section and its architecture, as here."""

from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
import pytest
from pydantic import Field

import memsim
from memsim.analysis.verification import verify
from memsim.calibration.layer_banks import calibrate_layers
from memsim.configuration import network_sections
from memsim.configuration.network_sections import NetworkSection
from memsim.errors import InputError
from memsim.kernels.random import PURPOSE_WEIGHT
from memsim.kernels.slots import Operation, Phase
from memsim.network import architecture
from memsim.network.slot import Slot, read_train, write_train
from memsim.network.starting_weights import glorot

CONFIGURATION = """
[run]
seed = 3
realisations = 4

[time]
dt = 1e-3
pulse_width = 5e-3

[network]
kind = "features"
features = 12

[learning]
rate = 1.0
epochs = 400
bias_rule = "none"

[data]
gate = "or"
samples = 20

[trace]
keyframe_samples = 1000
"""


@pytest.fixture
def declared():
    """Random features: a layer of synapses that are never written, and one that learns (Rahimi and Recht, 2007)."""
    known = dict(network_sections.KINDS), dict(architecture.ARCHITECTURES)

    class FeaturesSection(NetworkSection):
        size_field: ClassVar[str] = "features"
        kind: Literal["features"] = "features"
        features: int = Field(default=8, ge=1)
        weight_limit: float = 8.0
        bias_limit: float = 0.2
        node_drift: float = 0.08

        @property
        def layers(self):
            return 2, self.features, 1

        widths = layers
        bank_count: ClassVar[int] = 4
        title: ClassVar[str] = "random features"
        summary: ClassVar[str] = "features"

    class Features(architecture.Architecture):
        kind: ClassVar[str] = "features"

        def refuse(self, config):
            if config.learning.bias_rule != "none":
                raise InputError(f"learning.bias_rule: must be 'none' for features (got {config.learning.bias_rule!r})")

        def devices(self, config, units):
            for inputs, outputs in pairwise(units):
                yield from ((inputs * outputs, 1), (outputs, 1))

        def calibrate(self, config, inputs, targets):
            return calibrate_layers(config, config.network)

        def slots(self, config):
            read, found = read_train(config), []
            for layer in (1, 2):
                synapses, nodes = 2 * layer - 2, 2 * layer - 1
                found += [
                    Slot(Phase.READ, Operation.READ_SYNAPSES, synapses, layer, **read),
                    Slot(Phase.READ, Operation.READ_NODES, nodes, layer, **read),
                    Slot(Phase.RESTORE, Operation.RESTORE_NODES, nodes, layer, **read),
                ]
            return [*found, Slot(Phase.WRITE, Operation.WRITE_SYNAPSES, 2, 2, **write_train(config))]

        def programmed_banks(self, config):
            yield architecture.ProgrammedBank(2, 2, False)

        def starting_states(self, config, banks, units, seeds):
            weights = [
                glorot(seeds, PURPOSE_WEIGHT, k, bank.devices, units[k // 2], units[k // 2 + 1])
                if bank.kind == "synapse"
                else np.zeros((bank.devices, len(seeds)))
                for k, bank in enumerate(banks)
            ]
            return tuple(bank.states(each)[:, None] for bank, each in zip(banks, weights, strict=True))

    yield
    for table, before in zip((network_sections.KINDS, architecture.ARCHITECTURES), known, strict=True):
        table.clear()
        table.update(before)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "features.toml"
    path.write_text(CONFIGURATION)
    return path


@pytest.mark.usefixtures("declared")
def test_a_third_architecture_trains_by_the_public_path(source, tmp_path):
    with memsim.run(source, out=tmp_path / "run.h5") as run:
        error = run.total_error
        assert (error[-1] < 0.5).all()
        before, after = run.initial_state, run.final_state
        # What is never written stays as it was; nodes are restored.
        assert np.array_equal(before["synapses1"], after["synapses1"])
        assert not np.array_equal(before["synapses2"], after["synapses2"])
        assert np.abs(after["nodes1"] - before["nodes1"]).max() < 1e-12 * 9900.0
        assert [finding.wrong for finding in verify(run, windows=2) if finding.wrong] == []


@pytest.mark.usefixtures("declared")
def test_it_is_stopped_and_gone_on_with_to_the_same_bits(source, tmp_path):
    whole = memsim.run(source)
    first = memsim.load(source, overrides={"learning.epochs": 20})
    memsim.run(first, out=tmp_path / "run.h5").close()
    with memsim.run(memsim.load(source), out=tmp_path / "run.h5", resume=True) as run:
        assert np.array_equal(run.total_error, whole.total_error)
        for bank in run.banks:
            assert np.array_equal(run.final_state[bank], whole.final_state[bank])
    whole.close()


@pytest.mark.usefixtures("declared")
def test_its_settings_are_checked_and_its_refusals_heard(source):
    with pytest.raises(InputError, match=r"^network\.features: must be greater than or equal to 1 \(got 0\)"):
        memsim.load(source, overrides={"network.features": 0})
    with pytest.raises(InputError, match=r"^learning\.bias_rule: must be 'none' for features"):
        memsim.run(memsim.load(source, overrides={"learning.bias_rule": "gradient"}))


def test_a_kind_that_nothing_declares_is_refused(source):
    with pytest.raises(InputError, match=r"network\.kind: must be 'slp' or 'mlp'"):
        memsim.load(source)
