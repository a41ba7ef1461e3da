"""Settings that all tests share."""

import hypothesis

# The same examples in every run, and no deadline: a first call may compile a kernel.
hypothesis.settings.register_profile("memsim", derandomize=True, deadline=None, max_examples=50, database=None)
hypothesis.settings.load_profile("memsim")
