"""Images and videos with captions: users' files, TFDS sets, and the embedded data set `scenes`."""

import gzip
import io
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import tensorflow_datasets as tfds
from data_files import write_files, zip_files
from PIL import Image

from zoo.datasets import CaptioningSplit, DataSplits, load_captioning
from zoo.datasets.builders import scenes as scenes_module
from zoo.errors import DataError
from zoo.preprocessing.video import CLIP_FRAME_SIZE

SPLITS = ("train", "validation", "test")


def read_splits(data: DataSplits[CaptioningSplit]) -> dict[str, dict[str, tuple[bytes, tuple[str, ...]]]]:
    """Return for each split the input and the captions of each name."""
    splits = {}
    for split in SPLITS:
        part: CaptioningSplit = getattr(data, split)
        images = list(part.read_inputs())
        assert images == list(part.read_inputs())
        rows = zip(part.names, images, part.captions, strict=True)
        splits[split] = {name: (image, captions) for name, image, captions in rows}
    return splits


NAMES = [f"{number}.jpg" for number in range(60)]
PICTURES = {name: f"bytes of {name}".encode() for name in NAMES}
CAPTIONS = {name: (f"A {name} one .", f"Two # of\ta tab {name}") for name in NAMES}
TOKENS = "".join(
    f"{name}#{number}\t{caption}\n" for name in NAMES for number, caption in enumerate(CAPTIONS[name])
)
LISTS = {"train": NAMES[:40], "dev": NAMES[40:50], "test": NAMES[50:]}
FLICKR = {
    "Flickr8k.token.txt": TOKENS,
    **{f"Flickr_8k.{split}Images.txt": "\n".join(names) + "\n" for split, names in LISTS.items()},
}


def expected(names: list[str], directory: str = "") -> dict[str, tuple[bytes, tuple[str, ...]]]:
    return {directory + name: (PICTURES[name], CAPTIONS[name]) for name in names}


@pytest.mark.parametrize("form", ["directory", "zip", "directory of zips", "compressed"])
def test_flickr8k(tmp_path: Path, form: str) -> None:
    pictures = {f"Flicker8k_Dataset/{name}": content for name, content in PICTURES.items()}
    if form == "directory":
        path = write_files(tmp_path, {**FLICKR, **pictures})
    elif form == "zip":
        write_files(tmp_path, {"all.zip": zip_files({**FLICKR, **pictures})})
        path = tmp_path / "all.zip"
    elif form == "directory of zips":
        path = write_files(tmp_path, {"text.zip": zip_files(FLICKR), "images.zip": zip_files(pictures)})
    else:
        path = write_files(
            tmp_path, {**FLICKR, **pictures, "Flickr8k.token.txt.gz": gzip.compress(TOKENS.encode())}
        )
        (tmp_path / "Flickr8k.token.txt").unlink()
    data = load_captioning(str(path))
    assert data.info.source == str(path)
    assert data.info.notes == ()
    for split, names in zip(SPLITS, LISTS.values(), strict=True):
        assert read_splits(data)[split] == expected(names, "Flicker8k_Dataset/")


def test_missing_splits_are_held_out(tmp_path: Path) -> None:
    write_files(tmp_path, {"x.token.txt": TOKENS, **PICTURES})
    first, second = (load_captioning(str(tmp_path)) for _ in range(2))
    assert read_splits(first) == read_splits(second)
    parts = read_splits(first)
    assert {**parts["train"], **parts["validation"], **parts["test"]} == expected(NAMES)
    assert sum(map(len, parts.values())) == 60
    assert first.info.notes == tuple(
        f"{split} is {len(parts[split])} of 60 files, chosen by a hash of the names." for split in SPLITS[1:]
    )


def test_other_encodings_can_be_chosen(tmp_path: Path) -> None:
    write_files(tmp_path, {"x.token.txt": TOKENS.replace("a", "ä").encode("cp1252"), **PICTURES})
    with pytest.raises(
        DataError, match=r"line 2: found byte 0xe4, .* --encoding: in cp1252 this part .* täb"
    ):
        load_captioning(str(tmp_path))
    data = load_captioning(str(tmp_path), encoding="cp1252")
    for name, captions in zip(data.train.names, data.train.captions, strict=True):
        assert captions == (f"A {name} one .", f"Two # of\tä täb {name}")


