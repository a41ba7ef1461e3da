"""Runs: training, recording, watching, going on, replaying, and a run's results read back."""
