"""The suites: each gives its cases, which measure when they are run."""