def test_missing_images_are_noted(tmp_path: Path) -> None:
    write_files(tmp_path, {**FLICKR, **PICTURES})
    for name in NAMES[:5]:
        (tmp_path / name).unlink()
    data = load_captioning(str(tmp_path))
    assert read_splits(data)["train"] == expected(NAMES[5:40])
    assert data.info.notes == (
        "Left out because there is no such file: 0.jpg (Flickr8k.token.txt, line 1), "
        "1.jpg (Flickr8k.token.txt, line 3), 2.jpg (Flickr8k.token.txt, line 5) and 2 more.",
    )


def test_images_are_found_by_unique_file_name(tmp_path: Path) -> None:
    rows = [f"elsewhere/{n}.jpg\tPicture {n}.\n" for n in (*range(40), 77)]
    write_files(tmp_path, {"all.tsv": "".join(rows) + "a/5.jpg\tThe one in a.\n"})
    write_files(tmp_path, {f"{'ab'[n % 2]}/{n}.jpg": f"{n}" for n in range(40)})
    write_files(tmp_path, {"a/5.jpg": "another 5"})
    parts = read_splits(data := load_captioning(str(tmp_path)))
    inputs = {**parts["train"], **parts["validation"], **parts["test"]}
    assert {name: image for name, (image, _) in inputs.items()} == {
        **{f"{'ab'[n % 2]}/{n}.jpg": f"{n}".encode() for n in range(40) if n != 5},
        "a/5.jpg": b"another 5",
    }
    assert data.info.notes[:2] == (
        "Left out because several files have the name: elsewhere/5.jpg (all.tsv, line 6).",
        "Left out because there is no such file: elsewhere/77.jpg (all.tsv, line 41).",
    )


def test_unreadable_image_is_empty(tmp_path: Path) -> None:
    content = bytearray(zip_files({**FLICKR, **PICTURES}))
    place = content.index(b"bytes of 7.jpg")
    content[place : place + 5] = b"BYTES"
    write_files(tmp_path, {"all.zip": bytes(content)})
    train = read_splits(load_captioning(str(tmp_path / "all.zip")))["train"]
    assert train["7.jpg"][0] == b""
    assert train["8.jpg"][0] == PICTURES["8.jpg"]


def coco(names: list[str]) -> str:
    return json.dumps(
        {
            "images": [{"id": 7 * i, "file_name": name} for i, name in enumerate(names)],
            "annotations": [
                {"image_id": 7 * i, "id": i, "caption": f" {caption}\n"}
                for i, name in enumerate(names)
                for caption in CAPTIONS[name]
            ],
        }
    )


def test_coco(tmp_path: Path) -> None:
    pictures = {f"{'train' if i < 50 else 'val'}2014/{name}": PICTURES[name] for i, name in enumerate(NAMES)}
    annotations = {
        "annotations/captions_train2014.json": coco(NAMES[:50]),
        "annotations/captions_val2014.json": coco(NAMES[50:]),
        "annotations/instances_val2014.json": "{}",
    }
    data = load_captioning(write_files(tmp_path, {**annotations, **pictures}))
    parts = read_splits(data)
    assert parts["validation"] == expected(NAMES[50:], "val2014/")
    assert {**parts["train"], **parts["test"]} == expected(NAMES[:50], "train2014/")
    count = len(parts["test"])
    assert data.info.notes == (f"test is {count} of 50 files, chosen by a hash of the names.",)


@pytest.mark.parametrize("header", ["", "image\tcaption\n"])
def test_tables(tmp_path: Path, header: str) -> None:
    def table(names: list[str]) -> str:
        return header + "".join(f"pictures/{name}\tA picture, {name}\r\n" for name in names)

    tables = {"train.tsv": table(NAMES[:40]), "val.tsv": table(NAMES[40:50]), "test.tsv": table(NAMES[50:])}
    pictures = {f"pictures/{name}": content for name, content in PICTURES.items()}
    parts = read_splits(load_captioning(write_files(tmp_path, {**tables, **pictures})))
    assert [len(parts[split]) for split in SPLITS] == [40, 10, 10]
    assert parts["test"]["pictures/55.jpg"] == (PICTURES["55.jpg"], ("A picture, 55.jpg",))


