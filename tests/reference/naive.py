"""Naive twins of the kernels: one device after the other, one step after the other, in plain Python.

A twin shares the device models' equations with its kernel, as plain Python, and nothing else: no tiles, no lanes, no
skipping, no compiled code. Its sums over devices run in index order and its operations in the documented order, so
that kernel and twin agree to the last bit.
"""

import math
import types
import zlib
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from memsim.calibration.bank import BankCalibration
from memsim.calibration.memristor_banks import memristor_of
from memsim.devices import CarrierMemristor
from memsim.kernels.slots import Operation, Phase
from memsim.network.schedule import Slot

ANYTHING = -1  # a pulse may move every variable
NOTHING = -2  # a pulse may move no variable

WORD = 0xFFFFFFFF


def bits(values):
    """Float64 values as 64-bit integers: equal only where they are the same to the last bit."""
    return np.array(values, dtype=np.float64, order="C").view(np.uint64)


# Elementary functions and random numbers


EXPONENTIAL = (
    0.5000000000000011, 0.16666666666666413, 0.04166666666653016, 0.008333333333494446, 0.0013888888943629925,
    0.0001984126950660702, 2.480149309902565e-05, 2.755758635352228e-06, 2.763024836847288e-07, 2.5000066626477466e-08,
)  # fmt: skip
LOGARITHM = (
    0.6666666666666734, 0.3999999999941394, 0.2857142874256663, 0.22222198553395092, 0.18183565425364695,
    0.1531402068974668, 0.14796265243631757,
)  # fmt: skip
LN_2, LN_2_REST = 0.6931471805599453, 2.3190468138462996e-17


def fma(a, b, c):
    """Return a * b + c, rounded once: the product in two parts (Veltkamp, Dekker), and their exact sum with c."""
    product = a * b
    if a == 0.0 or b == 0.0:  # devices that rest: fractions would take most of a test's time
        return product + c
    if not (1e-270 < abs(product) < 1e270 and abs(a) < 1e270 and abs(b) < 1e270 and math.isfinite(c)):
        return fma_by_fractions(a, b, c)
    high_a, high_b = ((2.0**27 + 1.0) * factor for factor in (a, b))
    high_a, high_b = high_a - (high_a - a), high_b - (high_b - b)
    low_a, low_b = a - high_a, b - high_b
    rest = low_a * low_b - (((product - high_a * high_b) - low_a * high_b) - high_a * low_b)
    total = math.fsum((product, rest, c))
    return total if total != 0.0 else product + c


def fma_by_fractions(a, b, c):
    """Return a * b + c, rounded once, from exact fractions."""
    if not (math.isfinite(a) and math.isfinite(b) and math.isfinite(c)):
        return c if math.isfinite(a) and math.isfinite(b) else a * b + c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if abs(exact) >= Fraction(2) ** 1024 - Fraction(2) ** 970:
        return math.copysign(math.inf, 1 if exact > 0 else -1)
    return float(exact) if exact != 0 else a * b + c


def reduced(x):
    """Return the nearest multiple of ln 2, and what is left of x: first rounded once, then in full."""
    nearest = fma(x, 1.4426950408889634, 1.5 * 2.0**52) - 1.5 * 2.0**52
    nearer = fma(-nearest, LN_2, x)
    return int(nearest), nearer, fma(-nearest, LN_2_REST, nearer)


def curve(r):
    """Return (e**r - 1 - r) / r**2 by a polynomial, of which pairs of terms are added, and pairs of pairs."""
    pairs = [fma(r, EXPONENTIAL[n + 1], EXPONENTIAL[n]) for n in range(0, 10, 2)]
    square = r * r
    low, middle = fma(square, pairs[1], pairs[0]), fma(square, pairs[3], pairs[2])
    fourth = square * square
    return fma(fourth, fma(fourth, pairs[4], middle), low)


def sum_of(r):
    """Return e**r for r within half of ln 2."""
    more = 1.0 + r
    return more + fma(r * r, curve(r), (1.0 - more) + r)


def exponential(x):
    """Return e**x."""
    return exponential_halved(x, 0)


def exponential_halved(x, halvings):
    """Return e**x / 2**halvings: a polynomial's value, whose exponent is raised in two steps of about the same size."""
    if math.isnan(x):
        return x
    power, _, rest = reduced(within(x, -750.0, 720.0))
    power -= halvings
    half = math.floor(power / 2)
    value = math.ldexp(sum_of(rest), half)
    return value * 2.0 ** (power - half) if power - half < 1024 else math.inf


def logistic(x):
    """Return 1 / (1 + e**-x), of a negative x e**x / (1 + e**x), with what rounding took from sum and quotient."""
    smaller = exponential(-abs(x))
    below = 1.0 + smaller
    above = 1.0 if x >= 0.0 else smaller
    quotient = above * (1.0 / below)
    rest = fma(-quotient, below, above) - quotient * (smaller - (below - 1.0))
    return quotient + rest * (1.0 / below)


def beyond_one(x):
    """Return e**x - 1 for x from 0 to 44, as the number nearest to it and the rest."""
    power, nearer, r = reduced(x)
    small = fma(-float(power), LN_2_REST, nearer - r)
    tail = fma(r * r, curve(r), small)
    t = r + tail
    lost = (r - t) + tail
    scale = math.ldexp(1.0, power)
    high = fma(scale, t, scale - 1.0)
    return high, fma(scale, t, (scale - 1.0) - high) + scale * lost


def share(high, low, other):
    """Return d / (d + other) of d = high + low, as the number nearest to it and the rest."""
    below = high + other
    smaller, larger = sorted((high, other))
    lost = smaller - (below - larger)
    quotient = high * (1.0 / below)
    rest = fma(-quotient, below, high) - quotient * lost + (1.0 - quotient) * low
    return quotient, rest * (1.0 / below)


def hyperbolic_tangent(x):
    """Return d / (d + 2), d = e**(2 |x|) - 1, with the sign of x."""
    return x if math.isnan(x) else math.copysign(sum(share(*beyond_one(2.0 * min(abs(x), 22.0)), 2.0)), x)


def hyperbolic_sine(x):
    """Return (d + d / (d + 1)) / 2, d = e**|x| - 1, with the sign of x; beyond 22 half of e**|x|."""
    if math.isnan(x):
        return x
    if abs(x) > 22.0:
        return math.copysign(exponential_halved(abs(x), 1), x)
    high, low = beyond_one(abs(x))
    quotient, rest = share(high, low, 1.0)
    return math.copysign(0.5 * (high + (quotient + (rest + low))), x)


def exponent_of(u):
    """Return the power of 2 that brings a number within a factor of the square root of 2 from 1."""
    half, exponent = math.frexp(u)
    return exponent if 2.0 * half > math.sqrt(2.0) else exponent - 1


