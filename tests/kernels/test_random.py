"""Random numbers from counters: the published generator, and permutations that depend on keys alone."""

import itertools
import math

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memsim.kernels.compiling import compiled
from memsim.kernels.random import PURPOSE_BIAS, PURPOSE_SHUFFLE, PURPOSE_WEIGHT, shuffle, uniform
from memsim.kernels.random import philox as philox_of_kernels

# Random123 1.14, tests/kat_vectors, philox4x32 with 10 rounds: counter, key, result.
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
words = st.integers(0, 2**32 - 1)


def hexadecimal(text):
    """Words of 32 bits."""
    return tuple(int(word, 16) for word in text.split())


philox = compiled(getattr(philox_of_kernels, "py_func", philox_of_kernels))


def compiled_philox(key, counter):
    """Run the compiled generator on Python integers."""
    seed = np.uint64(key[0] | key[1] << 32)
    return tuple(int(word) for word in philox(seed, *(np.uint64(word) for word in counter)))


def orders(seeds, first_epoch, epochs, samples):
    """Permutations by the compiled kernel, (epochs, samples, realisations)."""
    order = np.empty((epochs, samples, len(seeds)), dtype=np.uint32)
    shuffle(np.array(seeds, dtype=np.uint64), first_epoch, order)
    return order


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(counter, key, answer):
    assert compiled_philox(hexadecimal(key), hexadecimal(counter)) == hexadecimal(answer)
    assert naive.philox(hexadecimal(key), hexadecimal(counter)) == hexadecimal(answer)


@given(key=st.tuples(words, words), counter=st.tuples(words, words, words, words))
def test_philox_equals_its_twin(key, counter):
    assert compiled_philox(key, counter) == naive.philox(key, counter)


@given(
    seed=st.integers(0, 2**64 - 1),
    purpose=st.integers(0, 2**16 - 1),
    bank=st.integers(0, 2**16 - 1),
    device=words,
    step=st.integers(0, 2**63 - 1),
)
def test_uniform_equals_its_twin_and_lies_in_its_range(seed, purpose, bank, device, step):
    value = uniform(np.uint64(seed), purpose, bank, device, step)
    assert value == naive.uniform(seed, purpose, bank, device, step)
    assert 0.0 <= value < 1.0


@given(samples=st.integers(1, 2**31))
def test_the_largest_uniform_number_never_rounds_up_to_an_index_too_many(samples):
    assert int((1.0 - 2.0**-53) * samples) == samples - 1


def test_uniform_has_the_moments_of_a_uniform_distribution():
    seed = np.uint64(7)
    drawn = np.array([uniform(seed, PURPOSE_WEIGHT, 0, device, 0) for device in range(20000)])
    error = 4.0 / math.sqrt(len(drawn))
    for power in (1, 2, 3):
        spread = math.sqrt(1.0 / (2 * power + 1) - 1.0 / (power + 1) ** 2)
        assert np.mean(drawn**power) == pytest.approx(1.0 / (power + 1), abs=error * spread)
    counts = np.histogram(drawn, bins=20, range=(0.0, 1.0))[0]
    # Chi-square with 19 degrees of freedom: 43.8 is exceeded with a chance of 0.001.
    assert np.sum((counts - 1000.0) ** 2 / 1000.0) < 43.8


def test_neighbouring_seeds_devices_banks_steps_and_purposes_are_uncorrelated():
    count = 5000
    here = np.array([uniform(np.uint64(i), PURPOSE_WEIGHT, i % 7, i, i) for i in range(count)])
    neighbours = {
        "seed": [uniform(np.uint64(i + 1), PURPOSE_WEIGHT, i % 7, i, i) for i in range(count)],
        "high word of the seed": [uniform(np.uint64(i + 2**32), PURPOSE_WEIGHT, i % 7, i, i) for i in range(count)],
        "purpose": [uniform(np.uint64(i), PURPOSE_BIAS, i % 7, i, i) for i in range(count)],
        "bank": [uniform(np.uint64(i), PURPOSE_WEIGHT, i % 7 + 1, i, i) for i in range(count)],
        "device": [uniform(np.uint64(i), PURPOSE_WEIGHT, i % 7, i + 1, i) for i in range(count)],
        "step": [uniform(np.uint64(i), PURPOSE_WEIGHT, i % 7, i, i + 1) for i in range(count)],
        "high word of the step": [uniform(np.uint64(i), PURPOSE_WEIGHT, i % 7, i, i + 2**32) for i in range(count)],
    }
    for name, there in neighbours.items():
        assert not np.any(here == np.array(there)), name
        assert abs(np.corrcoef(here, there)[0, 1]) < 4.0 / math.sqrt(count), name


@pytest.mark.parametrize("samples", [1, 2, 9, 100])
def test_shuffle_gives_its_twins_permutation_for_every_epoch_and_realisation(samples):
    seeds = [0, 1, 2**32, 2**64 - 1]
    order = orders(seeds, 3, 4, samples)
    for epoch in range(4):
        for lane, seed in enumerate(seeds):
            assert order[epoch, :, lane].tolist() == naive.shuffle(seed, 3 + epoch, samples)
            assert sorted(order[epoch, :, lane]) == list(range(samples))


def test_shuffle_depends_on_seed_and_epoch_alone():
    seeds = [11, 12, 13, 14, 15]
    whole = orders(seeds, 0, 12, 10)
    assert np.array_equal(orders(seeds[::-1], 0, 12, 10)[:, :, ::-1], whole)  # not on the lane's place
    assert np.array_equal(orders(seeds[3:4], 0, 12, 10), whole[:, :, 3:4])  # nor on its neighbours
    for first, last in itertools.pairwise([0, 1, 5, 12]):  # nor on the block in which an epoch is drawn
        assert np.array_equal(orders(seeds, first, last - first, 10), whole[first:last])
    assert len({whole[epoch, :, lane].tobytes() for epoch in range(12) for lane in range(5)}) == 60


def test_shuffle_knows_epochs_beyond_32_bits():
    late = orders([5], 2**32 + 1, 1, 20)
    assert late[0, :, 0].tolist() == naive.shuffle(5, 2**32 + 1, 20)
    assert not np.array_equal(late, orders([5], 1, 1, 20))


def test_all_permutations_are_equally_frequent():
    order = orders(range(60), 0, 80, 4)
    seen = np.unique(order.transpose(0, 2, 1).reshape(-1, 4), axis=0, return_counts=True)[1]
    assert len(seen) == 24
    # Chi-square with 23 degrees of freedom: 49.7 is exceeded with a chance of 0.001.
    assert np.sum((seen - 200.0) ** 2 / 200.0) < 49.7


def test_purposes_differ():
    assert len({PURPOSE_SHUFFLE, PURPOSE_WEIGHT, PURPOSE_BIAS}) == 3
