"""Tagged sequences: videos and features from users' files, TFDS sets, and messages about mistakes."""

import gzip
import logging
import lzma
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
import pytest
import tensorflow_datasets as tfds
from data_files import write_files
from PIL import Image

from zoo.datasets import DataSplits, TaggingSplit, load_tagging
from zoo.datasets.readers import frame_cache
from zoo.errors import DataError

SPLITS = ("train", "validation", "test")
SIZE = (6, 8)
STEP = 18  # of the brightness from frame to frame: frames stay distinguishable after encoding


def collect(data: DataSplits[TaggingSplit]) -> dict[str, tuple[np.ndarray, list, np.ndarray]]:
    """Return values, names of labels, and times of each sequence."""
    sequences = {}
    for split in SPLITS:
        part: TaggingSplit = getattr(data, split)
        for name, values, tags, times in zip(part.names, part.sequences, part.tags, part.times, strict=True):
            assert len(values) == len(tags) == len(times)
            assert times.dtype == np.float64
            assert tags.dtype == (bool if data.info.multi_label else np.int32)
            if data.info.multi_label:
                labels = [{data.info.labels[place] for place in np.flatnonzero(step)} for step in tags]
            else:
                labels = [data.info.labels[place] for place in tags]
            sequences[name] = values, labels, times
    return sequences


def names(data: DataSplits[TaggingSplit]) -> list[list[str]]:
    return [getattr(data, split).names for split in SPLITS]


def frames(count: int) -> np.ndarray:
    return np.repeat(np.arange(count, dtype=np.uint8), 32 * 48 * 3).reshape(count, 32, 48, 3) * STEP


def encode(file: Path, count: int, milliseconds: list[int] | None = None) -> Path:
    """A clip that grows brighter, H.264, 10 frames per second or at the given times."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, picture in enumerate(frames(count)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.time_base = Fraction(1, 1000)
            frame.pts = milliseconds[number] if milliseconds else 100 * number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file


def draw(directory: Path, count: int) -> None:
    directory.mkdir(parents=True)
    for number, picture in enumerate(frames(count)):
        Image.fromarray(picture).save(directory / f"frame_{number}.png")


def assert_grows_brighter(values: np.ndarray, count: int) -> None:
    assert values.dtype == np.uint8
    assert values.shape == (count, *SIZE, 3)
    expected = STEP * np.arange(count)[:, None, None, None]
    assert np.abs(values.astype(int) - expected).max() < STEP / 2


COUNTS = {"clip1": 7, "clip2": 8, "clip10": 6, "clip3": 9, "clip4": 5}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five videos: one is a directory of images, one has a variable frame rate, one is in a subdirectory."""
    directory = tmp_path_factory.mktemp("clips")
    encode(directory / "clip1.mp4", 7)
    draw(directory / "clip2", 8)
    encode(directory / "clip10.mkv", 6, [0, 50, 100, 600, 1100, 1150])
    encode(directory / "more" / "clip3.MOV", 9)
    encode(directory / "clip4.mp4", 5)
    return directory


@pytest.fixture
def tagged(clips: Path, tmp_path: Path) -> Callable[..., DataSplits[TaggingSplit]]:
    """A function that loads the videos with a table of tags."""
    for path in clips.iterdir():
        (tmp_path / path.name).symlink_to(path)

    def load(table: str | dict[str, str], **options: object) -> DataSplits[TaggingSplit]:
        write_files(tmp_path, table if isinstance(table, dict) else {"tags.csv": table})
        return load_tagging(str(tmp_path), **{"size": SIZE, "frame_rate": 10, **options})

    return load


ENDINGS = {"clip1": "clip1.mp4", "clip2": "clip2", "clip10": "clip10", "clip3": "elsewhere/clip3.MOV"}
PER_FRAME = "video,frame,tag\n" + "".join(
    f"{ENDINGS.get(name, name)},{number},{'dark' if number < 3 else 'light'}\n"
    for name, count in COUNTS.items()
    for number in range(count)
)


