"""What the readers of training data do with broken files: an answer, an error for the user, or a loss.

python tests/hostile_files.py                          # named cases, and 1,000 seeded random mutations
python tests/hostile_files.py --count 5000 --seed 1
python tests/hostile_files.py --readers coco flickr --show

Each reader gets valid files with one to three mutations: bytes and cells that are cut, swapped, doubled, quoted,
emptied or huge; other encodings, line ends and compressions; JSON of other types and depths; damaged zips; names that
no file has, links in circles, pipes and devices. It runs in a process of its own. A case is lost if the reader

- raises anything but an error of `zoo.errors`,
- takes more than 20 seconds, or 600 MB more than the process had at its start,
- or returns less than the files contain and no note says that something was left out. Each cell of the files contains
  a word that is nowhere else, such as `q17z`, so that a missing one is found.
"""

import bz2
import gzip
import io
import json
import lzma
import os
import random
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal, NamedTuple

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import numpy as np
import tyro
from data_files import write_files
from PIL import Image

from zoo.datasets import (
    load_captioning,
    load_footage,
    load_tagging,
    load_text,
    load_text_classification,
    load_translation,
)
from zoo.errors import ZooError
from zoo.preprocessing.text import read_vector_width, read_word_vectors

SECONDS, MEGABYTES = 20, 600
Files = dict[str, bytes]
WORD = r"q\d+z"
NUMBER = r"(?<![\w.])\d+\.25(?![\w.])"


class Read(NamedTuple):
    """What a reader returned: its texts, and its notes."""

    texts: Iterable[str]
    notes: Iterable[str] = ()


# Valid files. Each cell has words of its own.


def make_words() -> Callable[[], str]:
    """Return a function that returns another sentence at each call."""
    numbers = count(1)
    return lambda: f"A q{next(numbers)}z is q{next(numbers)}z."


def make_png(color: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (12, 10), (color % 256, 90, 90)).save(buffer, "png")
    return buffer.getvalue()


def join(rows: Iterable[Iterable[str]], delimiter: str = "\t") -> bytes:
    return "".join(delimiter.join(row) + "\n" for row in rows).encode()


def make_text_table(rng: random.Random) -> Files:
    word, (suffix, delimiter) = make_words(), rng.choice([("tsv", "\t"), ("csv", ","), ("csv", ";")])
    rows = [(word(), ("pos", "neg")[i % 2], str(i)) for i in range(60)]
    return {f"reviews.{suffix}": join([("text", "label", "id"), *rows], delimiter)}


def make_text_splits(rng: random.Random) -> Files:
    word = make_words()
    return {
        f"{split}.csv": join([("text", "label"), *((word(), ("pos", "neg")[i % 2]) for i in range(n))], ",")
        for split, n in (("train", 40), ("validation", 6), ("test", 6))
    }


def make_text_directory(rng: random.Random) -> Files:
    word = make_words()
    return {
        f"{split}/{label}/{i}.txt": word().encode()
        for split, n in (("train", 20), ("test", 4))
        for label in ("pos", "neg")
        for i in range(n)
    }


def make_parallel(rng: random.Random) -> Files:
    word = make_words()
    sizes = (("train", 80), ("validation", 5), ("test", 5))
    return {
        f"{split}.{language}": join([word()] for _ in range(n))
        for split, n in sizes
        for language in ("en", "de")
    }


def make_parallel_stem(rng: random.Random) -> Files:
    return {name: content for name, content in make_parallel(rng).items() if name.startswith("train")}


def make_pairs(rng: random.Random) -> Files:
    word, delimiter = make_words(), rng.choice("\t,;")
    rows = [(word(), word()) for _ in range(400)]
    header = rng.choice([[], [("en", "de")], [("source", "target")]])
    name = "pairs.tsv" if delimiter == "\t" else "pairs.csv"
    return {name: join([*header, *rows], delimiter)}


def make_pairs_zip(rng: random.Random) -> Files:
    word = make_words()
    rows = join((word(), word(), "CC-BY") for _ in range(400))
    return {"deu-eng.zip": make_zip({"deu.txt": rows, "_about.txt": b"about"})}


def make_table_with_long_cell(length: int) -> bytes:
    """Make a table of 60 labeled texts, the eighth of which has `length` more characters than the others."""
    rows = (b'"%sq%dz, x",%s\n' % (b"x" * length * (i == 7), i, (b"pos", b"neg")[i % 2]) for i in range(60))
    return b"text,label\n" + b"".join(rows)


