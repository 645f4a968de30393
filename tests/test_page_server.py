"""The server of the page under clients that are slow, broken, hostile or gone; a stub stands for the models."""

import asyncio
import gc
import http.client
import json
import logging
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

import pytest
from http_fuzz import exchange, fuzz, judge

from zoo.errors import UsageError
from zoo.serving.http_server import Connection, HTTPServer, Limits, Request, Response
from zoo.serving.page import MAX_WAITING, SECONDS, SIZE_LIMITS, STORED_LIMITS, PageServer

Serve = Callable[..., PageServer]

STUB = Path(__file__).parent / "stub_models.py"
KINDS = {"captioning": "image", "sentiment": "text", "tagging": "video"}


@pytest.fixture
def models(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Directories of models, of which the page reads the cards alone."""
    directory = tmp_path_factory.mktemp("models")
    (directory / "captioning").mkdir()
    (directory / "captioning/example.jpg").write_bytes(b"\xff\xd8")
    (directory / "tagging").mkdir()
    (directory / "tagging/example1.mp4").write_bytes(b"video")
    answer = {"input": "a.mp4", "file": "example1.mp4", "columns": ["tag"], "rows": [["<b>"]], "status": ""}
    inputs = {"image": {"image": {"files": ["example.jpg"]}}, "text": {"text": ["Example"]}, "video": {}}

    def read_card(path: Path) -> dict:
        kind = KINDS.get(path.name, "text")
        words = {"title": f"A model <of> {kind}s", "summary": "", "limits": [], "license": "Free."}
        words |= {"task": "none", "labels": [], "preprocessor": {}, "headline": "", "size_bytes": 0}
        words |= {"answers": [answer]} if kind == "video" else {}  # the others are older
        return {"input_kind": kind, "example": {"inputs": inputs[kind]}, **words}

    monkeypatch.setattr("zoo.serving.page.read_card", read_card)
    return {name: directory / name for name in KINDS}


@contextmanager
def serving(page: PageServer) -> Iterator[PageServer]:
    is_ready = threading.Event()
    with page, ThreadPoolExecutor(1) as executor:
        served = executor.submit(page.serve_forever, is_ready.set)
        try:
            assert is_ready.wait(30)
            yield page
        finally:
            page.shutdown()
        served.result()


@pytest.fixture
def serve(models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A function that starts a page with other limits; temporary files are in `tmp_path`."""
    monkeypatch.setattr(
        "zoo.serving.model_process._COMMAND",
        f"import runpy; runpy.run_path({str(STUB)!r}, run_name='__main__')",
    )
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ExitStack() as stack:

        def start(
            host: str = "127.0.0.1", allowed_hosts: tuple[str, ...] = (), **limits: float
        ) -> PageServer:
            page = PageServer(models, host, 0, allowed_hosts, Limits(**limits))
            return stack.enter_context(serving(page))

        yield start
    assert list(tmp_path.iterdir()) == []  # no temporary files are left


def connect(page: PageServer, content: bytes = b"") -> socket.socket:
    """Open a connection and send something."""
    connection = socket.create_connection(("127.0.0.1", page.server_address[1]), 20)
    connection.sendall(content)
    return connection


def read(connection: socket.socket) -> bytes:
    """Return what the server sends until it closes."""
    received = b""
    while chunk := connection.recv(1 << 16):
        received += chunk
    return received


def send(
    page: PageServer, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send a request; `_` in the names of headers stands for a hyphen. Return status, headers and body."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection("127.0.0.1", page.server_address[1], timeout=60)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def predict(page: PageServer, text: bytes, **headers: str) -> dict:
    status, _, body = send(page, "POST", "/predict/sentiment", text, **headers)
    assert status == 200, body
    return json.loads(body)


def post(body: bytes, length: int | None = None, name: str = "sentiment") -> bytes:
    """Return a request as it is sent."""
    size = len(body) if length is None else length
    return (
        b"POST /predict/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (name.encode(), size)
        + body
    )


def list_computed(directory: Path) -> list[str]:
    """Return what has been computed so far."""
    return [line for file in directory.glob("*/computed.txt") for line in file.read_text().splitlines()]


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# Requests that are refused.

REFUSED = {
    b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n": 404,
    b"GET /example/sentiment/1 HTTP/1.1\r\nHost: localhost\r\n\r\n": 404,
    b"GET /example/captioning/2 HTTP/1.1\r\nHost: localhost\r\n\r\n": 404,
    b"GET /example/../sentiment/card.json HTTP/1.1\r\nHost: localhost\r\n\r\n": 404,
    b"GET /card/sentiment/card.json HTTP/1.1\r\nHost: localhost\r\n\r\n": 404,
    b"GET /card/../ HTTP/1.1\r\nHost: localhost\r\n\r\n": 404,
    b"GET /predict/sentiment HTTP/1.1\r\nHost: localhost\r\n\r\n": 405,
    b"PUT /predict/sentiment HTTP/1.1\r\nHost: localhost\r\n\r\n": 405,
    b"OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n": 405,
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n": 405,
    b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n": 400,
    b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n": 505,
    b"GET / HTTP/1.1\r\n\r\n": 400,  # no host
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://[::1\r\n\r\n": 403,
    b"GET / HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n": 400,
    b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nA: \x00\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: magic\r\n\r\n": 417,
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n": 431,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 20_000 + b"\r\n\r\n": 431,
    b"POST /predict/sentiment HTTP/1.1\r\nHost: localhost\r\n\r\n": 411,
    b"POST /predict/sentiment HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 411,
    post(b"x").replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"): 400,
    post(b"x").replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\n"): 400,
    **{
        post(b"x").replace(b"Length: 1", b"Length: " + length): 400
        for length in (
            b"-1",
            b"+1",
            b"1.0",
            b"0x1",
            b"1, 1",
            b"many",
            b"",
            b"\xb2",
            b"1_0",
            b"nan",
            b"9" * 30,
        )
    },
    post(b"x").replace(b"\r\n\r\n", b"\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n"): 415,
    post(b"[" * 10_000).replace(b"\r\n\r\n", b"\r\nContent-Type: application/json\r\n\r\n"): 415,
    post(b"text=x").replace(b"\r\n\r\n", b"\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"): 415,
    **{post(b"", SIZE_LIMITS[kind] + 1, name): 413 for name, kind in KINDS.items()},
}


def test_refused_requests(serve: Serve, tmp_path: Path) -> None:
    page = serve()
    for request, status in REFUSED.items():
        with connect(page, request) as connection:
            response = read(connection)
        head, _, body = response.partition(b"\r\n\r\n")
        assert judge(response) == str(status), request[:200]
        assert list(json.loads(body)) == ["error"]
        assert b"/tmp" not in body
        assert str(tmp_path).encode() not in body
        assert b"X-Frame-Options: DENY" in head
        assert b"Connection: close" in head
        assert (b"Allow: " in head) == (status == 405)
    assert list_computed(tmp_path) == []
    assert predict(page, b"good")["text"] == "good"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_only_hosts_of_this_machine_are_served(serve: Serve, host: str) -> None:
    page = serve(host, ("demo.example",))
    allowed = ["localhost", "LocalHost:9", "127.0.0.1:8000", "[::1]:8000", "192.168.0.7", "[fe80::1]"]
    allowed += [socket.gethostname(), f"{socket.gethostname()}.local:80", "demo.example", "Demo.Example.:80"]
    for name in allowed:
        assert send(page, "GET", "/", Host=name)[0] == 200, name
    for name in (
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "2130706433",
        "demo.example.org",
    ):
        assert send(page, "GET", "/", Host=name)[0] == 403, name
        assert send(page, "POST", "/predict/sentiment", b"x", Host=name)[0] == 403, name
    for name in ("", "localhost:port", "localhost@evil.example", "http://localhost", "a b", "[::1]x"):
        assert send(page, "GET", "/", Host=name)[0] == 400, name


def test_only_the_page_itself_may_send(serve: Serve) -> None:
    page = serve()
    for origin in ("http://localhost:9", "https://localhost:9", "HTTP://LOCALHOST:9"):
        assert predict(page, b"x", Host="localhost:9", Origin=origin)
    for origin in (
        "http://localhost",
        "http://evil.example",
        "null",
        "",
        "http://localhost:9.evil.example",
        "file://",
    ):
        status, _, _ = send(page, "POST", "/predict/sentiment", b"x", Host="localhost:9", Origin=origin)
        assert status == 403, origin


def read_models(body: bytes) -> list[dict]:
    """What the page shows of the models."""
    content = body.partition(b'id="models">')[2].partition(b"</script>")[0]
    return json.loads(content)


def test_page_and_its_headers(serve: Serve) -> None:
    page = serve()
    status, headers, body = send(page, "GET", "/?x=1#y")
    assert (status, headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == (200, "nosniff", "DENY")
    assert "default-src 'none'; script-src 'sha256-" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert b"A model \\u003cof> texts" in body
    status, headers, empty = send(page, "HEAD", "/")
    assert (status, int(headers["Content-Length"]), empty) == (200, len(body), b"")
    _, headers, example = send(page, "GET", "/example/captioning/1")
    assert (headers["Content-Type"], example) == ("image/jpeg", b"\xff\xd8")
    _, headers, example = send(page, "GET", "/example/tagging/1")
    assert (headers["Content-Type"], example) == ("video/mp4", b"video")
    [tagging] = (model for model in read_models(body) if model["name"] == "tagging")
    assert tagging["files"] == [{"url": "/example/tagging/1", "name": "a.mp4"}]
    _, headers, picture = send(page, "GET", "/card/tagging/example1.mp4")
    assert (headers["Content-Type"], picture) == ("video/mp4", b"video")


def test_names_of_files_are_of_no_consequence(serve: Serve) -> None:
    page = serve()
    names = {
        "film.mp4": ".mp4",
        "a.%00b/../c.m3u8": ".m3u8",
        "..%2f..%2fx.sh": ".sh",
        "%ff.%C3%A9": ".mp4",
        "": ".mp4",
    }
    for name, suffix in names.items():
        answer = predict(page, b"x", X_File_Name=name)
        assert answer["path"] == suffix
        assert not set(answer["file_name"]) & set("/\\")
    assert len(predict(page, b"x", X_File_Name="a" * 9000)["file_name"]) == 100


# Clients that are slow, or broken, or gone.


def test_half_sent_requests_hold_no_threads_and_shut_nobody_out(serve: Serve) -> None:
    page, num_threads = serve(connections=32), threading.active_count()
    with ExitStack() as stack:
        halves = (
            b"",
            b"GET",
            b"POST /predict/sentiment HTTP/1.1\r\nHost: localhost\r\n",
            post(b"half", 20_000),
        )
        for number in range(400):
            stack.enter_context(connect(page, halves[number % 4]))
            if number % 40 == 0:
                assert predict(page, b"good")["text"] == "good"
        assert threading.active_count() == num_threads
        assert predict(page, b"good")["text"] == "good"


def test_requests_must_arrive_in_time(serve: Serve, tmp_path: Path) -> None:
    page = serve(head_seconds=0.2, body_seconds=0.2, linger_seconds=0.1)
    start = time.monotonic()
    with connect(page, b"GET / HTTP/1.1\r\nHost: loc") as connection:
        assert read(connection) == b""
    with connect(page, post(b"half", 40)) as connection:
        assert judge(response := read(connection)) == "408"
    assert b"4 of 40 bytes arrived in time" in response
    with connect(page, b"GET / HTTP/1.1\r\n") as connection, suppress(ConnectionError):
        while not select.select([connection], [], [], 0.02)[0]:
            connection.sendall(b"A")  # a byte at a time does not prolong the time
    assert time.monotonic() - start < 15
    assert list_computed(tmp_path) == []


def test_body_may_take_the_time_of_a_slow_network(serve: Serve) -> None:
    page = serve(body_seconds=0.5, body_rate=10)
    with connect(page, post(b"", 12)) as connection:
        for _ in range(4):
            connection.sendall(b"abc")
            time.sleep(0.2)
        assert judge(read(connection)) == "200"


@pytest.mark.parametrize("is_reset", [False, True])
def test_incomplete_body_is_not_computed(serve: Serve, tmp_path: Path, is_reset: bool) -> None:
    page = serve()
    with connect(page, post(b"incomplete", 11)) as connection:
        if is_reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.shutdown(socket.SHUT_WR)
            response = read(connection)
            assert judge(response) == "400"
            assert b"The request ends after 10 of 11 bytes." in response
    predict(page, b"next")
    assert list_computed(tmp_path) == ["next"]


def test_nothing_is_computed_for_clients_that_left(serve: Serve, tmp_path: Path) -> None:
    page = serve()
    with connect(page, post(b"sleep 1")):
        wait_until(lambda: list_computed(tmp_path) == ["sleep 1"])
        for number in range(9):
            connect(page, post(b"left %d" % number)).close()
        assert predict(page, b"next")["text"] == "next"
    assert list_computed(tmp_path) == ["sleep 1", "next"]


def test_computation_ends_soon_after_its_client_left(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.serving.model_process.SECONDS_AFTER_LEAVING", 0.1)
    page = serve()
    with connect(page, post(b"sleep 600")):
        wait_until(lambda: list_computed(tmp_path) == ["sleep 600"])
    assert predict(page, b"next")["text"] == "next"


def test_responses_must_be_taken_in_time(serve: Serve) -> None:
    page = serve(response_seconds=0.2)
    with connect(page, post(b"large")) as connection:
        assert select.select([connection], [], [], 20)[0]  # the response has begun
        time.sleep(1)
        with suppress(ConnectionError):
            assert len(read(connection)) < 20_000_000  # what the operating system has stored


def test_second_request_on_a_connection_is_not_read(serve: Serve, tmp_path: Path) -> None:
    page = serve()
    for request in (post(b"first"), b"GET / HTTP/9.9\r\n\r\n"):
        with connect(page, request + post(b"second")) as connection:
            assert read(connection).count(b"HTTP/1.1 ") == 1
    assert list_computed(tmp_path) == ["first"]


# Bodies.


def test_large_bodies_are_refused_before_they_are_sent(serve: Serve) -> None:
    page = serve()
    expect = b"\r\nExpect: 100-continue\r\n\r\n"
    with connect(page, post(b"", 1 << 40).replace(b"\r\n\r\n", expect)) as connection:
        assert read(connection).startswith(b"HTTP/1.1 413 ")
    with connect(page, post(b"", 4).replace(b"\r\n\r\n", expect)) as connection:
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"good")
        assert judge(read(connection)) == "200"


def test_refusal_reaches_a_client_that_sends_all_the_same(serve: Serve) -> None:
    page = serve()
    body = bytes(SIZE_LIMITS["image"] + 1)
    status, _, response = send(page, "POST", "/predict/captioning", body)
    assert status == 413
    assert b"Got 20,000,001 bytes, expected at most 20,000,000" in response


def test_bodies_that_are_on_their_way_are_bounded(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STORED_LIMITS, "video", 2000)
    page = serve()
    with ExitStack() as stack:
        for _ in range(20):  # what never arrives takes no room
            stack.enter_context(connect(page, post(b"", SIZE_LIMITS["video"], "tagging")))
        wait_until(lambda: send(page, "POST", "/predict/tagging", b"x")[0] == 200)
        for _ in range(2):
            stack.enter_context(connect(page, post(b"x" * 1000, SIZE_LIMITS["video"], "tagging")))
        wait_until(lambda: send(page, "POST", "/predict/tagging", b"x")[0] == 503)
        status, headers, _ = send(page, "POST", "/predict/tagging", b"x")
        assert (status, headers["Retry-After"]) == (503, "3")
        assert predict(page, b"good")  # other kinds of input have other bounds
    wait_until(lambda: send(page, "POST", "/predict/tagging", b"x")[0] == 200)


def test_the_processes_of_models_end_with_a_parent_that_is_killed() -> None:
    """Also while they compute; both hold the pipe, which ends with the last of them."""
    child = (
        "import time; from zoo.serving.model_process import end_with_parent; end_with_parent(); "
        "print('ready', flush=True); time.sleep(60)"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
        start = time.monotonic()
        assert process.stdout.read() == b""
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "ä" * 300, ".", "\0"])
def test_hosts_that_cannot_exist_are_named(host: str) -> None:
    with pytest.raises(UsageError, match="Choose another --port or --host"):
        PageServer({}, host, 0)


def test_video_is_stored_as_it_arrives(serve: Serve) -> None:
    page = serve()
    content = bytes(30_000_000)
    status, _, body = send(page, "POST", "/predict/tagging", content, X_File_Name="a.mkv")
    assert (status, json.loads(body)["size"]) == (200, len(content))


# Computations.


def test_further_predictions_are_refused_while_many_wait(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MAX_WAITING, "text", 2)
    monkeypatch.setattr("zoo.serving.model_process.MAX_WAITING_FOR_PLOT", 1)
    monkeypatch.setattr("zoo.serving.model_process.SECONDS_WITHOUT_PLOT", 3.0)
    page = serve()
    with ThreadPoolExecutor(3) as executor:
        first = executor.submit(predict, page, b"sleep 1")
        wait_until(lambda: list_computed(tmp_path) == ["sleep 1"])
        others = [executor.submit(predict, page, b"other") for _ in range(2)]
        wait_until(lambda: page._processes["text"]._num_waiting == 2)
        status, headers, body = send(page, "POST", "/predict/sentiment", b"one more")
        assert status == 503
        assert headers["Retry-After"] == "3"
        assert b"Too many predictions are waiting. Try again in 3 seconds." in body
        assert first.result()["has_plot"]
        assert not any(other.result()["has_plot"] for other in others)
    assert predict(page, b"one more")["text"] == "one more"
    wait_until(lambda: predict(page, b"later")["has_plot"])


def test_waiting_has_an_end(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.serving.model_process.MAX_WAITING_SECONDS", 0.1)
    page = serve()
    with ThreadPoolExecutor(1) as executor:
        first = executor.submit(predict, page, b"sleep 1")
        wait_until(lambda: list_computed(tmp_path) == ["sleep 1"])
        assert send(page, "POST", "/predict/sentiment", b"x")[0] == 503
        first.result()


def test_computation_that_takes_too_long_is_stopped(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SECONDS, "text", 0.3)
    page = serve()
    for text, advice in (
        (b"sleep 600", b"This machine is busy: try again later."),
        (b"sleep 600" + b" " * 1000, b"Send a smaller input."),
    ):
        status, _, body = send(page, "POST", "/predict/sentiment", text)
        assert status == 422
        assert b"The prediction was stopped after 0 seconds. " + advice in body
    assert predict(page, b"next")["text"] == "next"


def test_process_that_ends_is_started_anew(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    page = serve()
    status, _, body = send(page, "POST", "/predict/sentiment", b"exit")
    assert status == 422
    assert b"The process of the model ended during the prediction" in body
    assert predict(page, b"next")["text"] == "next"
    assert caplog.messages == ["The process of sentiment ended during a prediction."]


def test_prediction_that_is_too_large_is_not_that_of_the_next_request(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.serving.model_process._LARGEST_REPLY", 1 << 16)
    page = serve()
    status, _, body = send(page, "POST", "/predict/sentiment", b"large")
    assert status == 422
    assert b"The prediction has more than 65,536 bytes. Send a smaller input." in body
    assert [predict(page, text)["text"] for text in (b"one", b"two")] == ["one", "two"]


def test_process_that_cannot_be_started_anew_is_reported(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = serve()
    predict(page, b"first")
    with monkeypatch.context() as context:
        context.setattr("zoo.serving.model_process._COMMAND", "raise SystemExit(1)")
        assert send(page, "POST", "/predict/sentiment", b"exit")[0] == 422
        for _ in range(2):
            status, _, body = send(page, "POST", "/predict/sentiment", b"x")
            assert status == 503
            assert json.loads(body)["error"].startswith("The process of the models sentiment")
            assert not page._processes["text"].is_loading
    assert predict(page, b"next")["text"] == "next"


def test_loading_goes_on_when_the_client_leaves(
    serve: Serve, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.serving.model_process.SECONDS_AFTER_LEAVING", 0.1)
    models["slow"] = models["sentiment"].with_name("slow")
    page = serve()
    assert send(page, "POST", "/predict/slow", b"exit")[0] == 422
    process = page._processes["text"]
    with connect(page, post(b"left", name="slow")):
        wait_until(lambda: process.is_loading)
    time.sleep(1)
    loading = process._process
    assert process.is_loading
    assert predict(page, b"next")["text"] == "next"
    assert process._process is loading


def test_models_of_other_kinds_go_on(serve: Serve, tmp_path: Path) -> None:
    page = serve()
    with connect(page, post(b"sleep 600", name="tagging")):
        wait_until(lambda: list_computed(tmp_path) == ["sleep 600"])
        assert predict(page, b"good")["text"] == "good"


def test_page_ends_while_it_is_busy(serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    page = serve()
    with connect(page, post(b"sleep 600")), connect(page, post(b"waiting")), connect(page, b"GET"):
        wait_until(lambda: list_computed(tmp_path) == ["sleep 600"])
        start = time.monotonic()
        page.shutdown()
        wait_until(lambda: not list(tmp_path.iterdir()))
        assert time.monotonic() - start < 5
    assert caplog.messages == []


def test_predictions_wait_until_their_model_is_loaded(
    serve: Serve, models: dict[str, Path], tmp_path: Path
) -> None:
    serve()  # which replaces the processes
    is_ready = threading.Event()
    with (
        PageServer({"slow": models["sentiment"].with_name("slow")}, port=0) as page,
        ThreadPoolExecutor(1) as executor,
    ):
        served = executor.submit(page.serve_forever, on_ready=is_ready.set)
        try:
            assert is_ready.wait(30)
            assert json.loads(send(page, "GET", "/models")[2]) == {
                "slow": {"is_loading": True, "problem": ""}
            }
            assert b'"is_loading": true' in send(page, "GET", "/")[2]
            assert send(page, "POST", "/predict/slow", b"x")[0] == 200
            assert json.loads(send(page, "GET", "/models")[2]) == {
                "slow": {"is_loading": False, "problem": ""}
            }
        finally:
            page.shutdown()
        served.result()


def test_models_that_cannot_be_loaded_are_left_out(serve: Serve, models: dict[str, Path]) -> None:
    models["unreadable"] = models["sentiment"].with_name("unreadable")
    page = serve()
    assert page.problems == {"unreadable": "It has no saved_model.pb."}
    assert b"unreadable" not in send(page, "GET", "/")[2]
    assert send(page, "POST", "/predict/unreadable", b"x")[0] == 404
    for name in KINDS:
        del models[name]
    with (
        PageServer(models, port=0) as page,
        pytest.raises(
            UsageError, match=r"There is no model to show\. unreadable: It has no saved_model\.pb\."
        ),
    ):
        page.serve_forever()
    models["ending"] = models["unreadable"].with_name("ending")
    with (
        PageServer(models, port=0) as page,
        pytest.raises(
            UsageError, match="The process of the models unreadable, ending ended while it loaded them"
        ),
    ):
        page.serve_forever()


@pytest.mark.parametrize("num_turns", range(6))
def test_no_connection_stays_open_whenever_the_server_ends(num_turns: int) -> None:
    async def handle(request: Request, connection: Connection) -> Response:
        return Response(HTTPStatus.OK, "text/plain", b"")

    async def serve_and_end() -> None:
        with ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            ready = asyncio.Event()
            server = asyncio.create_task(HTTPServer(handle, Limits()).serve(listener, ready.set))
            await ready.wait()
            for _ in range(5):
                stack.enter_context(socket.create_connection(listener.getsockname()))
            for _ in range(num_turns):  # of the event loop: a connection is accepted in several
                await asyncio.sleep(0)
            server.cancel()
            with suppress(asyncio.CancelledError):
                await server

    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        asyncio.run(serve_and_end())
        gc.collect()
    assert [str(warning.message) for warning in found] == []


# Random requests.


def check_fuzz(page: PageServer, count: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    verdicts = Counter(verdict for _, verdict in fuzz(page.server_address, count))
    assert all(re.fullmatch(r"closed|[24]\d\d|50[35]", verdict) for verdict in verdicts), verdicts
    assert verdicts["200"] > count / 10
    assert len(verdicts) > 5
    assert caplog.messages == []
    assert predict(page, b"good")["text"] == "good"


def test_random_requests(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    check_fuzz(serve(head_seconds=0.5, body_seconds=0.5), 300, caplog)


@pytest.mark.slow
def test_many_random_requests(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    check_fuzz(serve(head_seconds=0.5, body_seconds=0.5), 5000, caplog)


def test_fuzzer_notices_bad_answers() -> None:
    assert judge(None) == "no answer"
    assert judge(b"") == "closed"
    assert judge(b"<p>Traceback") == "no HTTP"
    assert judge(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab") == "incomplete"
    assert (
        judge(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\nContent-Length: 1\r\n\r\nx") == "404"
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert exchange(silent.getsockname(), b"GET", 0.1) is None
