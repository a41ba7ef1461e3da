"""What the library says of its parameters, in the words of the command line: ``overwrite=True`` is ``--overwrite``."""

import re

import click


def in_options(text: str, command: click.Command) -> str:
    """A message with the options of a command in the place of the parameters that they are.

    Parameters
    ----------
    text : str
        ``stride: must be at least 1``, ``... replaced with overwrite=True``, ``... another with out=FILE``.
    command : click.Command
        That was carried out.

    Returns
    -------
    str
        ``--stride: must be at least 1``, ``... replaced with --overwrite``, ``... another with --out FILE``.
    """
    options = [option.opts[0] for option in command.params if isinstance(option, click.Option)]
    flags = {option.removeprefix("--").replace("-", "_"): option for option in options}
    if not flags:
        return text
    names = "|".join(flags)
    # What a message is of stands before its first colon: one parameter, or several.
    head, colon, rest = text.partition(": ")
    if re.fullmatch(rf"(?:{names})(?:(?:, | and )(?:{names}))*(?: of \w+)?|(?:{names})='\w+'", head):
        head = re.sub(rf"(?<![\w-])(?:{names})\b(?!=)", lambda found: flags[found[0]], head)
    return re.sub(
        rf"(?<![\w.-])({names})=(?:True\b|'?([\w./:-]+)'?)",
        lambda found: f"{flags[found[1]]} {found[2]}" if found[2] else flags[found[1]],
        head + colon + rest,
    )
