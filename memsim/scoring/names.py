"""Names of classes where there is little room: in the tables and the figure of a run."""

from collections.abc import Sequence

MOST_CLASSES = 12  # that are shown one by one
LONGEST = 16  # characters of a name


def shortened(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Long names without their middle: as short as wanted, but for names that would then be the same."""
    for length in range(longest, max(map(len, names), default=0)):
        short = [_without_middle(name, length) for name in names]
        if len(set(short)) == len(set(names)):
            return short
    return list(names)


def numbered(names: Sequence[str]) -> list[str]:
    """Short names behind the numbers of their classes; numbers alone, where they are the names."""
    numbers = [str(number) for number in range(len(names))]
    if list(names) == numbers:
        return numbers
    width = len(numbers[-1])
    return [f"{number:>{width}} {name}" for number, name in zip(numbers, shortened(names), strict=True)]


def _without_middle(name: str, length: int) -> str:
    if len(name) <= length:
        return name
    end = (length - 1) // 2
    return f"{name[: length - 1 - end]}…{name[len(name) - end :]}"