def logarithm_of(f, n, lost=0.0):
    """Return ln((1 + f) 2**n) + lost by artanh's series."""
    n = float(n)
    s = f / (2.0 + f)
    z = s * s
    pairs = [fma(z, LOGARITHM[k + 1], LOGARITHM[k]) for k in (0, 2, 4)]
    square = z * z
    series = fma(square, fma(square, fma(square, LOGARITHM[6], pairs[2]), pairs[1]), pairs[0])
    high = fma(n, LN_2, f)
    low = fma(n, LN_2, -high) + f
    return high + (fma(-s, fma(-z, series, f), low) + fma(n, LN_2_REST, lost))


def logarithm(x):
    """Return ln x."""
    if math.isnan(x) or x < 0.0:
        return math.nan
    if x in (0.0, math.inf):
        return x if x else -math.inf
    raised = 54 if x < 2.0**-1000 else 0
    n = exponent_of(math.ldexp(x, raised))
    return logarithm_of(math.ldexp(x, raised - n) - 1.0, n - raised)


def logarithm_of_one_plus(x):
    """Return ln(1 + x)."""
    if math.isnan(x) or x < -1.0:
        return math.nan
    if x in (0.0, -1.0, math.inf):
        return -math.inf if x == -1.0 else x
    n = exponent_of(1.0 + x)
    f = fma(x, 2.0**-n, 2.0**-n - 1.0)
    return logarithm_of(f, n, fma(x, 2.0**-n, (2.0**-n - 1.0) - f) * fma(f, f - 1.0, 1.0))


def inverse_hyperbolic_sine(x):
    """Return the sign of x times ln(1 + |x| + x**2 / (1 + sqrt(1 + x**2))), of a large x times ln(2 |x|)."""
    size = abs(x)
    if not size < math.inf:
        return x
    far = size > 2.0**60
    y = size if far else size + size * size / (1.0 + math.sqrt(1.0 + size * size))
    n = exponent_of(1.0 + y)
    return math.copysign(logarithm_of(fma(y, 2.0**-n, 2.0**-n - 1.0), n + far), x)


def power(x, exponent):
    """Return x**exponent: beyond 3 by products in two parts, from the lowest bit of the exponent on."""
    if exponent <= 3:
        return math.prod([x] * exponent) if exponent else 1.0
    value, rest, more = 1.0, 0.0, 0.0
    while exponent:
        if exponent % 2:
            value, rest = value * x, fma(value, x, -(value * x)) + fma(value, more, rest * x)
        x, more = x * x, fma(x, x, -(x * x)) + 2.0 * (x * more)
        exponent //= 2
    return value + rest


def philox(key, counter):
    """Philox4x32-10: two words of key, four of counter, four of random bits, all Python integers."""
    key_0, key_1 = key
    c0, c1, c2, c3 = counter
    for _ in range(10):
        high_0, low_0 = divmod(0xD2511F53 * c0, 1 << 32)
        high_1, low_1 = divmod(0xCD9E8D57 * c2, 1 << 32)
        c0, c1, c2, c3 = high_1 ^ c1 ^ key_0, low_1, high_0 ^ c3 ^ key_1, low_0
        key_0 = (key_0 + 0x9E3779B9) & WORD
        key_1 = (key_1 + 0xBB67AE85) & WORD
    return c0, c1, c2, c3


def uniform(seed, purpose, bank, device, step):
    """Return the first 53 bits of a Philox block as a number in [0, 1)."""
    seed, step = int(seed), int(step)
    counter = step & WORD, step >> 32, device, purpose << 16 | bank
    high, low, _, _ = philox((seed & WORD, seed >> 32), counter)
    return (high << 21 | low >> 11) / 2.0**53


