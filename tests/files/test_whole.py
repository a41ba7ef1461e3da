"""What a command writes is there whole, or as it was before: on a full disk, through links, and where no file is."""

import os
from pathlib import Path

import pytest
from interrupting import DATA, configuration

from memsim.errors import InputError
from memsim.files.whole import write_text, written_whole
from memsim.runs import training
from memsim.traces.space import DiskFullError


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "run.h5"
    training.run(configuration(learning={"epochs": 4}), DATA, out=path).close()
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.svg", ("trace", "plot", "{run}", "--out")),
        ("a.png", ("trace", "plot", "{run}", "--out")),
        ("a.pdf", ("energy", "{run}", "--plot")),
        ("a.json", ("energy", "{run}", "--json")),
        ("a.csv", ("energy", "{run}", "--csv")),
        ("b.csv", ("trace", "export", "{run}", "--samples", "0:1", "--out")),
    ],
)
@pytest.mark.parametrize("before", [None, "as it was"])
def test_a_full_disk_leaves_no_half_a_file(name, words, before, run_file, tmp_path, cli):
    target = tmp_path / name
    if before is not None:
        target.write_text(before)
    (tmp_path / f".{name}.{os.getpid()}.partial").symlink_to("/dev/full")
    result = cli(*(word.format(run=run_file) for word in words), target, "--overwrite", "--quiet")
    assert result.status == 1
    assert result.err == f"memsim: error: {target}: the disk is full; make room, or name a file on another disk\n"
    assert list(tmp_path.iterdir()) == ([target] if before is not None else [])
    assert before is None or target.read_text() == before


def test_of_a_link_the_file_that_it_leads_to_is_written(tmp_path):
    file, link = tmp_path / "file.txt", tmp_path / "link.txt"
    file.write_text("before")
    link.symlink_to(file)
    write_text(link, "after")
    assert link.is_symlink()
    assert file.read_text() == "after"


def test_what_is_no_file_is_not_replaced(tmp_path):
    with (
        pytest.raises(DiskFullError, match=r"^/dev/full: the disk is full"),
        written_whole(Path("/dev/full"), True) as place,
    ):
        place.write_text("something")
    pipe = tmp_path / "pipe"
    pipe.symlink_to("/dev/null")
    write_text(pipe, "something")
    assert pipe.is_char_device()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_file_that_somebody_else_made_meanwhile_is_kept(tmp_path):
    path = tmp_path / "table.csv"
    with pytest.raises(InputError, match=r"table\.csv: exists"), written_whole(path, overwrite=False) as partial:
        partial.write_text("mine")
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]
