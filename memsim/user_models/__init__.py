"""A user's own device model, in plain Python: declared, translated for the kernels, checked, loaded from a file."""
