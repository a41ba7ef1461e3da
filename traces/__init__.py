"""Run files: HDF5 files that hold a run, its metrics, its keyframes and its traces.

This package imports numpy and h5py only, and knows no networks and no schedules.
"""

if __name__ != "memsim.traces":
    raise ImportError("import memsim.traces, not traces: the bare name would load every module twice")
