"""Compiled kernels: device physics, stepping and the pulse-level learning loop.

This package takes floats and arrays, and fills arrays. It imports numba and
numpy only, and knows no files, no units and no networks.
"""

if __name__ != "memsim.kernels":
    raise ImportError("import memsim.kernels, not kernels: the bare name would load every kernel twice")
