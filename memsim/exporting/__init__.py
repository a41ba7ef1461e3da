"""Runs in the formats of other programs: one tidy table (CSV, Parquet), waveforms (VCD), arrays (NPZ)."""

from .formats import SUFFIXES, WRITERS, export, format_of

FORMATS = tuple(WRITERS)

__all__ = ["FORMATS", "SUFFIXES", "export", "format_of"]