@pytest.mark.parametrize("cached", [False, True])
def test_a_tag_for_each_frame(
    tagged: Callable,
    tmp_path: Path,
    cached: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frame_cache, "_CHUNK", 4)
    caplog.set_level(logging.INFO, "zoo")
    data = tagged(PER_FRAME, cache_dir=tmp_path / "cache" if cached else None)
    assert "reading clip10, 4 of 5" in caplog.text
    assert names(data) == [["clip1", "clip2", "clip10"], ["more/clip3"], ["clip4"]]
    sequences = collect(data)
    assert set(sequences) == {"clip1", "clip2", "clip4", "clip10", "more/clip3"}
    for name, (values, labels, times) in sequences.items():
        count = COUNTS[Path(name).name]
        assert_grows_brighter(values, count)
        assert isinstance(values, np.memmap) == cached
        assert labels == ["dark"] * 3 + ["light"] * (count - 3)
        expected_times = [0, 0.05, 0.1, 0.6, 1.1, 1.15] if name == "clip10" else np.arange(count) / 10
        np.testing.assert_allclose(times, expected_times, atol=1e-3)
    assert data.info.labels == ("dark", "light")
    assert not data.info.multi_label


def test_missing_splits_are_every_third_and_every_fourth_sequence(tmp_path: Path) -> None:
    write_files(tmp_path, {f"s{n}.csv": f"x,tag\n{n},a\n{n},b\n" for n in range(1, 13)})
    data = load_tagging(str(tmp_path))
    assert names(data) == [
        ["s1", "s2", "s4", "s7", "s8", "s10"],
        ["s5", "s11"],
        ["s3", "s6", "s9", "s12"],
    ]
    assert data.info.notes == (
        "test is every third sequence, in natural order.",
        "validation is every fourth remaining sequence, in natural order.",
    )


