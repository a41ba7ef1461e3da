"""A group of commands that are imported when they are called, so that help needs to load none of them."""

import importlib
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands lie in modules of their names.

    Parameters
    ----------
    package : str
        Where the modules are; each has its command as ``command``.
    one_liners : dict
        Command to its line in the help, in the order in which a user meets them.
    """

    def __init__(self, *, package: str, one_liners: dict[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self._package, self._one_liners = package, one_liners

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which a user meets them."""
        return list(self._one_liners)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None where there is none of that name."""
        if cmd_name not in self._one_liners:
            return None
        command: click.Command = importlib.import_module(f".{cmd_name}", self._package).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Carry out a command; what the library says of its parameters is said of the command's options."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            from ..errors import MemsimError

            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            if isinstance(error, MemsimError) and command is not None:
                from .words import in_options

                error.args = (in_options(str(error), command),)
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._one_liners.items()))
