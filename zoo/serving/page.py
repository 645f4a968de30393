"""The demo page: exported models in a browser, on this machine alone."""

import base64
import dataclasses
import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from zoo.errors import UsageError, VideoError, ZooError
from zoo.tasks.base import Predictor

MEGABYTE = 1_000_000
SIZE_LIMITS = {"text": 20_000, "image": 20 * MEGABYTE, "video": 200 * MEGABYTE}
"""Largest number of bytes of an input, by the kind of input."""

_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")

Predictors = Mapping[str, Predictor[Any, Any]]


class RequestError(ValueError):
    """A request that is refused, with the reason."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class PageServer(ThreadingHTTPServer):
    """Serves the page, and predictions.

    `GET /` is the page. `POST /predict/NAME` with a text, or the content of an image or video file, returns JSON:
    the prediction, a table and a plot of it. `GET /example/NAME` returns an example image.

    Args:
        predictors: loaded models by name.
        host: address to listen at. If it is one of this machine alone, requests under another host name are
            refused, so that no web page can reach the models through a name that points here.
        port: port to listen at; 0 takes any free one.
    """

    daemon_threads = True

    def __init__(self, predictors: Predictors, host: str = "127.0.0.1", port: int = 8000) -> None:
        self.predictors, self.is_local = predictors, host in _LOCAL_HOSTS
        self.lock = threading.Lock()  # one prediction uses all cores
        super().__init__((host, port), _RequestHandler)

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}/"

    def render(self) -> str:
        """Return the page, with what it needs about the models."""
        models = [
            {
                "name": name,
                "kind": predictor.input_kind,
                "limit": SIZE_LIMITS[predictor.input_kind],
                "title": predictor.card.get("title", name),
                "summary": predictor.card.get("summary", ""),
                "limits": predictor.card.get("limits", []),
                "plot_caption": predictor.plot_caption,
                "example": get_example_text(predictor),
                "has_example_image": get_example_image(predictor) is not None,
            }
            for name, predictor in self.predictors.items()
        ]
        content = json.dumps(models).replace("<", "\\u003c")  # no text becomes a tag of the page
        return files("zoo.serving").joinpath("page.html").read_text("utf-8").replace("{{models}}", content)

    def predict(self, name: str, content: bytes, file_name: str) -> dict[str, Any]:
        """Return prediction, table and plot for an input that was sent."""
        predictor = self.predictors[name]
        with open_upload(predictor, content, file_name) as item, self.lock:
            (prediction,) = predictor.predict([item])
            if isinstance(item, Path):  # the user knows the video by its own name
                status = prediction.status.replace(str(item), file_name or "the video")
                prediction = dataclasses.replace(prediction, status=status)
            return {
                "prediction": prediction.as_json(),
                "status": prediction.status,
                "table": prediction.as_table()._asdict(),
                "plot": plot_as_url(predictor, item, prediction),
            }


class _RequestHandler(BaseHTTPRequestHandler):
    server: PageServer
    server_version, sys_version = "zoo", ""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self._handle_errors(lambda: self._get(path))

    def do_POST(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self._handle_errors(lambda: self._post(path))

    def _get(self, path: str) -> None:
        self._check_origin()
        if path == "/":
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.server.render().encode())
            return
        image = get_example_image(self._find_predictor(path, "/example/"))
        if image is None:
            raise RequestError(HTTPStatus.NOT_FOUND, "The model has no example image.")
        self._send(HTTPStatus.OK, "application/octet-stream", image.read_bytes())

    def _post(self, path: str) -> None:
        self._check_origin()
        predictor = self._find_predictor(path, "/predict/")
        length, limit = self.headers.get("Content-Length", ""), SIZE_LIMITS[predictor.input_kind]
        if not length.isdecimal():
            raise RequestError(HTTPStatus.LENGTH_REQUIRED, "Expected the header Content-Length.")
        if int(length) > limit:
            self.close_connection = True  # the rest is not read
            raise RequestError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"Got {int(length):,} bytes, expected at most {limit:,}. Send a smaller {predictor.input_kind}.",
            )
        content, file_name = self.rfile.read(int(length)), unquote(self.headers.get("X-File-Name", ""))
        response = self.server.predict(path.removeprefix("/predict/"), content, file_name)
        self._send(HTTPStatus.OK, "application/json", json.dumps(response).encode())

    def _find_predictor(self, path: str, prefix: str) -> Predictor[Any, Any]:
        name = path.removeprefix(prefix)
        if not path.startswith(prefix) or name not in self.server.predictors:
            raise RequestError(HTTPStatus.NOT_FOUND, f"There is no {path}.")
        return self.server.predictors[name]

    def _check_origin(self) -> None:
        """Refuse requests of other sites: under another name for this address, or from their pages."""
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        is_foreign = self.server.is_local and urlsplit(f"//{host}").hostname not in _LOCAL_HOSTS
        if is_foreign or (origin is not None and urlsplit(origin).netloc != host):
            raise RequestError(HTTPStatus.FORBIDDEN, "Open the page by the address that the command printed.")

    def _handle_errors(self, handle: Callable[[], None]) -> None:
        try:
            handle()
        except RequestError as error:
            self._send_error(error.status, str(error))
        except ZooError as error:
            self._send_error(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except ConnectionError:
            self.close_connection = True  # the browser has closed it

    def _send_error(self, status: HTTPStatus, message: str) -> None:
        self._send(status, "application/json", json.dumps({"error": message}).encode())

    def _send(self, status: HTTPStatus, content_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        # The page loads nothing from elsewhere, and the browser stores nothing.
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
        """Log nothing: inputs are private."""


def start_server(predictors: Predictors, host: str, port: int) -> PageServer:
    """Return a server that listens at an address; `serve_forever` serves the page.

    Raises:
        UsageError: the port is in use, or the address is not one of this machine.
    """
    try:
        return PageServer(predictors, host, port)
    except OSError as error:
        raise UsageError(f"{host}:{port}: {error.strerror}. Choose another --port or --host.") from error


@contextmanager
def open_upload(predictor: Predictor[Any, Any], content: bytes, file_name: str) -> Iterator[Any]:
    """Yield what was sent as an input of the model; a video is stored in a file for that time."""
    if predictor.input_kind != "video":
        yield predictor.parse(content) if predictor.input_kind == "text" else content
        return
    with tempfile.TemporaryDirectory() as directory:
        suffix = re.search(r"\.\w{1,7}$", file_name)
        path = Path(directory, f"video{suffix[0] if suffix else '.mp4'}")
        path.write_bytes(content)
        try:
            yield path
        except VideoError as error:  # the user knows the video by its own name
            raise VideoError(str(error).replace(str(path), file_name or "the video")) from error


def plot_as_url(predictor: Predictor[Any, Any], item: Any, prediction: Any) -> str:
    """Return the plot of a prediction as a data URL; empty if there is nothing to plot."""
    is_text = predictor.input_kind == "text"
    media_type, suffix = ("image/svg+xml", "svg") if is_text else ("image/png", "png")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"plot.{suffix}")
        try:
            predictor.plot(item, prediction, path)
        except UsageError:
            return ""
        return f"data:{media_type};base64,{base64.b64encode(path.read_bytes()).decode()}"


def get_example_text(predictor: Predictor[Any, Any]) -> str:
    """Return the first text of the example on the model's card, if there is one."""
    if predictor.input_kind != "text":
        return ""
    texts = predictor.card.get("example", {}).get("inputs", {}).get("text", [""])
    return str(texts[0])


def get_example_image(predictor: Predictor[Any, Any]) -> Path | None:
    """Return the path of the first image of the example on the model's card, if there is one."""
    image = predictor.card.get("example", {}).get("inputs", {}).get("image")
    return predictor.directory / image["files"][0] if predictor.input_kind == "image" and image else None