def test_single_csv_by_its_path_or_directory(tmp_path: Path) -> None:
    """The form in which Flickr8k is distributed today: a header, and captions with commas in quotes."""
    rows = [f'{name},"He said ""{name}"", and left"' for name in NAMES for _ in range(2)]
    pictures = {f"Images/{name}": content for name, content in PICTURES.items()}
    write_files(tmp_path, {"captions.csv": "\n".join(["image,caption", *rows]), **pictures})
    for path in (tmp_path, tmp_path / "captions.csv"):
        parts = read_splits(load_captioning(str(path)))
        assert sum(map(len, parts.values())) == 60
        images = {**parts["train"], **parts["validation"], **parts["test"]}
        assert images["Images/3.jpg"] == (PICTURES["3.jpg"], ('He said "3.jpg", and left',) * 2)


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("captions.csv", "", '{image};"Ein ""{image}"", das läuft, rennt; und\nspringt"\r\n'),
        ("captions.txt", "image,caption\n", '{image},"Ein ""{image}"", das läuft, rennt; und\nspringt"\n'),
        ("a.csv", "Nr;Caption;Image\n", '1;"Ein ""{image}"", das läuft, rennt; und\nspringt"; {image} \n'),
    ],
)
def test_tables_of_spreadsheets(tmp_path: Path, name: str, header: str, row: str) -> None:
    write_files(
        tmp_path, {name: "\ufeff" + header + "".join(row.format(image=image) for image in NAMES), **PICTURES}
    )
    for path in (tmp_path, tmp_path / name):
        parts = read_splits(load_captioning(str(path)))
        captions = {image: texts for part in parts.values() for image, (_, texts) in part.items()}
        assert captions == {image: (f'Ein "{image}", das läuft, rennt; und\nspringt',) for image in NAMES}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"readme.txt": "x"}, "contains no captions for training. Expected a token file"),
        ({"a.token.txt": "1.jpg#0 no tab"}, "line 1: found '1.jpg#0 no tab'. Expected name#0, tab, caption"),
        (
            {**FLICKR, "Flickr8k.token.txt": TOKENS.split("\n", 2)[2]},
            "found 0.jpg, which Flickr8k.token.txt has no caption of",
        ),
        ({"captions_train.json": "{"}, "captions_train.json, line 1, column 2: found no valid JSON"),
        ({"captions_train.json": '{"images": [], "annotation": []}'}, "'annotations'"),
        (
            {"train.tsv": "1.jpg\tA dog\n2.jpg\n"},
            "train.tsv, line 2: found 1 cell, separated by tabs. Expected 2",
        ),
        (
            {"train.csv": "1.jpg,A dog, number 1, runs.\n2.jpg,A dog, number 2, sits.\n"},
            "train.csv, line 1: found 4 cells, separated by commas, in UTF-8: '1.jpg'. Expected an image or",
        ),
        (
            {"train.csv": "image,caption\n1.jpg,A dog, number 1, runs.\n"},
            "train.csv, line 2: found 4 cells, separated by commas. Expected 2, as in the first row",
        ),
        (
            {"train.csv": "file;words;more\n1.jpg;A dog;x\n"},
            "found the columns file, words, more, separated by",
        ),
        (
            {"train.csv": "1.jpg,A dog\n2.jpg, \n"},
            "train.csv, line 2: found no caption. Expected an image or",
        ),
        ({"train.tsv": "1.jpg\tA dog\n"}, "all images for training are missing: 1.jpg (train.tsv, line 1)"),
        ({"train.tsv": "1.jpg\tA dog\n", "1.jpg": "x"}, "too few images, none is left for the"),
        ({"all.zip": b"PK no zip"}, "cannot be read"),
    ],
)
def test_invalid_files_raise(tmp_path: Path, files: dict, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        load_captioning(write_files(tmp_path, files))


def test_unknown_file_type_raises(tmp_path: Path) -> None:
    write_files(tmp_path, {"x.parquet": "x"})
    with pytest.raises(DataError, match=r"found a file of another kind. Expected a token file"):
        load_captioning(str(tmp_path / "x.parquet"))


def test_tfds_set_without_captions_raises() -> None:
    with pytest.raises(
        DataError, match=r"found the features image .* Expected one image, or one video, and its captions"
    ):
        load_captioning("mnist")


def test_coco_captions_from_tfds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The TFDS set with generated images: three in each split."""

    def examples(split: str) -> Iterator[tuple[int, dict[str, object]]]:
        for i in range(3):
            captions = [{"id": j, "text": f"Caption {j} of {split} {i}."} for j in range(i + 1)]
            yield (
                i,
                {
                    "image": np.full((2, 3, 3), i, np.uint8),
                    "image/filename": f"{i}.jpg",
                    "image/id": i,
                    "objects": [],
                    "captions": captions,
                },
            )

    builder, splits = tfds.builder("coco_captions", data_dir=tmp_path), ("train", "val", "test", "restval")
    monkeypatch.setattr(
        builder, "_split_generators", lambda dl_manager: {name: examples(name) for name in splits}
    )
    builder.download_and_prepare()
    data = load_captioning("coco_captions", data_dir=tmp_path)
    for split, name in {"train": "train", "validation": "val", "test": "test"}.items():
        part = getattr(data, split)
        assert sorted(part.captions) == [
            tuple(f"Caption {j} of {name} {i}." for j in range(i + 1)) for i in range(3)
        ]
        for image, captions in zip(part.read_inputs(), part.captions, strict=True):
            assert np.array(Image.open(io.BytesIO(image))).tolist() == [[[len(captions) - 1] * 3] * 3] * 2


# Videos instead of images.


def encode(file: Path, light: int, count: int) -> None:
    """Write a video of equal frames of 16 x 32 pixels."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = 16, 32, "yuv420p"
        frame = np.full((16, 32, 3), light, np.uint8)
        for _ in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def test_videos_with_a_table(tmp_path: Path) -> None:
    """Videos of different lengths, in a directory and beside the table."""
    names = [f"{'more/' * (n % 2)}{n}.{('mp4', 'MOV', 'mkv')[n % 3]}" for n in range(12)]
    for n, name in enumerate(names):
        encode(tmp_path / name, 20 * n, n + 1)
    tables = {"train": names[:8], "val": names[8:10], "test": names[10:]}
    for split, split_names in tables.items():
        rows = "".join(f"{Path(name).name},It is {20 * names.index(name)}\n" for name in split_names)
        (tmp_path / f"{split}.csv").write_text(rows, encoding="utf-8")
    data = load_captioning(str(tmp_path))
    assert data.info.is_video
    for split, split_names in zip(SPLITS, tables.values(), strict=True):
        part: CaptioningSplit = getattr(data, split)
        assert part.names == split_names
        for _ in range(2):
            for name, clip in zip(split_names, part.read_inputs(), strict=True):
                light = 20 * names.index(name)
                assert clip.shape == (names.index(name) + 1, *CLIP_FRAME_SIZE, 3)
                assert clip.dtype == np.uint8
                np.testing.assert_allclose(clip, light, atol=4)
        assert part.captions == [(f"It is {20 * names.index(name)}",) for name in split_names]


def test_unreadable_video_has_no_frames(tmp_path: Path) -> None:
    write_files(tmp_path, {"all.tsv": "".join(f"{n}.mp4\tx\n" for n in range(40))})
    for n in range(40):
        encode(tmp_path / f"{n}.mp4", 100, 3)
    write_files(tmp_path, {f"{n}.mp4": "no video" for n in range(0, 40, 3)})
    train = load_captioning(str(tmp_path)).train
    for name, clip in zip(train.names, train.read_inputs(), strict=True):
        count = 3 if int(name.removesuffix(".mp4")) % 3 else 0
        assert clip.shape == (count, *CLIP_FRAME_SIZE, 3)


def test_truncated_video_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_files(tmp_path, {"all.tsv": "".join(f"{n}.mkv\tx\n" for n in range(40))})
    for n in range(40):
        encode(tmp_path / f"{n}.mkv", 100, 9)
    data = load_captioning(str(tmp_path))
    cut = tmp_path / data.train.names[3]
    cut.write_bytes(cut.read_bytes()[:-100])
    assert not caplog.messages
    assert 0 < len(list(data.train.read_inputs())[3]) <= 9
    (message,) = caplog.messages
    assert message.startswith(f"{cut} is corrupt: the file seems truncated")


def test_images_with_videos_raise(tmp_path: Path) -> None:
    write_files(
        tmp_path, {"train.tsv": "1.jpg\tA dog\n", "val.tsv": "2.jpg\tA cat\n", "test.tsv": "3.mp4\tA cow\n"}
    )
    write_files(tmp_path, {"1.jpg": "x", "2.jpg": "x", "3.mp4": "x"})
    with pytest.raises(DataError, match=r"Found both images and videos: 1\.jpg, 2\.jpg, and 3\.mp4"):
        load_captioning(str(tmp_path))


def test_videos_in_a_zip_raise(tmp_path: Path) -> None:
    files = {"all.tsv": "".join(f"{n}.mp4\tx\n" for n in range(40)), **{f"{n}.mp4": "x" for n in range(40)}}
    write_files(tmp_path, {"all.zip": zip_files(files)})
    with pytest.raises(
        DataError, match=r"Found videos in a zip: .* and 37 more\. Expected them in a directory\. Unpack"
    ):
        load_captioning(str(tmp_path / "all.zip"))


# The embedded data set.


@pytest.fixture(scope="module")
def scenes_data(tmp_path_factory: pytest.TempPathFactory) -> DataSplits[CaptioningSplit]:
    return load_captioning("scenes", data_dir=tmp_path_factory.mktemp("scenes"))


@pytest.mark.slow
def test_scenes_sizes_and_images(scenes_data: DataSplits[CaptioningSplit]) -> None:
    assert [len(getattr(scenes_data, split).names) for split in SPLITS] == list(scenes_module.SIZES.values())
    for image in itertools.islice(scenes_data.test.read_inputs(), 20):
        picture = Image.open(io.BytesIO(image))
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (64, 64))
        assert np.asarray(picture).std() > 5


