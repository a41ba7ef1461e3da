"""Hysteresis loops over frequencies and amplitudes, and the three fingerprints of a memristor."""
