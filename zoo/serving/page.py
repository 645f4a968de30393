"""The demo page: exported models in a browser, on this machine alone unless others are let in."""

import asyncio
import base64
import hashlib
import html
import ipaddress
import json
import mimetypes
import re
import signal
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote
from uuid import uuid4

from zoo.card import (
    CONFUSION_PICTURE,
    ModelCard,
    describe_headline,
    explain_headline,
    format_page,
    get_summary,
    get_title,
    name_label,
    read_card,
)
from zoo.errors import Interrupted, UsageError
from zoo.serving.examples import list_example_files, list_example_texts, read_example
from zoo.serving.http_server import Connection, HTTPServer, Limits, Request, RequestError, Response
from zoo.serving.model_process import Busy, ModelProcess

MEGABYTE = 1_000_000
SIZE_LIMITS = {"text": 20_000, "image": 20 * MEGABYTE, "video": 200 * MEGABYTE}
"""Largest number of bytes of an input, by the kind of input."""

STORED_LIMITS = {"text": 10 * MEGABYTE, "image": 400 * MEGABYTE, "video": 400 * MEGABYTE}
"""Largest number of bytes of all inputs that are received or wait for their prediction, by the kind of input."""

SECONDS = {"text": 60.0, "image": 60.0, "video": 300.0}
"""Time that one prediction may take, by the kind of input."""

MAX_WAITING = {"text": 128, "image": 32, "video": 8}
"""Number of predictions that may wait for another one, by the kind of input."""

RETRY_SECONDS = 3
"""Time after which a client that was refused may try again."""

_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::[0-9]{1,5})?")
_MEDIA_TYPE = re.compile(r"(text|image|video)/.*|application/octet-stream|", re.IGNORECASE)


