"""Shares of realisations, with what chance leaves open: of 100 draws that all learn, the true rate may be 97 %."""

import math
from statistics import NormalDist

CONFIDENCE = 0.95


def wilson(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion.

    The true rates from which the one that was seen is no further off than z standard deviations of its own binomial
    distribution. It never leaves [0, 1], and has a width at 0 and at all.

    Parameters
    ----------
    successes : int
        From 0 to ``trials``.
    trials : int
        Independent draws, 1 or more.
    confidence : float
        From 0 to 1, neither included.

    Returns
    -------
    low, high : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        More successes than trials, or none of these.

    References
    ----------
    Wilson, 'Probable inference, the law of succession, and statistical inference', J. Am. Stat. Assoc. 22, 209 (1927),
    doi:10.1080/01621459.1927.10502953.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"successes must be from 0 to trials, of which there is one at least ({successes}, {trials})")
    z = NormalDist().inv_cdf(0.5 + 0.5 * confidence)
    share, scale = successes / trials, 1.0 + z * z / trials
    middle = (share + 0.5 * z * z / trials) / scale
    reach = z * math.sqrt(share * (1.0 - share) / trials + 0.25 * (z / trials) ** 2) / scale
    # Both ends are exact where all draws agree; rounding is not to leave a last digit there.
    return (0.0 if successes == 0 else middle - reach), (1.0 if successes == trials else middle + reach)


def interval(successes: int, trials: int) -> str:
    """Wilson's interval in per cent, as ``"97.5 to 99.1 %"``; 100 is said only where it is."""
    low, high = (f"{100.0 * end:.{4 if 0.9995 <= end < 1.0 else 3}g}" for end in wilson(successes, trials))
    return f"{low} to {high} %"


def proportion(successes: int, trials: int) -> str:
    """A count with its interval, as ``"985 of 1,000 (97.5 to 99.1 %)"``."""
    return f"{successes:,} of {trials:,} ({interval(successes, trials)})"
