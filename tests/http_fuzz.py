"""Raw HTTP requests, most of them broken, and what a server makes of them.

python tests/http_fuzz.py --port 8000 --count 2000    # counts, for a running `zoo demo`
"""

import argparse
import random
import re
import socket
import string
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

BODY = b"A moving story, finely acted."

LENGTHS = (
    *(
        b"29",
        b"0",
        b"-1",
        b"+29",
        b"29.0",
        b"0x1d",
        b" 29 ",
        b"29, 29",
        b"1e3",
        b"",
        b"many",
        b"\xb2",
        b"2_9",
    ),
    *(b"28", b"30", b"20001", b"99999999999", b"9" * 40, b"18446744073709551616", b"nan", b"Infinity"),
)
HOSTS = (
    *(
        b"localhost",
        b"LOCALHOST:80",
        b"127.0.0.1:8000",
        b"[::1]:8000",
        b"[::1",
        b"]",
        b"evil.example",
        b"a b",
    ),
    *(
        b"",
        b"localhost:port",
        b"localhost:99999999",
        b"localhost@evil.example",
        b"\xff\xfe",
        b"127.0.0.1, evil",
    ),
    *(b"2130706433", b"0x7f.1", b"http://localhost", b"localhost/", b"[fe80::1%25lo]", b"xn--", b"." * 300),
)
ORIGINS = (
    *(
        b"null",
        b"http://localhost",
        b"https://evil.example",
        b"http://[::1",
        b"http://[",
        b"//",
        b"\xff",
        b"",
    ),
    *(b"http://localhost:port", b"http://localhost.evil.example", b"file://", b"http://" + b"a" * 5000),
)
HEADERS = (
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding : chunked"),
    *(b"Expect: 100-continue", b"Expect: 200-ok", b"Connection: keep-alive", b"Connection: upgrade"),
    *(b"Upgrade: h2c", b"Range: bytes=0-", b"Content-Encoding: gzip", b"X-File-Name: %00%ff%2e%2e%2f.m3u8"),
    *(
        b"X-File-Name: " + b"%F0%9F%98%80" * 300,
        b": empty",
        b"No colon",
        b" folded",
        b"\tfolded",
        b"Name\0: x",
    ),
    *(b"Content-Type: multipart/form-data; boundary=x", b"Content-Type: application/json", b"A: \x01\x02"),
    *(
        b"Content-Type: text/plain",
        b"Cookie: " + b"c" * 9000,
        b"B: " + b"b" * 20_000,
        b"Name: a\nC: d",
        b"D: \r",
    ),
)
TARGETS = (
    *(
        b"/",
        b"/predict/sentiment",
        b"/example/captioning/1",
        b"/predict/",
        b"/predict/nothing",
        b"*",
        b"",
        b"//",
    ),
    *(
        b"http://localhost/",
        b"/%",
        b"/%00",
        b"/%ff%fe",
        b"/../../etc/passwd",
        b"/predict/../sentiment",
        b"/?" * 50,
    ),
    *(
        b"/example/..%2f..%2fcard.json",
        b"/" + b"a" * 20_000,
        b"/a b",
        b"/\xe9",
        b"localhost:80",
        b"/predict/sentiment?x=1",
    ),
)
METHODS = (
    *(
        b"GET",
        b"POST",
        b"HEAD",
        b"PUT",
        b"DELETE",
        b"OPTIONS",
        b"TRACE",
        b"CONNECT",
        b"PATCH",
        b"get",
        b"G\0T",
        b"",
    ),
    *(b"M" * 300,),
)
VERSIONS = (
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"HTTP/0.9",
    b"HTTP/2.0",
    b"HTTP/1.10",
    b"HTTP/9",
    b"http/1.1",
    b"",
    b"HTTPS/1.1",
)
OTHERS = (
    b"",
    b"\r\n\r\n",
    b"\n\n\n\n",
    b"GET /\r\n\r\n",  # HTTP/0.9
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,  # TLS
    b"SSH-2.0-OpenSSH_9.9\r\n",
    b"\x00" * 5000,
    b"GET / HTTP/1.1\nHost: localhost\n\n",
    b"A" * 100_000,
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
)