class PageServer:
    """Serves the page, and predictions.

    `GET /` is the page. `POST /predict/NAME` with a text, or the content of an image or video file, returns JSON:
    the prediction, a table and a plot of it. The header `X-File-Name` is the name of the file, percent-encoded. `GET
    /models` returns as JSON which models are loading, and what is wrong with those that cannot be loaded. `GET
    /card/NAME/` is the card of a model. `GET /example/NAME/NUMBER` returns an image or video of the examples on the
    card, which count from 1.

    Requests under a host name that is not of this machine are refused, so that no web page can reach the models
    through a name of its own that points here. Allowed are IP addresses, `localhost`, the name of this machine and
    `allowed_hosts`.

    The models run in processes of their own, one for each kind of input.

    Args:
        models: directories of exports by name.
        host: address to listen at.
        port: port to listen at; 0 takes any free one.
        allowed_hosts: further host names of this machine.
        limits: what clients can take.

    Attributes:
        models: as above; once they are loaded, without those that cannot be loaded.
        problems: what is wrong with those, by name.

    Raises:
        UsageError: the port is in use, or the address is not one of this machine; or a card cannot be read.
    """

    def __init__(
        self,
        models: Mapping[str, Path],
        host: str = "127.0.0.1",
        port: int = 8000,
        allowed_hosts: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        self.models, self.is_local = dict(models), host in _LOCAL_HOSTS
        self.problems: dict[str, str] = {}
        self._cards = {name: read_card(path) for name, path in models.items()}
        self._kinds = {name: card["input_kind"] for name, card in self._cards.items()}
        self._examples = {
            f"/example/{name}/{number}": example
            for name, card in self._cards.items()
            for number, example in enumerate(list_example_files(card, models[name]), 1)
        }
        self._pictures = {  # on the pages of the cards
            f"/card/{name}/{file}": models[name] / file
            for name, card in self._cards.items()
            for file in (CONFUSION_PICTURE, *(answer.get("file", "") for answer in card.get("answers", ())))
            if (models[name] / file).is_file()
        }
        machine = socket.gethostname().lower()
        self._hosts = {"localhost", machine, f"{machine}.local", *(name.lower() for name in allowed_hosts)}
        self._stored: Counter[str] = Counter()  # bytes of inputs by kind
        self._limits = limits or Limits()
        self._stop: Callable[[], object] = lambda: None
        self._is_terminated = False
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            self._listener = socket.create_server((host, port), family=family)
        except (OSError, UnicodeError) as error:  # UnicodeError: no host can have this name
            reason = error.strerror if isinstance(error, OSError) else "it is no name of a host"
            raise UsageError(f"{host:.80}:{port}: {reason}. Choose another --port or --host.") from error
        self.server_address: tuple[str, int] = self._listener.getsockname()[:2]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    @property
    def url(self) -> str:
        """Address of the page."""
        host, port = self.server_address
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def serve_forever(
        self, on_loaded: Callable[[], None] = lambda: None, on_ready: Callable[[], None] = lambda: None
    ) -> None:
        """Serve until `shutdown`, Ctrl-C or SIGTERM, and load the models meanwhile.

        Args:
            on_loaded: called once the models are loaded.
            on_ready: called once requests are answered; predictions wait until their model is loaded.

        Raises:
            UsageError: no model can be loaded.
            Interrupted: SIGTERM.
        """
        with tempfile.TemporaryDirectory(prefix="zoo-demo-") as directory, suppress(asyncio.CancelledError):
            asyncio.run(self._serve(Path(directory), on_loaded, on_ready))
        if self._is_terminated:
            raise Interrupted("The page is closed.", signal.SIGTERM)

    def shutdown(self) -> None:
        """Let `serve_forever` return, from another thread."""
        self._stop()

    async def _serve(
        self, directory: Path, on_loaded: Callable[[], None], on_ready: Callable[[], None]
    ) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._stop = lambda: loop.call_soon_threadsafe(task.cancel)
        if threading.current_thread() is threading.main_thread():
            loop.add_signal_handler(signal.SIGTERM, self._terminate)
        self._directory = directory
        self._processes = {
            kind: ModelProcess(
                {name: path for name, path in self.models.items() if self._kinds[name] == kind},
                SECONDS[kind],
                MAX_WAITING[kind],
                directory,
            )
            for kind in set(self._kinds.values())
        }
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._load(on_loaded))
                group.create_task(HTTPServer(self._handle, self._limits).serve(self._listener, on_ready))
        except* UsageError as errors:
            raise errors.exceptions[0] from None
        finally:
            self._stop = lambda: None
            await asyncio.gather(*(process.close() for process in self._processes.values()))

    async def _load(self, on_loaded: Callable[[], None]) -> None:
        """Load the models, in all processes at the same time, and leave out those that cannot be loaded."""
        for problems in await asyncio.gather(*(process.load() for process in self._processes.values())):
            self.problems |= problems
        for name in self.problems:
            del self.models[name]
        if not self.models:
            reasons = "".join(f" {name}: {problem}" for name, problem in self.problems.items())
            raise UsageError(
                f"There is no model to show.{reasons} Name another directory of models by --models."
            )
        on_loaded()

    def _terminate(self) -> None:
        self._is_terminated = True
        self._stop()

    async def _handle(self, request: Request, connection: Connection) -> Response:
        """Return the response to a request; see `http_server.Handler`."""
        self._check_origin(request)
        first, _, name = request.path[1:].partition("/")
        if request.path == "/":
            check_method(request, "GET", "HEAD")
            return self._render()
        if request.path == "/models":
            check_method(request, "GET", "HEAD")
            return Response(HTTPStatus.OK, "application/json", json.dumps(self._list_states()).encode())
        if first == "card" and name.endswith("/") and (card := self._cards.get(name[:-1])):
            check_method(request, "GET", "HEAD")
            return render_card(card)
        if example := self._examples.get(request.path):
            check_method(request, "GET", "HEAD")
            _, file = example
            media_type = "video/mp4" if file.suffix == ".npy" else get_media_type(file)
            return Response(HTTPStatus.OK, media_type, await asyncio.to_thread(read_example, file))
        if picture := self._pictures.get(request.path):
            check_method(request, "GET", "HEAD")
            return Response(HTTPStatus.OK, get_media_type(picture), picture.read_bytes())
        if first == "predict" and name in self.models:
            check_method(request, "POST")
            return await self._predict(name, request, connection)
        raise RequestError(HTTPStatus.NOT_FOUND, "There is no such page, model or example.")

    async def _predict(self, name: str, request: Request, connection: Connection) -> Response:
        """Receive an input and return the prediction; nothing is computed for a client that has left."""
        kind = self._kinds[name]
        check_body(request, kind)
        process, num_reserved = self._processes[kind], 0
        if process.is_full:
            raise make_busy_error()

        def reserve(num_bytes: int) -> None:  # as they arrive: what a client announces may never come
            nonlocal num_reserved
            if self._stored[kind] + num_bytes > STORED_LIMITS[kind]:
                raise make_busy_error()
            self._stored[kind] += num_bytes
            num_reserved += num_bytes

        sent_name = unquote(request.headers.get("x-file-name", ""), errors="replace")
        file_name = re.split(r"[/\\]", sent_name)[-1][-100:]
        suffix = re.search(r"\.[0-9A-Za-z]{1,7}$", file_name)
        path = self._directory / f"{uuid4().hex}{suffix[0] if suffix else '.mp4'}"
        try:
            await connection.receive_body(request, path, reserve)
            reply = await connection.run_while_open(process.predict(name, path, file_name))
        except Busy as error:
            raise make_busy_error() from error
        finally:
            path.unlink(missing_ok=True)
            self._stored[kind] -= num_reserved
        return Response(reply.status, "application/json", reply.content)

    def _check_origin(self, request: Request) -> None:
        """Refuse requests of other sites: under another name for this address, or from their pages."""
        host = request.headers.get("host", "")
        match = _HOST.fullmatch(host)
        if not match:
            raise RequestError(HTTPStatus.BAD_REQUEST, "Expected a header such as Host: localhost.")
        name = match[1].lower().rstrip(".")
        if name not in self._hosts and not is_ip_address(name.strip("[]")):
            raise RequestError(
                HTTPStatus.FORBIDDEN,
                "Open the page by the address that the command printed, or start it with --allow-host.",
            )
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower()):
            raise RequestError(HTTPStatus.FORBIDDEN, "Expected a request of the page itself.")

    def _list_states(self) -> dict[str, dict[str, Any]]:
        """Return for each model whether it is loading, and what is wrong with it."""
        return {
            name: {
                "is_loading": self._processes[kind].is_loading,
                "problem": self.problems.get(name, ""),
            }
            for name, kind in self._kinds.items()
        }

    def _render(self) -> Response:
        """Return the page, with what it needs about the models."""
        states = self._list_states()
        models = [
            {
                "name": name,
                "task": card["task"],
                "kind": self._kinds[name],
                "limit": SIZE_LIMITS[self._kinds[name]],
                "title": get_title(card),
                "summary": f"{get_summary(card)} {card.get('purpose', '')}".strip(),
                "score": describe_headline(card),
                "score_meaning": explain_headline(card),
                "size": card["size_bytes"],
                "license": card["license"],
                "limits": card["limits"],
                "label_names": {label: name_label(label, card["labels"]) for label in card["labels"]},
                "languages": card["preprocessor"].get("languages", []),
                "texts": list_example_texts(card),
                "files": [
                    {"url": url, "name": file_name}
                    for url, (file_name, _) in self._examples.items()
                    if url.startswith(f"/example/{name}/")
                ],
                **states[name],
            }
            for name, card in ((name, self._cards[name]) for name in self.models)
        ]
        content = json.dumps(models).replace("<", "\\u003c")  # no text becomes a tag of the page
        page = files("zoo.serving").joinpath("page.html").read_text("utf-8")
        script = page.partition("<script>")[2].partition("</script>")[0]
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        return make_page(
            page.replace("{{models}}", content),
            f"script-src 'sha256-{digest}'; connect-src 'self'; media-src blob:; img-src 'self' data: blob:",
        )


