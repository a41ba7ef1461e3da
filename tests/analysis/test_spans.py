"""Spans and channels: what a text or a selection stands for, and what is refused."""

from types import SimpleNamespace

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memsim.analysis.spans import UNITS, parse_span, steps_of
from memsim.cli import options
from memsim.errors import InputError
from memsim.runs.channels import Channel, choose
from memsim.traces.reader import BankInfo

SAMPLES, SAMPLE_STEPS = 5, 7
SIZES = {"epochs": SAMPLES * SAMPLE_STEPS, "samples": SAMPLE_STEPS, "steps": 1}
BANKS = {
    "synapses1": BankInfo("synapses1", "synapse", 4, (("memristance", "ohm", -1.0, 1.0),)),
    "memristor": BankInfo("memristor", "threshold-memristor", 2, (("weight1", "1", -1, 1), ("bias", "1", -1, 1))),
}


def run_of(steps):
    return SimpleNamespace(
        steps=steps, samples=SAMPLES, sample_steps=SAMPLE_STEPS, realisations=3, banks=tuple(BANKS), bank=BANKS.get
    )


@given(unit=st.sampled_from(UNITS), steps=st.integers(1, 400), data=st.data())
def test_every_span_within_a_run_is_its_steps(unit, steps, data):
    size = SIZES[unit]
    count = -(-steps // size)
    start = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(start + 1, count))
    run = run_of(steps)
    assert parse_span(f"{start}:{stop}", unit, run) == (start * size, min(stop * size, steps))
    assert parse_span(f"{start}:", unit, run) == (start * size, steps)
    assert parse_span(f":{stop}", unit, run) == (0, min(stop * size, steps))
    assert parse_span(f" {start} ", unit, run) == parse_span(f"{start}:{start + 1}", unit, run)
    assert parse_span(f"{start - count}", unit, run) == parse_span(f"{start}", unit, run)
    assert parse_span(f"{start - count}:", unit, run) == (start * size, steps)
    assert parse_span(start, unit, run) == parse_span(f"{start}", unit, run)
    assert parse_span((start, stop), unit, run) == parse_span(f"{start}:{stop}", unit, run)
    if stop < count:
        assert parse_span(f"{start}:{stop - count}", unit, run) == (start * size, stop * size)


@given(st.text(max_size=8))
def test_any_other_text_is_refused_in_one_line(text):
    try:
        start, stop = parse_span(text, "samples", run_of(70))
    except InputError as error:
        assert str(error).startswith("samples: ")
        assert len(str(error).splitlines()) == 1
    else:
        assert 0 <= start < stop <= 70


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("7:2", "epochs", r"^epochs: the end must be above the beginning, and below 11 \(got '7:2'\)"),
        ("2:2", "epochs", "the end must be above the beginning"),
        ("10", "epochs", r"^epochs: the run has epochs 0 to 9, so a span ends at 10 \(got '10'\)"),
        ("0:51", "samples", "the run has samples 0 to 49"),
        ("0:351", "steps", "the run has steps 0 to 349"),
        ("", "steps", r"^steps: must be A:B or A, as 0:3 or 7, or -3: for the last three \(got ''\)"),
        (":", "steps", "must be A:B or A"),
        ("-", "steps", "must be A:B or A"),
        ("7-3", "steps", "must be A:B or A"),
        ("-:3", "steps", "must be A:B or A"),
        ("1" * 30, "steps", "must be A:B or A"),
        ("-11", "epochs", r"^epochs: the run has 10 epochs, so -10 is the first \(got '-11'\)"),
        (":-50", "samples", "the end must be above the beginning"),
        ("-1:-3", "steps", "the end must be above the beginning"),
        ("1.5", "steps", "must be A:B or A"),
        ("²", "steps", "must be A:B or A"),
        ("9" * 5000, "steps", "must be A:B or A"),
        ("1", "weeks", "unit: must be one of epochs, samples, steps"),
    ],
)
def test_refused_spans(text, unit, message):
    with pytest.raises(InputError, match=message):
        parse_span(text, unit, run_of(350))


