"""What records of the suite ``peers`` say: who reaches an error first, device-steps a second, and starts."""

from ..terminal.screen import Table, numbers
from ..terminal.si import duration
from .bench_records import Record

ERRORS = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10)


def peers_of(records: list[Record]) -> list[str]:
    """The peers that were measured, in their order."""
    return list(dict.fromkeys(str(record.more["peer"]) for record in records))


def of_kind(records: list[Record], kind: str, **more: object) -> list[Record]:
    """Records of one kind whose other values are those given."""
    wanted = {"kind": kind, **more}
    return [record for record in records if all(record.more.get(name) == value for name, value in wanted.items())]


def error_of(record: Record) -> float:
    """The largest error of a state, as a share of the distance of its bounds."""
    return float(record.more["error"])


def front(records: list[Record]) -> list[Record]:
    """The fastest for every error, fastest first: each is more accurate than all that are faster."""
    found: list[Record] = []
    for record in sorted(records, key=lambda record: record.seconds):
        if not found or error_of(record) < error_of(found[-1]):
            found.append(record)
    return found


def seconds_for(records: list[Record], error: float) -> float | None:
    """Least processor time at which an error is not exceeded; None where none is so small."""
    return min((record.seconds for record in records if error_of(record) <= error), default=None)


def tables(records: list[Record]) -> list[Table]:
    """The suite in three tables."""
    return [table for table in (_errors(records), _sizes(records), _starts(records)) if table is not None]


def _errors(records: list[Record]) -> Table | None:
    own = of_kind(records, "error")
    if not own:
        return None
    peers = peers_of(own)
    title = f"processor time (ms) of {own[0].more['devices']} devices in 10 pulses, for an error at most of"
    table = Table("device", "error", *numbers(*(peer.replace(" ", "\n") for peer in peers)), title=title)
    for device in dict.fromkeys(str(record.more["device"]) for record in own):
        for error in ERRORS:
            times = [seconds_for(of_kind(own, "error", device=device, peer=peer), error) for peer in peers]
            table.row(device, f"{error:.0e}", *("" if time is None else f"{1e3 * time:.3g}" for time in times))
    return table


def _sizes(records: list[Record]) -> Table | None:
    own = of_kind(records, "devices")
    if not own:
        return None
    counts = sorted({int(record.more["devices"]) for record in own})
    title = "ns of processor time a device-step, over the number of devices"
    table = Table("peer", "method", *numbers(*(f"{count:,}" for count in counts)), title=title)
    for peer in peers_of(own):
        by_count = {record.more["devices"]: record for record in of_kind(own, "devices", peer=peer)}
        method = str(next(iter(by_count.values())).more["method"])
        cells = [by_count[count].ns_per_device_step if count in by_count else None for count in counts]
        table.row(peer, method, *("" if cell is None else f"{cell:.3g}" for cell in cells))
    return table


def _starts(records: list[Record]) -> Table | None:
    own = of_kind(records, "start")
    if not own:
        return None
    title = "from the start of a process to the first states of 100 devices, processor time"
    table = Table("peer", *numbers("first", "later"), title=title)
    for peer in peers_of(own):
        times = {record.more["start"]: start_seconds(record) for record in of_kind(own, "start", peer=peer)}
        table.row(peer, *(duration(times[what]) if what in times else "" for what in ("first", "later")))
    return table


def start_seconds(record: Record) -> float:
    """Processor time of a start, or its time by the clock where the system does not tell."""
    return record.processor_seconds or record.seconds
