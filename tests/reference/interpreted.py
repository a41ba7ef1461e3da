"""The programs of the learning loop's cases by the interpreter: prints a digest of each, as JSON.

Run with NUMBA_DISABLE_JIT=1: addresses then stand for the kernels' own functions in plain Python.
"""

import hashlib
import json
import sys

import naive
import numpy as np
from test_learning_loop import assembly_of, run_engine


def digest_of(case):
    """A digest of all bits of a case: results, counters, outputs, and the rows of every bank."""
    assembly = assembly_of(case)
    done = run_engine(assembly, recorded=tuple(range(len(assembly.banks))))
    found = hashlib.sha256()
    arrays = [*done.values.values(), done.outputs, *(rows for bank in done.rows.values() for rows in bank)]
    for values in arrays:
        found.update(naive.bits(np.ascontiguousarray(values)).tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    with np.errstate(all="ignore"):  # as in compiled code
        print(json.dumps({case: digest_of(case) for case in sys.argv[1:]}))
