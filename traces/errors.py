"""What can be wrong with a file."""


class NotARunFileError(OSError):
    """The file is no run file, is broken, or is of another schema version."""
