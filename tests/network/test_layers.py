"""Devices that differ from layer to layer: what is refused, what a file keeps, and going on with them."""

import tomllib

import numpy as np
import pytest
from short_runs import REAL

import memsim
from memsim.analysis.verification import verify
from memsim.configuration.sections import Configuration, LayerDevices, override
from memsim.devices import Node, Synapse, Vteam
from memsim.errors import InputError
from memsim.kernels.slots import Operation
from memsim.network.assembly import assemble
from memsim.network.schedule import build
from memsim.runs import training
from memsim.runs.sources import start_of

SLOW_VTEAM = {"model": "vteam", "k_on": -4.03e-8, "alpha_on": 1}
LAYERS = (
    {"synapse": {"model": "ion-drift", "window": "joglekar"}, "node_integrator": "heun"},
    {"synapse": SLOW_VTEAM, "synapse_integrator": "heun", "node": {"model": "node", "threshold": 1e-6}},
)
SECTIONS = {
    "network": {"kind": "mlp", "layers": (2, 2, 1), "weight_limit": 3.5, "node_drift": 0.115},
    "devices": {"layer": LAYERS},
    "time": {"pulse_steps": 5},
    "learning": {"epochs": 4, "rate": 0.5},
    "run": {"realisations": 2, "threads": 1},
}


def config_of(**changes):
    """The network of three models, with other sections."""
    return Configuration(**{**SECTIONS, **changes})


def test_each_bank_has_the_devices_and_the_integrator_of_its_layer():
    banks = assemble(config_of(), REAL).banks
    assert [bank.device.model for bank in banks] == ["ion-drift", "node", "vteam", "node"]
    assert [bank.integrator for bank in banks] == ["euler", "heun", "heun", "euler"]
    assert [bank.device.threshold for bank in banks if bank.device.model == "node"] == [0.0, 1e-6]
    # What a layer does not say is the network's.
    devices = {"layer": ({}, {"synapse": SLOW_VTEAM}), "synapse": {"model": "synapse", "r_off": 2e4},
               "synapse_integrator": "heun"}  # fmt: skip
    banks = assemble(config_of(devices=devices, time={"pulse_steps": 5, "integrator": "euler"}), REAL).banks
    assert banks[0].device.r_off == 2e4
    assert [bank.integrator for bank in banks] == ["heun", "euler", "heun", "euler"]


def test_only_layers_whose_reads_move_states_are_restored():
    slots = build(config_of()).slots
    restored = [slot.layer for slot in slots if slot.operation in (Operation.RESTORE_SYNAPSES,
                                                                   Operation.RESTORE_COLUMNS)]  # fmt: skip
    assert restored == [1]  # VTEAM has a threshold, ion drift has none; layer 1 is not read backwards


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"devices": {"layer": LAYERS[:1]}}, "needs an entry for each of the 2 layers of synapses and nodes .got 1."),
        ({"network": {"kind": "slp"}}, "devices.layer: needs network.kind = 'mlp', which has layers .got 2 entries."),
        (
            {"network": {"kind": "slp"}, "devices": {"node_integrator": "heun"}},
            "devices.node_integrator: this network has no such devices .got 'heun'.; give time.integrator",
        ),
        (
            {"network": {"kind": "slp"}, "devices": {"synapse_integrator": "heun"}},
            "devices.synapse_integrator: this network has no such devices",
        ),
        (
            {"devices": {"layer": ({"synapse": {"model": "synapse", "threshold": 1e-9}}, {})}},
            "devices.layer.0.synapse.threshold: must be above the READ's full scale",
        ),
        (
            {"devices": {"layer": ({}, {"synapse": {"model": "yakopcic"}})}},
            "devices.layer.1.synapse.model: must have one bounded state",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_a_line(changes, line):
    data = memsim.datasets.gate("xor") if "kind" in changes.get("network", {}) else REAL
    with pytest.raises(InputError, match=line):
        assemble(config_of(**changes), data)


def test_one_layer_is_set_from_outside():
    values = {"devices": {"layer": [{}, {"synapse": dict(SLOW_VTEAM)}]}}
    override(values, ["devices.layer.1.synapse.k_on=-8e-8", "devices.layer.0.node_integrator=heun"])
    assert values["devices"]["layer"] == [{"node_integrator": "heun"}, {"synapse": {**SLOW_VTEAM, "k_on": -8e-8}}]
    for number in ("2", "first"):
        with pytest.raises(InputError, match=f"{number} in .* must be a number below 2, of the list's entries"):
            override(values, [f"devices.layer.{number}.node_integrator=heun"])


def test_the_configuration_comes_back_from_its_text():
    config = config_of()
    assert Configuration(**tomllib.loads(config.to_toml())) == config
    assert "layer" not in tomllib.loads(Configuration().to_toml())["devices"]
    assert config.to_toml().count("[[devices.layer]]") == 2


def test_python_gives_layers_by_devices():
    network = memsim.MultilayerPerceptron(
        [2, 2, 1], by_layer=[LayerDevices(node=Node(threshold=2e-6)), {"synapse": Vteam()}], synapse=Synapse(r_off=2e4)
    )
    assert network.devices.of_layer("synapse", 1) == (Synapse(r_off=2e4), "devices.synapse")
    assert network.devices.of_layer("synapse", 2) == (Vteam(), "devices.layer.1.synapse")
    assert network.devices.of_layer("node", 1) == (Node(threshold=2e-6), "devices.layer.0.node")


def test_such_a_run_is_replayed_and_made_again_from_its_file(tmp_path):
    path = tmp_path / "run.h5"
    with training.run(config_of(), REAL, out=path) as run:
        assert np.ptp(run.total_error) > 0.0
        assert [finding for finding in verify(run) if finding.wrong] == []
        steps = run.window("synapses2", "state", 100, 130)
        again = training.run(run.config, REAL)
        assert np.array_equal(again.total_error, run.total_error)
        assert np.array_equal(again.window("synapses2", "state", 100, 130), steps)
        assert again.config == run.config


def test_another_run_goes_on_with_its_devices_by_another_integrator():
    first = training.run(config_of(), REAL)
    start = start_of(first)
    layers = tuple({**layer, "synapse_integrator": "euler"} for layer in LAYERS)
    second = training.run(config_of(devices={"layer": layers}), REAL, start=start)
    assert np.array_equal(start.states[2], first.keyframes["synapses2"][-1])
    assert second.total_error.shape == (4, 2)
    other = ({**LAYERS[0], "synapse": {"model": "ion-drift", "window": "biolek"}}, LAYERS[1])
    with pytest.raises(InputError, match=r"start: .* of synapses1 is"):
        training.run(config_of(devices={"layer": other}), REAL, start=start)
