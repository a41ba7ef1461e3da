"""The worker that reads hostile files, seen from the test: started again when it dies."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import memsim

WORKER = Path(__file__).with_name("hostile_worker.py")
SECONDS = 20.0  # for one file; a good one takes a third of a second
START_SECONDS = 300.0  # kernels may have to be compiled


class Reader:
    """A process that reads files; one that dies or hangs is replaced.

    Parameters
    ----------
    warm : sequence of Path
        Good files, to load all that is needed.
    """

    def __init__(self, warm: list[Path]) -> None:
        self._warm = [str(path) for path in warm]
        self.started = 0
        self._process: subprocess.Popen[bytes] | None = None

    def look(self, path: Path) -> dict[str, Any]:
        """What became of a file: its ``state``, and what is ``wrong`` with how it was read."""
        process = self._process or self._start()
        assert process.stdin is not None
        process.stdin.write(f"{path}\n".encode())
        process.stdin.flush()
        answer = self._answer(process, SECONDS)
        if "end" in answer:
            self.close()
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> "subprocess.Popen[bytes]":
        environment = os.environ | {"PYTHONPATH": str(Path(memsim.__file__).parents[1]), "MALLOC_ARENA_MAX": "1"}
        environment |= {"PYTHONFAULTHANDLER": "1"}
        self._process = process = subprocess.Popen(
            [sys.executable, str(WORKER), *self._warm], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment,
        )  # fmt: skip
        self.started += 1
        answers = [self._answer(process, START_SECONDS) for _ in self._warm]
        assert not any(answer["wrong"] for answer in answers), answers
        return process

    @staticmethod
    def _answer(process: "subprocess.Popen[bytes]", seconds: float) -> dict[str, Any]:
        assert process.stdout is not None
        said = b""
        while select.select([process.stdout], [], [], seconds)[0]:
            line = process.stdout.readline()
            if line.startswith(b"{"):
                found: dict[str, Any] = json.loads(line)
                return found
            if not line:
                return _ended(f"died ({process.wait()})", said)
            said += line
        return _ended(f"took more than {seconds} s", said)


def _ended(how: str, said: bytes) -> dict[str, Any]:
    return {"state": how, "end": True, "wrong": [f"{how}: {said.decode()[-1500:]}"]}