def make_zip(members: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def make_captions(rng: random.Random) -> Files:
    word, names = make_words(), [f"q9{i:03}z.png" for i in range(40)]
    suffix, delimiter = rng.choice([("tsv", "\t"), ("csv", ","), ("txt", ","), ("csv", ";")])
    rows = [(name, word()) for name in names for _ in range(2)]
    header = rng.choice([[], [("image", "caption")]])
    return {f"captions.{suffix}": join([*header, *rows], delimiter)} | {
        name: make_png(i) for i, name in enumerate(names)
    }


def make_flickr(rng: random.Random) -> Files:
    word, names = make_words(), [f"q9{i:03}z.png" for i in range(30)]
    lists = {"train": names[:20], "dev": names[20:25], "test": names[25:]}
    return {
        "Flickr8k.token.txt": join((f"{name}#{i}", word()) for name in names for i in range(2)),
        **{f"Flickr_8k.{split}Images.txt": join([name] for name in part) for split, part in lists.items()},
        **{f"Images/{name}": make_png(i) for i, name in enumerate(names)},
    }


def make_coco(rng: random.Random) -> Files:
    word, names = make_words(), [f"q9{i:03}z.png" for i in range(40)]

    def write(part: list[str]) -> bytes:
        images = [{"id": i, "file_name": name} for i, name in enumerate(part)]
        annotations = [
            {"image_id": i, "id": 2 * i + j, "caption": word()} for i in range(len(part)) for j in (0, 1)
        ]
        return json.dumps({"images": images, "annotations": annotations}).encode()

    return {
        "annotations/captions_train2017.json": write(names[:30]),
        "annotations/captions_val2017.json": write(names[30:]),
        **{f"images/{name}": make_png(i) for i, name in enumerate(names)},
    }


def make_coco_zips(rng: random.Random) -> Files:
    files = make_coco(rng)
    text = {name: content for name, content in files.items() if name.startswith("annotations")}
    return {
        "annotations.zip": make_zip(text),
        "images.zip": make_zip({name: content for name, content in files.items() if name not in text}),
    }


def make_tagged_videos(rng: random.Random) -> Files:
    names, rows = [f"q8{i:03}z" for i in range(6)], []
    columns = rng.choice([("frame",), ("time",), ("start", "end"), ("start_frame", "end_frame")])
    numbers = count(1)
    for name in names:
        for step in range(4):
            place = {
                ("frame",): [f"{step}"],
                ("time",): [f"{step / 25:.2f}"],
                ("start", "end"): [f"{step / 25:.2f}", f"{(step + 1) / 25:.2f}"],
                ("start_frame", "end_frame"): [f"{step}", f"{step + 1}"],
            }[columns]
            rows.append((name, *place, f"q{next(numbers)}z"))
    frames = {f"{name}/frame_{step}.png": make_png(40 * step) for name in names for step in range(4)}
    return {"tags.csv": join([("video", *columns, "tag"), *rows], ",")} | frames


def make_features(rng: random.Random) -> Files:
    numbers, has_time = count(1), rng.random() < 0.5

    def rows() -> Iterator[list[str]]:
        for step in range(8):
            times = [f"{step / 10:.1f}"] if has_time else []
            yield [*times, f"{next(numbers)}.25", f"{next(numbers)}.25", ("a", "b")[step % 2]]

    header = [*(["time"] if has_time else []), "x", "y", "tag"]
    return {f"run{i}.csv": join([header, *rows()], ",") for i in range(6)}


def make_feature_table(rng: random.Random) -> Files:
    numbers = count(1)
    rows = [
        [f"s{i}", str(step), ("a", "b")[step % 2], f"{next(numbers)}.25", f"{next(numbers)}.25"]
        for i in range(6)
        for step in range(6)
    ]
    header = rng.choice([[], [["sequence", "frame", "tag", "x", "y"]]])
    return {"all.csv": join([*header, *rows], rng.choice(",\t"))}


def make_vectors(rng: random.Random) -> Files:
    words = [f"q{i}z" for i in range(1, 60)]
    lines = [f"{word} {i}.5 -{i}.25 0.5" for i, word in enumerate(words)]
    if rng.random() < 0.3:
        numbers = np.ones(3, "<f4").tobytes()
        return {"words.bin": b"59 3\n" + b"".join(word.encode() + b" " + numbers + b"\n" for word in words)}
    header = rng.choice([[], ["59 3"]])
    return {"words.txt": "".join(f"{line}\n" for line in [*header, *lines]).encode()}


def make_book(rng: random.Random) -> Files:
    word = make_words()
    return {"book.txt": join([word()] for _ in range(300))}


def make_pictures(rng: random.Random) -> Files:
    return {f"{'ab'[i % 2]}/q9{i:03}z.png": make_png(5 * i) for i in range(40)}


# The readers. Each returns what it has read as texts.


def collect_pairs(data: Any) -> Read:
    texts = list(data.info.labels)
    for split in (data.train, data.validation, data.test):
        for example in split.as_numpy_iterator():
            texts += [item.decode() for item in example if isinstance(item, bytes)]
    return Read(texts, data.info.notes)


def collect_captions(data: Any) -> Read:
    texts: list[str] = []
    for split in (data.train, data.validation, data.test):
        for name, captions, content in zip(split.names, split.captions, split.read_inputs(), strict=True):
            texts += [name, *captions]
            assert isinstance(content, bytes | np.ndarray)  # empty, if training is to name it
    return Read(texts, data.info.notes)


def collect_tags(data: Any) -> Read:
    texts = list(data.info.labels)
    for split in (data.train, data.validation, data.test):
        texts += split.names
        for sequence, tags, times in zip(split.sequences, split.tags, split.times, strict=True):
            assert len(sequence) == len(tags) == len(times)
            assert (np.diff(times) >= 0).all(), "times decrease"
            assert np.isfinite(sequence).all(), "features are not finite"
            texts += [f"{number:g}" for number in (*np.ravel(sequence), *times) if sequence.ndim == 2]
    return Read(texts, data.info.notes)


def read_vectors(path: Path) -> Read:
    width = read_vector_width(path)
    words = [f"q{i}z" for i in range(60)]
    values, is_found = read_word_vectors(path, words)
    assert values.shape == (60, width)
    assert np.isfinite(values).all(), "vectors are not finite"
    return Read([word for word, found in zip(words, is_found, strict=True) if found])


def read_book(path: Path) -> Read:
    data = load_text(path)
    return Read([*data.train, *data.validation, *data.test], data.info.notes)


def read_footage(path: Path) -> Read:
    data = load_footage([path], 2, size=(9, 16))
    assert all(len(sequence) for sequence in data.train.sequences)
    count = int(re.findall("edited from ([0-9,]+) images", data.info.notes[0])[0].replace(",", ""))
    images = [file for file in path.rglob("[!.]*.png") if file.is_file()]
    assert count >= len({file for file in images if not file.is_symlink()}), (
        f"{count} of {len(images)} images"
    )
    return Read([file.name for file in path.rglob("*")], data.info.notes)


class Reader(NamedTuple):
    """A reader.

    Attributes:
        make: returns valid files.
        read: reads a path.
        name: the path to read in the directory of the files; "*" stands for the only file.
        cell: a regular expression for what must not be lost.
    """

    make: Callable[[random.Random], Files]
    read: Callable[[Path], Read]
    name: str = ""
    cell: str = WORD


def read_labels(path: Path) -> Read:
    return collect_pairs(load_text_classification(str(path)))


def read_translation(path: Path) -> Read:
    return collect_pairs(load_translation(str(path), languages=("en", "de")))


def read_captions(path: Path) -> Read:
    return collect_captions(load_captioning(str(path)))


def read_tags(path: Path) -> Read:
    return collect_tags(load_tagging(str(path), size=(6, 8)))


READERS = {
    "sentiment table": Reader(make_text_table, read_labels, "*"),
    "sentiment splits": Reader(make_text_splits, read_labels),
    "sentiment folders": Reader(make_text_directory, read_labels),
    "parallel": Reader(make_parallel, read_translation),
    "parallel stem": Reader(make_parallel_stem, read_translation, "train"),
    "pairs": Reader(make_pairs, read_translation, "*"),
    "pairs zip": Reader(make_pairs_zip, read_translation, "*"),
    "captions": Reader(make_captions, read_captions),
    "flickr": Reader(make_flickr, read_captions),
    "coco": Reader(make_coco, read_captions),
    "coco zips": Reader(make_coco_zips, read_captions),
    "tagged videos": Reader(make_tagged_videos, read_tags),
    "features": Reader(make_features, read_tags, cell=f"{WORD}|{NUMBER}"),
    "feature table": Reader(make_feature_table, read_tags, cell=f"{WORD}|{NUMBER}"),
    "vectors": Reader(make_vectors, read_vectors, "*", rf"(?<!\S){WORD}(?!\S)"),
    "book": Reader(make_book, read_book, "*"),
    "footage": Reader(make_pictures, read_footage),
}


# Mutations of a directory of files.

ODD_CELLS = [
    "",
    " ",
    '"',
    '""',
    '"open',
    'end"',
    "a,b",
    "a;b",
    "a\tb",
    "-1",
    "1e400",
    "nan",
    "inf",
    "1_000",
    "٣",
    "0.1.2",
    "2024-01-01",
    "x" * 200_000,
    "\0",
    "\ufeff",
    "\x1a",
    "\r",
    "\x85",
    "\u2028",
    "#",
    "|",
    "../../etc/passwd",
    "~",
    "1,5",
    "99999999999999999999",
    "q1z",
    "none",
]
ODD_NAMES = [
    "x" * 250,
    ".hidden",
    "copy",
    "a b",
    "ü",
    "\udcff",
    "-x",
    "~",
    "#",
    "%00",
    "a\nb",
    "CON",
    "train",
    "test",
]
BOMB = "\n" * 40_000_000


def mutate(directory: Path, rng: random.Random) -> str:
    """Change one thing in a directory; return what."""
    files = sorted(path for path in directory.rglob("*") if path.is_file() and not path.is_symlink())
    texts = [path for path in files if path.suffix not in (".png", ".zip", ".gz", ".xz", ".bz2")]
    zips = [path for path in files if path.suffix == ".zip"]
    if not files:
        return "nothing"
    kinds: list[Callable[[Path, random.Random], str]] = [mutate_file]
    if texts:
        kinds += [mutate_lines] * 4 + [mutate_cells] * 6 + [mutate_encoding] * 2 + [compress]
    if any(path.suffix == ".json" for path in texts):
        kinds += [mutate_json] * 12
    if zips:
        kinds += [mutate_zip] * 8
    kind = rng.choice(kinds)
    pool = zips if kind is mutate_zip else files if kind is mutate_file or not texts else texts
    if kind is mutate_json:
        pool = [path for path in texts if path.suffix == ".json"]
    path = rng.choice(pool)
    return f"{path.name}: {kind(path, rng)}"


def mutate_file(path: Path, rng: random.Random) -> str:
    choice = rng.randrange(14)
    if choice == 0:
        content = path.read_bytes()
        path.write_bytes(content[: rng.randrange(len(content) + 1)])
        return "cut"
    if choice == 1:
        content = bytearray(path.read_bytes() or b" ")
        for _ in range(rng.randrange(1, 9)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        path.write_bytes(content)
        return "bytes"
    if choice == 2:
        path.unlink()
        return "removed"
    if choice == 3:
        path.unlink()
        path.mkdir()
        return "a directory"
    if choice == 4:
        path.unlink()
        os.mkfifo(path)
        return "a pipe"
    if choice == 5:
        path.unlink()
        path.symlink_to(rng.choice(["/dev/null", "/dev/zero", "/nowhere", path.name, "."]))
        return "a link"
    if choice == 6:
        for link in (path.parent / name for name in ("one", "two", "three")):
            if not os.path.lexists(link):  # an earlier mutation has made it
                link.symlink_to(".")
        return "links in circles"
    if choice == 7:
        path.rename(path.with_name(rng.choice(ODD_NAMES)[: 250 - len(path.suffix)] + path.suffix))
        return "renamed"
    if choice == 8:
        path.rename(path.with_suffix(path.suffix.upper()))
        return "capitals"
    if choice == 9:
        shutil.copy(
            path,
            path.with_name(rng.choice(["copy", ".copy", "train", "test", "x.lemma.token"]) + path.suffix),
        )
        return "copied"
    if choice == 10:
        (path.parent / "more").mkdir(exist_ok=True)
        shutil.copy(path, path.parent / "more" / path.name)
        return "copied below"
    if choice == 11:
        (path.parent / "more").mkdir(exist_ok=True)
        path.rename(path.parent / "more" / path.name)
        return "moved below"
    if choice == 12:
        path.write_bytes(b"")
        return "empty"
    path.write_bytes(path.read_bytes() * 2)
    return "doubled"


def mutate_lines(path: Path, rng: random.Random) -> str:
    lines = path.read_bytes().splitlines(keepends=True) or [b""]
    first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
    choice = rng.randrange(7)
    if choice == 0:
        del lines[first]
    elif choice == 1:
        lines.insert(first, lines[second])
    elif choice == 2:
        lines[first], lines[second] = lines[second], lines[first]
    elif choice == 3:
        lines[first] = lines[first].rstrip(b"\n")
    elif choice == 4:
        lines.insert(first, rng.choice([b"\n", b" \n", b"\t\n", b",\n", b"# comment\n", b"\r", b"\0\n"]))
    elif choice == 5:
        lines = [line.rstrip(b"\r\n") + rng.choice([b"\n", b"\r\n"]) for line in lines]
    else:
        ending = rng.choice([b"\r\n", b"\r", b"\n\n"])
        lines = [line.rstrip(b"\r\n") + ending for line in lines]
    path.write_bytes(b"".join(lines))
    return f"lines {choice}"


def mutate_cells(path: Path, rng: random.Random) -> str:
    text = path.read_bytes().decode("latin-1")
    delimiter = next((d for d in "\t;," if d in text), " ")
    rows = [line.split(delimiter) for line in text.split("\n")]
    number = 0 if rng.random() < 0.2 else rng.randrange(len(rows))
    row, odd = rows[number], rng.choice(ODD_CELLS).encode().decode("latin-1")
    place, choice = rng.randrange(len(row)), rng.randrange(10)
    if choice == 0:
        row[place] = odd
    elif choice == 1:
        row.insert(place, odd)
    elif choice == 2:
        del row[place]
    elif choice == 3:
        row[place] += odd
    elif choice == 4:
        position = rng.randrange(len(row[place]) + 1)
        row[place] = row[place][:position] + odd[:9] + row[place][position:]
    elif choice == 5:  # a quote that opens in one row and closes in a later one
        row[-1] = f'"{row[-1]}'
        later = rows[min(number + rng.randrange(1, 3), len(rows) - 1)]
        later[-1] += '"'
    elif choice == 6:
        other = rng.choice(rows)
        row[place], other[-1] = other[-1], row[place]
    elif choice == 7:
        for other in rows:
            other.insert(min(place, len(other)), odd[:9] if other is rows[0] else "more")
    elif choice == 8:
        row[place] = row[place].upper()
    else:
        row[place] = "".join(f'"{cell}"' for cell in row[place : place + 1])
    path.write_bytes("\n".join(map(delimiter.join, rows)).encode("latin-1"))
    return f"cells {choice} at line {number + 1}: {odd[:20]!r}"


def mutate_encoding(path: Path, rng: random.Random) -> str:
    text = path.read_bytes().decode("utf-8", "replace")
    encoding = rng.choice(
        ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp932", "utf-7", "cp037"]
    )
    if encoding == "cp1252":
        text = text.replace(" is ", " ist für ")
    path.write_bytes(rng.choice([b"", b"", b"", b"\xef\xbb\xbf"]) + text.encode(encoding, "replace"))
    return encoding


def compress(path: Path, rng: random.Random) -> str:
    suffix, pack = rng.choice([(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)])
    is_bomb = rng.random() < 0.1
    content = pack(BOMB.encode() if is_bomb else path.read_bytes())
    if rng.random() < 0.3:
        content = content[: rng.randrange(len(content))]
    path.with_name(path.name + suffix).write_bytes(content)
    path.unlink()
    return f"{suffix}{' bomb' if is_bomb else ''}"


ODD_VALUES: list[Any] = [
    None,
    0,
    -1,
    1.5,
    True,
    "",
    " ",
    "x",
    [],
    {},
    [[]],
    {"a": None},
    [1, 2],
    float("nan"),
    float("inf"),
    10**400,
    "\0",
    "\ud800",
    "x" * 300_000,
    {"caption": "q1z"},
]


def mutate_json(path: Path, rng: random.Random) -> str:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return mutate_file(path, rng)
    choice = rng.randrange(9)
    if choice == 0:
        depth = rng.choice([500, 5_000, 200_000])
        path.write_text(path.read_text().replace("[", "[" * depth, 1))
        return f"nested {depth} deep"
    if choice == 1:
        path.write_text("[" * 100_000 + "]" * 100_000)
        return "nothing but lists"
    if choice == 2:
        text = path.read_text()
        path.write_text(
            text[:-1] + ", " + rng.choice(['"annotations": []', '"images": []', '"info": 1']) + "}"
        )
        return "a name twice"
    if choice == 3:
        path.write_text(
            json.dumps(
                rng.choice([*ODD_VALUES[:-3], content.get("images") if isinstance(content, dict) else 1])
            )
        )
        return "another value"
    node, key = content, None
    while isinstance(node, dict | list) and len(node) and (key is None or rng.random() < 0.8):
        parent, key = node, rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
        node = parent[key]
    if key is None:
        return "nothing"
    if choice == 4:
        del parent[key]
    elif choice == 5 and isinstance(parent, list):
        parent.append(parent[key])
    else:
        parent[key] = rng.choice(ODD_VALUES)
    path.write_text(json.dumps(content, ensure_ascii=rng.random() < 0.9), errors="surrogatepass")
    return f"JSON {choice} at {key!r}"


def mutate_zip(path: Path, rng: random.Random) -> str:
    content = bytearray(path.read_bytes())
    headers = [match.start() for match in re.finditer(b"PK\x03\x04|PK\x01\x02", bytes(content))]
    choice = rng.randrange(8)
    if choice == 0 and headers:  # encrypted
        for start in headers:
            content[start + (6 if content[start + 2] == 3 else 8)] |= 1
    elif choice == 1 and headers:  # a method that Python does not have: 9 is deflate64
        method = rng.choice([9, 1, 14, 93, 97])
        for start in headers:
            content[start + (8 if content[start + 2] == 3 else 10)] = method
    elif choice == 2 and headers:
        start = rng.choice(headers)
        content[start + rng.randrange(4, 30)] = rng.randrange(256)
    elif choice == 3:
        del content[rng.randrange(len(content) + 1) :]
    elif choice == 4:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    else:
        try:
            with zipfile.ZipFile(path) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
        except Exception:
            return "nothing"
        name = rng.choice(list(members)) if members else "x.txt"
        if choice == 5:
            members[name] = BOMB.encode()
        elif choice == 6:
            members[
                rng.choice(["../x.txt", "/x.txt", "a\\x.txt", "x\0y.txt", "x" * 300 + ".txt", name + "/x"])
            ] = b"x"
        else:  # the same in a second zip, and changed
            members = {name: members.get(name, b"").replace(b"q1", b"q7")}
            path.with_name("second.zip").write_bytes(make_zip(members))
            return "another zip with one of its names"
        content = bytearray(make_zip(members))
    path.write_bytes(content)
    return f"zip {choice}"


# Paths that are no files, and cases that have a name.

PATHS = [
    "",
    " ",
    "x" * 300,
    "x/" * 3000,
    "~nosuchuser",
    "~nosuchuser/x.csv",
    "a\0b",
    "a\0b.csv",
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/proc/self/mem",
    "\ud800",
    "\udcff",
    ".",
    "/",
    "/dev/stdin",
    "*",
    "**",
    "[",
    "[!",
    "a[\0]",
    "**/" * 200,
    "x:y",
    "x/y/z",
    "http://x",
    "a b",
    "🙂",
    "/proc/self/environ/x",
    "../" * 2000,
    "{directory}",
    "{directory}/loop",
    "{directory}/pipe",
    "{directory}/socket",
    "{directory}/empty.zip",
    "{directory}/empty.csv",
    "{directory}/empty.txt",
    "{directory}/nul.csv",
    "{directory}/circles",
]
NOT_READ = ("/", "/dev/stdin")  # which depend on the machine


def write_paths(directory: Path) -> None:
    """Write what `PATHS` name."""
    import socket

    (directory / "loop").symlink_to("loop")
    os.mkfifo(directory / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(directory)
        server.bind("socket")
    for name in ("empty.zip", "empty.csv", "empty.txt"):
        (directory / name).touch()
    (directory / "nul.csv").write_bytes(b"\0" * 5000)
    (directory / "circles").mkdir()
    for name in ("one", "two", "three"):
        (directory / "circles" / name).symlink_to(".")


Change = Callable[[Files], Files]


def edit(name: str, old: str, new: str) -> Change:
    def change(files: Files) -> Files:
        assert old.encode() in files[name], old
        return {**files, name: files[name].replace(old.encode(), new.encode(), 1)}

    return change


def captions_of(rows: str, number: int = 40) -> Change:
    """Files with images and a table of captions; {i} in a row is the number of the image."""

    def change(_: Files) -> Files:
        table = "".join(rows.format(i=i) for i in range(number))
        return {"captions.csv": table.encode()} | {f"p{i}.jpg": make_png(i) for i in range(number)}

    return change


def coco_of(annotation: str, image: str = '{{"id": {i}, "file_name": "q9{i:03}z.png"}}') -> Change:
    def change(files: Files) -> Files:
        images, annotations = (", ".join(row.format(i=i) for i in range(40)) for row in (image, annotation))
        text = f'{{"images": [{images}], "annotations": [{annotations}]}}'
        files = {name: content for name, content in files.items() if not name.endswith(".json")}
        return {**files, "annotations/captions_train2017.json": text.encode()}

    return change


def add(**files: bytes) -> Change:
    return lambda before: {**before, **files}


NAMED: dict[str, tuple[str, int, Change]] = {
    "captions with commas": ("captions", 0, captions_of("p{i}.jpg,A q{i}z, number q1{i}z, runs q2{i}z.\n")),
    "captions with commas, a short header": (
        "captions",
        0,
        lambda f: (
            captions_of("p{i}.jpg,A q{i}z, number q1{i}z, runs q2{i}z.\n")(f)
            | {
                "captions.csv": b"image,caption\n"
                + captions_of("p{i}.jpg,A q{i}z, number q1{i}z, runs q2{i}z.\n")(f)["captions.csv"]
            }
        ),
    ),
    "captions with commas, a long header": (
        "captions",
        0,
        lambda f: (
            captions_of("")(f)
            | {
                "captions.csv": b"image,caption,,\n"
                + captions_of("p{i}.jpg,A q{i}z, number q1{i}z, runs q2{i}z.\n")(f)["captions.csv"]
            }
        ),
    ),
    "a quote that swallows a row": (
        "captions",
        0,
        lambda f: {
            **captions_of("p{i}.jpg,A q{i}z.\n")(f),
            "captions.csv": captions_of("p{i}.jpg,A q{i}z.\n")(f)["captions.csv"]
            .replace(b"A q5z.", b'"A q5z.')
            .replace(b"A q6z.", b'A q6z."'),
        },
    ),
    "a quote that swallows a pair": (
        "pairs",
        0,
        lambda f: {
            "pairs.csv": b"".join(b"q%dz,q1%dz\n" % (i, i) for i in range(400))
            .replace(b"q15z\n", b'"q15z\n')
            .replace(b"q16z\n", b'q16z"\n')
            .replace(b',q1"', b',"q1')
        },
    ),
    "lemmas beside the captions": (
        "flickr",
        0,
        lambda f: {**f, "Flickr8k.lemma.token.txt": re.sub(rb"q\d", b"lemma", f["Flickr8k.token.txt"])},
    ),
    "two COCO files for training": (
        "coco zips",
        0,
        lambda f: {
            **f,
            "second.zip": make_zip(
                {
                    "annotations/captions_train2017.json": make_coco(random.Random(3))[
                        "annotations/captions_train2017.json"
                    ].replace(b" q", b" q7")
                }
            ),
        },
    ),
    "a tag far behind the end": (
        "tagged videos",
        0,
        lambda f: {
            **f,
            "tags.csv": b"video,start,end,tag\n"
            + b"".join(b"q8%03dz,0,99,%c\n" % (i, b"ab"[i % 2]) for i in range(6)),
        },
    ),
    "an empty first cell": (
        "features",
        0,
        lambda f: {n: re.sub(rb"\n(.*?,?)[\d.]+,([ab])\n", rb"\n\1,\2\n", c, count=1) for n, c in f.items()},
    ),
    "rows out of time order": (
        "features",
        0,
        lambda f: dict.fromkeys(f, b"time,x,tag\n0.1,1.25,a\n0.3,2.25,b\n0.2,3.25,a\n"),
    ),
    "null captions": ("coco", 0, coco_of('{{"image_id": {i}, "caption": null}}')),
    "number captions": ("coco", 0, coco_of('{{"image_id": {i}, "caption": 7}}')),
    "number file names": (
        "coco",
        0,
        coco_of('{{"image_id": {i}, "caption": "q{i}z"}}', '{{"id": {i}, "file_name": {i}}}'),
    ),
    "list ids": (
        "coco",
        0,
        coco_of('{{"image_id": [{i}], "caption": "q{i}z"}}', '{{"id": [{i}], "file_name": "q{i}z"}}'),
    ),
    "blank captions": (
        "coco",
        0,
        coco_of('{{"image_id": {i}, "caption": " "}}, {{"image_id": {i}, "caption": "q{i}z"}}'),
    ),
    "ids twice": (
        "coco",
        0,
        coco_of('{{"image_id": 0, "caption": "q{i}z"}}', '{{"id": 0, "file_name": "q9{i:03}z.png"}}'),
    ),
    "deep nesting": (
        "coco",
        0,
        coco_of('{{"image_id": {i}, "caption": ' + "[" * 99_999 + "0" + "]" * 99_999 + "}}"),
    ),
    "encrypted zip": ("pairs zip", 0, lambda f: {"deu-eng.zip": flag(f["deu-eng.zip"], 6, 8, 1)}),
    "encrypted images": ("coco zips", 0, lambda f: {**f, "images.zip": flag(f["images.zip"], 6, 8, 1)}),
    "deflate64 zip": ("pairs zip", 0, lambda f: {"deu-eng.zip": flag(f["deu-eng.zip"], 8, 10, 9)}),
    "deflate64 images": ("coco zips", 0, lambda f: {**f, "images.zip": flag(f["images.zip"], 8, 10, 9)}),
    "a cell of 200,000 characters": (
        "sentiment table",
        0,
        lambda f: {"a.csv": make_table_with_long_cell(200_000)},
    ),
    "a cell of 20,000,000 characters": (
        "sentiment table",
        0,
        lambda f: {"a.csv": make_table_with_long_cell(20_000_000)},
    ),
    "a text of 25,000,000 lines in a zip": (
        "pairs zip",
        0,
        lambda f: {"deu-eng.zip": make_zip({"deu.txt": b"a\tb\n" * 25_000_000})},
    ),
    "25,000,000 empty lines in a zip": (
        "pairs zip",
        0,
        lambda f: {"deu-eng.zip": make_zip({"deu.txt": b"\n" * 25_000_000})},
    ),
    "25,000,000 empty lines, compressed": (
        "sentiment table",
        0,
        lambda f: {"a.csv.gz": gzip.compress(b"\n" * 25_000_000)},
    ),
    "a line of 300 MB, compressed": (
        "vectors",
        0,
        lambda f: {"words.txt.gz": gzip.compress(b"q1z" + b" 0" * 150_000_000)},
    ),
    "vectors of a million million numbers": (
        "vectors",
        0,
        lambda f: {"words.txt": b"59 1000000000000\nq1z 1 2 3\n"},
    ),
    "vectors with a byte order mark": (
        "vectors",
        0,
        lambda f: {"words.txt": b"\xef\xbb\xbfq1z 1 2 3\nq2z 1 2 3\n"},
    ),
    "vectors in a zip": ("vectors", 0, lambda f: {"words.zip": make_zip(f)}),
    "one name for two images": (
        "captions",
        0,
        lambda f: captions_of("p{i}.jpg,A q{i}z.\nelsewhere/p{i}.jpg,The q1{i}z.\n")(f),
    ),
    "an image in two splits": (
        "captions",
        0,
        lambda f: (
            {f"{s}.csv": captions_of("p{i}.jpg,A q{i}z.\n")(f)["captions.csv"] for s in ("train", "test")}
            | {n: c for n, c in captions_of("p{i}.jpg,A q{i}z.\n")(f).items() if "csv" not in n}
        ),
    ),
    "captions of images in no list": (
        "flickr",
        0,
        lambda f: {**f, "Flickr_8k.trainImages.txt": b"\n".join(f["Flickr_8k.trainImages.txt"].split()[:-3])},
    ),
    "carriage returns alone": (
        "flickr",
        0,
        lambda f: {**f, "Flickr8k.token.txt": f["Flickr8k.token.txt"].replace(b"\n", b"\r")},
    ),
    "carriage returns in parallel files": (
        "parallel",
        0,
        lambda f: {n: c.replace(b"\n", b"\r") for n, c in f.items()},
    ),
    "a name twice in a header of pairs": (
        "pairs",
        0,
        lambda f: {
            "pairs.csv": b"en,de,de\n" + b"".join(b"q%dz,q1%dz,q2%dz\n" % (i, i, i) for i in range(400))
        },
    ),
    "numbers with underscores": (
        "features",
        0,
        lambda f: {n: c.replace(b".25,", b"_0.25,", 1) for n, c in f.items()},
    ),
    "numbers over float32": (
        "features",
        0,
        lambda f: {n: c.replace(b".25,", b"e39,", 1) for n, c in f.items()},
    ),
    "an empty tag": (
        "tagged videos",
        0,
        lambda f: {**f, "tags.csv": re.sub(rb"q\d+z\n", b"\n", f["tags.csv"], count=1)},
    ),
    "an empty video": (
        "tagged videos",
        0,
        lambda f: {**f, "tags.csv": re.sub(rb"\nq\d+z", b"\n", f["tags.csv"], count=1)},
    ),
    "texts in deeper folders": (
        "sentiment folders",
        0,
        lambda f: {
            **f,
            "train/pos/more/x.txt": b"q9999z",
            "train/pos/y.TXT": b"q9998z",
            "train/neg/z.txt.gz": gzip.compress(b"q9997z"),
            "train/neg/odd.text": b"q9996z",
        },
    ),
    "a hidden folder of labels": (
        "sentiment folders",
        0,
        lambda f: {**f, "train/.ipynb_checkpoints/x.txt": b"x"},
    ),
    "a second parallel text": (
        "parallel",
        0,
        lambda f: {**f, "more.en": b"q9999z\n", "more.de": b"q9998z\n"},
    ),
    "tables beside the captions": (
        "captions",
        0,
        lambda f: {
            **captions_of("p{i}.jpg,A q{i}z.\n")(f),
            "train.csv": b"".join(b"p%d.jpg,A q5%dz.\n" % (i, i) for i in range(40)),
        },
    ),
}


def flag(content: bytes, local: int, central: int, value: int) -> bytes:
    """Set a byte in all headers of a zip."""
    changed = bytearray(content)
    for match in re.finditer(b"PK\x03\x04|PK\x01\x02", content):
        start = match.start()
        changed[start + (local if content[start + 2] == 3 else central)] |= value
    return bytes(changed)


# Running a case in a process of its own.


class Result(NamedTuple):
    """What came of a case.

    Attributes:
        kind: "read", "refused" or "lost".
        detail: the error, or what was lost.
    """

    kind: Literal["read", "refused", "lost"]
    detail: str


def find_cells(directory: Path, cell: str) -> set[str]:
    """Return the cells of all files that a reader might read."""
    found: set[str] = set()
    for path in directory.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        found |= set(re.findall(cell, path.stem))
        content, suffix = path.read_bytes(), path.suffix
        try:
            if suffix == ".zip":
                with zipfile.ZipFile(path) as archive:
                    contents = [
                        archive.read(name) for name in archive.namelist() if not name.endswith(".png")
                    ]
            else:
                unpack = {".gz": gzip.decompress, ".xz": lzma.decompress, ".bz2": bz2.decompress}
                contents = [unpack[suffix](content) if suffix in unpack else content]
        except Exception:
            continue
        for text in contents:
            for encoding in ("utf-8", "utf-16", "utf-32") if len(text) < 1_000_000 else ():
                found |= set(re.findall(cell, text.decode(encoding, "ignore")))
    return found


def run(read: Callable[[Path], Read], path: Path, directory: Path, cell: str) -> Result:
    """Read a path."""
    try:
        texts, notes = read(path)
        text = "\n".join(texts)
    except ZooError as error:
        message = str(error)
        is_short = len(message) < 3_000
        return Result("refused", message) if is_short else Result("lost", f"a long message: {message[:200]}")
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = next((frame for frame in reversed(frames) if "/zoo/" in frame.filename), frames[-1])
        return Result(
            "lost", f"{type(error).__name__}: {str(error)[:200]} ({Path(own.filename).name}:{own.lineno})"
        )
    missing = sorted(find_cells(directory, cell) - set(re.findall(cell, text)))
    if missing and not any("eft out" in note for note in notes):
        return Result("lost", f"silently: {', '.join(missing[:5])} of {len(missing)}")
    return Result("read", f"{len(missing)} left out")


def run_apart(read: Callable[[Path], Read], path: Path, directory: Path, cell: str = WORD) -> Result:
    """Read a path in a process of its own, with bounded time and memory."""
    receive, send = os.pipe()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    if not (child := os.fork()):
        os.close(receive)
        os.setpgid(0, 0)
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115  until the process ends
        result = run(read, path, directory, cell)
        with os.fdopen(send, "wb") as file:
            file.write(json.dumps(result).encode("utf-8", "replace"))
        os._exit(0)
    os.close(send)
    content, ready = b"", True
    while ready and (left := SECONDS - (time.monotonic() - start)) > 0:
        ready = bool(select.select([receive], [], [], left)[0])
        part = os.read(receive, 1 << 16) if ready else b""
        content += part
        if ready and not part:
            break
    else:
        os.kill(child, signal.SIGKILL)
    os.close(receive)
    _, status, usage = os.wait4(child, 0)
    megabytes = (usage.ru_maxrss - before) / 1024
    if status == signal.SIGKILL:
        return Result("lost", f"more than {SECONDS} seconds")
    if status:
        return Result("lost", f"the process ended with status {status}")
    if megabytes > MEGABYTES:
        return Result("lost", f"{megabytes:,.0f} MB of memory")
    return Result(*json.loads(content))


def choose_path(directory: Path, name: str) -> Path:
    """Return what to read: a file that is the only one, or a name in the directory."""
    if name != "*":
        return directory / name
    paths = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    return next(
        (path for path in paths if not path.is_symlink() or path.name not in ("one", "two", "three")),
        directory,
    )


@dataclass(frozen=True)
class Settings:
    """Drive the readers of training data with broken files."""

    count: int = 1_000  # random cases
    first: int = 0  # number of the first of them, to repeat a case: --first 17 --count 1
    seed: int = 0
    readers: tuple[str, ...] = ()  # names of readers, or parts of them; default: all
    show: bool = False  # print every case with what came of it


Case = tuple[str, str, Result]
"""Group, description, result."""


def iterate_named(names: Iterable[str]) -> Iterator[Case]:
    """Run the cases that have a name."""
    for title, (name, seed, change) in NAMED.items():
        if name in names:
            reader = READERS[name]
            with tempfile.TemporaryDirectory() as directory:
                write_files(Path(directory), change(reader.make(random.Random(seed))))
                path = choose_path(Path(directory), reader.name)
                yield "named", title, run_apart(reader.read, path, Path(directory), reader.cell)


def iterate_paths(names: Iterable[str]) -> Iterator[Case]:
    """Run each reader on paths that are no files."""
    here = Path.cwd()
    for name in names:
        with tempfile.TemporaryDirectory() as directory:
            write_paths(Path(directory))
            for path in PATHS:
                if path not in NOT_READ:
                    empty = Path(directory) / "circles"
                    text = path.replace("{directory}", directory)
                    yield (
                        "paths",
                        f"{name}: {path[:60]!r}",
                        run_apart(lambda p, r=READERS[name].read: r(p), text, empty),
                    )
            os.chdir(here)


def iterate_random(names: list[str], settings: Settings) -> Iterator[Case]:
    """Run random cases, of each reader in turn."""
    for number in range(settings.first, settings.first + settings.count):
        rng = random.Random(f"{settings.seed} {number}")
        reader = READERS[name := names[number % len(names)]]
        with tempfile.TemporaryDirectory() as directory:
            write_files(Path(directory), reader.make(rng))
            path = choose_path(Path(directory), reader.name)
            changes = [mutate(Path(directory), rng) for _ in range(rng.choice([1, 1, 2, 3]))]
            path = path if path.exists() else choose_path(Path(directory), reader.name)
            result = run_apart(reader.read, path, Path(directory), reader.cell)
            yield "random", f"{name} {settings.seed}/{number}: {'; '.join(changes)}"[:300], result


def main(settings: Settings) -> None:
    """Run all cases, and print how many were tried and how many were lost."""
    names = [
        name for name in READERS if not settings.readers or any(part in name for part in settings.readers)
    ]
    counts: Counter[tuple[str, str]] = Counter()
    for cases in (iterate_named(names), iterate_paths(names), iterate_random(names, settings)):
        for group, description, (kind, detail) in cases:
            counts[group, kind] += 1
            if kind == "lost" or settings.show:
                print(ascii(f"{kind}: {description}: {detail}")[1:-1], flush=True)
    print("| cases | tried | read | refused | lost |", "| --- | --: | --: | --: | --: |", sep="\n")
    for group in ("named", "paths", "random"):
        numbers = [counts[group, kind] for kind in ("read", "refused", "lost")]
        print(f"| {group} | {sum(numbers):,} | {' | '.join(f'{number:,}' for number in numbers)} |")
    sys.exit(any(kind == "lost" for _, kind in counts))


if __name__ == "__main__":
    main(tyro.cli(Settings, prog=Path(sys.argv[0]).name))
