"""Numbers with SI prefixes, for people."""

import math
import re

PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
SCALABLE = ("A", "V", "W", "m", "s", "ohm", "J")  # units that take a prefix on an axis
SYMBOLS = {"ohm": "Ω"}


def engineering(largest: float) -> tuple[float, str]:
    """A factor and an SI prefix that bring values up to ``largest`` between 1 and 1000."""
    if largest <= 0 or not math.isfinite(largest):
        return 1.0, ""
    power = 3 * math.floor(math.log10(largest) / 3)
    power = min(max(power, min(PREFIXES)), max(PREFIXES))
    return 10.0**-power, PREFIXES[power]


def with_prefix(value: float, unit: str) -> str:
    """A number in four digits with its unit, with a prefix where that helps: ``1.2 mA``, ``0.5 Hz``, ``3 1/(A s)``."""
    if unit == "1":
        return f"{value:.4g}"
    scaled = unit.isalpha() and not 0.1 <= abs(value) < 1000
    factor, prefix = engineering(abs(value)) if scaled else (1.0, "")
    return f"{value * factor:.4g} {prefix}{unit}"


def axis_unit(largest: float, unit: str) -> tuple[float, str]:
    """A factor and a unit's text that suit an axis with values up to ``largest``: ``(1e3, "mA")``; ``""`` for 1."""
    if unit not in SCALABLE:
        return 1.0, "" if unit == "1" else unit
    factor, prefix = engineering(largest)
    return factor, prefix + SYMBOLS.get(unit, unit)


def without_prefix(text: str) -> str | None:
    """A number with a unit, a prefix or both as a number alone: ``250us`` is ``250e-6``; none where it is none."""
    powers = {**{prefix: power for power, prefix in PREFIXES.items() if prefix}, "u": -6, "": 0}
    units = "|".join((*SCALABLE, "Hz", "Ω"))
    found = re.fullmatch(rf"([+-]?\d+(?:\.\d*)?) ?([{''.join(powers)}]?)({units})?", text)
    if found is None or not (found[2] or found[3]):
        return None
    number, power = found[1], powers[found[2]]
    return f"{number}e{power}" if power else number


def duration(seconds: float) -> str:
    """A time for people: ``43.56 s``, ``250 µs``, ``5,500 s``."""
    return f"{seconds:,.0f} s" if seconds >= 1000 else with_prefix(seconds, "s")


def clock(seconds: float) -> str:
    """A time in hours, minutes and seconds: ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 bank``, ``1,200 banks``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
