"""Videos from strangers: files that name other files or addresses, and frames that would fill the memory."""

import ctypes
import http.server
import os
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import pytest
from PIL import Image
from videos import make_frames, write_video

from zoo.errors import VideoError
from zoo.preprocessing.video import open_video
from zoo.preprocessing.video.video_files import MAX_FRAME_PIXELS

IN_OPEN = 0x20
IN_NONBLOCK = 0x800


class Canaries(NamedTuple):
    """What must not be opened: files, and an address.

    Attributes:
        directory: with `canary.mp4`, `canary.ts`, and `frame1.png` to `frame3.png`.
        url: of a server of the same files.
        requests: paths that the server was asked for.
        inotify: reports the files of the directory that are opened.
    """

    directory: Path
    url: str
    requests: list[str]
    inotify: int

    def list_opened(self) -> set[str]:
        """Return the names of files that were opened since the last call, and of requests to the server."""
        names = set(self.requests)
        self.requests.clear()
        try:
            events = os.read(self.inotify, 1 << 16)
        except BlockingIOError:
            events = b""
        while events:
            _, _, _, length = struct.unpack("iIII", events[:16])
            names.add(os.fsdecode(events[16 : 16 + length].rstrip(b"\0")))
            events = events[16 + length :]
        return names


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    directory = tmp_path_factory.mktemp("canaries")
    write_video(directory / "canary.mp4", make_frames(3))
    write_video(directory / "canary.ts", make_frames(3))
    for number, frame in enumerate(make_frames(3), 1):
        Image.fromarray(frame).save(directory / f"frame{number}.png")
    requests: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(directory))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            requests.append(self.path)

    libc = ctypes.CDLL(None)
    inotify = libc.inotify_init1(IN_NONBLOCK)
    assert libc.inotify_add_watch(inotify, os.fsencode(directory), IN_OPEN) > 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Canaries(directory, f"http://127.0.0.1:{server.server_address[1]}", requests, inotify)
        server.shutdown()
        thread.join()
    os.close(inotify)


