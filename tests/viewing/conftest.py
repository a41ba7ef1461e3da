"""What the tests of the viewer look at."""

import pytest

import memsim
from memsim.configuration import TraceSection


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The file of a run of XOR with keyframes alone."""
    path = tmp_path_factory.mktemp("runs") / "xor.h5"
    data = memsim.datasets.gate("xor", samples=20)
    trace = TraceSection(mode="keyframes", keyframe_samples=40)
    memsim.train(memsim.MultilayerPerceptron(), data, epochs=250, realisations=2, trace=trace, out=path).close()
    return path
