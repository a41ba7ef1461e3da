"""Threshold memristor of the single-layer perceptron (Eqs. 5, 6).

The states are the n weights, the bias weight, and last the learning rate in
1/(A s). A variable moves only while abs(I) lies in its own window [I_i, I_i +
a). Parameters ``p``: (1 / I_0 of the reference current in 1/A, reference voltage V_0 in V,
window width a in A, thresholds I_1 .. I_n+1 in A).
"""

import math

from ..compiling import elementwise
from ..fused import fma
from ..mathematics import hyperbolic_tangent, logistic

FIRST_THRESHOLD = 3


def drift(variable, x, element, i, p):
    """Eq. 6, the distance beyond the threshold with the current's sign on both sides."""
    rate = x.shape[0] - 1
    if variable == rate:
        return 0.0
    threshold = p[FIRST_THRESHOLD + variable]
    over = abs(i) - threshold
    over = over if over >= 0.0 else 0.0
    # Not over < a, which rounds: of two windows that touch, one would reach into the other.
    over = over if abs(i) < threshold + p[2] else 0.0
    return x[rate, element] * math.copysign(over, i)


def drift_printed(variable, x, element, i, p):
    """Eq. 6 as printed, with I_b = -I_i on the negative side: -(abs(I) + I_i)."""
    rate = x.shape[0] - 1
    if variable == rate:
        return 0.0
    threshold = p[FIRST_THRESHOLD + variable]
    over = abs(i) - threshold
    inside = over >= 0.0 and abs(i) < threshold + p[2]
    distance = over if i > 0.0 else -(abs(i) + threshold)
    return x[rate, element] * (distance if inside else 0.0)


@elementwise
def net_input(x, element, i, p):
    """I / I_0 + the bias weight, a number."""
    return fma(i, p[0], x[x.shape[0] - 2, element])


def output_logistic(x, element, i, p):
    """Eq. 5 with the logistic activation: V = V_0 * g(I / I_0 + gamma_bias)."""
    return p[1] * logistic(net_input(x, element, i, p))


def output_tanh(x, element, i, p):
    """Eq. 5 with the hyperbolic tangent."""
    return p[1] * hyperbolic_tangent(net_input(x, element, i, p))


def output_identity(x, element, i, p):
    """Eq. 5 with the identity."""
    return p[1] * net_input(x, element, i, p)
