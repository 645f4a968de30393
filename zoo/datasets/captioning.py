"""Images or videos with captions, from TFDS or from users' files."""

import dataclasses
import logging
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from zoo.datasets.fingerprint import note_file, record_sources
from zoo.datasets.messages import abbreviate, count_noun
from zoo.datasets.readers.captions import EXPECTED, TEXT_TABLE, Captions, read_caption_table, read_captions
from zoo.datasets.readers.content import find_dataset, read_content
from zoo.datasets.readers.file_index import FileIndex
from zoo.datasets.readers.text_files import note_damaged_texts
from zoo.datasets.records import CaptioningSplit, DataInfo, DataSplits
from zoo.datasets.splits import find_missing_splits, find_split_names, make_tenths_rule
from zoo.datasets.tfds_catalog import describe_features, find_builder, get_data_info, prepare, read_split
from zoo.errors import DataError, VideoError
from zoo.preprocessing.video import CLIP_FRAME_SIZE, IMAGE_FILE_PATTERN, VIDEO_FILE_PATTERN, read_clip
from zoo.user_files import TABLE

logger = logging.getLogger(__name__)


@record_sources
def load_captioning(
    dataset: str | Path, *, data_dir: Path | None = None, encoding: str | None = None
) -> DataSplits[CaptioningSplit]:
    r"""Load images or videos with captions from a path or, if there is no such path, from TFDS by name.

    A path is a directory or a zip that contains images, also in subdirectories and in zips inside, and their
    captions in one of these forms. Text may be compressed (.gz, .xz, .bz2). Instead of all images there may be
    videos, but not in zips.

    - As in Flickr8k: a file `*token*.txt` with name, `#`, number, tab and caption in each line; and
      `*trainImages*.txt`, `*devImages*.txt` and `*testImages*.txt` with a name in each line.
    - As in COCO: `captions_train*.json` and `captions_val*.json`.
    - Tables: `train`, `validation`, `valid`, `val` or `dev`, and `test`, each a `.tsv` or `.csv` with an
      image and a caption in each row, separated by commas, semicolons or tabs. A header is optional; a table
      of more than two columns needs one with `image` and `caption`. A single table may have any name,
      `captions.txt` included, and its own path may be given.

    An image is found by its path in the table or, if there is no such file, by its file name if only one file
    has that name. Images that are missing, images without a caption and files that are not used are named in
    `info.notes`. A missing split is a tenth of the training images, chosen by a hash of their names.

    A TFDS set needs one feature that is an image, or the frames of a video, all of one height and width, and
    one of captions.

    Args:
        dataset: path or TFDS name (`scenes`, `clips`, `coco_captions`).
        data_dir: directory of data prepared by TFDS and of downloads; its own default if `None`.
        encoding: encoding of the files of captions. Default: the one of their byte order mark (UTF-8 or
            UTF-16), otherwise UTF-8.

    Returns:
        Three splits. `info.is_video` states whether they contain videos.

    Raises:
        DataError: there is no such set, its host does not answer, or the data have another form.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     for i in range(100):
        ...         Image.new("RGB", (8, 8)).save(Path(directory, f"{i}.png"))
        ...     rows = "".join(f"{i}.png\tblack square number {i}\n" for i in range(100))
        ...     _ = Path(directory, "captions.tsv").write_text(f"image\tcaption\n{rows}")
        ...     splits = zoo.datasets.load_captioning(directory)
        >>> splits.train.names[0], splits.train.captions[0]
        ('0.png', ('black square number 0',))
    """
    if path := find_dataset(dataset):
        return _load_files(path, encoding)
    return _load_tfds(find_builder(str(dataset), data_dir))


# Files.


def _load_files(path: Path, encoding: str | None) -> DataSplits[CaptioningSplit]:
    root = path if path.is_dir() or path.suffix.lower() == ".zip" else path.parent
    if root != path and not re.search(f"{TABLE}|{TEXT_TABLE}", path.name):
        raise DataError(f"{path}: found a file of another kind. {EXPECTED}; or a directory or zip of them.")
    files = FileIndex(root)
    if root == path:
        stated, notes, unlisted, locations = read_captions(files, str(path), encoding)
    else:
        captions, notes, locations = read_caption_table(str(path), read_content(path), encoding)
        stated, unlisted = {"train": captions}, []
    if "train" not in stated:
        raise DataError(f"{path} contains no captions for training. {EXPECTED}.")
    texts = (text for captions in stated.values() for texts in captions.values() for text in texts)
    notes += note_damaged_texts(texts, str(path))
    splits: dict[str, Captions] = {}
    split_of: dict[str, str] = {}
    missing = []
    for split, captions in stated.items():
        splits[split] = {}
        for name, image_captions in captions.items():
            file = files.find(name)
            if file is None:
                missing.append(name)
            elif split_of.setdefault(file, split) != split:
                raise DataError(
                    f"{path}: {file} has captions in {split_of[file]} and in {split}. Expected it in one split. Remove "
                    "it from the other."
                )
            else:
                splits[split].setdefault(file, []).extend(image_captions)

    def locate(names: list[str]) -> str:
        return abbreviate([f"{name} ({locations[name]})" for name in names])

    if not splits["train"]:
        raise DataError(
            f"{path}: all images for training are missing: {locate(missing)}. Expected them in {root}, "
            "each name once. Add them, or correct their names."
        )
    if ambiguous := [name for name in missing if files.is_ambiguous(name)]:
        notes.append(f"Left out because several files have the name: {locate(ambiguous)}.")
    if absent := [name for name in missing if not files.is_ambiguous(name)]:
        notes.append(f"Left out because there is no such file: {locate(absent)}.")
    named = {*split_of, *filter(None, map(files.find, unlisted))}
    if uncaptioned := files.search(f"(?i){IMAGE_FILE_PATTERN}|{VIDEO_FILE_PATTERN}", but=named):
        notes.append(f"Left out because no caption names them: {abbreviate(uncaptioned)}.")
    notes += _hold_out(splits, str(path))
    for name in files.paths.keys() & {name for captions in splits.values() for name in captions}:
        note_file(files.paths[name])  # which are read later
    is_video = _contains_videos(files, [name for captions in splits.values() for name in captions])
    read = _read_videos if is_video else _read_images
    made = {
        split: CaptioningSplit(
            list(captions), list(map(tuple, captions.values())), partial(read, files, list(captions))
        )
        for split, captions in splits.items()
    }
    return DataSplits(**made, info=DataInfo(str(path), notes=tuple(notes), is_video=is_video))


