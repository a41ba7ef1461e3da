"""Fitting a device model's parameters to a measurement."""