def render_card(card: ModelCard) -> Response:
    """Return the card of a model as a page."""
    from markdown_it import MarkdownIt  # takes as long as the rest of the server

    text = re.sub(
        r'<img src="([^"]*)" alt="([^"]*)" width="160">', r"![\2](\1)", format_page(card, has_metadata=False)
    )
    content = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    content = re.sub(
        "<table>.*?</table>",
        r'<div class="scroll" tabindex="0" role="group" aria-label="Table">\g<0></div>',
        content,
        flags=re.DOTALL,
    )
    template = files("zoo.serving").joinpath("card.html").read_text("utf-8")
    page = template.replace("{{title}}", html.escape(get_title(card))).replace("{{card}}", content)
    return make_page(page, "img-src 'self' data:")


def make_page(page: str, policy: str) -> Response:
    """Return a page that loads nothing but what its policy allows."""
    policies = (
        f"default-src 'none'; {policy}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policies}
    return Response(HTTPStatus.OK, "text/html; charset=utf-8", page.encode(), headers)


def check_method(request: Request, *methods: str) -> None:
    """Refuse other methods.

    Raises:
        RequestError: the request has another one.
    """
    if request.method not in methods:
        message = f"Expected {' or '.join(methods)}, got {request.method}."
        raise RequestError(HTTPStatus.METHOD_NOT_ALLOWED, message, {"Allow": ", ".join(methods)})


def check_body(request: Request, kind: str) -> None:
    """Check the headers that describe the input that a request carries.

    Raises:
        RequestError: its size is not stated, too large, or the input is wrapped in another format.
    """
    limit, media_type = SIZE_LIMITS[kind], request.headers.get("content-type", "")
    if request.length is None:
        raise RequestError(HTTPStatus.LENGTH_REQUIRED, "Expected the header Content-Length.")
    if request.length > limit:
        raise RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"Got {request.length:,} bytes, expected at most {limit:,}. Send a smaller {kind}.",
        )
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Got {media_type[:60]}, expected the {kind} itself as the body. Send it as application/octet-stream.",
        )


def make_busy_error() -> RequestError:
    """Return the error for a request that may succeed later."""
    return RequestError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"Too many predictions are waiting. Try again in {RETRY_SECONDS} seconds.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


def is_ip_address(name: str) -> bool:
    """Return whether a host name is an IP address, which no name server can point elsewhere.

    >>> is_ip_address("192.168.0.7"), is_ip_address("::1"), is_ip_address("192.168.0.7.example")
    (True, True, False)
    """
    with suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    return False


def get_media_type(path: Path) -> str:
    """Return the media type of an image or video by its name; none that could contain a script.

    >>> get_media_type(Path("example1.jpg")), get_media_type(Path("example1.svg"))
    ('image/jpeg', 'application/octet-stream')
    """
    guessed = mimetypes.guess_type(path.name)[0] or ""
    return guessed if re.fullmatch(r"(image|video)/[\w.-]+", guessed) else "application/octet-stream"
