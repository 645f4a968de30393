"""The page of `zoo demo` under load: well-behaved clients beside slow and broken ones, on this machine.

python benchmarks/page_load.py

Well-behaved clients send one text after the other to the sentiment model, and after 503 wait as long as the server
states. Slow clients send a request byte by byte, or its body, or do not read the reply. Broken clients send half of a
request, other lengths than they state, or no HTTP at all, and close. The table has the replies to well-behaved clients,
and the memory of the server's processes. The exit code is 1 if one of their requests got no reply within 30 seconds.
"""

import http.client
import json
import random
import re
import shlex
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import tyro

ROOT = Path(__file__).parents[1]
PATIENCE = 30.0
"""Seconds within which a request must be answered, retries included."""

WORDS = (
    "a",
    "moving",
    "story",
    "dull",
    "slow",
    "and",
    "far",
    "too",
    "long",
    "I",
    "laughed",
    "at",
    "the",
    "end",
)


@dataclass(frozen=True)
class Settings:
    """Measure the page under load."""

    clients: int = 50  # well-behaved clients at once
    slow_clients: int = 50  # clients that are slow on purpose
    broken_clients: int = 10  # clients that send broken requests, one after the other
    seconds: float = 60.0  # time of the load
    command: str = f"{shlex.quote(sys.executable)} -m zoo_command demo --port 0"  # starts the page
    seed: int = 0


@dataclass
class Results:
    """What was measured.

    Attributes:
        seconds: time to the answer of each request of a well-behaved client, retries included.
        num_retried: number of these that were answered after 503.
        lost: number of requests of well-behaved clients without an answer, by reason.
        num_slow: number of connections of slow clients.
        num_broken: number of requests of broken clients.
        megabytes: memory of the server before, at most, and after.
    """

    seconds: list[float] = field(default_factory=list)
    num_retried: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    num_slow: int = 0
    num_broken: int = 0
    megabytes: tuple[float, float, float] = (0.0, 0.0, 0.0)


