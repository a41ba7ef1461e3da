"""``memsim trace repack``."""

from pathlib import Path

import click

from ...terminal.streams import say
from .. import options

EPILOG = """\b
Examples:
  memsim trace info xor.h5                how many bytes are dead
  memsim trace repack xor.h5 --out packed.h5
  memsim trace repack xor.h5 --in-place   the file itself, once the copy is whole
"""


@click.command(name="repack", epilog=EPILOG)
@options.models
@options.path_argument("file", "RUN.h5")
@options.path_option("--out", "Run file to write; the run's name with -packed.h5 where not given.")
@click.option("--in-place", is_flag=True, help="Replace the file itself, once its copy is whole and on the disk.")
@options.overwrite
def command(*, file: Path, out: Path | None, in_place: bool, overwrite: bool) -> None:
    """Copy a run file without the dead bytes that killed runs left in it.

    What a killed run had written since its last commit is made again by
    --resume, and the first copy of it lies dead in the file. The new file holds
    the same run, to the bit, and is gone on with as well. A file that is being
    written is refused.
    """
    from ...analysis.repacking import repack
    from ...errors import InputError

    if in_place and (out is not None or overwrite):
        raise InputError("--in-place: replaces the file itself; leave out --out and --overwrite")
    target = None if in_place else out or Path(f"{file.stem}-packed.h5")
    before, after = repack(file, target, overwrite=overwrite)
    say(f"wrote {target or file}: {after:,} bytes, of {before:,}")
