"""Starting weights as Glorot and Bengio draw them, 'Understanding the difficulty', AISTATS (2010)."""

import numpy as np

from ..kernels.random import uniform


def glorot(seeds: np.ndarray, purpose: int, bank: int, devices: int, fan_in: int, fan_out: int) -> np.ndarray:
    """U(-1, 1) * sqrt(6 / (n_in + n_out)), (devices, realisations)."""
    drawn = [[uniform(seed, purpose, bank, device, 0) for seed in seeds] for device in range(devices)]
    return (2.0 * np.array(drawn) - 1.0) * np.sqrt(6.0 / (fan_in + fan_out))