def test_cache_is_used_checked_and_renewed(
    tagged: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "cache"
    first = collect(tagged(PER_FRAME, cache_dir=cache))
    assert len(list(cache.glob("*.npy"))) == 5
    assert not list(cache.glob(".*"))
    opened, original = [], frame_cache.open_video

    def watched(path: Path, rate: float) -> object:
        opened.append(path.name)
        return original(path, rate)

    monkeypatch.setattr(frame_cache, "open_video", watched)
    second = collect(tagged(PER_FRAME, cache_dir=cache))
    assert opened == []
    for name in first:
        np.testing.assert_array_equal(first[name][0], second[name][0])
        np.testing.assert_array_equal(first[name][2], second[name][2])
    del first, second
    damaged = sorted(cache.glob("*.npy"))[2]
    content = bytearray(damaged.read_bytes())
    content[-5] ^= 1
    damaged.write_bytes(content)
    rebuilt = collect(tagged(PER_FRAME, cache_dir=cache))
    assert len(opened) == 1
    assert f"{damaged} is corrupt" in caplog.text
    for name, (values, *_) in rebuilt.items():
        assert_grows_brighter(values, COUNTS[Path(name).name])
    tagged(PER_FRAME, cache_dir=cache, frame_rate=5)
    assert len(opened) == 6  # times of a directory depend on it
    tagged(PER_FRAME, cache_dir=cache, size=(3, 4))
    assert len(opened) == 11


def test_times_mean_the_nearest_frame(tagged: Callable) -> None:
    data = tagged(
        "Clip,Timestamp,Label\nclip10,0.02,a\nclip10,0.30,b\nclip10,0.4,c\nclip10,1.12,d\nclip10,1.17,a\n"
        "clip1,0,a\nclip2,0,a\nclip3,0,a\nclip4,0,a\n"
    )
    assert collect(data)["clip10"][1] == ["a", "none", "b", "c", "d", "a"]
    assert "26 of 35 frames are in no row and have the label none." in data.info.notes


@pytest.mark.parametrize(
    ("columns", "spans", "expected"),
    [
        ("start,end", ("0,0.1", "0.1,1.1", "1.1,2"), "a a b b c c"),
        ("end,start", ("0.1,0", "1.09,0.11", "1.152,1.09"), "a a b b c none"),
        ("start,end", ("0.02,0.33", "0.33,0.86", "0.86,1.16"), "a a a b c none"),
        ("start_frame,end_frame", ("0,2", "2,4", "4,6"), "a a b b c c"),
    ],
)
def test_segment_ends_are_exclusive(
    tagged: Callable, columns: str, spans: tuple[str, ...], expected: str
) -> None:
    """Frames of the clip are at 0, 0.05, 0.1, 0.6, 1.1 and 1.15 seconds."""
    rows = [f"clip10,{span},{tag}" for span, tag in zip(spans, "abc", strict=True)]
    others = [f"{name},{spans[0]},c" for name in COUNTS if name != "clip10"]
    data = tagged("\n".join([f"video,{columns},tag", *rows, *others]))
    assert collect(data)["clip10"][1] == expected.split()


def test_multi_label_frames(tagged: Callable) -> None:
    rows = ["video,start_frame,end_frame,tag", "clip10,0,3,a|b", "clip10,2,5,b | c", "clip10,4,5,a"]
    rows += [f"{name},0,1,a" for name in COUNTS if name != "clip10"]
    data = tagged("\n".join(rows), multi_label=True)
    assert data.info.labels == ("a", "b", "c")
    assert collect(data)["clip10"][1] == [
        {"a", "b"},
        {"a", "b"},
        {"a", "b", "c"},
        {"b", "c"},
        {"a", "b", "c"},
        set(),
    ]
    assert "26 frames have no label." in data.info.notes


def test_two_labels_of_a_frame_raise(tagged: Callable) -> None:
    for rows in ("clip1,0,5,a\nclip1,3,6,b\n", "clip1,0,3,a\nclip1,3,6,a|b\n"):
        with pytest.raises(
            DataError, match=r"clip1, frame 3: found the tags a and b\. Expected one tag\. .*--multi-label"
        ):
            tagged(f"video,start_frame,end_frame,tag\n{rows}" + "".join(f"{n},0,1,a\n" for n in COUNTS))


def test_missing_and_unnamed_videos_are_noted(tagged: Callable) -> None:
    rows = [f"{name},0,1,a,Ann" for name in ("clip1", "clip2", "clip10", "clip5", "lost/clip6.mp4")]
    data = tagged(
        "\n".join(["video,start,end,tag,annotator", *rows]), test=("clip1.mp4",), validation=("clip2",)
    )
    assert names(data) == [["clip10"], ["clip2"], ["clip1"]]
    assert (
        "Left out because they are missing: clip5 (tags.csv, line 5), lost/clip6.mp4 (tags.csv, line 6)."
        in data.info.notes
    )
    assert "Left out because no row names them: clip4, more/clip3." in data.info.notes
    assert any(note.endswith(": left out the column annotator.") for note in data.info.notes)


def test_tables_named_after_splits(tagged: Callable, tmp_path: Path) -> None:
    data = tagged(
        {
            "train.csv": "video,frame,tag\nclip1,0,a\nclip2,1,b\nclip3,2,a\n",
            "val.tsv": 'video\tstart\tend\ttag\tremark\nclip4\t0\t0.2\ta\t"x\n',
            "test.csv": "video,frame,tag\nclip10,5,b\n",
        }
    )
    assert names(data) == [["clip1", "clip2", "more/clip3"], ["clip4"], ["clip10"]]
    assert collect(data)["clip4"][1] == ["a", "a", "none", "none", "none"]
    assert collect(data)["clip10"][1] == ["none"] * 5 + ["b"]
    assert not any("every" in note for note in data.info.notes)


def test_directories_named_after_splits(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("valid", 4), ("test", 5)):
        draw(tmp_path / split / "clip", count)
        write_files(tmp_path, {f"{split}/any.csv": f"video,frame,tag\nclip,{count - 1},{split[0]}\n"})
    data = load_tagging(str(tmp_path), size=SIZE)
    assert names(data) == [["train/clip"], ["valid/clip"], ["test/clip"]]
    assert collect(data)["valid/clip"][1] == ["none"] * 3 + ["v"]
    assert "No training sequence has the label v." in data.info.notes


def test_damaged_video_is_noted(tagged: Callable, tmp_path: Path) -> None:
    (tmp_path / "clip2").unlink()
    draw(tmp_path / "clip2", 8)
    (tmp_path / "clip2" / "frame_5.png").write_bytes(b"")
    rows = "".join(f"{name},0,a\n{name},2,b\n" for name in COUNTS)
    data = tagged(f"video,frame,tag\n{rows}")
    assert any(
        "frame_5.png cannot be read" in note and "7 of about 8 frames were read" in note
        for note in data.info.notes
    )
    assert len(collect(data)["clip2"][0]) == 7


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "video,frame,tga\nclip1,0,a",
            "found the columns video, frame, tga. Expected the columns video, tag, and",
        ),
        (
            "file,frame,tag\nclip1,0,a",
            "either frame, or time, or start and end, or start_frame and end_frame",
        ),
        ("video,frame,time,tag\nclip1,0,0,a", "found the columns video, frame, time, tag. Expected"),
        ("video,start,tag\nclip1,0,a", "found the columns video, start, tag. Expected"),
        ("clip1,0,a", "found no header. Expected the columns"),
        (
            "video,clip,frame,tag\na,clip1,0,a",
            "found the columns video and clip. Expected one of them. Rename",
        ),
        (
            "video,frame,tag\nclip1,7,a",
            "line 2: found 7. Expected a part of clip1, which has 7 frames, counted from 0",
        ),
        ("video,frame,tag\nclip1,-1,a", "found -1. Expected a part of clip1"),
        ("video,frame,tag\nclip1,1.5,a", "found 1.5. Expected a part of clip1"),
        ("video,time,tag\nclip1,0.66,a", "the last at 0.600 s. Correct the line."),
        ("video,time,tag\nclip1,-0.01,a", "found -0.01. Expected a part of clip1"),
        ("video,time,tag\nclip1,soon,a", "found soon. Expected a part of clip1"),
        ("video,start,end,tag\n\nclip1,0.3,0.3,a", "line 3: found 0.3 to 0.3. Expected a part of clip1"),
        ("video,start,end,tag\nclip1,nan,0.3,a", "found nan to 0.3. Expected a part of clip1"),
        ("video,start_frame,end_frame,tag\nclip1,3,8,a", "found 3 to 8. Expected a part of clip1"),
        ("video,frame,tag\nclip1,0\n", "line 2: found 2 cells, separated by commas. Expected 3"),
        ("video,frame,tag\n", "contains no rows"),
        (
            "video,frame,tag\nclip7,0,a\nclip8.mp4,0,a",
            "all videos are missing: clip7 (tags.csv, line 2), clip8.mp4 (tags.csv, line 3).",
        ),
        ("video,frame,tag\nclip1,0,a\nclip2,0,a", "too few sequences, none is left for test and validation"),
    ],
)
def test_invalid_tag_tables_raise(tagged: Callable, table: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        tagged(table)


def test_two_tag_tables_raise(tagged: Callable) -> None:
    table = "video,frame,tag\nclip1,0,a\n"
    with pytest.raises(DataError, match=r"found one\.csv, two\.csv\. Expected one table of tags"):
        tagged({"one.csv": table, "two.csv": table})


def test_video_in_two_splits_raises(tagged: Callable) -> None:
    with pytest.raises(DataError, match=r"test\.csv: clip1 is also in another split"):
        tagged({f"{split}.csv": "video,frame,tag\nclip1,0,a\n" for split in ("train", "test")})


def test_invalid_videos_raise(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.mp4": "no video", "tags.csv": "video,frame,tag\na.mp4,0,x\n"})
    with pytest.raises(DataError, match=r"a\.mp4 cannot be read as a video"):
        load_tagging(str(tmp_path))
    write_files(tmp_path, {"a/b.mp4": "", "a.b.mp4": "", "a.mkv": ""})
    with pytest.raises(DataError, match="have the same name"):
        load_tagging(str(tmp_path))


# Features.


def test_table_for_each_sequence(tmp_path: Path) -> None:
    """Various line ends, byte order marks, blank lines and compressions; a column without numbers."""
    random = np.random.default_rng(0)
    values = {
        name: random.normal(size=(count, 3)) for name, count in zip("abcdefg", range(4, 11), strict=True)
    }
    tags = {name: ["Rest", "Stroke", "Rest", *["Hold"] * (len(rows) - 3)] for name, rows in values.items()}
    tags["f"][1] = "Strike"
    ends, packers = ["\n", "\r", "\r\n", "\n\n", "\r\n\r\n"], [(".gz", gzip.compress), (".xz", lzma.compress)]
    for place, (name, rows) in enumerate(values.items()):
        lines = ["x,who,y,Timestamp,Phase,z"]
        lines += [
            f"{row[0]!r},me,{row[1]!r},{5000 + 31 * i},{tags[name][i]},{row[2]!r}"
            for i, row in enumerate(rows.tolist())
        ]
        text = ("\ufeff" if place == 2 else "") + ends[place % 5].join(lines)
        ending, pack = [*packers, ("", bytes)][place % 3]
        write_files(tmp_path, {f"{name}_raw.csv{ending}": pack(text.encode())})
    data = load_tagging(str(tmp_path), test=("b", "e"))
    assert names(data) == [["a", "c", "d", "g"], ["f"], ["b", "e"]]
    assert data.info.labels == ("Hold", "Rest", "Strike", "Stroke")
    for name, (features, labels, times) in collect(data).items():
        assert features.dtype == np.float32
        np.testing.assert_allclose(features, values[name], rtol=1e-6)
        assert labels == tags[name]
        np.testing.assert_array_equal(times, 5000 + 31 * np.arange(len(labels)))
    assert data.info.notes == (
        "Left out columns without numbers: who.",
        "validation is every fourth remaining sequence, in natural order.",
        "Only 1 of the frames has the label Strike, in f: check that it is intended.",
        "No training sequence has the label Strike.",
    )


def test_a_single_sequence_is_held_out_by_its_name(tmp_path):
    tables = {f"walk{i}.csv": "speed,tag\n1,rest\n2,step\n" for i in range(4)}
    data = load_tagging(write_files(tmp_path, tables), test="walk2", validation="walk0")
    assert names(data) == [["walk1", "walk3"], ["walk0"], ["walk2"]]


def test_column_names_may_be_numbers_and_the_tag_is_last(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{n}.csv": f"1,2,Phase\n{n},3,a\n{n},4,b\n" for n in range(5)})
    write_files(tmp_path / "other", {f"{n}.tsv": f"x\ty\tgesture\n{n}\t3\ta\n{n}\t4\tb\n" for n in range(5)})
    for directory in (tmp_path, tmp_path / "other"):
        sequences = collect(load_tagging(str(directory)))
        np.testing.assert_array_equal(sequences["4"][0], [[4, 3], [4, 4]])
        assert sequences["4"][1] == ["a", "b"]
        assert sequences["4"][2].tolist() == [0, 1]


@pytest.mark.parametrize("header", ["", "x1,Clip,FRAME,x2,label\n"])
def test_several_sequences_in_a_table(tmp_path: Path, header: str) -> None:
    """Rows in random order, with missing frames, in two files."""
    random, files = np.random.default_rng(1), {"adl": [], "fall": []}
    expected = {}
    for number in range(12):
        name = f"{'adl' if number < 6 else 'fall'}-{number}"
        steps = np.sort(random.choice(50, 7, replace=False))
        values, tags = random.integers(-99, 99, (7, 2)), random.integers(-1, 2, 7)
        expected[name] = values, [str(tag) for tag in tags], steps
        for i in random.permutation(7):
            (a, b), tag, step = values[i], tags[i], steps[i]
            row = f"{a},{name},{step},{b},{tag}" if header else f"{name},{step},{tag},{a},{b}"
            files[name.split("-")[0]].append(row)
    for rows in files.values():
        random.shuffle(rows)
    write_files(tmp_path, {f"{name}.csv": header + "\n".join(rows) for name, rows in files.items()})
    data = load_tagging(str(tmp_path))
    assert data.info.labels == ("-1", "0", "1")
    sequences = collect(data)
    assert set(sequences) == set(expected)
    for name, (values, labels, times) in sequences.items():
        np.testing.assert_array_equal(values, expected[name][0])
        assert labels == expected[name][1]
        np.testing.assert_array_equal(times, expected[name][2])
    assert data.test.names == [f"adl-{n}" for n in (2, 5)] + [f"fall-{n}" for n in (8, 11)]


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    write_files(
        tmp_path, {f"{n}.csv": f"x;y;Tag\n1,5;-{n};a, b\n+0,5;{n}.25;b\n".encode("utf-16") for n in range(5)}
    )
    data = load_tagging(str(tmp_path))
    assert data.info.labels == ("a, b", "b")
    sequence = dict(zip(data.train.names, data.train.sequences, strict=True))["0"]
    np.testing.assert_array_equal(sequence, [[1.5, 0], [0.5, 0.25]])
    write_files(tmp_path, {f"{n}.csv": 'x,tag\n"1,250",a\n"1,500",b\n' for n in range(5)})
    with pytest.raises(DataError, match=r"0\.csv, line 2, column x: found '1,250'. Expected a number"):
        load_tagging(str(tmp_path))


def test_multi_label_features(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{n}.csv": "x,tag\n1,a|b\n2,\n3,b\n" for n in range(5)})
    assert collect(load_tagging(str(tmp_path), multi_label=True))["3"][1] == [{"a", "b"}, set(), {"b"}]
    with pytest.raises(DataError, match=r"frame 0: found the tags a and b. Expected one"):
        load_tagging(str(tmp_path))


def test_a_pattern_chooses_files(tmp_path: Path) -> None:
    for n in range(6):
        write_files(
            tmp_path,
            {f"{n}_raw.csv": f"x,tag\n{n},a\n{n},b\n", f"{n}_va3.csv": f"v,w,tag\n{n},1,a\n{n},1,b\n"},
        )
    with pytest.raises(DataError, match=re.escape(f'such as --dataset "{tmp_path}/*_raw.csv"')):
        load_tagging(str(tmp_path))
    for pattern, width in (("*_raw.csv", 1), ("?_va3*", 2)):
        data = load_tagging(str(tmp_path / pattern))
        assert sorted(collect(data)) == list("012345")
        assert data.train.sequences[0].shape == (2, width)
    with pytest.raises(DataError, match="contains no table"):
        load_tagging(str(tmp_path / "*_rew.csv"))


def test_equal_file_names_are_distinguished_by_directory(tmp_path: Path) -> None:
    for n in range(6):
        write_files(
            tmp_path, {f"{'even' if n % 2 == 0 else 'odd'}/{n // 2}_raw.csv": f"x,tag\n{n},a\n{n},b\n"}
        )
    sequences = collect(load_tagging(f"{tmp_path}/*/*.csv"))
    assert {name: values[0, 0] for name, (values, *_) in sequences.items()} == {
        "even/0": 0, "odd/0": 1, "even/1": 2, "odd/1": 3, "even/2": 4, "odd/2": 5
    }  # fmt: skip
    write_files(tmp_path, {"odd/1_raw.tsv": "x\ttag\n1\ta\n"})
    with pytest.raises(
        DataError,
        match=r"1_raw\.tsv have the same name, odd/1\. Expected different ones\. Rename or remove one",
    ):
        load_tagging(f"{tmp_path}/*/*")


def test_features_beside_videos(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{n}.csv": f"x,tag\n{n},a\n{n},b\n" for n in range(5)})
    write_files(tmp_path, {f"{n}.mp4": b"" for n in range(5)})
    assert sorted(collect(load_tagging(str(tmp_path)))) == list("01234")


FIVE = {f"{n}.csv": "x,y,tag\n1,2,a\n3,4,b\n" for n in range(5)}


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"3.csv": "x,y,tag\n1,2,a\n1,,b\n"}, {}, "3.csv, line 3, column y: found ''. Expected a number."),
        ({"3.csv": "x,y,tag\n1,inf,a\n"}, {}, "line 2, column y: found 'inf'. Expected a number"),
        (
            {"3.csv": "x,y,tag\n1,2\n"},
            {},
            "3.csv, line 2: found 2 cells, separated by commas. Expected 3, as in the first row (x, y, tag)",
        ),
        ({"3.csv": "x,y,tag\n1,2,\n"}, {}, "3, frame 0: found no tag. Expected one"),
        ({"3.csv": "x,tag\n1,a\n"}, {}, "3.csv have different columns"),
        ({"3.csv.gz": b"no gzip"}, {}, "3.csv.gz cannot be read"),
        (
            {f"{n}.csv": "x,tag\nz,a\n" for n in range(5)},
            {},
            "and no numbers. Expected a header with a column tag",
        ),
        ({f"{n}.csv": "1,2,a\n" for n in range(5)}, {}, "line 1: found no header. Expected a header"),
        ({f"{n}.csv": "s,1,2,a\n" for n in range(5)}, {}, "without a header: sequence, frame number, tag"),
        ({f"{n}.csv": "x,y,tag\n1,2,a\n" for n in range(5)}, {}, "found the label a. Expected 2 or more"),
        ({f"{n}.csv": f"clip,frame,tag,x\ns,{n // 4},a,1\n" for n in range(5)}, {}, "s has frame 0 twice"),
        ({}, {"test": ("1", "9")}, "--test: there is no sequence 9 to hold out. Choose among 0, 1, 2, 3, 4."),
        ({}, {"test": ("1",), "validation": ("1",)}, "--validation: there is no sequence 1 to hold out."),
        (
            {},
            {"test": ("0", "1", "2"), "validation": ("3", "4")},
            "too few sequences, none is left for train",
        ),
        (
            {"train/1.csv": "x,tag\n1,a\n", "test/1.csv": "x,tag\n1,b\n"},
            {"test": ("1",)},
            "a test split of its own",
        ),
        (
            {"train/1.csv": "x,tag\n1,a\n", "test/1.txt": "x"},
            {},
            "contains no table for test. Expected videos",
        ),
        (
            {"train/1.csv": "x,tag\n1,a\n", "dev/1.txt": "x", "val/1.txt": "x"},
            {},
            "found dev and val for the validation split. Expected one",
        ),
    ],
)
def test_invalid_features_raise(tmp_path: Path, files: dict, options: dict, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        load_tagging(write_files(tmp_path, {**FIVE, **files}), **options)


# TFDS.


class Miniature(tfds.core.GeneratorBasedBuilder):
    """Frames tagged by whether their brightness is even or odd; those of `train` have another size."""

    VERSION = tfds.core.Version("1.0.0")
    COUNTS: ClassVar = {"train": 5, "val": 2, "test": 3}

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "frames": tfds.features.Tensor(shape=(None, None, None, 3), dtype=np.uint8, encoding="zlib"),
            "tags": tfds.features.Sequence(tfds.features.ClassLabel(names=["odd", "even", "absent"])),
            "title": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), license="own", citation="by us"
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        return {split: self._generate_examples(split) for split in self.COUNTS}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict]]:
        size = (12, 16) if split == "train" else SIZE
        for number in range(self.COUNTS[split]):
            light = np.arange(number, 2 * number + 3, dtype=np.uint8)
            values = np.broadcast_to(light[:, None, None, None], (len(light), *size, 3))
            yield number, {"frames": values, "tags": (1 - light % 2).astype(np.int64), "title": "x"}