CENTRE = (
    (3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727),
    (1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
     21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610),
)  # fmt: skip
NEAR = (
    (1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
     1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
     0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
FAR = (
    (6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
     0.0265321895265761230930, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def quantile(share):
    """Return the standard normal number below which a share lies, in multiples of 2**-53: Wichura's AS 241."""

    def quotient(x, polynomials):
        above, below = ([*reversed(p)] for p in polynomials)
        sums = above[0], below[0]
        for a, b in zip(above[1:], below[1:], strict=True):
            sums = sums[0] * x + a, sums[1] * x + b
        return sums[0] / sums[1]

    q = share - 0.5
    if abs(q) <= 0.425:
        return q * quotient(0.180625 - q * q, CENTRE)
    r = math.sqrt(-logarithm(max(min(share, 1.0 - share), 2.0**-53)))
    return math.copysign(quotient(r - 1.6, NEAR) if r <= 5.0 else quotient(r - 5.0, FAR), q)


def normal(seed, purpose, bank, device, step):
    """Return a standard normal number for a key."""
    return quantile(uniform(seed, purpose, bank, device, step))


def shuffle(seed, epoch, samples):
    """Return Fisher and Yates's permutation for one epoch of one realisation."""
    order = list(range(samples))
    for i in range(samples - 1, 0, -1):
        j = math.floor(uniform(seed, 1, 0, i, epoch) * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


# Devices


def plain(function):
    """Return a function as plain Python, and with it all compiled functions that it calls."""
    source = getattr(function, "py_func", function)
    names = source.__globals__
    called = {name: plain(names[name]) for name in source.__code__.co_names if hasattr(names.get(name), "py_func")}
    return types.FunctionType(source.__code__, names | called, source.__name__)


class Physics:
    """A model's equations for one device, whose state is a list of floats.

    Under a voltage the drive is a voltage, and the response the current it causes; the drift is that of this current,
    or the model's own under a voltage.
    """

    def __init__(self, functions, drive="current"):
        self.variables = functions.variables
        self.model_output = plain(functions.output)
        self.model_current = plain(functions.current) if functions.current else None
        own = functions.drift_under_voltage if drive == "voltage" else None
        self.model_drift = plain(own or functions.drift)
        own_near = functions.drift_near_under_voltage if drive == "voltage" else None
        self.model_near = functions.drift_near and plain(own_near or functions.drift_near)
        self.converts_near = drive == "voltage" and own_near is None
        self.converts = drive == "voltage" and own is None
        self.drive = drive

    def drift(self, variable, x, drive, p):
        """Time derivative of one variable."""
        if self.converts:
            drive = self.model_current(x[0], drive, p)
        if self.variables == 1:
            return self.model_drift(x[0], drive, p)
        return float(self.model_drift(variable, np.array(x)[:, None], 0, drive, p))

    def near(self, x, below, above, drive, p):
        """Time derivative of a state near a bound, of which both distances are given."""
        current = self.model_current(x, drive, p) if self.converts_near else drive
        return self.model_near(x, below, above, current, p)

    def response(self, x, drive, p):
        """Voltage under a current, or current under a voltage."""
        if self.drive == "voltage":
            return self.model_current(x[0], drive, p)
        if self.variables == 1:
            return self.model_output(x[0], drive, p)
        return float(self.model_output(np.array(x)[:, None], 0, drive, p))


class OwnPhysics:
    """The equations of a device whose drift has a factor of its own, whose states may relax, and whose past counts."""

    def __init__(self, physics, device):
        self.physics, self.factor, self.rate, self.aims = physics, device.factor, device.rate, device.aims
        self.gain, self.closed, self.middle = device.gain, device.closed, device.middle
        self.model_near = None if self.aims else physics.model_near

    def response(self, x, drive, p):
        """Voltage under a current, of a state that wear draws towards the middle, and of a trap."""
        seen = x if self.closed is None else [x[0] + self.closed * (self.middle - x[0])]
        voltage = self.physics.response(seen, drive, p)
        return voltage if self.gain is None else self.gain * voltage

    def near(self, x, below, above, drive, p):
        """Time derivative of a state near a bound."""
        return self.factor * self.physics.near(x, below, above, drive, p)

    def drift(self, variable, x, drive, p):
        """Time derivative of one variable."""
        drift = self.factor * self.physics.drift(variable, x, drive, p)
        return drift + self.rate * (self.aims[variable] - x[variable]) if self.aims else drift


def converted(value, limit, bits):
    """Return a value within +-limit on the grid of 2**bits - 1 codes, and whether it was cut."""
    if limit is None:
        return value, False
    cut = math.copysign(limit, value) if abs(value) > limit else value
    step = limit / (2 ** (bits - 1) - 1) if bits else 0.0
    return math.floor(cut / step + 0.5) * step if bits else cut, abs(value) > limit


def read_error(around):
    """Return the standard deviation of what a read-out gives."""
    step = around.readout_range / (2 ** (around.readout_bits - 1) - 1) if around.readout_bits else 0.0
    return math.hypot(around.read_noise, step / math.sqrt(12.0))


def trust(current, error, unseen):
    """Return how much a measurement counts beside what is known."""
    known = unseen * abs(current)
    return known * known / (known * known + error * error)


def within_limit(bias, change, limit):
    """Return a change that leads no further than the limit, in the same direction."""
    if abs(bias + change) <= limit:
        return change
    room = max(limit - bias, 0.0) if change > 0.0 else min(-limit - bias, 0.0)
    return min(change, room) if change > 0.0 else max(change, room)


def within(value, lower, upper):
    """Return the value, or the bound beyond which it lies."""
    if value < lower:
        return lower
    return upper if value > upper else value


def euler(physics, x, start, end, *, dt, p, lower, upper):
    """Return the state one step of explicit Euler later."""
    return [within(fma(dt, physics.drift(v, x, start, p), x[v]), lower[v], upper[v]) for v in range(len(x))]


def heun(physics, x, start, end, *, dt, p, lower, upper):
    """Return the state one step of Heun's method later."""
    variables = range(len(x))
    first = [physics.drift(v, x, start, p) for v in variables]
    ahead = [within(fma(dt, first[v], x[v]), lower[v], upper[v]) for v in variables]
    both = [first[v] + physics.drift(v, ahead, end, p) for v in variables]
    return [within(fma(0.5 * dt, both[v], x[v]), lower[v], upper[v]) for v in variables]


def leap(physics, x, current, steps, *, dt, p, lower, upper):
    """Return a state after a pulse of constant drift, the voltages' sum, both from the closed form."""
    step = dt * physics.drift(0, x, current, p)
    bound = upper[0] if step > 0.0 else lower[0]
    free = math.floor((bound - x[0]) / step) if step != 0.0 else steps
    free = float(max(min(free, steps), 0))
    after = [within(x[0] + float(steps) * step, lower[0], upper[0])]
    mean = physics.response([x[0] + 0.5 * (free + 1.0) * step], current, p)
    return after, free * mean + (float(steps) - free) * physics.response(after, current, p)


INTEGRATORS = {"euler": euler, "heun": heun}


class Near(list):
    """A state near a bound, with the logit that holds it there."""

    def __init__(self, logit, lower, upper):
        below, above = distances(logit, upper - lower)
        super().__init__([state_between(below, above, lower, upper)])
        self.logit = logit


def distances(logit, width):
    """Return the distances from both bounds."""
    odds = exponential(within(logit, -708.0, 708.0))
    share = 1.0 / (1.0 + odds)
    return width * (odds * share), width * share


def state_between(below, above, lower, upper):
    """Return the state at two distances from its bounds, which is at neither."""
    if above < below:
        return upper - above if upper - above < upper else upper - 2.0**-52 * abs(upper)
    return lower + below if lower + below > lower else lower + 2.0**-52 * abs(lower)


def is_near(x, lower, upper):
    """Tell whether a state is so near to a bound that it is held by its logit."""
    return abs(x - 0.5 * (lower + upper)) > (0.5 - 2.0**-16) * (upper - lower)


def step(physics, integrator, x, start, end, *, dt, p, lower, upper):
    """Return the state one step later, which is held by its logit where its model has a drift near bounds."""
    if physics.model_near is None:
        return INTEGRATORS[integrator](physics, x, start, end, dt=dt, p=p, lower=lower, upper=upper)
    free = {"lower": [-math.inf], "upper": [math.inf]}
    ahead = INTEGRATORS[integrator](physics, x, start, end, dt=dt, p=p, **free)
    if not (is_near(x[0], *lower, *upper) or is_near(ahead[0], *lower, *upper)):
        return ahead
    if x[0] in (*lower, *upper):
        return x
    logit = getattr(x, "logit", None)
    if logit is None:
        below, above = x[0] - lower[0], upper[0] - x[0]
        nearer = max(min(below, above), 2.0**-1000 * (upper[0] - lower[0]))
        size = logarithm_of_one_plus(abs(below - above) / nearer)
        logit = math.copysign(size, below - above)

    def rate(logit, drive):
        width = upper[0] - lower[0]
        below, above = distances(within(logit, -340.0, 340.0), width)
        shown = state_between(below, above, *lower, *upper)
        return width * physics.near(shown, below, above, drive, p) / (below * above)

    first = rate(logit, start)
    if integrator == "heun":
        moved = fma(0.5 * dt, first + rate(fma(dt, first, logit), end), logit)
    else:
        moved = fma(dt, first, logit)
    if moved == logit:
        return x
    near = Near(moved, *lower, *upper)
    return near if is_near(near[0], *lower, *upper) else list(near)


def drift_of(physics, variable, x, current, p, lower, upper):
    """Return the time derivative of one variable, from both distances where it would vanish in rounding."""
    if physics.model_near is None:
        return physics.drift(variable, x, current, p)
    return physics.near(x[0], x[0] - lower[0], upper[0] - x[0], current, p)


@dataclass
class Pulse:
    """What a pulse does to one device.

    Attributes
    ----------
    states : list of list of float
        At the end of each step.
    voltages : list of float
        At the end of each step.
    energy : float
    disturbed : int
        Variables that moved without being addressed.
    stalled : bool
        Whether it was too weak to move a state that drifts.
    """

    states: list
    voltages: list
    energy: float
    disturbed: int
    stalled: bool


def pulse(physics, integrator, x, current, steps, *, dt, p, lower, upper, addressed=ANYTHING, held=False):
    """Carry one device through a pulse of constant current."""
    before = x
    states, voltages = [], []
    total = 0.0
    for n in range(1, steps + 1):
        if integrator == "exact" and not held:
            x, total = leap(physics, before, current, n, dt=dt, p=p, lower=lower, upper=upper)
        elif not held:
            x = step(physics, integrator, x, current, current, dt=dt, p=p, lower=lower, upper=upper)
        states.append(x)
        voltages.append(physics.response(x, current, p))
        total = total if integrator == "exact" else total + voltages[-1]
    drifts = not held and any(drift_of(physics, v, before, current, p, lower, upper) for v in range(len(x)))
    energy = current * dt * (total if drifts else steps * voltages[-1])
    moved = [v for v in range(len(x)) if x[v] != before[v] and addressed not in (ANYTHING, v)]
    stalled = drifts and integrator != "exact" and is_stalled(physics, before, current, dt, p, lower, upper)
    return Pulse(states, voltages, energy, len(moved), stalled and addressed != NOTHING)


def is_stalled(physics, x, current, dt, p, lower, upper):
    """Tell whether a single state's drift has vanished so far that it moves under neither direction of a current."""
    if len(x) > 1 or physics.model_near:
        return False
    slope, back = (physics.drift(0, x, i, p) for i in (current, -current))
    usual = physics.drift(0, [0.5 * (lower[0] + upper[0])], current, p)
    still = fma(dt, slope, x[0]) == x[0] and fma(dt, back, x[0]) == x[0]
    return still and 0.0 < abs(slope) < 2.0**-20 * abs(usual)


@dataclass
class Waveform:
    """What a sampled waveform does to one device: states and responses at each step's end, and energy."""

    states: list
    responses: list
    energy: float


def waveform(physics, integrator, x, starts, ends, *, dt, p, lower, upper):
    """Carry one device through a waveform that is linear within each step."""
    states, responses, energy, rest = [], [], 0.0, 0.0
    for start, end in zip(starts, ends, strict=True):
        x = step(physics, integrator, x, start, end, dt=dt, p=p, lower=lower, upper=upper)
        states.append(x)
        responses.append(physics.response(x, end, p))
        spent = end * responses[-1] * dt - rest
        rest = ((energy + spent) - energy) - spent
        energy += spent
    return Waveform(states, responses, energy)


# Networks


@dataclass
class Device:
    """One device of a network, and what is counted of it."""

    state: list
    before: list = field(default_factory=list)  # state before the READ that moves it
    current: float = 0.0  # amplitude of the slot's pulses
    count: int = 1  # pulses of the slot's train that it gets
    voltage: float = 0.0  # at the end of the slot's last pulse
    bias: float = 0.0  # the bias weight as the controller knows it
    gathered: dict = field(default_factory=dict)  # variable to the requests of the mini-batch so far
    complete_energy: list = field(default_factory=lambda: [0.0] * len(Phase))  # of the epochs that are complete
    epoch_energy: list = field(default_factory=lambda: [0.0] * len(Phase))  # of the epoch in progress
    peak_current: list = field(default_factory=lambda: [0.0] * len(Phase))
    disturbed: list = field(default_factory=lambda: [0] * len(Phase))
    bound: list = field(default_factory=lambda: [0] * len(Phase))
    stalled: list = field(default_factory=lambda: [0] * len(Phase))
    highest: list = field(default_factory=list)
    lowest: list = field(default_factory=list)
    residual: float = 0.0
    unrestored: int = 0
    clipped: int = 0
    shortened: int = 0
    unsent: int = 0
    rounded: int = 0
    rounding: float = 0.0
    unverified: int = 0
    out_of_range: int = 0
    driver_clipped: int = 0
    readout_clipped: int = 0
    parameters: tuple = ()
    movable: float = 1.0  # 0 of a stuck device
    factor: float = 1.0  # of the drift
    rate: float = 0.0  # at which states relax
    aims: list = field(default_factory=list)  # what they relax to
    pulses: int = 0  # that wore it
    closed: float | None = None  # share of its range that has closed
    middle: float = 0.0  # of its range
    trap: bool = False  # whether its trap is occupied
    gain: float | None = None  # of its memristance by the trap
    rows: list = field(default_factory=list)  # (state, current, voltage) of every step

    @property
    def energy(self):
        """Energy in each phase, of the epoch in progress too."""
        return [a + b for a, b in zip(self.complete_energy, self.epoch_energy, strict=True)]


COUNTERS = (
    "energy", "complete_energy", "peak_current", "disturbed", "bound", "stalled", "highest",
    "lowest", "residual", "unrestored", "clipped", "shortened", "unsent", "rounded", "rounding", "unverified",
    "out_of_range", "driver_clipped", "readout_clipped",
)  # fmt: skip


@dataclass
class Bank:
    """The devices of a bank, and all that is known of it."""

    calibration: BankCalibration
    physics: Physics
    devices: list

    def __post_init__(self):
        device = self.calibration.device
        variables = device.state_variables()
        self.parameters = device.kernel_parameters()
        self.lower = [v.lower for v in variables]
        self.upper = [v.upper for v in variables]

    @property
    def weight_per_state(self):
        """B, as the controller computes it."""
        return 1.0 / self.calibration.state_per_weight


def integrator_of(config, number):
    """How the devices of a bank are stepped: by their layer's choice, else that of all alike, else the run's."""
    if config.network.kind == "slp":
        return config.devices.synapse_integrator or config.time.integrator
    layer, of_nodes = divmod(number, 2)
    name = "node_integrator" if of_nodes else "synapse_integrator"
    own = getattr(config.devices.layer[layer], name) if config.devices.layer else None
    return own or getattr(config.devices, name) or config.time.integrator


class Network:
    """One realisation of a network that executes the schedule's slots, device by device and step by step.

    Parameters
    ----------
    assembly : memsim.network.assembly.Assembly
    realisation : int
    """

    def __init__(self, assembly, realisation):
        config = assembly.config
        self.assembly, self.config = assembly, config
        self.banks = []
        for calibration, initial in zip(assembly.banks, assembly.initial, strict=True):
            states = [[float(x) + 0.0 for x in initial[d, :, realisation]] for d in range(calibration.devices)]
            devices = [Device(state, highest=state, lowest=state) for state in states]
            self.banks.append(Bank(calibration, Physics(calibration.device.functions()), devices))
        self.seed = assembly.seeds[realisation]
        self.steps = 0  # since the start of the run
        for number, bank in enumerate(self.banks):
            for place, device in enumerate(bank.devices):
                self.flaw(number, bank, place, device)
        layers = len(config.network.layers) if config.network.kind == "mlp" else 2
        # The controller's memory, a list of numbers for each layer; layer 0 is the inputs.
        self.signal = [[] for _ in range(layers)]
        self.net = [[] for _ in range(layers)]
        self.slope = [[] for _ in range(layers)]
        self.arriving = [[] for _ in range(layers)]  # -dE/dV
        self.gradient = [[] for _ in range(layers)]  # the same times the slope
        self.target, self.difference, self.error = [], 0.0, 0.0
        self.rate = config.learning.rate  # of the epoch
        self.closing = True  # whether the sample is the last of its mini-batch
        self.energies = []  # of each epoch: of each bank and phase
        self.outputs = []  # of every sample
        self.epochs_before = 0
        if assembly.start is not None:
            self.go_on(assembly.start.beginning, realisation)

    def go_on(self, beginning, realisation):
        """Begin with what another run left: its steps, the biases that the controller knows, the devices' past."""
        self.epochs_before, self.steps = beginning.epochs, beginning.steps
        unit = self.assembly.inputs.shape[1]  # registers of the inputs come first, then those of each layer's nodes
        for bank, left in zip(self.banks, beginning.past or [None] * len(self.banks), strict=True):
            nodes = bank.calibration.name.startswith("nodes")
            for place, device in enumerate(bank.devices):
                if nodes:
                    device.bias, unit = float(beginning.bias[unit, realisation]), unit + 1
                if left is not None:
                    pulses, trap, logit = left[:, place, realisation]
                    device.pulses, device.trap = int(pulses), bool(trap)
                    if logit != 0.0:
                        device.state = Near(logit, *bank.lower, *bank.upper)
                    self.recall(bank, device)

    def recall(self, bank, device):
        """What follows from a device's past."""
        section = self.section("imperfections", bank)
        if section.endurance:
            device.closed = 1.0 - exponential(-(math.log(2.0) / section.endurance) * device.pulses)

    def section(self, group, bank):
        """Settings of a bank in ``imperfections`` or ``periphery``."""
        name = bank.calibration.name
        kind = "node" if name.startswith("nodes") else "memristor" if name == "memristor" else "synapse"
        return getattr(getattr(self.config, group), kind)

    def flaw(self, number, bank, place, device):
        """Draw what a device has of its own."""
        section, model = self.section("imperfections", bank), bank.calibration.device
        device.parameters = bank.parameters
        attempt = 0
        while section.spread:
            values = {}
            for name, share in section.spread.items():
                key = (attempt << 32) + zlib.crc32(name.encode())
                z = normal(self.seed, 4, number, place, key)
                sigma = math.sqrt(math.log1p(share * share))
                normal_factor, other = 1.0 + share * z, math.exp(sigma * z - 0.5 * sigma * sigma)
                values[name] = getattr(model, name) * (normal_factor if section.distribution == "normal" else other)
            if all(value * getattr(model, name) > 0.0 for name, value in values.items()):
                device.parameters = type(model)(**{**model.model_dump(), **values}).kernel_parameters()
                break
            attempt += 1
        if uniform(self.seed, 5, number, place, 0) < section.stuck_lower + section.stuck_upper + section.stuck:
            device.movable = device.factor = 0.0
        if section.retention_time:
            device.rate = device.movable / section.retention_time
            share = section.retention_state
            device.aims = [low + share * (high - low) for low, high in zip(bank.lower, bank.upper, strict=True)]
        if section.endurance:
            device.closed, device.middle = 0.0, 0.5 * (bank.lower[0] + bank.upper[0])
        if section.telegraph_amplitude:
            share = section.emission_time / (section.capture_time + section.emission_time)
            device.trap = uniform(self.seed, 8, number, place, 0) < share

    def draw_traps(self, slot):
        """Whether the traps of the bank that a slot drives are occupied, by the time since its last slot."""
        section = self.section("imperfections", self.banks[slot.bank])
        if not section.telegraph_amplitude:
            return
        schedule = self.assembly.schedule
        place = next(k for k, each in enumerate(schedule.slots) if each is slot)
        steps = 0
        for before in reversed([*schedule.slots[place:], *schedule.slots[:place]]):
            steps += before.width + schedule.rest_steps
            if before.bank == slot.bank:
                break
        share = section.emission_time / (section.capture_time + section.emission_time)
        rate = 1.0 / section.capture_time + 1.0 / section.emission_time
        kept = exponential(-steps * self.config.time.dt * rate)
        for number, device in enumerate(self.banks[slot.bank].devices):
            drawn = uniform(self.seed, 9, slot.bank, number, self.steps)
            device.trap = drawn < share + (device.trap - share) * kept
            device.gain = 1.0 + section.telegraph_amplitude * device.trap

    def learn(self, order):
        """Show the samples in an order, (epochs, samples); return the total error of each epoch."""
        total_error = []
        for epoch, samples in enumerate(order):
            total, self.rate = 0.0, self.rate_of(self.epochs_before + epoch)
            for place, sample in enumerate(samples, start=1):
                self.closing = place % self.config.learning.batch == 0 or place == len(samples)
                self.show(self.assembly.inputs[sample], self.assembly.targets[sample])
                total += self.error
                self.outputs.append(list(self.signal[-1]))
            total_error.append(total)
            self.energies.append([self.close_epoch(bank) for bank in self.banks])
        return total_error

    def rate_of(self, epoch):
        """Return the learning rate of an epoch."""
        learning = self.config.learning
        passed = epoch / learning.decay_epochs
        wave = 0.5 * (1.0 + math.cos(math.pi * min(passed, 1.0)))
        shares = {
            "constant": 1.0,
            "step": learning.decay ** math.floor(passed),
            "exponential": learning.decay**passed,
            "cosine": learning.decay + (1.0 - learning.decay) * wave,
        }
        return learning.rate * shares[learning.schedule]

    def close_epoch(self, bank):
        """Energy of a bank in the epoch that ends, in each phase: added up over the devices in their order."""
        total = [0.0] * len(Phase)
        for device in bank.devices:
            total = [a + b for a, b in zip(total, device.epoch_energy, strict=True)]
            device.complete_energy = [
                a + b for a, b in zip(device.complete_energy, device.epoch_energy, strict=True)
            ]  # fmt: skip
            device.epoch_energy = [0.0] * len(Phase)
        return total

    def show(self, inputs, target):
        """All slots of one sample."""
        self.signal[0] = [float(value) for value in inputs]
        self.target = [float(value) for value in target]
        for slot in self.assembly.schedule.slots:
            getattr(self, Operation(slot.operation).name.lower())(slot)
            self.steps += slot.width
            self.rest(self.assembly.schedule.rest_steps)
            self.steps += self.assembly.schedule.rest_steps

    # Algorithm 2

    def read_synapses(self, slot):
        """Every synapse of row i gets signal i; the voltages of column k add up to net input k."""
        bank, grid = self.synapses(slot)
        amplitude = bank.calibration.read_current
        signal = self.signal[slot.layer - 1]
        scale = self.scale_of(signal)
        for i, row in enumerate(grid):
            for synapse in row:
                synapse.current = scaled(signal[i], scale, amplitude)
        self.drive(slot, addressed=NOTHING)
        net = []
        for k in range(len(grid[0])):
            total = 0.0
            for row in grid:
                total += row[k].voltage
            net.append(total * (bank.weight_per_state / amplitude * scale))
        self.net[slot.layer] = net

    def read_nodes(self, slot):
        """Every node gets its net input as a current; its voltage tells output, slope and present bias."""
        bank = self.banks[slot.bank]
        device, unit = bank.calibration.device, bank.calibration.unit_current
        r_on, r_off = device.output_r_on, device.r_off
        time = slot.pulse_steps * self.config.time.dt
        for node, net in zip(bank.devices, self.net[slot.layer], strict=True):
            node.before = node.state
            node.current = net * unit
        self.drive(slot)
        factor = 2.0 / (r_on + r_off)
        drift_slope = factor * (r_off - r_on) / device.state_range * device.drift_coefficient * time
        signal, slope = [], []
        for node in bank.devices:
            signal.append(factor * node.voltage / unit)
            if node.current == 0.0:
                slope.append(0.0)
                continue
            resistance = node.voltage / node.current
            doped = (r_off - resistance) / (r_off - r_on)
            over = max(abs(node.current) - device.threshold, 0.0)
            moved = device.drift_coefficient * time * math.copysign(over, node.current)
            error = read_error(self.section("periphery", bank))
            if error > 0.0:
                expected = min(max(0.5 + 0.5 * node.bias + moved / device.state_range, 0.0), 1.0)
                unseen = 0.5 * 0.5 * bank.calibration.bias_limit
                share = trust(node.current, error / (r_off - r_on), unseen)
                doped = expected + share * (doped - expected)
                resistance = r_off - doped * (r_off - r_on)
            met_no_bound = 1e-12 < doped < 1.0 - 1e-12
            slope.append(factor * resistance - (drift_slope * node.current if over > 0.0 and met_no_bound else 0.0))
            node.bias = min(max(2.0 * ((doped - 0.5) - moved / device.state_range), -1.0), 1.0)
        self.signal[slot.layer], self.slope[slot.layer] = signal, slope
        if slot.layer == len(self.signal) - 1:
            self.compare_outputs()

    def compare_outputs(self):
        """Eqs. 9, 16 and 19."""
        printed = self.config.learning.output_gradient == "printed"
        self.error = 0.0
        arriving = []
        for target, signal in zip(self.target, self.signal[-1], strict=True):
            difference = target - signal
            self.error += 0.5 * difference * difference
            arriving.append(target if printed else difference)
        self.arriving[-1] = arriving
        self.gradient[-1] = [a * slope for a, slope in zip(arriving, self.slope[-1], strict=True)]

    def restore_nodes(self, slot):
        """Every node gets its net input backwards; what is left of the READ is counted."""
        bank = self.banks[slot.bank]
        for node, net in zip(bank.devices, self.net[slot.layer], strict=True):
            node.current = net * -bank.calibration.unit_current
        self.drive(slot)
        for node in bank.devices:
            self.count_residual(bank, node)

    def count_residual(self, bank, device):
        """Compare each state with the one before the READ."""
        for x, before, lower, upper in zip(device.state, device.before, bank.lower, bank.upper, strict=True):
            share = abs(x - before) / (upper - lower)
            device.residual = max(device.residual, share)
            device.unrestored += share > 1e-12

    def backread_synapses(self, slot):
        """Every synapse of column k gets gradient k; the voltages of row i add up to node i's share of the error."""
        bank, grid = self.synapses(slot)
        amplitude = bank.calibration.read_current
        gradient = self.gradient[slot.layer]
        scale = self.scale_of(gradient)
        for row in grid:
            for k, synapse in enumerate(row):
                synapse.current = scaled(gradient[k], scale, amplitude)
        self.drive(slot, addressed=NOTHING)
        arriving = []
        for row in grid:
            total = 0.0
            for synapse in row:
                total += synapse.voltage
            arriving.append(total * (bank.weight_per_state / amplitude * scale))
        below = slot.layer - 1
        self.arriving[below] = arriving
        self.gradient[below] = [a * slope for a, slope in zip(arriving, self.slope[below], strict=True)]

    def write_synapses(self, slot):
        """Delta w_ij = eta * delta_j * V_i."""
        bank, grid = self.synapses(slot)
        for i, row in enumerate(grid):
            for k, synapse in enumerate(row):
                change = self.rate * self.gradient[slot.layer][k] * self.signal[slot.layer - 1][i]
                self.encode(slot, synapse, self.gather(synapse, self.charge(bank, change)))
        self.drive(slot)

    def write_nodes(self, slot):
        """Eq. 18 by the configured rule, within the allowed range."""
        bank = self.banks[slot.bank]
        device, limit = bank.calibration.device, bank.calibration.bias_limit
        learning, layer = self.config.learning, slot.layer
        contrast = (device.r_off - device.output_r_on) / (device.r_off + device.output_r_on)
        for k, node in enumerate(bank.devices):
            change = 0.0
            if learning.bias_rule == "gradient":
                change = -self.rate * self.arriving[layer][k] * contrast * self.net[layer][k]
            elif learning.bias_rule == "printed":
                change = self.rate * self.gradient[layer][k]
            change = self.gather(node, change)
            allowed = within_limit(node.bias, change, limit)
            node.shortened += allowed != change
            node.bias += allowed
            change = allowed
            self.encode(slot, node, self.charge(bank, change))
        self.drive(slot)

    # Algorithm 1

    def read_memristor(self, slot):
        """Tap the net input from the device's state, and read it through the device's activation."""
        bank = self.banks[slot.bank]
        memristor = bank.devices[0]
        net = 0.0
        for weight, signal in zip(memristor.state, self.signal[0], strict=False):
            net += weight * signal
        memristor.current = net * bank.calibration.unit_current
        if isinstance(bank.calibration.device, CarrierMemristor):
            memristor.before = memristor.state
            self.drive(slot, waveform=[memristor.current] * slot.pulse_steps)
            self.count_residual(bank, memristor)
        else:
            self.drive(slot, addressed=NOTHING)
        self.compare_activation(memristor.voltage / bank.calibration.device.reference_voltage)

    def compare_activation(self, output):
        """Delta, the error, and Delta times the slope, which follows from the output itself."""
        slope = {"logistic": output * (1.0 - output), "tanh": 1.0 - output * output, "identity": 1.0}
        self.signal[1] = [output]
        self.difference = self.target[0] - output
        self.error = 0.5 * self.difference * self.difference
        self.gradient[1] = [self.difference * slope[self.memristor().activation]]

    def write_variable(self, slot):
        """One pulse, or train, of the height of one variable's window."""
        bank = self.banks[slot.bank]
        device, memristor = bank.calibration.device, bank.devices[0]
        threshold = device.thresholds[slot.variable]
        pulse_time = slot.pulse_steps * self.config.time.dt
        share = self.rate / self.config.learning.rate
        unit = bank.calibration.unit_current * pulse_time * slot.pulses * share
        charge = self.gather(memristor, self.gradient[1][0] * self.line_signal(slot.variable) * unit, slot.variable)
        if self.config.learning.bias_current == "printed":
            memristor.current = charge / pulse_time + (threshold if self.difference >= 0.0 else -threshold)
        else:
            limit = min(bank.calibration.driver_limit, threshold + (1.0 - 2.0**-20) * device.window)
            self.encode(slot, memristor, charge, threshold, limit)
        self.drive(slot, addressed=slot.variable)

    def write_carriers(self, slot):
        """One pulse that is the sum of all variables' carriers, cut at the driver's limit."""
        bank = self.banks[slot.bank]
        memristor, limit = bank.devices[0], bank.calibration.driver_limit
        pulse_time = slot.pulse_steps * self.config.time.dt
        unit = bank.calibration.unit_current * pulse_time * (self.rate / self.config.learning.rate)
        carriers = carriers_of(self.config)
        amplitudes = [
            self.gather(memristor, self.gradient[1][0] * self.line_signal(variable) * unit, variable)
            * (1.0 / pulse_time)
            for variable in range(len(carriers))
        ]
        wanted = [0.0] * slot.pulse_steps
        for amplitude, carrier in zip(amplitudes, carriers, strict=True):
            wanted = [current + amplitude * c for current, c in zip(wanted, carrier, strict=False)]
        memristor.clipped += max(map(abs, wanted)) > limit
        memristor.current = 0.0
        self.drive(slot, waveform=[math.copysign(min(abs(current), limit), current) for current in wanted])

    def read_lines(self, slot):
        """Read one synapse a weight and one for the bias; their sum goes through an activation stage."""
        bank = self.banks[slot.bank]
        amplitude = bank.calibration.read_current
        scale = max(self.scale_of(self.signal[0]), 1.0)
        total = 0.0
        for variable, line in enumerate(bank.devices):
            line.current = scaled(self.line_signal(variable), scale, amplitude)
        self.drive(slot, addressed=NOTHING)
        for line in bank.devices:
            total += line.voltage
        self.activate(total * (bank.weight_per_state / amplitude * scale))

    def activate(self, net):
        """Keep the net input for the activation stage, or, where that is no device, compute its output."""
        self.net[1] = [net]
        if not self.config.network.activates:
            stage = {"logistic": logistic, "tanh": hyperbolic_tangent, "identity": float}
            self.compare_activation(stage[self.memristor().activation](net))

    def read_activation(self, slot):
        """Send the net input to the activation stage, and read its output."""
        bank = self.banks[slot.bank]
        stage = bank.devices[0]
        stage.current = self.net[1][0] * bank.calibration.unit_current
        self.drive(slot, addressed=NOTHING)
        self.compare_activation(stage.voltage / bank.calibration.device.reference_voltage)

    def write_line(self, slot):
        """One line is written; the others get nothing."""
        bank = self.banks[slot.bank]
        unit = self.rate * bank.calibration.state_per_weight / bank.calibration.device.drift_coefficient
        for variable, line in enumerate(bank.devices):
            charge = 0.0
            if variable == slot.variable:
                charge = self.gather(line, self.gradient[1][0] * self.line_signal(variable) * unit)
            self.encode(slot, line, charge)
        self.drive(slot)

    # The controller's tools

    def memristor(self):
        """Return the configured threshold memristor, whose activation both constructions use."""
        return memristor_of(self.config, len(self.signal[0]))

    def line_signal(self, variable):
        """x_i, and 1 for the bias."""
        return self.signal[0][variable] if variable < len(self.signal[0]) else 1.0

    def synapses(self, slot):
        """Return a layer's bank, and its synapses as rows (inputs) of columns (outputs)."""
        bank = self.banks[slot.bank]
        columns = len(self.banks[slot.bank + 1].devices)
        return bank, [bank.devices[i : i + columns] for i in range(0, len(bank.devices), columns)]

    def scale_of(self, signal):
        """Return the magnitude that the READ current stands for: the configured one, or the signal's largest."""
        return self.config.network.read_scale or max(abs(value) for value in signal)

    def gather(self, device, request, variable=0):
        """Add a sample's request to those of its mini-batch; return what is to be written now."""
        if self.config.learning.batch == 1:
            return request
        total = device.gathered.get(variable, 0.0) + request
        device.gathered[variable] = 0.0 if self.closing else total
        return total if self.closing else 0.0

    def charge(self, bank, change):
        """Return the charge beyond the threshold that changes a weight."""
        return change * (bank.calibration.state_per_weight / bank.calibration.device.drift_coefficient)

    def resolution(self, slot):
        """Return the charge up to which no pulse is sent."""
        bank, share = self.banks[slot.bank].calibration, self.config.write.resolution
        if hasattr(bank.device, "state_range"):
            return share * bank.device.state_range / bank.device.drift_coefficient
        charge = bank.unit_current * slot.pulse_steps * self.config.time.dt * slot.pulses
        return share * charge / self.config.learning.rate

    def encode(self, slot, device, charge, threshold=None, limit=None):
        """Set a device's pulses for a charge: the amplitude of one, or a train of equal ones."""
        calibration = self.banks[slot.bank].calibration
        threshold = calibration.threshold if threshold is None else threshold
        limit = calibration.driver_limit if limit is None else limit
        pulse_time = slot.pulse_steps * self.config.time.dt
        sent = abs(charge) > self.resolution(slot)
        device.unsent += not sent and charge != 0.0
        if slot.pulses == 1:
            amplitude = threshold + abs(charge) * (1.0 / pulse_time)
            device.clipped += amplitude > limit
            device.current = math.copysign(min(amplitude, limit), charge) if sent else 0.0
            return
        quantum = calibration.write_current * pulse_time
        wanted = math.floor(abs(charge) / quantum + 0.5) if sent else 0
        lost = abs(wanted * quantum - abs(charge)) if sent else 0.0
        device.rounded += lost > 1e-12 * quantum
        device.rounding = max(device.rounding, lost)
        device.clipped += wanted > slot.pulses
        device.count = min(wanted, slot.pulses)
        device.current = math.copysign(threshold + calibration.write_current, charge)

    # Pulses

    def drive(self, slot: Slot, addressed=ANYTHING, waveform=None):
        """Step the slot's bank through its pulses and gaps, or a waveform's steps; the other banks rest meanwhile."""
        bank = self.banks[slot.bank]
        self.draw_traps(slot)
        around, spread = self.section("periphery", bank), self.section("imperfections", bank).write_noise
        endurance = self.section("imperfections", bank).endurance
        sigma = math.sqrt(math.log1p(spread * spread))
        asked = [device.current for device in bank.devices]
        for device in bank.devices:
            device.current, cut = converted(device.current, around.driver_range, around.driver_bits)
            device.driver_clipped += cut
        for number in range(slot.pulses):
            step = self.steps + number * (slot.pulse_steps + slot.gap_steps)
            for place, device in enumerate(bank.devices):
                if spread and addressed != NOTHING and (number == 0 or slot.gap_steps):
                    z = normal(self.seed, 6, slot.bank, place, step)
                    device.factor = device.movable * exponential(sigma * z - 0.5 * sigma * sigma)
                current = device.current if slot.pulses == 1 or device.count > number else 0.0
                if endurance and addressed != NOTHING and (number == 0 or slot.gap_steps):
                    device.pulses += current != 0.0 and device.movable
                    device.closed = 1.0 - exponential(-(math.log(2.0) / endurance) * device.pulses)
                if waveform:
                    self.step_through(slot, device, waveform, around)
                    continue
                voltages = self.step(
                    slot.bank, device, slot.phase, current, slot.pulse_steps, addressed=addressed, held=slot.held
                )
                device.voltage = voltages[-1]
                if slot.gap_steps and number < slot.pulses - 1:
                    self.step(slot.bank, device, slot.phase, 0.0, slot.gap_steps, addressed=addressed, held=slot.held)
        levels = self.section("imperfections", bank).levels
        for place, device in enumerate(bank.devices):
            device.factor = device.movable
            verifies = slot.operation in (Operation.VERIFY, Operation.RESTORE_VERIFY)
            if levels and slot.phase == Phase.WRITE and not verifies and device.movable:
                lower, upper = bank.lower[0], bank.upper[0]
                place_of = math.floor((device.state[0] - lower) / (upper - lower) * (levels - 1) + 0.5) / (levels - 1)
                device.state = [min(lower + (upper - lower) * place_of, upper)]
                device.highest = [max(device.highest[0], device.state[0])]
                device.lowest = [min(device.lowest[0], device.state[0])]
            device.current = asked[place]
            read = slot.phase in (Phase.READ, Phase.BACKREAD) or slot.operation == Operation.VERIFY
            if not read:
                continue
            noise = around.read_noise and around.read_noise * normal(self.seed, 7, slot.bank, place, self.steps)
            device.voltage, cut = converted(device.voltage + noise, around.readout_range, around.readout_bits)
            device.readout_clipped += cut
        self.rest(slot.width, slot.phase, slot.bank)

    def step_through(self, slot, device, waveform, around):
        """Carry a device whose variables have carriers through a waveform, step by step."""
        carriers = carriers_of(self.config)
        place = len(device.parameters) - len(carriers)  # of the carriers among the parameters
        for step, wanted in enumerate(waveform):
            device.parameters = (*device.parameters[:place], *(carrier[step] for carrier in carriers))
            current, cut = device.current, False  # a READ's has come through the drivers already
            if slot.phase == Phase.WRITE:
                current, cut = converted(wanted, around.driver_range, around.driver_bits)
            device.driver_clipped += cut
            device.voltage = self.step(slot.bank, device, slot.phase, current, 1)[-1]

    def rest(self, steps, phase=Phase.IDLE, driven=None):
        """Step all banks but the driven one without a current."""
        for number, bank in enumerate(self.banks):
            if number != driven and steps > 0:
                for device in bank.devices:
                    self.step(number, device, phase, 0.0, steps)

    def step(self, number, device, phase, current, steps, *, addressed=ANYTHING, held=False):
        """Carry one device through one pulse, with all that is counted of it; return the voltages."""
        bank = self.banks[number]
        time = self.config.time
        exact, dt = time.solver == "exact" and bank.calibration.learns, time.dt
        integrator = "exact" if exact else integrator_of(self.config, number)
        done = pulse(
            OwnPhysics(bank.physics, device), integrator, device.state, current, steps,
            dt=dt, p=device.parameters, lower=bank.lower, upper=bank.upper, addressed=addressed, held=held,
        )  # fmt: skip
        device.state = done.states[-1]
        device.stalled[phase] += done.stalled and not device.aims
        device.epoch_energy[phase] += done.energy
        device.disturbed[phase] += done.disturbed
        device.peak_current[phase] = max(device.peak_current[phase], abs(current))
        device.highest = [max(a, b) for a, b in zip(device.highest, device.state, strict=True)]
        device.lowest = [min(a, b) for a, b in zip(device.lowest, device.state, strict=True)]
        if current != 0.0 and addressed != NOTHING:
            limits = zip(device.state, bank.lower, bank.upper, strict=True)
            device.bound[phase] += sum(x <= lower or x >= upper for x, lower, upper in limits)
        device.rows += [(state, current, v) for state, v in zip(done.states, done.voltages, strict=True)]
        return done.voltages

    # Results

    def states(self, bank):
        """States of a bank, (devices, variables)."""
        return np.array([device.state for device in self.banks[bank].devices])

    def counter(self, name, bank):
        """Return a counter of a bank: (devices,), with phases before the devices, or variables behind them."""
        values = np.array([getattr(device, name) for device in self.banks[bank].devices], dtype=np.float64)
        return values if name in ("highest", "lowest") else values.T

    def rows(self, bank):
        """Every step of a bank: states (rows, devices, variables), currents and voltages (rows, devices)."""
        devices = self.banks[bank].devices
        states = np.array([[state for state, _, _ in device.rows] for device in devices])
        currents = np.array([[current for _, current, _ in device.rows] for device in devices])
        voltages = np.array([[voltage for _, _, voltage in device.rows] for device in devices])
        return states.swapaxes(0, 1), currents.T, voltages.T


def carriers_of(config):
    """Return the carriers of the weights and the bias, a list of values each, as long as the longest slot."""
    device, write = config.devices.memristor, config.time.write
    steps, count = max(config.time.read, write), device.inputs + 1
    if device.carriers == "sine":
        periods = device.periods or range(1, count + 1)
        return [[math.sin(2.0 * math.pi * (p * n % write / write)) for n in range(steps)] for p in periods]
    rows = paley(write)
    return [[rows[k][n % write] for n in range(steps)] for k in range(1, count + 1)]


def paley(order):
    """Return a Hadamard matrix whose order is 1 more than a prime that is 3 more than a multiple of 4."""
    prime = order - 1
    squares = {k * k % prime for k in range(1, prime)}
    rows = [[1.0 if (k - row) % prime in squares else -1.0 for k in range(prime)] for row in range(prime)]
    return [[1.0] * order, *([1.0, *row] for row in rows)]


def scaled(value, scale, amplitude):
    """Return the current that stands for a value in a READ; none where the whole vector is 0."""
    return value / (scale if scale > 0.0 else 1.0) * amplitude
