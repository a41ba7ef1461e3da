"""Random numbers from counters: what is drawn depends on a key, never on an order.

Philox4x32-10 of Salmon et al., 'Parallel random numbers: as easy as 1, 2, 3'
(SC11). The key is a realisation's own seed; the counter holds what the number
is for. The same realisation draws the same numbers in any lane, block or thread.
"""

import math

import numpy as np

from .compiling import Kernel, compiled, inlined, merged
from .mathematics import logarithm
from .operands import SHUFFLE, Draw
from .records import Packed, from_python
from .scratch import stack_line

PURPOSE_SHUFFLE = 1
PURPOSE_WEIGHT = 2
PURPOSE_BIAS = 3
PURPOSE_SPREAD = 4
PURPOSE_STUCK = 5
PURPOSE_WRITE_NOISE = 6
PURPOSE_READ_NOISE = 7
PURPOSE_FIRST_TRAP = 8
PURPOSE_TRAP = 9
PURPOSE_EVALUATION = 10
PURPOSE_VALIDATION = 11
PURPOSE_PROGRAMMING = 12

LANES = 64  # realisations that a shuffle draws for at once

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)


# Coefficients of AS 241, from the constant term on.
_CENTRE_ABOVE = (
    3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
    45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
)  # fmt: skip
_CENTRE_BELOW = (
    1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
    21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610,
)  # fmt: skip
_NEAR_ABOVE = (
    1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
    1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4,
)  # fmt: skip
_NEAR_BELOW = (
    1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
    0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
)  # fmt: skip
_FAR_ABOVE = (
    6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
    0.0265321895265761230930, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
)  # fmt: skip
_FAR_BELOW = (
    1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
    7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
)  # fmt: skip


@merged
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


uniform_of = merged(uniform)  # for kernels


@merged
def _ratio(x, a, b):
    """The quotient of two polynomials of degree 7, by Horner's rule."""
    above, below = a[7], b[7]
    for k in range(6, -1, -1):
        above = above * x + a[k]
        below = below * x + b[k]
    return above / below


def normal(seed, purpose, bank, device, step):
    """A standard normal number from :func:`uniform_of`, by the inverse of its distribution; within +-8.21.

    Wichura, 'Algorithm AS 241: the percentage points of the normal
    distribution', Applied Statistics 37, 477 (1988), PPND16, about 1 in 10**16.
    """
    q = uniform_of(seed, purpose, bank, device, step) - 0.5
    tail = 0.5 - abs(q)
    tail = tail if tail > 1.1102230246251565e-16 else 1.1102230246251565e-16
    if abs(q) <= 0.425:
        return q * _ratio(0.180625 - q * q, _CENTRE_ABOVE, _CENTRE_BELOW)
    r = math.sqrt(-logarithm(tail))
    near = _ratio(r - 1.6, _NEAR_ABOVE, _NEAR_BELOW)
    return math.copysign(near if r <= 5.0 else _ratio(r - 5.0, _FAR_ABOVE, _FAR_BELOW), q)


normal_of = merged(normal)  # for kernels


# For Python.
uniform = compiled(uniform)
normal = compiled(normal)


def draw_orders(draw):
    """Fill ``draw.order`` with one keyed permutation for each epoch and realisation.

    Fisher and Yates's shuffle; draw ``i`` of an epoch is keyed by the epoch and i.
    The draws of all realisations are made in one loop, which becomes vector
    instructions.
    """
    epochs, samples, realisations = draw.order.shape
    for epoch in range(epochs):
        for i in range(samples):
            for lane in range(realisations):
                draw.order[epoch, i, lane] = i
        for i in range(samples - 1, 0, -1):
            for first in range(0, realisations, LANES):
                _swap(draw.seeds, draw.first_epoch + epoch, i, first, draw.order[epoch])
    return samples


DRAW_ORDERS = Kernel(draw_orders, SHUFFLE)


def shuffle(seeds, first_epoch, order):
    """Draw the order of samples, for Python.

    Parameters
    ----------
    seeds : (realisations,) uint64
    first_epoch : int
        The epoch of ``order[0]``.
    order : (epochs, samples, realisations) uint32
        Filled with sample indices.
    """
    from_python(DRAW_ORDERS)(Packed(Draw(seeds, order, first_epoch)))


@inlined
def _swap(seeds, epoch, i, first, order):
    """Swap sample ``i`` with one that is drawn, in some realisations from ``first`` on."""
    drawn = stack_line(LANES)
    lanes = min(LANES, seeds.size - first)
    part = seeds[first : first + lanes]
    for lane in range(lanes):
        drawn[lane] = uniform_of(part[lane], PURPOSE_SHUFFLE, 0, i, epoch) * (i + 1)
    last = order[i, first : first + lanes]
    for lane in range(lanes):
        j = np.int64(drawn[lane])
        kept = last[lane]
        last[lane] = order[j, first + lane]
        order[j, first + lane] = kept
