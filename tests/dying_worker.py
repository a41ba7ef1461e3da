"""Processes of a sweep that die, in the place of those that carry out packs."""

import os
import signal


def dies_with_the_second_pack(pipe):
    """Pack 1 is poison; the others are carried out as ever."""
    from memsim.sweeping import local

    attempt = local.attempt

    def or_die(pack, *rest):
        if pack.number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return attempt(pack, *rest)

    local.attempt = or_die
    local._serve(pipe)


def stops_every_pack(pipe):
    """As somebody's SIGTERM does."""
    pipe.recv()
    pipe.send((False, None))