def _read_images(files: FileIndex, names: list[str]) -> Iterator[bytes]:
    for name in names:
        try:
            yield files.read(name)
        except DataError:
            yield b""


def _read_videos(files: FileIndex, names: list[str]) -> Iterator[np.ndarray]:
    for name in names:
        try:
            clip = read_clip(files.paths[name], CLIP_FRAME_SIZE)
            if clip.problem:
                logger.warning("%s", clip.problem)
            yield clip.frames
        except VideoError:
            yield np.zeros((0, *CLIP_FRAME_SIZE, 3), np.uint8)


def _contains_videos(files: FileIndex, names: list[str]) -> bool:
    """Return whether all files are videos; raise an error if some are."""
    videos = [name for name in names if re.search(VIDEO_FILE_PATTERN, name.lower())]
    if 0 < len(videos) < len(names):
        images = [name for name in names if name not in set(videos)]
        raise DataError(
            f"Found both images and videos: {abbreviate(images)}, and {abbreviate(videos)}. Expected one of "
            "the two. Remove the others."
        )
    if zipped := [name for name in videos if name not in files.paths]:
        raise DataError(
            f"Found videos in a zip: {abbreviate(zipped)}. Expected them in a directory. Unpack the zip."
        )
    return bool(videos)


def _hold_out(splits: dict[str, Captions], source: str) -> list[str]:
    """Hold missing splits out of the training images; return a note on each."""
    train, missing = splits["train"], find_missing_splits(splits)
    rule = make_tenths_rule(missing)
    for split in ("train", *missing):
        splits[split] = dict(rule.select(split, train.items(), list(train)))
    for split, captions in splits.items():
        if not captions:
            raise DataError(
                f"{source}: too few images, none is left for the {split} split. Expected some dozens, or a "
                f"{split} split of its own. Add images."
            )
    return [
        f"{split} is {len(splits[split]):,} of {count_noun(len(train), 'file')}, chosen by a hash of the names."
        for split in missing
    ]


# TFDS.


def _load_tfds(builder: Any) -> DataSplits[CaptioningSplit]:
    features, info = builder.info.features, builder.info
    images = [name for name, feature in features.items() if isinstance(feature, tfds.features.Image)]
    videos = [name for name, feature in features.items() if _is_video(feature)]
    texts = {name: get_texts for name, feature in features.items() if (get_texts := _find_texts(feature))}
    texts = {name: get_texts for name, get_texts in texts.items() if "caption" in name} or texts
    if len(images + videos) != 1 or len(texts) != 1:
        raise DataError(
            f"{info.full_name}: found the features {describe_features(builder)}. Expected one image, or one "
            "video, and its captions. Choose another data set."
        )
    prepare(builder)
    (input_name,), ((text_name, get_texts),) = images + videos, texts.items()

    def read_feature(split: str, name: str, decoders: dict[str, Any] | None = None) -> Iterator[Any]:
        partial_decoding = tfds.decode.PartialDecoding({name: True}, decoders)
        examples = read_split(builder, split, decoders=partial_decoding)
        return examples.map(lambda example: example[name]).as_numpy_iterator()

    decoders = {input_name: tfds.decode.SkipDecoding()} if images else None
    splits = {}
    for split, name in find_split_names(info.splits, info.full_name).items():
        captions = [
            tuple(caption.decode() for caption in np.ravel(get_texts(value)))
            for value in read_feature(name, text_name)
        ]
        names = [f"{name}/{number}" for number in range(len(captions))]
        splits[split] = CaptioningSplit(names, captions, partial(read_feature, name, input_name, decoders))
    if missing := find_missing_splits(splits):
        raise DataError(
            f"{info.full_name} has no split for {' and '.join(missing)}. Choose another data set, or files."
        )
    return DataSplits(**splits, info=dataclasses.replace(get_data_info(builder), is_video=bool(videos)))


def _is_video(feature: Any) -> bool:
    """Return whether a feature is frames uint8 [time, height, width, 3] of one height and width."""
    shape = feature.shape
    return isinstance(shape, tuple) and len(shape) == 4 and shape[-1] == 3 and None not in shape[1:]


def _find_texts(feature: Any) -> Callable[[Any], Any] | None:
    """Return what takes the captions out of a feature; `None` if the feature is not of texts."""
    inner = feature.feature if isinstance(feature, tfds.features.Sequence) else feature
    if isinstance(inner, tfds.features.FeaturesDict) and "text" in inner:
        return lambda value: value["text"]
    return (lambda value: value) if isinstance(inner, tfds.features.Text) else None
