"""Runs in the formats of other programs: one tidy table (CSV, Parquet), waveforms (VCD), arrays (NPZ)."""

from .formats import WRITERS, export, format_of

FORMATS = tuple(WRITERS)

__all__ = ["FORMATS", "export", "format_of"]
