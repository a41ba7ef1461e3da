"""Processes of a sweep that die, or do not, in the place of those that carry out packs."""

import os
import signal
import time


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
    pipe.recv_bytes()  # unread: what a pack is would have to be imported
    pipe.send((False, None))


def never_comes_to_a_keyframe(pipe):
    """Whatever its parent wants."""
    from memsim.sweeping import local

    def hang(pack, folder, stop, tell):
        tell("begun")
        stop.wait()
        tell("told to stop")
        time.sleep(600)

    local.attempt, local.ORPHAN_SECONDS = hang, 0.2
    local._serve(pipe)
