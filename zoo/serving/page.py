"""A local web page on which to try exported models: nothing leaves the machine."""

import base64
import json
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from zoo.errors import UsageError, VideoError
from zoo.tasks.predictor import Program
from zoo.tasks.texts import TextProgram

MEGABYTE = 1_000_000
LIMITS = {"text": 20_000, "picture": 20 * MEGABYTE, "video": 200 * MEGABYTE}
"""Bytes that may be sent, by what a model takes."""

_LOCAL = ("127.0.0.1", "localhost", "::1")


class Refused(ValueError):
    """What was asked for is not answered; the message says why."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Page(ThreadingHTTPServer):
    """Serves the page, and the answers of programs.

    `GET /` is the page; `POST /predict/NAME` with a text, or what is in a picture's or a video's file, gives
    JSON: the answer, and a picture of what lies behind it; `GET /example/NAME` is a picture to try.

    Args:
        programs: by name.
        host: the address to listen at. Where it is one of this machine alone, requests by another name are
            refused: no page on the web can reach the models through a name that it lets point here.
        port: 0 takes any.
    """

    daemon_threads = True

    def __init__(self, programs: Mapping[str, Program], host: str = "127.0.0.1", port: int = 8000) -> None:
        self.programs, self.local = programs, host in _LOCAL
        self.one_at_a_time = threading.Lock()  # a model takes all cores anyway
        super().__init__((host, port), _Answers)

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{self.server_address[0]}:{self.server_address[1]}/"

    def content(self) -> str:
        """The page, with what it has to know of the models."""
        models = [
            {
                "name": name,
                "takes": program.kind,
                "limit": LIMITS[program.kind],
                "title": program.card.get("title", name),
                "summary": program.card.get("summary", ""),
                "limits": program.card.get("limits", []),
                "example": example_text(program),
                "picture": example_picture(program) is not None,
            }
            for name, program in self.programs.items()
        ]
        known = json.dumps(models).replace("<", "\\u003c")  # no tag of the page
        return files("zoo.serving").joinpath("page.html").read_text("utf-8").replace("{{models}}", known)

    def answer(self, name: str, content: bytes, file_name: str) -> dict[str, Any]:
        """What a program says of what was sent, and a picture of what lies behind it."""
        program = self.programs[name]
        with given(program, content, file_name) as one, self.one_at_a_time:
            (said,) = program.predict([one])
            return said.as_json() | {"behind": drawn(program, one, said)}


class _Answers(BaseHTTPRequestHandler):
    server: Page
    server_version, sys_version = "zoo", ""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self._with_errors_told(lambda: self._get(path))

    def do_POST(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self._with_errors_told(lambda: self._post(path))

    def _get(self, path: str) -> None:
        self._check_name()
        if path == "/":
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.server.content().encode())
            return
        picture = example_picture(self._program(path, "/example/"))
        if picture is None:
            raise Refused(HTTPStatus.NOT_FOUND, "The model has no example of a picture.")
        self._send(HTTPStatus.OK, "application/octet-stream", picture.read_bytes())

    def _post(self, path: str) -> None:
        self._check_name()
        program = self._program(path, "/predict/")
        length, most = self.headers.get("Content-Length", ""), LIMITS[program.kind]
        if not length.isdecimal():
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "Expected the header Content-Length.")
        if int(length) > most:
            self.close_connection = True  # the rest is not read
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{int(length):,} bytes; at most {most:,} can be sent."
            )
        content, file_name = self.rfile.read(int(length)), unquote(self.headers.get("X-File-Name", ""))
        said = self.server.answer(path.removeprefix("/predict/"), content, file_name)
        self._send(HTTPStatus.OK, "application/json", json.dumps(said).encode())

    def _program(self, path: str, beginning: str) -> Program:
        name = path.removeprefix(beginning)
        if not path.startswith(beginning) or name not in self.server.programs:
            raise Refused(HTTPStatus.NOT_FOUND, f"There is no {path}.")
        return self.server.programs[name]

    def _check_name(self) -> None:
        """Let no other site speak to the models: not by its own name for this address, not from its pages."""
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        foreign = self.server.local and urlsplit(f"//{host}").hostname not in _LOCAL
        if foreign or (origin is not None and urlsplit(origin).netloc != host):
            raise Refused(HTTPStatus.FORBIDDEN, "Open the page by the address that was printed.")

    def _with_errors_told(self, act: Any) -> None:
        try:
            act()
        except Refused as error:
            self._tell(error.status, str(error))
        except (UsageError, VideoError) as error:
            self._tell(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except ConnectionError:
            self.close_connection = True  # the reader has gone

    def _tell(self, status: HTTPStatus, message: str) -> None:
        self._send(status, "application/json", json.dumps({"error": message}).encode())

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        # Nothing is loaded from elsewhere, and nothing is kept.
        self.send_header(
            "Content-Security-Policy",
            "default-src 'self'; img-src 'self' data: blob:; media-src blob:; style-src 'unsafe-inline'; "
            "script-src 'unsafe-inline'",
        )
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """What people type is not for the log."""


def serve_page(programs: Mapping[str, Program], host: str, port: int) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        UsageError: The port is taken, or the address is not of this machine.
    """
    try:
        page = Page(programs, host, port)
    except OSError as error:
        raise UsageError(f"{host}:{port}: {error.strerror}. Name another --port or --host.") from error
    with page:
        print(f"{', '.join(programs)}: {page.address}  (Ctrl-C ends)", flush=True)
        if not page.local:
            print("Whoever reaches this machine can use the models.", flush=True)
        try:
            page.serve_forever()
        except KeyboardInterrupt:
            print("\nended")


@contextmanager
def given(program: Program, content: bytes, file_name: str) -> Iterator[Any]:
    """What was sent as the program takes it; a video lies in a file as long as it is used."""
    if program.kind != "video":
        yield program.read(content) if program.kind == "text" else content
        return
    with tempfile.TemporaryDirectory() as folder:
        ending = re.search(r"\.\w{1,7}$", file_name)
        file = Path(folder, f"video{ending[0] if ending else '.mp4'}")
        file.write_bytes(content)
        try:
            yield file
        except VideoError as error:  # it is called as the user calls it
            raise VideoError(str(error).replace(str(file), file_name or "the video")) from error


def drawn(program: Program, one: Any, said: Any) -> str:
    """A picture of what lies behind an answer, to stand in a page; empty where there is none."""
    text = isinstance(program, TextProgram)
    kind, name = ("image/svg+xml", "svg") if text else ("image/png", "png")
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, f"behind.{name}")
        try:
            program.plot(one, said, picture)
        except UsageError:
            return ""
        return f"data:{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"


def example_text(program: Program) -> str:
    """A text to try, of the card."""
    if not isinstance(program, TextProgram):
        return ""
    return program.card.get("example", {}).get("text", [""])[0]


def example_picture(program: Program) -> Path | None:
    """A picture to try, that lies beside the card."""
    names = program.card.get("example", {}).get("image", {})
    return program.folder / names["files"][0] if program.kind == "picture" and names else None