class Load:
    """The clients.

    Args:
        address: of the page.
        settings: numbers of clients.
    """

    def __init__(self, address: tuple[str, int], settings: Settings) -> None:
        self.address, self.settings, self.results = address, settings, Results()
        self._lock, self._end = threading.Lock(), time.monotonic() + settings.seconds

    def run(self) -> None:
        """Run all clients until the time is over."""
        settings = self.settings
        kinds: list[tuple[Callable[[random.Random], None], int]] = [
            (self.send_whole_request, settings.clients),
            (self.send_slowly, settings.slow_clients),
            (self.send_broken_request, settings.broken_clients),
        ]
        threads = [
            threading.Thread(target=self._repeat, args=(send, settings.seed + 1000 * kind + number))
            for kind, (send, count) in enumerate(kinds)
            for number in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def send_whole_request(self, rng: random.Random) -> None:
        """Send a text until it is answered."""
        text = " ".join(rng.choices(WORDS, k=rng.randrange(3, 40)))
        start, num_attempts, problem = time.monotonic(), 0, ""
        while time.monotonic() - start < PATIENCE:
            num_attempts += 1
            try:
                status, pause, body = post(self.address, text.encode(), PATIENCE - (time.monotonic() - start))
            except (OSError, http.client.HTTPException) as error:
                problem = type(error).__name__
                break
            if status == 200 and json.loads(body)["prediction"]["label"] in ("pos", "neg"):
                with self._lock:
                    self.results.seconds.append(time.monotonic() - start)
                    self.results.num_retried += num_attempts > 1
                return
            if status != 503 or not pause:
                problem = f"status {status}"
                break
            time.sleep(pause)
        with self._lock:
            self.results.lost[problem or "busy for too long"] += 1

    def send_slowly(self, rng: random.Random) -> None:
        """Keep a connection open for as long as the server lets it be."""
        head = b"POST /predict/sentiment HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n"
        if rng.random() < 0.3:
            head = head.replace(b"sentiment", b"tagging").replace(b"20000", b"200000000")
        content = rng.choice(
            (head[:30], head, head + b"x" * 100, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        )
        with suppress(OSError), socket.create_connection(self.address, 5) as connection:
            connection.sendall(content)
            while time.monotonic() < self._end:
                time.sleep(0.5)
                connection.sendall(b"A")
        self.results.num_slow += 1

    def send_broken_request(self, rng: random.Random) -> None:
        """Send a part of a request, or something else, and close."""
        head = b"POST /predict/sentiment HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400\r\n\r\n"
        kinds = (
            head + b"x" * 30,
            head + b"x" * 4000,
            head.replace(b"400", b"-1"),
            head.replace(b"400", b"99999999999") + b"x" * 100_000,
            head.replace(b"localhost", b"[::1"),
            rng.randbytes(rng.randrange(3000)),
            b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * rng.randrange(9000),
        )
        with suppress(OSError), socket.create_connection(self.address, 5) as connection:
            connection.sendall(rng.choice(kinds))
            if rng.random() < 0.5:
                connection.settimeout(1)
                connection.recv(1000)
        self.results.num_broken += 1
        time.sleep(0.05)

    def _repeat(self, send: Callable[[random.Random], None], seed: int) -> None:
        rng = random.Random(seed)
        while time.monotonic() < self._end:
            send(rng)


def post(address: tuple[str, int], text: bytes, seconds: float) -> tuple[int, float, bytes]:
    """Send a text; return status, seconds until another attempt, and body."""
    connection = http.client.HTTPConnection(*address, timeout=max(seconds, 0.1))
    try:
        connection.request("POST", "/predict/sentiment", text, {"Content-Type": "text/plain"})
        response = connection.getresponse()
        return response.status, float(response.headers.get("Retry-After", 0)), response.read()
    finally:
        connection.close()


@contextmanager
def run_page(command: str) -> Iterator[tuple[int, tuple[str, int]]]:
    """Start the page; yield the id of its process, and its address."""
    with subprocess.Popen(shlex.split(command), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = next(
                (match for line in process.stdout if (match := re.search(r"http://([\d.]+):(\d+)", line))),
                None,
            )
            if url is None:
                sys.exit(f"{command} ended with {process.wait()}")
            yield process.pid, (url[1], int(url[2]))
        finally:
            process.terminate()


def measure_memory(pid: int) -> float:
    """Return the megabytes that a process and its children hold for themselves."""
    total = 0.0
    with suppress(OSError):
        content = Path(f"/proc/{pid}/status").read_text()
        total += sum(map(int, re.findall(r"RssAnon:\s+(\d+)", content))) / 1000
        children = [
            Path(f"/proc/{pid}/task/{task.name}/children") for task in Path(f"/proc/{pid}/task").iterdir()
        ]
        total += sum(measure_memory(int(child)) for path in children for child in path.read_text().split())
    return total


def measure(settings: Settings) -> Results:
    """Return what the clients got, and what memory the server took."""
    with run_page(settings.command) as (pid, address):
        for number in range(20):  # the first answers load what the later ones need
            post(address, " ".join(WORDS[: number + 1]).encode(), 60.0)
        load = Load(address, settings)
        before = highest = measure_memory(pid)
        thread = threading.Thread(target=load.run)
        thread.start()
        while thread.is_alive():
            thread.join(0.25)
            highest = max(highest, measure_memory(pid))
        load.results.megabytes = before, highest, measure_memory(pid)
    return load.results


def format_results(results: Results) -> str:
    """Return a table."""
    seconds = sorted(results.seconds) or [float("nan")]
    before, highest, after = results.megabytes
    lost = ", ".join(f"{number:,} {reason}" for reason, number in results.lost.most_common())
    rows = {
        "requests of well-behaved clients": f"{len(results.seconds) + results.lost.total():,}",
        "answered": f"{len(results.seconds):,}",
        "of these after 503": f"{results.num_retried:,}",
        "lost": f"{results.lost.total():,}" + (f": {lost}" if lost else ""),
        "seconds to the answer, median": f"{statistics.median(seconds):.2f}",
        "seconds, 99 of 100": f"{seconds[len(seconds) * 99 // 100]:.2f}",
        "seconds, longest": f"{seconds[-1]:.2f}",
        "connections of slow clients": f"{results.num_slow:,}",
        "requests of broken clients": f"{results.num_broken:,}",
        "memory before the load, MB": f"{before:,.0f}",
        "highest, MB": f"{highest:,.0f}",
        "after, MB": f"{after:,.0f}",
    }
    return "\n".join(
        ["| measured | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())]
    )


if __name__ == "__main__":
    measured = measure(tyro.cli(Settings))
    print(format_results(measured))
    sys.exit(bool(measured.lost))