HLS = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:9\n{}#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
DASH = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"
  profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet mimeType="video/mp4">
  <Representation id="0" bandwidth="9999" width="96" height="64"><BaseURL>{}</BaseURL>
  <SegmentBase indexRange="0-99"/></Representation></AdaptationSet></Period></MPD>"""

ATTACKS = {
    "hls.m3u8": HLS.format("", "canary.ts"),
    "hls_disguised.mp4": HLS.format("", "canary.ts"),
    "hls_absolute.m3u8": HLS.format("", "file://{directory}/canary.ts"),
    "hls_http.m3u8": HLS.format("", "{url}/canary.ts"),
    "hls_http_disguised.mkv": HLS.format("", "{url}/canary.ts"),
    "hls_concat.m3u8": HLS.format("", "concat:{url}/canary.ts|file://{directory}/canary.ts"),
    "hls_key.m3u8": HLS.format('#EXT-X-KEY:METHOD=AES-128,URI="{url}/key"\n', "canary.ts"),
    "hls_map.m3u8": HLS.format('#EXT-X-MAP:URI="{url}/canary.mp4"\n', "canary.ts"),
    "hls_master.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\n{url}/hls.m3u8\n",
    "hls_mov.mov": HLS.format("", "file:canary.mp4"),
    "list.ffconcat": "ffconcat version 1.0\nfile canary.mp4\n",
    "list.mp4": "ffconcat version 1.0\nfile 'canary.mp4'\nfile 'canary.ts'\n",
    "list_absolute.txt": "ffconcat version 1.0\nfile {directory}/canary.mp4\n",
    "list_http.avi": "ffconcat version 1.0\noption safe 0\nfile {url}/canary.mp4\n",
    "dash.mpd": DASH.format("canary.mp4"),
    "dash_http.mpd": DASH.format("{url}/canary.mp4"),
    "dash_disguised.mp4": DASH.format("{url}/canary.mp4"),
    "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\na=control:{url}/canary.mp4\n",
    "subtitles.idx": "# VobSub index file, v7 (do not modify this line!)\nsize: 720x576\nid: en, index: 0\n"
    "timestamp: 00:00:01:000, filepos: 000000000\n",
    "subtitles.srt": "1\n00:00:00,000 --> 00:00:01,000\n<img src='{url}/canary.mp4'>\n",
    "script.avs": 'DirectShowSource("{directory}/canary.mp4")\n',
    "shortcut.url": "[InternetShortcut]\nURL={url}/canary.mp4\n",
    "list.asx": '<asx version="3.0"><entry><ref href="{url}/canary.mp4"/></entry></asx>',
    "list.pls": "[playlist]\nFile1={url}/canary.mp4\nNumberOfEntries=1\n",
    "reference.mov": "RTSPtext\r\n{url}/canary.mp4\r\n",
    "frame%d.png": "",  # a name that is a pattern
    "frame*.png": "",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_other_file_or_address_is_opened(canaries: Canaries, name: str) -> None:
    path = canaries.directory / name
    text = ATTACKS[name].replace("{url}", canaries.url).replace("{directory}", str(canaries.directory))
    path.write_text(text)
    canaries.list_opened()
    with pytest.raises(VideoError, match="cannot be read as a video"):
        list(open_video(path).decode())
    assert canaries.list_opened() == {name}


@pytest.mark.parametrize("name", ["hls.m3u8", "list.ffconcat", "list.mp4", "frame%d.png", None])
def test_ffmpeg_itself_opens_other_files_and_addresses(canaries: Canaries, name: str | None) -> None:
    """Without this the test above could not fail."""
    if name is not None:
        (canaries.directory / name).write_text(ATTACKS[name])
    canaries.list_opened()
    with av.open(str(canaries.directory / name) if name else f"{canaries.url}/canary.mp4") as container:
        assert list(container.decode(video=0))
    assert canaries.list_opened() - {name}


@pytest.mark.parametrize("target", ["file", "url"])
def test_external_samples_of_an_mp4_are_not_read(canaries: Canaries, target: str) -> None:
    """The data reference of a track may name another file, which holds the samples."""
    content = (canaries.directory / "canary.mp4").read_bytes()
    address = f"{canaries.url}/canary.mp4" if target == "url" else f"file://{canaries.directory}/canary.mp4"
    own = struct.pack(">I4sI", 12, b"url ", 1)  # flag 1: the samples are in this file
    other = struct.pack(">I4sI", 13 + len(address), b"url ", 0) + address.encode() + b"\0"
    assert content.count(own) == 1
    grown = len(other) - len(own)
    content = content.replace(own, other)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        position = content.index(box) - 4
        size = struct.unpack_from(">I", content, position)[0] + grown
        content = content[:position] + struct.pack(">I", size) + content[position + 4 :]
    path = canaries.directory / "references.mp4"
    path.write_bytes(content)
    canaries.list_opened()
    decoded = list(open_video(path).decode())
    assert canaries.list_opened() == {"references.mp4"}
    assert len(decoded) == 3  # the samples at these places of the file itself


@pytest.mark.parametrize(
    "name",
    [
        "http://127.0.0.1:{port}/canary.mp4",
        "concat:canary.mp4|canary.ts",
        "subfile,,start,0,end,0,,:canary.mp4",
        "data:video/mp4;base64,AAAA",
        "pipe:0",
    ],
)
def test_names_are_paths(canaries: Canaries, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(canaries.directory)
    canaries.list_opened()
    with pytest.raises(VideoError, match="There is no "):
        open_video(name.replace("{port}", canaries.url.rpartition(":")[2]))
    assert canaries.list_opened() == set()


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")  # opening it would wait for a writer
    for path in (tmp_path / "pipe.mp4", Path("/dev/zero")):
        with pytest.raises(VideoError, match=r"is not a regular file\. Expected a video file"):
            open_video(path)


# Frames that would fill the memory.


def make_png(width: int, height: int, rows: int) -> bytes:
    """Return a black picture that ends after some rows: small as a file, three bytes a pixel in memory."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    compressor, row = zlib.compressobj(1), bytes(1 + 3 * width)
    pixels = b"".join(compressor.compress(row) for _ in range(rows)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def write_png_video(path: Path, stated_size: tuple[int, int], png: bytes) -> Path:
    """Write a file whose only frame may have another size than its header states."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height = stated_size
        stream.pix_fmt = "rgb24"
        packet = av.Packet(png)
        packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1, 25)
        packet.is_keyframe = True
        container.mux(packet)
    return path


MEASURE = """
import re, sys
from zoo.errors import VideoError
from zoo.preprocessing.video import open_video
import av
def read_peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
before = read_peak()
try:
    list(open_video(sys.argv[1]).decode((8, 8)))
except VideoError as error:
    print(error)
print((read_peak() - before) // 1000)
"""


def test_large_frames_are_refused_by_the_header(tmp_path: Path) -> None:
    path = write_png_video(tmp_path / "large.mov", (12_000, 10_000), make_png(12_000, 10_000, 1))
    with pytest.raises(VideoError, match="has frames of more than 35,389,440 pixels, or of a size that"):
        open_video(path)
    gif = (
        b"GIF89a"
        + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0)
        + b"\x2c"
        + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
    )
    (tmp_path / "large.gif").write_bytes(gif + b"\x02\x02\x44\x01\x00;")
    with pytest.raises(VideoError, match=r"large\.gif"):
        open_video(tmp_path / "large.gif")


@pytest.mark.slow
def test_large_frames_behind_a_small_header_take_no_memory(tmp_path: Path) -> None:
    png = make_png(12_000, 10_000, 10_000)
    assert MAX_FRAME_PIXELS < 12_000 * 10_000
    path = write_png_video(tmp_path / "small.mov", (96, 64), png)
    assert path.stat().st_size < 3_000_000
    output = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True)
    message, megabytes = output.stdout.splitlines()[-2:]
    assert "small.mov" in message
    assert int(megabytes) < 100  # the frame has 360 MB
