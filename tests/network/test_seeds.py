"""Several seeds side by side: each is the run of that seed alone, bit for bit."""

import numpy as np
import pytest
from short_runs import REAL, configuration, of_each_kind

import memsim
from memsim.configuration.sections import Configuration
from memsim.errors import InputError, NotFiniteError
from memsim.runs import training
from memsim.runs.sources import load_source
from memsim.stepping.finite import check_finite

SEEDS = (5, 0, 2**63 - 1)


def of_seeds(kind, seeds, **sections):
    """The short run of several seeds."""
    values = configuration(kind, **sections).model_dump(exclude_none=True)
    del values["run"]["seed"]
    return Configuration(**values | {"run": values["run"] | {"seeds": seeds}})


@of_each_kind
def test_each_seed_has_the_bits_of_its_run_alone(kind):
    with training.run(of_seeds(kind, SEEDS), REAL) as together:
        assert together.realisations == 9
        for k, seed in enumerate(SEEDS):
            lanes = slice(3 * k, 3 * k + 3)
            with training.run(configuration(kind, run={"seed": seed}), REAL) as alone:
                assert together.seeds[lanes].tolist() == alone.seeds.tolist()
                assert together.total_error[:, lanes].tobytes() == alone.total_error.tobytes()
                assert together.order[..., lanes].tobytes() == alone.order.tobytes()
                for bank, states in alone.final_state.items():
                    assert np.ascontiguousarray(together.final_state[bank][..., lanes]).tobytes() == states.tobytes()
                    for name, values in alone.diagnostics(bank).items():
                        assert together.diagnostics(bank)[name][..., lanes].tobytes() == values.tobytes(), name


def test_its_file_is_the_configuration_of_the_same_run(cli, tmp_path):
    first, again = tmp_path / "first.h5", tmp_path / "again.h5"
    training.run(of_seeds("mlp", SEEDS), REAL, out=first).close()
    assert cli("run", first, "--out", again, "--quiet").status == 0
    with memsim.open_run(first) as one, memsim.open_run(again) as other:
        assert one.config == other.config
        assert one.config.run.seeds == SEEDS
        assert "seed" not in one.configuration["run"]
        assert one.total_error.tobytes() == other.total_error.tobytes()
    assert "; 3 seeds 5, 0, 9223372036854775807\n" in cli("trace", "info", again).out
    assert cli("trace", "verify", again, "--quiet").status == 0


def test_seed_and_seeds_exclude_each_other(tmp_path, refused):
    with pytest.raises(InputError, match=r"^run\.seeds: give either seed or seeds, not both \(got seed 0\)$"):
        Configuration(run={"seed": 0, "seeds": [1, 2]})
    source = tmp_path / "run.toml"
    source.write_text('[run]\nseeds = [1, 2]\n[data]\ngate = "or"\n')
    refused("run.seeds: give either seed or seeds", "run", source, "--set", "run.seed=1")
    refused(r"run\.seeds\.0: must be greater than or equal to 0 \(got -1\)", "run", source, "--set", "run.seeds=[-1]")
    config, _, _ = load_source(source)
    assert config.run.every_seed == (1, 2)
    assert config.run.lanes == 2


def test_a_state_that_is_lost_names_its_realisations():
    config = of_seeds("slp", SEEDS)
    engine = training._engine(training.assemble(config, REAL), training.trace_plan(training.assemble(config, REAL)), 5)
    (block,) = engine.blocks
    block.of_elements(block.banks[0].state, 0)[1, 0, 4] = np.inf
    block.sample.error[7] = np.nan
    with pytest.raises(NotFiniteError, match="is no longer finite in epoch 0") as error:
        check_finite(engine.assembly, engine.blocks, engine.clock.epoch)
    engine.close()
    assert error.value.realisations == (4, 7)
