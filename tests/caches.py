"""Caches of compiled kernels for tests that leave kernels of their own."""

import shutil

from memsim.kernels.disk_cache import cache_folder


def filled(folder):
    """A cache in a folder, with the kernels that are known so far; what is added to it stays out of the user's.

    What another process is just writing there is left out.
    """
    known = cache_folder()
    if known.is_dir():
        shutil.copytree(known, folder / known.name, ignore=shutil.ignore_patterns("*.lock", "*.tmp"))
    return folder
