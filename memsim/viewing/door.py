"""Who is let in: who knows the token, from this machine; a crowd of others is shown out, and costs next to nothing."""

import contextlib
import logging
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, ResponseStartLine
from tornado.iostream import IOStream
from tornado.routing import Router
from tornado.web import Application

NAMES = ("127.0.0.1", "localhost")  # by which this machine's browser asks; another one's name may stand for it as well
MOST_STRANGERS = 64  # connections that have not shown the token
PATIENCE = 15.0  # seconds that a connection may take to ask, and as long for the rest of what it asks
MOST_BODY = 1 << 16  # bytes; the page sends none
MOST_MESSAGE = 1 << 20  # bytes that the page sends at once, about its fields
REFUSAL = "memsim: this address has no valid token; take the whole address that 'memsim trace view' printed\n"
LOGGERS = ("bokeh", "tornado", "asyncio")


class Door(HTTPServer):
    """Serves an application to who is let in.

    Of connections that have not shown the token, a new one takes the place of
    the oldest one: nobody can keep the door shut by standing in it.

    Parameters
    ----------
    application : Application
    token : str
        The first part of each of its addresses.
    """

    def initialize(self, application: Application, token: str) -> None:  # type: ignore[override]
        """As Tornado has it, in the place of ``__init__``."""
        super().initialize(
            _Gate(application, token, self._let_in), idle_connection_timeout=PATIENCE, body_timeout=PATIENCE,
            max_body_size=MOST_BODY, max_buffer_size=2 * MOST_MESSAGE,
        )  # fmt: skip
        self._strangers: dict[IOStream, None] = {}  # the oldest one first

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Take a new connection."""
        while len(self._strangers) >= MOST_STRANGERS:
            oldest = next(iter(self._strangers))
            self._let_in(oldest)
            oldest.close()
        self._strangers[stream] = None
        super().handle_stream(stream, address)

    def _let_in(self, stream: IOStream) -> None:
        """A connection is no stranger any more."""
        self._strangers.pop(stream, None)

    def on_close(self, server_conn: Any) -> None:
        """Forget a connection."""
        self._let_in(server_conn.stream)
        super().on_close(server_conn)


class _Gate(Router):
    """Hands requests that may be answered on to the application."""

    def __init__(self, application: Application, token: str, let_in: Callable[[IOStream], None]) -> None:
        self._application, self._token, self._let_in = application, token.encode(), let_in

    def find_handler(self, request: HTTPServerRequest, **more: Any) -> HTTPMessageDelegate | None:
        """Who answers a request; its body is not there yet."""
        if not self._is_welcome(request):
            return _Refusal(request)
        connection: Any = request.connection
        self._let_in(connection.stream)
        return self._application.find_handler(request, **more)

    def _is_welcome(self, request: HTTPServerRequest) -> bool:
        """Whether a request has the token, was sent to this machine's own name, and by no page of another origin."""
        shown = request.path.removeprefix("/").partition("/")[0]
        own = f"{request.protocol}://{request.host}"
        return (
            secrets.compare_digest(shown.encode(), self._token)
            and request.host_name in NAMES
            and request.headers.get("Origin", own) == own
        )


class _Refusal(HTTPMessageDelegate):
    """Says so, and nothing else; what comes with a request is not kept."""

    def __init__(self, request: HTTPServerRequest) -> None:
        self._request = request

    def finish(self) -> None:
        """Answer, once all of the request is there."""
        text = REFUSAL.encode()
        about = HTTPHeaders({"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(text))})
        connection: Any = self._request.connection
        head = self._request.method == "HEAD"
        connection.write_headers(ResponseStartLine("HTTP/1.1", 403, "Forbidden"), about, b"" if head else text)
        connection.finish()


class _WithoutToken(logging.Formatter):
    def __init__(self, token: str) -> None:
        super().__init__("memsim: %(name)s: %(message)s")
        self._token = token

    def format(self, record: logging.LogRecord) -> str:
        """A record's text, its traceback too."""
        return super().format(record).replace(self._token, "TOKEN")


@contextlib.contextmanager
def discreet_logs(token: str) -> Iterator[None]:
    """Have the server's libraries tell errors alone, and without the token, which each request has in its address."""
    handler = logging.StreamHandler()
    handler.setFormatter(_WithoutToken(token))
    handler.setLevel(logging.ERROR)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
    try:
        yield
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
