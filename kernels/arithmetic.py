"""The version of the kernels' arithmetic, which files name: a replay has the bits of a run of the same version alone.

1
    No fused multiply-add; Taylor's series for the exponential.
2
    Steps and models take :func:`~memsim.kernels.fused.fma`; elementary functions are right over all exponents.
"""

ARITHMETIC = 2  # raised where an operation of any kernel is rounded otherwise, or the order of operations changes
