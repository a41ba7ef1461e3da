"""Looking into a run: plots, exports, checks, analysis."""