def test_a_span_is_given_in_one_unit_at_most():
    run = run_of(350)
    assert steps_of(run) == (0, 350)
    assert steps_of(run, default=(7, 14)) == (7, 14)
    assert steps_of(run, samples="1", default=(0, 3)) == (7, 14)
    with pytest.raises(InputError, match=r"^epochs and steps: a span is given in one unit"):
        steps_of(run, epochs="0", steps="3")


def test_a_span_from_the_end_of_a_run_with_a_part_of_an_epoch():
    run = run_of(10 * SIZES["epochs"] + 3)
    assert parse_span("-1", "epochs", run) == (10 * SIZES["epochs"], run.steps)
    assert parse_span("-3:-1", "epochs", run) == (8 * SIZES["epochs"], 10 * SIZES["epochs"])


def test_a_run_without_an_epoch_has_no_span():
    with pytest.raises(InputError, match="the run has no complete epoch yet"):
        steps_of(run_of(0), default=(0, 0))


# Channels


def test_what_is_not_chosen_is_taken_whole_and_in_order():
    channels = choose(run_of(70))
    assert channels.banks == ("synapses1", "memristor")
    assert channels.devices == {"synapses1": (0, 1, 2, 3), "memristor": (0, 1)}
    assert channels.quantities == ("state", "current", "voltage")
    # Two variables of a threshold memristor count as two channels.
    assert len(channels) == len(set(channels)) == 3 * (4 * 3 + 2 * 4)


def test_what_is_chosen_is_sorted_and_counted_once():
    channels = choose(run_of(70), ["memristor"], [1, 0, 1], [2], ["voltage", "state"])
    assert list(channels) == [
        Channel("memristor", "state", 0, 0, 2), Channel("memristor", "state", 0, 1, 2),
        Channel("memristor", "state", 1, 0, 2), Channel("memristor", "state", 1, 1, 2),
        Channel("memristor", "voltage", 0, None, 2), Channel("memristor", "voltage", 1, None, 2),
    ]  # fmt: skip
    assert len(channels) == 6


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"banks": ["nodes9"]}, r"^banks: must be among synapses1, memristor \(got 'nodes9'\)$"),
        ({"devices": [2]}, r"^devices of memristor: must be from 0 to 1 \(got 2\); choose banks with banks=NAMES$"),
        ({"devices": [2], "banks": ["memristor"]}, r"^devices of memristor: must be from 0 to 1 \(got 2\)$"),
        ({"devices": [-1]}, r"^devices of synapses1: must be from 0 to 3 \(got -1\); choose banks with banks=NAMES$"),
        ({"realisations": [3]}, r"^realisations: must be from 0 to 2 \(got 3\)$"),
        ({"quantities": ["power"]}, r"^quantities: must be among state, current, voltage \(got 'power'\)$"),
    ],
)
def test_refused_channels(chosen, message):
    with pytest.raises(InputError, match=message):
        choose(run_of(70), **chosen)


# The options


@pytest.fixture
def parsed():
    @click.command()
    @options.channels
    @options.spans
    def command(**given):
        return given

    return lambda *arguments: command.main(list(arguments), standalone_mode=False)


def test_a_span_may_begin_with_a_minus(parsed):
    assert parsed("--epochs", "-3:")["epochs"] == "-3:"
    assert parsed("--steps", "-1")["steps"] == "-1"


def test_options_may_be_repeated_and_have_commas_and_ranges(parsed):
    given = parsed("--banks", "a, b", "--banks", "c", "--devices", "4,0:3", "--samples", "1:2")
    assert given["banks"] == ("a", "b", "c")
    assert given["devices"] == (4, 0, 1, 2)
    assert (given["epochs"], given["samples"], given["steps"]) == (None, "1:2", None)
    assert given["realisations"] == given["quantities"] == ()


@pytest.mark.parametrize("text", ["", "1,", "a", "3:3", "5:1", ":3", "-1", "1:2:3", "0:99999999", "²"])
def test_refused_lists_of_numbers(parsed, text):
    with pytest.raises(click.BadParameter, match=r"\(got '"):
        parsed("--devices", text)
