"""Splitting: which samples are learned, which validate, and which test."""

import math
from dataclasses import replace

import numpy as np

from ..errors import InputError
from .dataset import Dataset

# Tell the draws of what is held back from that of a gate's samples, and from each other.
VALIDATION, TEST = 1, 2


def split(data: Dataset, share: float = 0.0, seed: int = 0, *, test: float = 0.0) -> Dataset:
    """Hold samples back for validation and for a test; the others keep their order.

    Of samples with classes, as large a part of each class is held back.

    Parameters
    ----------
    data : Dataset
    share : float
        For validation: of what the test leaves, rounded. From 0 up to 1, 1 not included; 0 holds nothing back.
    seed : int
        Of the draws (NumPy's default generator).
    test : float
        For the test: of all samples, rounded up, as scikit-learn's ``train_test_split`` does.

    Raises
    ------
    InputError
        A share is no whole sample, or leaves none to learn.
    """
    for name, value in (("validation", share), ("test", test)):
        if not 0.0 <= value < 1.0:
            raise InputError(f"data.{name}: must be from 0 up to 1, 1 not included (got {value:g})")
    if seed < 0:
        raise InputError(f"data.seed: must be 0 or more (got {seed})")
    if test:
        data = _hold_back(data, "test", test, math.ceil(test * len(data.inputs)), (seed, TEST))
    if share:
        data = _hold_back(data, "validation", share, round(share * len(data.inputs)), (seed, VALIDATION))
    return data


def _hold_back(data: Dataset, kind: str, share: float, count: int, seed: tuple[int, int]) -> Dataset:
    if getattr(data, kind) is not None:
        raise InputError(f"data.{kind}: must be 0 for data that bring samples for {kind} (got {share:g})")
    samples = len(data.inputs)
    if not 0 < count < samples:
        raise InputError(
            f"data.{kind}: must hold back at least one of {samples} samples, and leave one (got {share:g}, that is "
            f"{count})"
        )
    random = np.random.default_rng(seed)
    groups = _groups(data)
    shares = _shares([len(group) for group in groups], count)
    if sum(shares) < count:
        raise InputError(f"data.{kind}: must leave a sample of each class to learn (got {share:g}, that is {count})")
    held_back = np.zeros(samples, dtype=bool)
    for group, drawn in zip(groups, shares, strict=True):
        held_back[group[random.permutation(len(group))[:drawn]]] = True
    part = replace(data.only(held_back), name=f"{data.name}.{kind}")
    rest = replace(data.only(~held_back), validation=data.validation, test=data.test)
    return replace(rest, test=part) if kind == "test" else replace(rest, validation=part)


def _groups(data: Dataset) -> list[np.ndarray]:
    """Samples of each class, or all where there are no classes."""
    if data.classes is None:
        return [np.arange(len(data.inputs))]
    numbers = data.class_numbers
    return [np.flatnonzero(numbers == number) for number in np.unique(numbers)]


def _shares(sizes: list[int], count: int) -> list[int]:
    """How many of each group, in proportion to its size, by the largest remainders; each keeps one."""
    quotas = [count * size / sum(sizes) for size in sizes]
    shares = [min(int(quota), size - 1) for quota, size in zip(quotas, sizes, strict=True)]
    for group in sorted(range(len(sizes)), key=lambda k: shares[k] - quotas[k]):
        if sum(shares) < count and shares[group] + 1 < sizes[group]:
            shares[group] += 1
    return shares