def things_of(caption: str) -> list[str]:
    return re.findall(r"a (\w+ \w+ \w+?)\b(?= from|,| and|$)", caption)


@pytest.mark.slow
def test_scenes_share_no_combination_between_splits(
    scenes_data: DataSplits[CaptioningSplit],
) -> None:
    combinations = {}
    for split in SPLITS:
        scenes = [things_of(caption) for (caption,) in getattr(scenes_data, split).captions]
        assert {len(things) for things in scenes} == {1, 2, 3}
        combinations[split] = {pair for things in scenes for pair in itertools.pairwise(things)}
        combinations[split] |= {tuple(things) for things in scenes if len(things) == 1}
    for one, other in itertools.combinations(SPLITS, 2):
        assert not combinations[one] & combinations[other]
    trained = {thing for pair in combinations["train"] for thing in pair}
    assert len(trained) == 2 * len(scenes_module.COLORS) * len(scenes_module.SHAPES)


@pytest.mark.slow
def test_scenes_are_reproducible(scenes_data: DataSplits[CaptioningSplit], tmp_path: Path) -> None:
    examples = itertools.islice(scenes_module.Scenes(data_dir=tmp_path)._generate_examples("test"), 30)
    captions = dict(zip(scenes_data.test.read_inputs(), scenes_data.test.captions, strict=True))
    for _, example in examples:
        assert captions[example["image"].read()] == (example["caption"],)


def test_scene_captions_match_the_drawing() -> None:
    """Colors are where the caption states."""
    red, blue, white = (scenes_module.Thing("large", color, "circle") for color in ("red", "blue", "white"))
    for axis, arrangement in enumerate(reversed(scenes_module.ARRANGEMENTS)):
        scene = scenes_module.draw_scene([red, blue, white], arrangement, np.random.default_rng(0))
        pixels = np.asarray(scene).astype(int)
        places = []
        for color in ("red", "blue", "white"):
            near = np.abs(pixels - scenes_module.COLORS[color]).sum(-1) < 130
            places.append(np.argwhere(near).mean(0)[axis])
        assert places == sorted(places)
        assert places[2] - places[0] > 25
    caption = scenes_module.describe_scene([red, blue, white], arrangement)
    assert caption == "a large red circle, a large blue circle and a large white circle from left to right"
