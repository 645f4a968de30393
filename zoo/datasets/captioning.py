"""Pictures or clips and what people say of them, from TFDS or from users' own files, in one shape."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.datasets import tfds_catalog
from zoo.datasets.files import BROKEN, COMPRESSION, SPLITS, TABLE, decompressed, foreign
from zoo.datasets.records import CaptioningSplit, DataInfo, DataSplits
from zoo.datasets.tfds_catalog import some
from zoo.errors import DataError, VideoError
from zoo.preprocessing.video import CLIP_FRAME_SIZE, IMAGE_FILE_PATTERN, VIDEO_FILE_PATTERN, read_clip

_EXPECTED = (
    "Expected a token file as Flickr8k has it (name#0, tab, caption), COCO's captions_*.json, or a .tsv or "
    ".csv of picture, or video, and caption"
)


def load_captioning(dataset: str, *, data_dir: Path | None = None) -> DataSplits[CaptioningSplit]:
    """Loads a captioning set from a path or, where there is none such, from TFDS by name.

    A path is a folder or a zip that holds pictures, also in folders and zips within, and what is said of
    them, in one of these forms. Text is UTF-8 and may be compressed (.gz, .xz, .bz2). In place of all the
    pictures there may be videos, but not in zips.

    - Flickr8k's: a file `*token*.txt` with name, `#`, number, tab, caption on a line; and lists of names
      `*trainImages*.txt`, `*devImages*.txt`, `*testImages*.txt`.
    - COCO's: `captions_train*.json` and `captions_val*.json`.
    - Tables: `train`, `validation`, `valid`, `val` or `dev`, and `test`, each a `.tsv` or `.csv` of picture
      and caption, with a line for each caption. A single table may have any name, and may be given itself.

    Pictures are found by their path in the table or, where nothing is there, by their file's name if only
    one bears it. Those that are missing are left out, and named in `notes`. Whatever split is missing is a
    tenth of the pictures of train, chosen by a hash of their names.

    Of a TFDS set one feature must be a picture, or the frames of a clip, all of one height and width, and
    another one captions.

    Args:
        dataset: The path or the TFDS name (`scenes`, `clips`, `coco_captions`).
        data_dir: Where TFDS keeps prepared data and downloads; its own folder if None.

    Raises:
        DataError: There is no such set, its host does not answer, or the data are not as above.
    """
    path = Path(dataset).expanduser()
    if path.exists():
        return _from_files(path)
    return _from_tfds(tfds_catalog.find(dataset, data_dir))


# Files.


@dataclass
class _Files:
    """All files of a folder or a zip, also in zips within, by their paths: what reads each."""

    readers: dict[str, Callable[[], bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name: dict[str, list[str]] = {}
        self.paths: dict[str, Path] = {}  # but for those in zips

    def add(self, path: Path, root: Path) -> None:
        if path.suffix == ".zip":
            try:
                archive = zipfile.ZipFile(path)
            except BROKEN as error:
                raise DataError(f"{path} cannot be read: {error}. Replace the file.") from error
            found = {name: partial(archive.read, name) for name in archive.namelist() if name[-1] != "/"}
        else:
            found = {str(path.relative_to(root)): path.read_bytes}
            self.paths[str(path.relative_to(root))] = path
        self.readers |= found
        for name in found:
            self.by_name.setdefault(Path(name).name, []).append(name)

    def matching(self, pattern: str) -> list[str]:
        hidden = r"(^|/)[._]"  # of other systems
        return sorted(
            name for name in self.readers if re.search(pattern, name) and not re.search(hidden, name)
        )

    def text(self, name: str) -> str:
        try:
            return decompressed(name, self.readers[name]()).decode("utf-8-sig", "replace")
        except BROKEN as error:
            raise DataError(f"{name} cannot be read: {error}. Correct or replace the file.") from error

    def picture(self, name: str) -> str | None:
        """The path of a picture that is named, if it is there; or else of the only one of that name."""
        same = self.by_name.get(Path(name).name, [])
        return name if name in self.readers else same[0] if len(same) == 1 else None


def _files(path: Path) -> _Files:
    files, folder = _Files(), path.parent if path.is_file() else path
    for file in [path] if path.suffix == ".zip" else sorted(folder.rglob("*")):
        if file.is_file():
            files.add(file, folder)
    return files


def _from_files(path: Path) -> DataSplits[CaptioningSplit]:
    files = _files(path)
    if path.is_file() and path.suffix != ".zip":
        if not re.search(TABLE, path.name):
            raise DataError(f"{path} is none of what can be read. {_EXPECTED}; or a folder or zip of them.")
        splits = {"train": _table(path.name, files.text(path.name))}
    elif tokens := files.matching(rf"token[^/]*\.txt{COMPRESSION}$"):
        splits = _flickr(files, tokens[0])
    elif annotations := files.matching(rf"captions_[^/]*\.json{COMPRESSION}$"):
        splits = {
            split: _coco(name, files.text(name))
            for split, names in SPLITS.items()
            for name in annotations
            if re.search(rf"captions_({names})", name)
        }
    else:
        tables = files.matching(TABLE)
        splits = {
            split: _table(name, files.text(name))
            for split, names in SPLITS.items()
            for name in tables
            if re.fullmatch(rf"(.*/)?({names}){TABLE}", name)
        }
        if len(tables) == 1:
            splits = {"train": _table(tables[0], files.text(tables[0]))}
    if "train" not in splits:
        raise DataError(f"{path} holds no captions for training. {_EXPECTED}.")
    said = (text for captions in splits.values() for texts in captions.values() for text in texts)
    notes, missing = foreign(said, str(path)), []
    for split, captions in splits.items():
        there = {name: files.picture(name) for name in captions}
        missing += [name for name in captions if there[name] is None]
        splits[split] = {there[name]: said for name, said in captions.items() if there[name] is not None}
    if not splits["train"]:
        raise DataError(
            f"{path}: none of the pictures for training is there: {some(missing)}. Expected them in "
            f"{path if path.is_dir() or path.suffix == '.zip' else path.parent}, each name there once."
        )
    if missing:
        notes.append(f"Left out, for they are not there, or several of the name: {some(missing)}.")
    notes += _complete(splits, str(path))
    moving = _moving(files, [name for captions in splits.values() for name in captions])
    give = _clips if moving else _images
    made = {
        split: CaptioningSplit(list(said), list(map(tuple, said.values())), partial(give, files, list(said)))
        for split, said in splits.items()
    }
    return DataSplits(**made, info=DataInfo(str(path), notes=tuple(notes), is_video=moving))


def _images(files: _Files, names: list[str]) -> Iterator[bytes]:
    for name in names:
        try:
            yield files.readers[name]()
        except BROKEN:
            yield b""


def _clips(files: _Files, names: list[str]) -> Iterator[np.ndarray]:
    for name in names:
        try:
            yield read_clip(files.paths[name], CLIP_FRAME_SIZE)
        except VideoError:
            yield np.zeros((0, *CLIP_FRAME_SIZE, 3), np.uint8)


def _moving(files: _Files, names: list[str]) -> bool:
    """Whether they are videos, all of them."""
    videos = [name for name in names if re.search(VIDEO_FILE_PATTERN, name.lower())]
    if 0 < len(videos) < len(names):
        pictures = [name for name in names if name not in set(videos)]
        raise DataError(
            f"Expected either pictures or videos, found both: {some(pictures)}, and {some(videos)}. Leave "
            "one of them out."
        )
    if zipped := [name for name in videos if name not in files.paths]:
        raise DataError(f"Videos cannot be read from a zip, as {some(zipped)}. Unpack it.")
    return bool(videos)


Captions = dict[str, list[str]]


def _gathered(pairs: Iterator[tuple[str, str]]) -> Captions:
    captions: Captions = {}
    for name, caption in pairs:
        if caption.strip():
            captions.setdefault(name, []).append(caption.strip())
    return captions


def _flickr(files: _Files, tokens: str) -> dict[str, Captions]:
    def pairs() -> Iterator[tuple[str, str]]:
        for number, line in enumerate(files.text(tokens).split("\n"), 1):
            if line.strip():
                found = re.fullmatch(r"(.+)#\d+\t(.*?)\r?", line)
                if not found:
                    raise DataError(
                        f"{tokens}, line {number}: expected name#0, tab, caption, got {line[:80]!r}."
                    )
                yield found[1], found[2]

    captions, splits = _gathered(pairs()), {}
    for split, names in SPLITS.items():
        for name in files.matching(rf"({names})Images[^/]*\.txt{COMPRESSION}$"):
            listed = files.text(name).split()
            splits[split] = {picture: captions.get(picture, []) for picture in listed}
            if nothing := [picture for picture, said in splits[split].items() if not said]:
                raise DataError(f"{name} lists {some(nothing)}, of which {tokens} says nothing.")
    return splits or {"train": captions}


def _coco(name: str, text: str) -> Captions:
    try:
        annotations = json.loads(text)
        names = {image["id"]: image["file_name"] for image in annotations["images"]}
        return _gathered((names[said["image_id"]], said["caption"]) for said in annotations["annotations"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DataError(
            f"{name} is not as COCO has captions: {error!r}. Expected `images` with `id` and `file_name`, "
            "and `annotations` with `image_id` and `caption`."
        ) from error


def _table(name: str, text: str) -> Captions:
    def pairs() -> Iterator[tuple[str, str]]:
        lines = enumerate(text.split("\n"), 1)
        if ".tsv" in name:
            rows = ((number, line.rstrip("\r").split("\t")) for number, line in lines if line.strip())
        else:
            reader = csv.reader(io.StringIO(text, newline=""))
            rows = ((reader.line_num, row) for row in reader if row)
        for number, row in rows:
            if len(row) < 2:
                raise DataError(
                    f"{name}, line {number}: expected a picture or video and a caption, with "
                    f"{'a tab' if '.tsv' in name else 'a comma'} between them, got {row[0][:80]!r}."
                )
            if number > 1 or re.search(
                rf"{IMAGE_FILE_PATTERN}|{VIDEO_FILE_PATTERN}", row[0].lower()
            ):  # else it is a header
                yield row[0], row[1]

    return _gathered(pairs())


def _complete(splits: dict[str, Mapping[str, list[str]]], source: str) -> list[str]:
    """Adds the splits that are missing, held out of train; returns a note for each."""
    train = splits["train"]
    missing = [split for split in SPLITS if split not in splits]
    parts = tf.strings.to_hash_bucket_fast(tf.constant(list(train), tf.string), 10).numpy()
    for part, split in enumerate(missing):
        splits[split] = {name: train[name] for name, own in zip(train, parts, strict=True) if own == part}
    splits["train"] = {
        name: train[name] for name, own in zip(train, parts, strict=True) if own >= len(missing)
    }
    for split, captions in splits.items():
        if not captions:
            raise DataError(
                f"{source}: too few pictures, none is left for the {split} split. Add some, or files of that "
                "split."
            )
    return [f"{split} is a tenth of train, chosen by a hash of the names." for split in missing]


# TFDS.


def _from_tfds(builder: tfds.core.DatasetBuilder) -> DataSplits[CaptioningSplit]:
    features, info = builder.info.features, builder.info
    image = [name for name, feature in features.items() if isinstance(feature, tfds.features.Image)]
    clip = [name for name, feature in features.items() if _is_clip(feature)]
    said = {name: texts for name, feature in features.items() if (texts := _texts_of(feature))}
    said = {name: texts for name, texts in said.items() if "caption" in name} or said
    if len(image + clip) != 1 or len(said) != 1:
        raise DataError(
            f"{info.full_name}: expected one picture, or one clip, and its captions, and the features are "
            f"{tfds_catalog.named_features(info)}. Choose another data set."
        )
    tfds_catalog.prepare(builder)
    (name,), ((text, texts),) = image + clip, said.items()
    config = tfds.ReadConfig(try_autocache=False)

    def examples(split: str, name: str, decoders: dict | None = None) -> Iterator:
        part = tfds.decode.PartialDecoding({name: True}, decoders)
        read = builder.as_dataset(split=split, shuffle_files=False, decoders=part, read_config=config)
        return read.map(lambda example: example[name]).as_numpy_iterator()

    undecoded = {name: tfds.decode.SkipDecoding()} if image else None
    splits = {}
    for split, names in SPLITS.items():
        for own in info.splits:
            if re.fullmatch(names, own):
                captions = [
                    tuple(caption.decode() for caption in np.ravel(texts(found)))
                    for found in examples(own, text)
                ]
                numbers = [f"{own}/{number}" for number in range(len(captions))]
                splits[split] = CaptioningSplit(numbers, captions, partial(examples, own, name, undecoded))
    missing = [split for split in SPLITS if split not in splits]
    if missing:
        raise DataError(
            f"{info.full_name} has no split for {' and '.join(missing)}. Choose another data set, or files."
        )
    return DataSplits(**splits, info=DataInfo(**tfds_catalog.origin(info), is_video=bool(clip)))


def _is_clip(feature: tfds.features.FeatureConnector) -> bool:
    """Whether a feature is of frames uint8 [time, height, width, 3], of one height and width."""
    shape = feature.shape
    return isinstance(shape, tuple) and len(shape) == 4 and shape[-1] == 3 and None not in shape[1:]


def _texts_of(feature: tfds.features.FeatureConnector) -> Callable | None:
    """What takes the captions out of a feature, if it is of texts."""
    inner = feature.feature if isinstance(feature, tfds.features.Sequence) else feature
    if isinstance(inner, tfds.features.FeaturesDict) and "text" in inner:
        return lambda value: value["text"]
    return (lambda value: value) if isinstance(inner, tfds.features.Text) else None
