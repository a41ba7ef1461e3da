"""Runs and drives in the formats of other programs: tables (CSV, Parquet), waveforms (VCD), arrays (NPZ), netlists."""

from .formats import SUFFIXES, WRITERS, export, format_of

FORMATS = tuple(WRITERS)

__all__ = ["FORMATS", "SUFFIXES", "export", "format_of"]
