"""Random numbers from counters: what is drawn depends on a key, never on an order.

Philox4x32-10 of Salmon et al., 'Parallel random numbers: as easy as 1, 2, 3'
(SC11). The key is a realisation's own seed; the counter holds what the number
is for. The same realisation draws the same numbers in any lane, block or thread.
"""

import numpy as np

from .compiling import compiled, elementwise, inlined
from .scratch import stack_line

PURPOSE_SHUFFLE = 1
PURPOSE_WEIGHT = 2
PURPOSE_BIAS = 3

LANES = 64  # realisations that a shuffle draws for at once

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)


@elementwise
def philox(seed, counter_0, counter_1, counter_2, counter_3):
    """Four words of 32 random bits for a 64-bit key and a 128-bit counter.

    All arguments and results are uint64; the counters use their low 32 bits.
    """
    key_0 = seed & _LOW
    key_1 = seed >> _HALF
    for _ in range(10):
        product_0 = _MULTIPLIER_0 * counter_0
        product_1 = _MULTIPLIER_1 * counter_2
        counter_0 = (product_1 >> _HALF) ^ counter_1 ^ key_0
        counter_2 = (product_0 >> _HALF) ^ counter_3 ^ key_1
        counter_1 = product_1 & _LOW
        counter_3 = product_0 & _LOW
        key_0 = (key_0 + _WEYL_0) & _LOW
        key_1 = (key_1 + _WEYL_1) & _LOW
    return counter_0, counter_1, counter_2, counter_3


@elementwise
def uniform(seed, purpose, bank, device, step):
    """A uniform number in [0, 1) with 53 random bits, keyed by what it is for.

    Parameters
    ----------
    seed : uint64
        The realisation's own seed.
    purpose, bank, device : int
        What the number is for; bank and device count from 0. ``purpose`` and
        ``bank`` are below 2**16, ``device`` below 2**32.
    step : int
        64-bit time or epoch.
    """
    where = (np.uint64(purpose) << np.uint64(16)) | np.uint64(bank)
    when = np.uint64(step)
    high, low, _, _ = philox(seed, when & _LOW, when >> _HALF, np.uint64(device), where)
    bits = (high << np.uint64(21)) | (low >> np.uint64(11))
    return np.float64(bits) * 1.1102230246251565e-16


@compiled
def shuffle(seeds, first_epoch, order):
    """Fill ``order`` with one keyed permutation for each epoch and realisation.

    Fisher and Yates's shuffle; draw ``i`` of an epoch is keyed by the epoch and i.
    The draws of all realisations are made in one loop, which becomes vector
    instructions.

    Parameters
    ----------
    seeds : (realisations,) uint64
    first_epoch : int
        The epoch of ``order[0]``.
    order : (epochs, samples, realisations) uint32
        Filled with sample indices.
    """
    epochs, samples, realisations = order.shape
    for epoch in range(epochs):
        for i in range(samples):
            for lane in range(realisations):
                order[epoch, i, lane] = i
        for i in range(samples - 1, 0, -1):
            for first in range(0, realisations, LANES):
                _swap(seeds, first_epoch + epoch, i, first, order[epoch])


@inlined
def _swap(seeds, epoch, i, first, order):
    """Swap sample ``i`` with one that is drawn, in some realisations from ``first`` on."""
    drawn = stack_line(LANES)
    lanes = min(LANES, seeds.size - first)
    part = seeds[first : first + lanes]
    for lane in range(lanes):
        drawn[lane] = uniform(part[lane], PURPOSE_SHUFFLE, 0, i, epoch) * (i + 1)
    last = order[i, first : first + lanes]
    for lane in range(lanes):
        j = np.int64(drawn[lane])
        kept = last[lane]
        last[lane] = order[j, first + lane]
        order[j, first + lane] = kept
