"""A small HTTP server with bounds: on connections, on the size of requests, and on time.

A connection has one request and is closed after the response, so there is no state between requests. A request that
is incomplete or ambiguous is refused, never guessed at.
"""

import asyncio
import json
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 16

_REQUEST_LINE = re.compile(r"([A-Z]{1,20}) ([!-~]+) HTTP/([0-9])\.([0-9])")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_SINGLE_HEADERS = ("content-length", "content-type", "expect", "host", "origin", "x-file-name")
"""Headers that decide what is done: a second one of the same name would make the request ambiguous."""

_SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every response, unless it has others: nothing is stored, embedded in other pages, or loaded by it."""


@dataclass(frozen=True)
class Limits:
    """What one client, or all of them, can take.

    Attributes:
        connections: number of open connections. A further one ends the oldest that is not waiting for a result.
        head_bytes: size of request line and headers.
        head_seconds: time for these to arrive.
        body_seconds: time for a body to arrive, besides that which it takes at `body_rate`.
        body_rate: bytes per second at which a body must arrive on average.
        response_seconds: time for a response to be taken.
        linger_seconds: time for which the rest of a refused request is read, so that the client sees the response.
    """

    connections: int = 256
    head_bytes: int = 16_384
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    body_rate: float = 500_000.0
    response_seconds: float = 30.0
    linger_seconds: float = 3.0


class RequestError(ValueError):
    """A request that is refused, with the reason.

    Args:
        status: status of the response.
        message: what was found, what was expected, what to do.
        headers: further headers of the response.
    """

    def __init__(self, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}


class Request(NamedTuple):
    """Request line and headers.

    Attributes:
        method: such as "GET".
        path: decoded, without a query.
        headers: values by name in lower case.
        length: number of bytes of the body; None if there is no `Content-Length`.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    length: int | None


class Response(NamedTuple):
    """What is sent back."""

    status: HTTPStatus
    content_type: str
    content: bytes
    headers: Mapping[str, str] = {}


def parse_request(head: bytes) -> Request:
    """Parse request line and headers, which end with an empty line.

    Raises:
        RequestError: they are not HTTP/1.0 or HTTP/1.1, or ambiguous.
    """
    line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        raise RequestError(HTTPStatus.BAD_REQUEST, "Expected a request such as GET / HTTP/1.1.")
    method, target, major, minor = match.groups()
    if major != "1":
        raise RequestError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Expected HTTP/1.1.")
    if not target.startswith("/"):
        raise RequestError(HTTPStatus.BAD_REQUEST, "Expected a path that starts with /.")
    headers: dict[str, str] = {}
    for field in fields:
        if not (match := _HEADER.fullmatch(field)):
            raise RequestError(HTTPStatus.BAD_REQUEST, "Expected headers such as Host: localhost.")
        name = match[1].lower()
        if name in headers and name in _SINGLE_HEADERS:
            raise RequestError(HTTPStatus.BAD_REQUEST, f"Got the header {name} twice, expected it once.")
        headers[name] = match[2].rstrip(" \t")
    length = headers.get("content-length")
    if "transfer-encoding" in headers:
        status = HTTPStatus.LENGTH_REQUIRED if length is None else HTTPStatus.BAD_REQUEST
        raise RequestError(status, "Expected a body with Content-Length, without Transfer-Encoding.")
    if length is not None and not re.fullmatch("[0-9]{1,15}", length):
        raise RequestError(HTTPStatus.BAD_REQUEST, "Expected a number of bytes as Content-Length.")
    if minor == "0":
        headers.pop("expect", None)
    if headers.get("expect", "100-continue").lower() != "100-continue":
        raise RequestError(HTTPStatus.EXPECTATION_FAILED, "Expected no header Expect but 100-continue.")
    path = unquote(re.split(r"[?#]", target)[0], errors="replace")
    return Request(method, path, headers, None if length is None else int(length))