class MiniatureVectors(Miniature):
    """The same as vectors, with numbers as tags, and without a validation split."""

    COUNTS: ClassVar = {"train": 5, "test": 3}

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "signal": tfds.features.Tensor(shape=(None, 2), dtype=np.float64),
            "phase": tfds.features.Tensor(shape=(None,), dtype=np.int32),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict]]:
        for number in range(self.COUNTS[split]):
            light = np.arange(number, 2 * number + 3)
            yield (
                number,
                {"signal": np.stack([light, -light], 1) / 2, "phase": 10 * (light % 2).astype(np.int32)},
            )


def test_frames_from_tfds(tmp_path: Path) -> None:
    data = load_tagging("miniature", data_dir=tmp_path, size=SIZE)
    assert [len(split) for split in names(data)] == [5, 2, 3]
    assert data.info.labels == ("odd", "even", "absent")
    assert (data.info.source, data.info.license, data.info.citation) == ("miniature/1.0.0", "own", "by us")
    assert data.info.notes == ("No training sequence has the label absent.",)
    for values, labels, times in collect(data).values():
        assert values.shape[1:] == (*SIZE, 3)
        light = values[:, 0, 0, 0]
        assert (values == light[:, None, None, None]).all()
        assert labels == [("even", "odd")[number % 2] for number in light]
        assert len(light) == light[0] + 3
        np.testing.assert_array_equal(times, np.arange(len(light)))
    several = load_tagging("miniature", data_dir=tmp_path, size=SIZE, multi_label=True)
    for one, other in zip(data.test.tags, several.test.tags, strict=True):
        np.testing.assert_array_equal(np.eye(3, dtype=bool)[one], other)


def test_vectors_from_tfds(tmp_path: Path) -> None:
    data = load_tagging("miniature_vectors", data_dir=tmp_path, test=(), validation=("train/2",))
    assert [len(split) for split in names(data)] == [4, 1, 3]
    assert data.info.labels == ("0", "10")
    for values, labels, _ in collect(data).values():
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values[:, 0], -values[:, 1])
        assert labels == [str(int(20 * value) % 20) for value in values[:, 0]]


def test_unusable_tfds_sets_raise(tmp_path: Path) -> None:
    with pytest.raises(
        DataError,
        match=r"found the features image .* Expected one sequence of frames or vectors and one of labels",
    ):
        load_tagging("mnist", data_dir=tmp_path)
    with pytest.raises(DataError, match="neither a file or directory that exists nor a TFDS data set"):
        load_tagging("miniatur", data_dir=tmp_path)
