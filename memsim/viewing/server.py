"""The server of the page: on this machine alone, at an address that nobody can guess, for reading only."""

import contextlib
import secrets
import signal
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.document import Document
from bokeh.resources import Resources
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from bokeh.settings import settings
from tornado.ioloop import IOLoop

from ..errors import InputError
from ..runs.opening import open_run
from ..runs.run import Run
from ..terminal.preparing import Tell, progress_of, told_to
from ..terminal.screen import waiting
from ..terminal.streams import tell
from .choice import Choice
from .door import MOST_MESSAGE, NAMES, Door, discreet_logs
from .exports import TYPES, ExportHandler
from .failures import FAILURES, said_of
from .looks import Look, Looker
from .page import FIRST_COLUMNS, Page, fill_broken

HOST = "127.0.0.1"
TOKEN_BYTES = 18
MOST_PAGES = 24  # that are open at once; each has the file open, and engines
Begin = Callable[[Run], tuple[Choice, tuple[int, int] | None]]


class _Bokeh(BokehTornado):
    """Bokeh's application, whose page gets the parts of Bokeh that it needs; a name in a file is no formula."""

    def resources(self, absolute_url: str | bool | None = None) -> Resources:
        """What the page loads."""
        found = super().resources(absolute_url)
        found.components = ["bokeh", "bokeh-widgets"]
        return found

    def log_request(self, handler: object) -> None:
        """Say nothing of requests; what goes wrong in one is said where it does."""


class Viewer:
    """A server that shows one run file.

    Parameters
    ----------
    path : Path
        The run file; each page opens it anew.
    begin : callable
        From an open run to what a page shows first: the choice, and steps, or None for all of them.
    port : int
        0 takes one that is free.

    Raises
    ------
    InputError
        The port is taken.
    """

    def __init__(self, path: Path, begin: Begin, port: int = 0) -> None:
        self._path, self._begin = path, begin
        self._looks: dict[str, Look] = {}  # what pages show now
        self._pages: set[Page] = set()
        self._token = secrets.token_urlsafe(TOKEN_BYTES)
        try:
            listening = socket.create_server((HOST, port))
        except OSError as error:
            raise InputError(
                f"--port: {port} cannot be taken ({error.strerror}); name another, or 0 for a free one"
            ) from None
        listening.setblocking(False)
        self.port = int(listening.getsockname()[1])
        self._loop = IOLoop.current()
        # Whatever the environment says: nothing from elsewhere is loaded, nor let in.
        settings.resources = "server"
        settings.allowed_ws_origin = origins = [f"{name}:*" for name in NAMES]
        application = _Bokeh(
            {"/": Application(FunctionHandler(self._open))}, prefix=self._token, extra_websocket_origins=origins,
            ico_path="none", extra_patterns=[
                (rf"/export\.({'|'.join(TYPES)})", ExportHandler, {"path": path, "looks": self._looks})
            ], check_unused_sessions_milliseconds=1000, unused_session_lifetime_milliseconds=3000,
            websocket_max_message_size_bytes=MOST_MESSAGE, include_headers=[], include_cookies=[],
        )  # fmt: skip
        http = Door(application, self._token)
        http.add_sockets([listening])
        self._server = BaseServer(self._loop, application, http)

    @property
    def address(self) -> str:
        """Of the page, with its token."""
        return f"http://{HOST}:{self.port}/{self._token}/"

    def serve(self, *, show: bool) -> None:
        """Answer until Ctrl-C.

        Parameters
        ----------
        show : bool
            Open the page in the browser.
        """
        self._server.start()
        with tempfile.TemporaryDirectory(prefix="memsim-view-") as folder:
            if show:
                # A browser of the terminal takes the thread until it ends.
                threading.Thread(target=_open_browser, args=(self.address, Path(folder)), daemon=True).start()
            try:
                with self._ended_by_signals(), discreet_logs(self._token):
                    self._loop.start()
            except KeyboardInterrupt:
                return
            finally:
                self._server.stop()
                for page in tuple(self._pages):  # what they still replay ends soon
                    self._close(page)

    @contextlib.contextmanager
    def _ended_by_signals(self) -> Iterator[None]:
        """Have Ctrl-C end the loop between two callbacks: an exception within one of them may be lost in a library."""
        loop = self._loop.asyncio_loop  # type: ignore[attr-defined]
        taken = []
        # Not in a thread, nor on every system: there Ctrl-C is the usual exception.
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._loop.stop)
                taken.append(number)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """End :meth:`serve`, from any thread."""
        self._loop.add_callback(self._loop.stop)

    def _open(self, document: Document) -> None:
        """Fill a new page."""
        if len(self._pages) >= MOST_PAGES:
            fill_broken(document, f"{MOST_PAGES} pages of it are open; close some of them, and load this one again")
            return
        try:
            page = self._page_of(document)
            page.add_to_document()
        except Exception as error:
            fill_broken(document, said_of(error))
            return
        self._pages.add(page)
        document.on_session_destroyed(lambda context: self._close(page))

    def _close(self, page: Page) -> None:
        self._pages.discard(page)
        page.close()

    def _page_of(self, document: Document) -> Page:
        """A page, with the run opened for it."""
        with contextlib.ExitStack() as kept:
            run = kept.enter_context(open_run(self._path))
            page = Page(document, run, *self._begin(run), address=f"/{self._token}", looks=self._looks)
            kept.pop_all()
        return page


def get_ready(run: Run, choice: Choice, span: tuple[int, int] | None) -> None:
    """Load the kernels, or compile them, before the page opens rather than in it.

    What is wrong with the file is left for the page to say.
    """
    if run.steps == 0:
        return
    looker = Looker(run)
    with waiting("getting ready") as show, told_to(partial(_compiling, show)):
        try:
            looker.look(choice.channels, *(span or (0, run.steps)), FIRST_COLUMNS)
        except FAILURES:
            return
        finally:
            looker.close()


@contextlib.contextmanager
def _compiling(show: Callable[[str], None], total: int) -> Iterator[Tell]:
    """Tell in the waiting line what is compiled."""
    yield lambda name, done: show(progress_of(name, done, total))


def _open_browser(address: str, folder: Path) -> None:
    """Open the page by way of a file that only this user can read: others see a browser's arguments."""
    door = folder / "page.html"
    door.touch(mode=0o600)
    door.write_text(f'<meta charset="utf-8"><meta http-equiv="refresh" content="0; url={address}">', encoding="utf-8")
    if not webbrowser.open(door.as_uri()):
        tell("no browser was found; open the address above")