class Connection:
    """A connection to a client.

    Attributes:
        is_waiting: whether the client waits for a result, so that the connection must stay open.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits) -> None:
        self._reader, self._writer, self._limits = reader, writer, limits
        self.is_waiting = False
        writer.transport.set_write_buffer_limits(0)  # so that `drain` waits until all is sent

    async def receive_request(self) -> Request | None:
        """Return the request; None if the client sends none, or not in time.

        Raises:
            RequestError: the request cannot be understood.
        """
        try:
            async with asyncio.timeout(self._limits.head_seconds):
                return parse_request(await self._reader.readuntil(b"\r\n\r\n"))
        except TimeoutError:
            return None
        except asyncio.LimitOverrunError as error:
            raise RequestError(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"Expected at most {self._limits.head_bytes:,} bytes of headers.",
            ) from error
        except asyncio.IncompleteReadError as error:
            if not error.partial:
                return None
            raise RequestError(HTTPStatus.BAD_REQUEST, "The request ends before its headers do.") from error

    async def receive_body(
        self, request: Request, path: Path, reserve: Callable[[int], object] = lambda _: None
    ) -> None:
        """Write the body of a request to a file, as it arrives.

        Args:
            request: the request.
            path: the file to write.
            reserve: called with the number of bytes that arrived, before they are written; may raise
                `RequestError`.

        Raises:
            RequestError: the body is incomplete, or arrives too slowly.
        """
        length, num_received = request.length or 0, 0
        start = asyncio.get_running_loop().time()
        if "expect" in request.headers:
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        with path.open("wb") as file:
            while num_received < length:
                try:
                    deadline = start + self._limits.body_seconds + num_received / self._limits.body_rate
                    async with asyncio.timeout_at(deadline):
                        chunk = await self._reader.read(min(length - num_received, CHUNK_BYTES))
                except TimeoutError as error:
                    raise RequestError(
                        HTTPStatus.REQUEST_TIMEOUT, f"{num_received:,} of {length:,} bytes arrived in time."
                    ) from error
                if not chunk:
                    raise RequestError(
                        HTTPStatus.BAD_REQUEST,
                        f"The request ends after {num_received:,} of {length:,} bytes. Send it completely.",
                    )
                reserve(len(chunk))
                file.write(chunk)
                num_received += len(chunk)

    async def run_while_open(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return the result of some work, which is cancelled when the client closes the connection.

        Raises:
            ConnectionError: the client has closed the connection.
        """
        task = asyncio.ensure_future(work)
        closing = asyncio.ensure_future(self._wait_until_closed())
        self.is_waiting = True
        try:
            await asyncio.wait({task, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ConnectionError("The client has left.")
            return task.result()
        finally:
            self.is_waiting = False
            task.cancel()
            closing.cancel()
            await asyncio.wait({task, closing})

    async def send(self, response: Response, *, has_body: bool = True) -> None:
        """Send a response; a client that does not take it in time is cut off."""
        headers = {
            "Date": formatdate(usegmt=True),
            "Connection": "close",
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.content)),
            **_SECURITY_HEADERS,
            **response.headers,
        }
        lines = [f"HTTP/1.1 {response.status.value} {response.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        if has_body:
            self._writer.write(response.content)
        async with asyncio.timeout(self._limits.response_seconds):
            await self._writer.drain()

    async def close(self) -> None:
        """Close the connection once the client has done so: earlier, a response that it did not read yet is lost."""
        with suppress(OSError):  # TimeoutError, too
            async with asyncio.timeout(self._limits.linger_seconds):
                self._writer.write_eof()
                await self._wait_until_closed()

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    async def _wait_until_closed(self) -> None:
        with suppress(ConnectionError):
            while await self._reader.read(CHUNK_BYTES):
                pass


Handler = Callable[[Request, Connection], Awaitable[Response]]
"""Returns the response to a request, or raises `RequestError`."""


class HTTPServer:
    """Serves requests, each by a call of a function.

    Args:
        handle: see `Handler`.
        limits: what clients can take.
    """

    def __init__(self, handle: Handler, limits: Limits) -> None:
        self._handle, self._limits = handle, limits
        self._connections: dict[Connection, asyncio.Task[None]] = {}  # the oldest first

    async def serve(self, listener: socket.socket, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled.

        Args:
            listener: a socket that listens.
            on_ready: called once requests are answered.
        """
        server = await asyncio.start_server(
            self._accept, sock=listener, limit=self._limits.head_bytes, backlog=64
        )
        try:
            on_ready()
            await asyncio.get_running_loop().create_future()
        finally:
            # A connection between its acceptance and `_accept` would stay open if the server were closed now.
            asyncio.get_running_loop().remove_reader(listener)
            for _ in range(3):
                await asyncio.sleep(0)
            server.close()
            while self._connections:  # until each has noticed
                for connection in self._connections:
                    connection.abort()
                await asyncio.sleep(0.01)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # No coroutine: a task that is cancelled before its first step would leave the connection open.
        connection = Connection(reader, writer, self._limits)
        if len(self._connections) >= self._limits.connections:
            oldest = next((other for other in self._connections if not other.is_waiting), connection)
            oldest.abort()
            self._connections.pop(oldest, None)
        self._connections[connection] = asyncio.create_task(self._serve_connection(connection))

    async def _serve_connection(self, connection: Connection) -> None:
        try:
            await self._respond(connection)
            await connection.close()
        except (ConnectionError, TimeoutError):  # the client has left, or is too slow
            pass
        finally:
            connection.abort()
            self._connections.pop(connection, None)

    async def _respond(self, connection: Connection) -> None:
        has_body = True
        try:
            request = await connection.receive_request()
            if request is None:
                return
            has_body = request.method != "HEAD"
            response = await self._handle(request, connection)
        except RequestError as error:
            response = make_error(error.status, str(error), error.headers)
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            logger.error("A request failed with %s.", type(error).__name__)  # inputs are private
            response = make_error(HTTPStatus.INTERNAL_SERVER_ERROR, "The request failed.")
        await connection.send(response, has_body=has_body)


def make_error(status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with a message as JSON."""
    return Response(status, "application/json", json.dumps({"error": message}).encode(), headers or {})