def make_request(rng: random.Random) -> bytes:
    """Return a request that is valid, unusual or broken."""
    if rng.random() < 0.08:
        return rng.choice(OTHERS)
    is_post = rng.random() < 0.6
    method, target, version = b"POST" if is_post else b"GET", rng.choice(TARGETS[:3]), b"HTTP/1.1"
    if is_post:
        target = TARGETS[1]
    if rng.random() < 0.1:
        method = rng.choice(METHODS)
    if rng.random() < 0.15:
        target = rng.choice(TARGETS)
    if rng.random() < 0.1:
        version = rng.choice(VERSIONS)
    lines = [b" ".join((method, target, version))]
    lines.append(b"Host: " + (rng.choice(HOSTS) if rng.random() < 0.2 else b"localhost"))
    if is_post:
        lines.append(b"Content-Length: " + (rng.choice(LENGTHS) if rng.random() < 0.3 else b"%d" % len(BODY)))
    if rng.random() < 0.15:
        lines.append(b"Origin: " + rng.choice(ORIGINS))
    lines += rng.sample(HEADERS, rng.choice((0, 0, 0, 1, 2)))
    if rng.random() < 0.1:
        lines.append(rng.choice(lines[1:]))
    if rng.random() < 0.05:
        rng.shuffle(lines)
    request = b"\r\n".join([*lines, b"", BODY if is_post else b""])
    if rng.random() < 0.25:
        request = mutate(request, rng)
    if rng.random() < 0.05:
        request *= 2  # pipelined
    return request


def mutate(request: bytes, rng: random.Random) -> bytes:
    """Return a request with some bytes changed, cut out, repeated or put in."""
    content = bytearray(request)
    for _ in range(rng.choice((1, 1, 3, 10))):
        start = rng.randrange(len(content) + 1)
        end = min(len(content), start + rng.choice((1, 1, 4, 40)))
        change = rng.randrange(5)
        if change == 0:
            content[start:end] = rng.randbytes(end - start)
        elif change == 1:
            del content[start:end]
        elif change == 2:
            content[start:start] = content[start:end]
        elif change == 3:
            content[start:start] = rng.choice(
                ("\r\n", "\n", "\0", ":", " ", rng.choice(string.punctuation))
            ).encode()
        else:
            del content[start:]
    return bytes(content)


def exchange(address: tuple[str, int], request: bytes, seconds: float = 15.0) -> bytes | None:
    """Return what a server sends until it closes the connection; None if it does not close it in time."""
    received = b""
    with socket.create_connection(address, seconds) as connection:
        try:
            connection.sendall(request)
            connection.settimeout(0.5 if request else 0.01)
            has_ended = False
            while True:
                try:
                    chunk = connection.recv(1 << 16)
                except TimeoutError:
                    if has_ended:
                        return None
                    has_ended = True  # no more of the request is to come
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(seconds)
                    continue
                if not chunk:
                    return received
                received += chunk
        except ConnectionError:
            return received


def judge(received: bytes | None) -> str:
    """Return "closed", the status of the last response, or what is wrong with the responses."""
    if received is None:
        return "no answer"
    verdict = "closed"
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        match = re.match(rb"HTTP/1\.[01] ([1-5]\d\d) [ -~]*\r\n", head + end)
        if not match or not end:
            return "no HTTP"
        verdict = match[1].decode()
        length = re.search(rb"(?im)^content-length: (\d+)\r$", head + b"\r")
        size = int(length[1]) if length else 0
        is_head = len(rest) == 0 and size > 0
        if not is_head and len(rest) < size:
            return "incomplete"
        received = b"" if is_head else rest[size:]
    return verdict


def fuzz(address: tuple[str, int], count: int, seed: int = 0) -> Iterator[tuple[bytes, str]]:
    """Yield requests and what became of them; see `judge`."""
    rng = random.Random(seed)
    requests = [make_request(rng) for _ in range(count)]
    with ThreadPoolExecutor(16) as executor:
        for request, received in zip(
            requests, executor.map(partial(exchange, address), requests), strict=True
        ):
            yield request, judge(received)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Send broken requests to a server and count its answers.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    verdicts = Counter(
        verdict for _, verdict in fuzz(("127.0.0.1", arguments.port), arguments.count, arguments.seed)
    )
    for verdict, number in verdicts.most_common():
        print(f"{number:6}  {verdict}")
