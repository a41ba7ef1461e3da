"""A sweep that Python asks for: the one that the command makes, and its results as a table."""

import subprocess
import sys

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


def test_a_script_that_starts_itself_again_is_told_how_to_call_a_sweep(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import memsim\n"
        'found = memsim.sweep(memsim.Configuration(), {"learning.rate": [0.1]}, out="rates", processes=2)\n'
        "print(found.missing)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "InputError: sweep: starts processes, which read this script again; call it below if __name__" in done.stderr
    assert done.stdout == "('pack-00000',)\n"


def test_a_run_file_is_no_configuration_of_a_sweep(tmp_path):
    (tmp_path / "run.h5").write_bytes(b"")
    with pytest.raises(InputError, match=r"run\.h5: is a run file; memsim\.open_run\("):
        memsim.sweep(tmp_path / "run.h5", {"learning.rate": [0.1]}, out=tmp_path / "rates")
