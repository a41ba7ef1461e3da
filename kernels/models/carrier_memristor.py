"""Memristor whose variables are told apart by carriers: an extension of the paper's device (Eqs. 5, 6).

The states are those of the threshold memristor: the n weights, the bias weight,
and last the learning rate in 1/(A s). Variable i demodulates the current: it
moves with the product of the current and its own carrier c_i(t). Parameters
``p``: (1 / I_0 of the reference current in 1/A, reference voltage V_0 in V, gain
of the demodulators, values of the carriers c_1 .. c_n+1 at the present step).
The last ones change from step to step (:mod:`memsim.kernels.carriers`).
"""

GAIN = 2
FIRST_CARRIER = 3


def drift(variable, x, element, i, p):
    """The learning rate times the demodulated current, gain * I * c_i(t)."""
    rate = x.shape[0] - 1
    if variable == rate:
        return 0.0
    return x[rate, element] * (p[GAIN] * i * p[FIRST_CARRIER + variable])
