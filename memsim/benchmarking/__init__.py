"""Measuring memsim: suites of cases, each beside a C reference, NumPy, and the machine's own limits."""
