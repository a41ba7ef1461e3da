"""A sweep that Python asks for: the one that the command makes, and its results as a table."""

import numpy as np
import pytest

import memsim
from memsim.errors import InputError

SECTIONS = {
    "time": {"pulse_steps": 3, "integrator": "euler"},
    "learning": {"epochs": 2},
    "data": {"gate": "xor", "samples": 6},
}


def test_a_sweep_is_made_and_read_as_a_table(tmp_path):
    pytest.importorskip("pandas")
    config = memsim.Configuration(**SECTIONS)
    found = memsim.sweep(config, {"learning.rate": (0.1, 0.2)}, seeds=range(2), out=tmp_path / "rates", processes=1)
    assert repr(found) == f"<Sweep: 4 points, 4 finished; {tmp_path / 'rates'}>"
    table = found.to_pandas()
    assert table["learning.rate"].tolist() == [0.1, 0.1, 0.2, 0.2]
    assert table["run.seed"].tolist() == [0, 1, 0, 1]
    for _, row in table.iterrows():
        alone = memsim.Configuration(
            **SECTIONS | {"run": {"seed": row["run.seed"]}, "learning": {"epochs": 2, "rate": row["learning.rate"]}}
        )
        np.testing.assert_array_equal(memsim.run(alone).total_error[-1], row["total_error"])
    again = memsim.sweep(config, {"learning.rate": [0.1, 0.2]}, seeds=[0, 1], out=tmp_path / "rates", resume=True)
    assert again.to_pandas().equals(table)


def test_a_sweep_that_cannot_be_made_is_refused(tmp_path):
    config = memsim.Configuration(**SECTIONS)
    for message, arguments in {
        r"^fields: give at least one field": (config,),
        r"^config: must be a configuration, as memsim\.load gives it \(got 3\)$": (3,),
        r"learning\.rat: no such setting; did you mean 'rate'\?": (config, {"learning.rat": [0.1, 0.2]}),
        r"^fields\.rate: must be a dotted name": (config, {"rate": [0.1]}),
    }.items():
        with pytest.raises(InputError, match=message):
            memsim.sweep(*arguments, out=tmp_path / "sweep", processes=1)
    memsim.sweep(config, seeds=[0], out=tmp_path / "sweep", processes=1)
    with pytest.raises(
        InputError, match="holds a sweep; go on with it by resume=True, or name another folder with out="
    ):
        memsim.sweep(config, seeds=[0], out=tmp_path / "sweep", processes=1)
