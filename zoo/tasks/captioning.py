"""Captioning, one-to-many: images in, sentences out; with clips, delayed many-to-many."""

import hashlib
import itertools
import logging
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import keras
import matplotlib.figure
import numpy as np
import tensorflow as tf
from PIL import Image

from zoo.attention import Memory
from zoo.datasets import CaptioningSplit, DataInfo
from zoo.decoding import DecodingResult, beam_search, greedy_search
from zoo.display import ShortRepr
from zoo.errors import DataError, UsageError
from zoo.formulations import DelayedManyToMany, OneToMany, apply_teacher_forcing
from zoo.formulations.decoder import State
from zoo.inspection import plot_image_attention
from zoo.metrics import normalize_caption_lists, score_captions
from zoo.paths import abbreviate_path, find_path_kind, parse_path
from zoo.preprocessing.images import (
    FeatureExtractor,
    ImageReader,
    build_image_encoder,
    convert_images,
    describe_unknown,
    encode_image,
    make_thumbnail,
    split_encoder,
)
from zoo.preprocessing.text import (
    END_ID,
    PADDING_ID,
    START_ID,
    WordPieceTokenizer,
    merge_word_pieces,
    train_wordpiece,
    write_vocabulary,
)
from zoo.preprocessing.video import CLIP_FRAME_SIZE, Clip, ClipReader, read_clip, sample_positions
from zoo.reports import report_generation
from zoo.tasks.base import (
    Description,
    Evaluation,
    Prediction,
    Predictor,
    Preprocessor,
    ServingModule,
    Table,
    Task,
    add_limit_to_status,
    check_array,
    decode_strings,
    describe_search_scores,
    join_status,
    make_signature,
)
from zoo.tasks.decoder_signatures import make_decoder_signatures
from zoo.training import BucketedDataset, bucket_by_length, extract_features

__all__ = [
    "CaptionPrediction",
    "CaptioningModule",
    "CaptioningPreprocessor",
    "FeatureSplit",
]

logger = logging.getLogger(__name__)

Search = Callable[..., DecodingResult]
"""One of `zoo.decoding`."""

ImageInput = str | Path | bytes | Image.Image | np.ndarray
"""Path of an image or video file; content of an image file; or frames of a clip, [time, height, width, 3]."""


@dataclass(frozen=True, eq=False, repr=False)
class FeatureSplit(ShortRepr):
    """Images or clips as features, and their captions.

    Attributes:
        features: features of all examples, [examples, ...], mapped from a file.
        rows: indices of the examples that can be read.
        captions: captions of each readable example, normalized as for scoring.

    Example:
        >>> import numpy as np
        >>> from zoo.tasks.captioning import FeatureSplit
        >>> split = FeatureSplit(np.zeros((2, 7, 7, 64)), np.array([0, 1]), [["a dog"], ["a cat", "one cat"]])
        >>> split.all_captions
        ['a dog', 'a cat', 'one cat']
    """

    features: np.ndarray
    rows: np.ndarray
    captions: list[list[str]]

    @property
    def all_captions(self) -> list[str]:
        """The captions of all examples, one after the other."""
        return list(itertools.chain.from_iterable(self.captions))

    def evaluate(self, captions: Sequence[str], train: "FeatureSplit") -> dict[str, float]:
        """Return metrics of captions for a test split, and how many of them are distinct, and found in training.

        Args:
            captions: a caption for each readable example.
            train: the training split.
        """
        known = set(train.all_captions)
        return {f"test {name}": value for name, value in self.score(captions).items()} | {
            "distinct captions (%)": 100 * len(set(captions)) / len(captions),
            "captions found in training (%)": 100
            * float(np.mean([caption in known for caption in captions])),
        }

    def score(self, captions: Sequence[str]) -> dict[str, float]:
        """Return the metrics of captions, one for each readable example."""
        return {**score_captions(captions, self.captions), "exact match": self.score_exact_match(captions)}

    def score_validation(self, captions: Sequence[str]) -> dict[str, float]:
        """Return the metrics by which epochs are compared."""
        scores = score_captions(captions, self.captions)
        return {"val_cider": scores["CIDEr"], "val_bleu4": scores["BLEU-4"]}

    def score_exact_match(self, captions: Sequence[str]) -> float:
        """Return the percentage of captions, one for each readable example, that equal one of its references."""
        matches = [caption in valid for caption, valid in zip(captions, self.captions, strict=True)]
        return 100 * float(np.mean(matches))

    def find_nearest_captions(self, train: "FeatureSplit") -> list[str]:
        """Return for each example a caption of the training example with the nearest features.

        This is the baseline of a model that memorizes its training data.
        """
        best, nearest = np.full(len(self.rows), np.inf), np.zeros(len(self.rows), int)
        targets = self.features[self.rows].reshape(len(self.rows), -1).astype(np.float32)
        start = 0
        for batch in train.read_batches(1000):
            candidates = batch.reshape(-1, targets.shape[1]).astype(np.float32)
            distances = (candidates**2).sum(1) - 2 * targets @ candidates.T
            is_nearer = distances.min(1) < best
            nearest[is_nearer] = start + distances.argmin(1)[is_nearer]
            best = np.minimum(best, distances.min(1))
            start += len(batch)
        return [train.captions[row][0] for row in nearest]

    def evaluate_nearest(self, train: "FeatureSplit") -> dict[str, float]:
        """Return metrics of the captions of the nearest training examples; see `find_nearest_captions`."""
        metrics = self.evaluate(self.find_nearest_captions(train), train)
        names = "test BLEU-4", "test exact match"
        return {f"{name}, nearest training example": metrics[name] for name in names}

    def hash_examples(self) -> list[bytes]:
        """Return a hash of the features of each readable example."""
        rows = itertools.chain.from_iterable(self.read_batches())
        return [hashlib.sha256(np.ascontiguousarray(row).tobytes()).digest() for row in rows]

    def read_batches(self, batch_size: int = 64) -> Iterator[np.ndarray]:
        """Yield the features of the readable examples, in order."""
        for start in range(0, len(self.rows), batch_size):
            yield self.features[self.rows[start : start + batch_size]]


def check_options(settings: Any, is_video: bool) -> None:
    """Check that each setting of the recipe has an effect.

    With a model to start from, the settings of the network are those of that model.

    Args:
        settings: settings of the recipe.
        is_video: whether the data are clips.

    Raises:
        UsageError: a setting that is not its default has no effect.
    """
    if settings.doubly_stochastic and (is_video or settings.attention == "none"):
        data = "of clips is not penalized" if is_video else "does not exist with --attention none"
        raise UsageError(
            f"--doubly-stochastic is {settings.doubly_stochastic:g}, but the attention {data}. Leave out "
            f"--doubly-stochastic{'' if is_video else ', or choose another --attention'}."
        )
    if settings.init_from:
        return
    if settings.num_tuned and settings.encoder == "small":
        raise UsageError(
            f"--num-tuned is {settings.num_tuned}, but the encoder small, which has no published weights, is trained "
            "as a whole. Leave out --num-tuned, or choose another --encoder."
        )
    if settings.num_frames != type(settings).num_frames and not is_video:
        raise UsageError(
            f"--num-frames is {settings.num_frames}, but the data are images. Leave out --num-frames, or choose clips "
            "with --dataset."
        )


class CaptioningPreprocessor(Preprocessor):
    """Images or clips to features, and captions to word pieces and back.

    The encoder network is split: its frozen part runs here, so that the features of an image are computed once;
    the rest is `trainable_network`, a part of the model.

    Args:
        encoder: network from `zoo.preprocessing.images.build_image_encoder`.
        num_frames: number of frames that are read of a clip; None for images.
        num_tuned: number of convolutions of the encoder to train, the last ones. The network "small", which has
            no published weights, is trained as a whole.

    Attributes:
        extractor: raw images or clips to features.
        trainable_network: the part of the encoder to train, for a new model; None if all of it is frozen.

    Example:
        >>> import zoo
        >>> from zoo.tasks.captioning import CaptioningPreprocessor
        >>> encoder = zoo.preprocessing.images.build_image_encoder("small", 32)
        >>> preprocessor = CaptioningPreprocessor(encoder)
        >>> preprocessor.image_size, preprocessor.trainable_network is encoder
        (32, True)
    """

    def __init__(self, encoder: keras.Model, num_frames: int | None = None, num_tuned: int = 0) -> None:
        self.encoder_name, self.image_size = encoder.name, encoder.input_shape[1]
        self.num_frames, self.num_tuned = num_frames, num_tuned
        frozen, self.trainable_network = (
            (None, encoder) if encoder.name == "small" else split_encoder(encoder, num_tuned)
        )
        reader = ClipReader(num_frames, self.image_size) if num_frames else ImageReader(self.image_size)
        self.extractor = FeatureExtractor(reader, frozen)
        self.networks = {} if frozen is None else {"encoder": frozen}

    @property
    def tokenizer(self) -> WordPieceTokenizer:
        """The tokenizer of captions, from `adapt`."""
        (tokenizer,) = self.resources
        return tokenizer

    def adapt(self, train: FeatureSplit, vocabulary_size: int, max_tokens: int, directory: Path) -> None:
        """Train the word pieces on training captions.

        Args:
            train: the training split.
            vocabulary_size: number of word pieces.
            max_tokens: longer captions are cut.
            directory: where the vocabulary is written, `vocabulary.txt`.

        Raises:
            UsageError: the vocabulary size is too small for the characters of the captions.
        """
        vocabulary = train_wordpiece(train.all_captions, vocabulary_size)
        path = write_vocabulary(vocabulary, directory / "vocabulary.txt")
        self.resources = (WordPieceTokenizer(path, max_tokens),)

    def extract(self, split: CaptioningSplit, cache_dir: Path) -> FeatureSplit:
        """Return the features of a split, computed once and cached in a file.

        Examples that cannot be read are left out, with a warning in the log.

        Args:
            split: images or clips with captions.
            cache_dir: directory of the cache files.

        Raises:
            DataError: none of the examples can be read.
        """
        features, statuses = extract_features(self.extractor, split.read_inputs, cache_dir)
        problems = [f"{name}: {status}" for name, status in zip(split.names, statuses, strict=True) if status]
        rows = np.flatnonzero([not status for status in statuses])
        if not len(rows):
            raise DataError(
                f"None of {len(statuses):,} images or clips can be read, expected most of them. The first is "
                f"{problems[0]}. Replace the files."
            )
        for problem in problems[:5]:
            logger.warning("left out: %s", problem)
        if problems[5:]:
            logger.warning("left out: %d more", len(problems) - 5)
        captions = normalize_caption_lists([split.captions[row] for row in rows])
        return FeatureSplit(features, rows, captions)

    def bucket(self, split: FeatureSplit, batch_size: int, seed: int | None = None) -> BucketedDataset:
        """Return batches of features and captions of similar length, for teacher forcing.

        An example comes once with each of its captions.

        Args:
            split: features and captions.
            batch_size: number of captions in a batch.
            seed: of the order; None keeps one order.
        """
        rows = np.repeat(split.rows, [len(captions) for captions in split.captions])
        ids = self.tokenizer(tf.constant(split.all_captions)).ids
        tokens = tf.RaggedTensor.from_tensor(ids, padding=PADDING_ID)
        start, end = (tf.fill([tokens.nrows(), 1], token) for token in (START_ID, END_ID))
        pairs = (tf.constant(rows), tf.concat([start, tokens, end], axis=1))
        # Captions cost little beside their images, and batches of mixed captions teach more.
        dataset = bucket_by_length(
            tf.data.Dataset.from_tensor_slices(pairs), batch_size, max_padding=0.5, seed=seed
        )

        def add_features(rows: tf.Tensor, tokens: tf.Tensor) -> tuple[Any, ...]:
            features = tf.numpy_function(lambda rows: split.features[rows], [rows], split.features.dtype)
            return apply_teacher_forcing(tf.ensure_shape(features, [None, *split.features.shape[1:]]), tokens)

        return dataset.map(add_features)

    def count_tokens(self, split: FeatureSplit) -> np.ndarray:
        """Return how often each token [vocabulary] is to be generated for the captions of a split."""
        ids = self.tokenizer(tf.constant(split.all_captions)).ids.numpy()
        counts = np.bincount(ids.ravel(), minlength=self.tokenizer.vocabulary_size)
        counts[[PADDING_ID, END_ID]] = 0, len(ids)
        return counts

    def make_examples(
        self,
        test: CaptioningSplit,
        features: FeatureSplit,
        paths: Sequence[Path],
        directory: Path,
    ) -> dict[str, Any]:
        """Return inputs of `serving_default` for the card: the files at paths, else two examples of test.

        Args:
            test: the test split.
            features: its features; `features.rows` are the examples that can be read.
            paths: files that the user chose.
            directory: where thumbnails of test images, and files that had to be converted, are written.

        Raises:
            UsageError: a file at paths cannot be read.
        """
        if paths and self.num_frames:
            return ClipReader.pack_inputs([read_clip(path, CLIP_FRAME_SIZE).frames for path in paths])
        if paths:
            return {
                "image": [_convert_example(path, directory, number) for number, path in enumerate(paths, 1)]
            }
        examples: list[Any] = [
            next(itertools.islice(test.read_inputs(), row, None)) for row in features.rows[:2]
        ]
        if self.num_frames:
            return ClipReader.pack_inputs(examples)
        thumbnails = [directory / f"example{number}.png" for number in range(1, 1 + len(examples))]
        for path, image in zip(thumbnails, examples, strict=True):
            make_thumbnail(image).save(path)
        return {"image": thumbnails}

    def get_config(self) -> dict[str, Any]:
        """Return name and size of the encoder, the other arguments, and the configurations of reader and tokenizer.

        The predictor reads from that of the reader whether the graph applies the orientation of an image.
        """
        return {
            "encoder": self.encoder_name,
            "image_size": self.image_size,
            "num_frames": self.num_frames,
            "num_tuned": self.num_tuned,
            "reader": self.extractor.reader.get_config(),
            "tokenizer": self.tokenizer.get_config(),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], assets: Path) -> Self:
        """Rebuild the preprocessor of an export; see `Preprocessor.from_config`.

        Its `trainable_network` has random weights: those of the export belong to the model.
        """
        encoder = build_image_encoder(config["encoder"], config["image_size"], weights=None)
        preprocessor = cls(encoder, config["num_frames"], config["num_tuned"])
        preprocessor.resources = (WordPieceTokenizer.from_config(config["tokenizer"], assets),)
        return preprocessor


class CaptioningModule(ServingModule[CaptioningPreprocessor]):
    """Image bytes, or frames of a clip, in, captions out.

    Args:
        preprocessor: images to features, tokens to text.
        model: a `OneToMany` for images, a `DelayedManyToMany` for clips.
        num_beams: number of hypotheses of the beam search, and of captions that the export returns.
        length_penalty: exponent of the length penalty of Wu et al. (2016).

    Attributes:
        searches: search of each signature, by name.

    Example:
        >>> import numpy as np, tempfile, zoo
        >>> from pathlib import Path
        >>> from zoo.tasks.captioning import CaptioningModule, CaptioningPreprocessor, FeatureSplit
        >>> encoder = zoo.preprocessing.images.build_image_encoder("small", 32)
        >>> preprocessor = CaptioningPreprocessor(encoder)
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     train = FeatureSplit(np.zeros((1, 8, 8, 3)), np.array([0]), [["a dog"]])
        ...     preprocessor.adapt(train, 60, 20, Path(directory))
        >>> decoder = zoo.Decoder(preprocessor.tokenizer.vocabulary_size, 8, zoo.GRUCell(8))
        >>> module = CaptioningModule(preprocessor, zoo.OneToMany(decoder, encoder))
        >>> sorted(module.searches)
        ['greedy', 'serving_default']
    """

    def __init__(
        self,
        preprocessor: CaptioningPreprocessor,
        model: OneToMany | DelayedManyToMany,
        num_beams: int = 3,
        length_penalty: float = 1.0,
    ) -> None:
        super().__init__(preprocessor, model)
        self.input_kind = "video" if preprocessor.num_frames else "image"
        self.searches: dict[str, Search] = {
            "serving_default": partial(
                beam_search,
                num_beams=num_beams,
                num_return_sequences=num_beams,
                length_penalty=length_penalty,
            ),
            "greedy": greedy_search,
        }
        # From features that are cached already, for evaluation.
        self._caption_features = {
            name: tf.function(partial(self._caption_valid, search), autograph=False, reduce_retracing=True)
            for name, search in self.searches.items()
        }

    @cached_property
    def signatures(self) -> Mapping[str, Callable[..., dict[str, tf.Tensor]]]:
        """Raw inputs to captions, and its parts: raw inputs to pixels, pixels to ids, ids to captions.

        `serving_default` searches with beams, `greedy` takes the most probable token at each step. `preprocess`,
        `generate` and `decode` together compute what `serving_default` does; `generate` has numbers alone, and so
        have `init` and `step`, its single steps.
        """
        extractor = self.preprocessor.extractor
        reader = extractor.reader
        pixels = tf.TensorSpec([None, *reader.shape], tf.uint8, "pixels")
        sequences = tf.TensorSpec([None, None, None], tf.int32, "sequences")

        def caption(search: Search, *raw: tf.Tensor) -> dict[str, tf.Tensor]:
            return self.caption(*extractor(*raw), search)

        def preprocess(*raw: tf.Tensor) -> dict[str, tf.Tensor]:
            pixels, status = reader(*raw)
            return {"pixels": pixels, "status": status}

        def generate(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
            return self.generate(extractor.encode(pixels), self.searches["serving_default"])

        def prepare_memory(pixels: tf.Tensor) -> tuple[Memory | None, State]:
            return self.model.prepare_memory(extractor.encode(pixels))

        return {
            **{
                name: make_signature(partial(caption, search), reader.input_signature)
                for name, search in self.searches.items()
            },
            "preprocess": make_signature(preprocess, reader.input_signature),
            "generate": make_signature(generate, [pixels]),
            "decode": make_signature(self.decode, [sequences]),
            **make_decoder_signatures(self.model.decoder, prepare_memory, pixels),
        }

    def caption(self, features: tf.Tensor, status: tf.Tensor, search: Search) -> dict[str, tf.Tensor]:
        """Return the best captions, their scores, and the attention of the first one.

        Args:
            features: [batch, ...].
            status: string [batch]; a row with a status has no caption.
            search: one of `zoo.decoding`.
        """
        tokenizer = self.preprocessor.tokenizer
        generated = self.generate(features, search)
        sequences, positions = generated["sequences"], self.model.memory_shape
        is_valid = (status == "")[:, None]
        pieces = tf.where(is_valid, tokenizer.ids_to_tokens(sequences[:, 0]), "")
        words, attention = merge_word_pieces(pieces, generated["attention"])
        captions = tf.where(is_valid, self.decode(sequences)["captions"], "")
        is_empty = is_valid[:, 0] & (captions[:, 0] == "")
        is_complete = generated["is_complete"][:, 0] | ~is_valid[:, 0]
        status = add_limit_to_status(status, "caption", is_complete, self.max_length)
        return {
            "captions": captions,
            "scores": tf.where(is_valid, generated["scores"], 0.0),
            "attention": tf.reshape(attention, [*tf.unstack(tf.shape(words)), *positions]),
            "words": words,
            "status": join_status(status, tf.where(is_empty, "the caption is empty", "")),
        }

    def generate(self, features: tf.Tensor, search: Search) -> dict[str, tf.Tensor]:
        """Return the best captions of each image or clip as ids, and the attention of the first one.

        Args:
            features: [batch, ...].
            search: one of `zoo.decoding`.

        Returns:
            "sequences" int32 [batch, n, steps], 0 after the end; "scores" float32 [batch, n]; "attention" float
            [batch, steps, positions]; "is_complete" bool [batch, n], False for captions that stopped at their limit.
        """
        memory, state = self.model.prepare_memory(features)
        sequences, scores, attention, is_complete = self.model.decoder.generate(
            *(search, state, memory),
            start_id=START_ID,
            end_id=END_ID,
            max_length=self.max_length,
            num_attended=1,
        )
        if attention is None:
            shape = *tf.unstack(tf.shape(sequences[:, :1])), math.prod(self.model.memory_shape)
            attention = tf.zeros(shape)
        return {
            "sequences": sequences,
            "scores": scores,
            "attention": attention[:, 0],
            "is_complete": is_complete,
        }

    @property
    def max_length(self) -> int:
        """The largest number of tokens of a caption, its end included."""
        return self.preprocessor.tokenizer.max_tokens + 1

    def decode(self, sequences: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the captions, string [batch, n], of ids, int32 [batch, n, steps]."""
        return {"captions": self.preprocessor.tokenizer.detokenize(sequences)}

    def caption_split(self, split: FeatureSplit, signature: str = "serving_default") -> list[str]:
        """Return the best caption of each readable example of a split."""
        caption = self._caption_features[signature]
        batches = (caption(tf.constant(batch))["captions"][:, 0] for batch in split.read_batches())
        return [best.decode() for batch in batches for best in batch.numpy()]

    def _caption_valid(self, search: Search, features: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.caption(features, tf.fill(tf.shape(features)[:1], ""), search)

    def describe(self, info: DataInfo) -> Description:
        """Return title, summary and limits for the card."""
        num_frames, size = self.preprocessor.num_frames, self.preprocessor.image_size
        if num_frames:
            medium = "clip"
            reading = [
                f"It reads {num_frames} frames of a clip, evenly spaced, each squeezed to {size} x {size} pixels: it "
                "misses what is short or small, and the frame rate makes no difference.",
            ]
        else:
            medium = "image"
            reading = [
                "It reads JPEG, PNG, GIF (the first frame) and BMP (of 24 or 32 bits), and squeezes the image to a "
                "square. It applies the orientation that cameras store in a JPEG (EXIF). `zoo.load` and `zoo predict` "
                "also read WebP, AVIF, TIFF, other BMP, PNG with an orientation, and with the extra `heif` HEIC.",
                "Attention is spread out and may lie beside what a word names, because each position of the "
                "feature map covers much of the image.",
            ]
        return Description(
            title=f"Captions of {medium}s ({info.source})",
            summary=f"Describes {medium}s in a sentence, with the attention for each word.",
            purpose=f"It is for drafts of descriptions of {medium}s like its training data, which a person checks.",
            limits=(
                f"{medium.capitalize()}s unlike those of its training data get captions in the words of those data, "
                "which are usually wrong.",
                "Captions are in lower case without punctuation, and scored against references in the same form. "
                "CIDEr is CIDEr-D times 100; the other metrics are between 0 and 100.",
                f"The scores rank the captions of one {medium}; they do not compare {medium}s.",
                *reading,
            ),
        )


@dataclass(frozen=True, eq=False, repr=False)
class CaptionPrediction(Prediction):
    """Captions of an image or a clip.

    Attributes:
        status: empty, or why there is no caption, or what is missing in the clip.
        captions: captions, the best first; none if the input cannot be read.
        scores: log-probability of each caption, divided by the length penalty.
        words: words of the best caption.
        attention: attention weights of each word, [words, rows, columns]; of a clip [words, frames, rows,
            columns].

    Example:
        >>> import numpy as np
        >>> from zoo.tasks.captioning import CaptionPrediction
        >>> attention = np.full((2, 7, 7), 1 / 49)
        >>> CaptionPrediction("", ("a dog",), (-0.3,), ("a", "dog"), attention).as_table().rows
        [('a dog', -0.3)]
    """

    captions: tuple[str, ...]
    scores: tuple[float, ...]
    words: tuple[str, ...]
    attention: np.ndarray

    def as_table(self) -> Table:
        """Return captions and scores."""
        rows = list(zip(self.captions, self.scores, strict=True))
        return Table(("caption", "score"), rows, note=describe_search_scores("input"))

    def format_lines(self, name: str, top_k: int) -> Iterator[str]:
        """Yield path, score and caption; or path and status."""
        for caption, score in itertools.islice(self.as_table().rows, top_k):
            yield f"{name}  {score:8.3f}  {caption}"
        if self.status:
            yield f"{name}  [{self.status}]"


class CaptioningPredictor(Predictor[ImageInput, CaptionPrediction]):
    """Images, or clips, in, captions out.

    An image is a path, the content of a file, an image of Pillow, or an array of uint8 [height, width, 3]. A clip is a
    path, or an array of uint8 [time, height, width, 3].
    """

    plot_caption = "Attention of the decoder for each word."
    target_name = "caption"
    has_several_targets = True

    def __init__(self, directory: Path, card: Mapping[str, Any], model: Any) -> None:
        super().__init__(directory, card, model)
        self.batch_size = 1 if self.input_kind == "video" else 16
        # Graphs without this entry are older, and show images as they are stored.
        self._is_oriented = "reader" in card.get("preprocessor", {})

    def parse(self, argument: bytes, frame_rate: float = 25.0) -> Path:
        """Return the path of an image or video file."""
        return Path(os.fsdecode(argument))

    def predict_batch(
        self, inputs: Sequence[ImageInput], progress: bool = False
    ) -> Iterable[CaptionPrediction]:
        """Yield the captions of each image or clip."""
        if self.input_kind == "video":
            clips = [_read_clip(item) for item in inputs]
            problems = [clip.problem for clip in clips]
            outputs = self.serve(**ClipReader.pack_inputs([clip.frames for clip in clips]))
        else:
            images, problems = self._convert_images(inputs)
            outputs = self.serve(**ImageReader.pack_inputs(images))
        for row, status in enumerate(outputs["status"]):
            words, captions = (decode_strings(outputs[name][row]) for name in ("words", "captions"))
            scores = tuple(outputs["scores"][row, : len(captions)].tolist())
            attention = outputs["attention"][row, : len(words)]
            yield CaptionPrediction(
                problems[row] or status.decode(),
                captions,
                scores,
                words,
                attention,
                is_partial=bool(problems[row] and captions),
            )

    def check_target(self, target: str | Sequence[str]) -> None:
        """Check that there is a caption, or several in a list.

        Raises:
            UsageError: there is none, or something else.
        """
        captions = [target] if isinstance(target, str) else target
        if not isinstance(captions, Sequence) or not all(isinstance(caption, str) for caption in captions):
            raise UsageError(f"found {target!r:.60}. Expected a caption, or a list of captions. Pass texts.")
        if not target:
            raise UsageError(
                "found no caption. Expected one or several. Add a caption, or leave the input out."
            )

    def evaluate_predictions(
        self,
        inputs: Sequence[ImageInput],
        predictions: Sequence[CaptionPrediction],
        targets: Sequence[str | Sequence[str]],
    ) -> Evaluation:
        """Return BLEU, ROUGE-L, CIDEr and exact match of the best captions; see `zoo.metrics.score_captions`."""
        several = [[target] if isinstance(target, str) else target for target in targets]
        rows = np.arange(len(inputs))
        split = FeatureSplit(np.empty((len(rows), 0)), rows, normalize_caption_lists(several))
        captions = [prediction.captions[0] if prediction.has_answer else "" for prediction in predictions]
        names = [str(item) if isinstance(item, (str, Path)) else "" for item in inputs]
        report = report_generation(names, captions, split.captions, {}, overlap=0.0)
        return Evaluation(split.score(captions), len(inputs), predictions, report)

    def plot(
        self, item: ImageInput, prediction: CaptionPrediction, path: Path | None = None
    ) -> matplotlib.figure.Figure:
        """Plot the attention for each word on the image; of a clip on the frame with most of it."""
        if not prediction.attention.any():
            raise UsageError("There is no attention to plot: there is no caption, or the model has none.")
        words, attention = list(prediction.words), prediction.attention
        if self.input_kind == "video":
            frames, most = _read_clip(item).frames, attention.sum((2, 3)).argmax(1)
            positions = sample_positions(len(frames), attention.shape[1])[most]
            images, attention = frames[positions], attention[range(len(words)), most]
            words = [f"{word}, frame {position}" for word, position in zip(words, positions, strict=True)]
        else:
            (image,), _ = self._convert_images([item])
            images = np.asarray(make_thumbnail(image))
        return plot_image_attention(images, words, attention, path)

    def _convert_images(self, items: Sequence[ImageInput]) -> tuple[list[bytes], list[str]]:
        """Return images as the graph reads them, and what is wrong with each, as `convert_images` does."""
        contents = [_read_image(item) for item in items]
        converted, problems = convert_images(contents, is_oriented=self._is_oriented)
        unknown = map(describe_unknown, contents)
        return converted, [problem or other for problem, other in zip(problems, unknown, strict=True)]


def _read_clip(item: ImageInput) -> Clip:
    if isinstance(item, np.ndarray):
        check_array(item, ClipReader.input_signature[0])
        return Clip(item, "")
    if not isinstance(item, (str, Path)):
        raise UsageError(
            f"Expected a video, as a path or an array of frames, got {type(item).__name__}. Pass its path."
        )
    return read_clip(Path(item), CLIP_FRAME_SIZE)


def _convert_example(path: Path, directory: Path, number: int) -> Path:
    """Return the path of an example; if the graph does not read its format, that of a converted copy.

    Args:
        path: the image.
        directory: where the copy goes.
        number: of the example, from 1; so that copies of files of the same name differ.
    """
    content = _read_image(path)
    (converted,), (problem,) = convert_images([content])
    if problem:
        raise UsageError(f"{path} cannot be an example: {problem}. Name another image.")
    if converted is content:
        return path
    copy = directory / f"example{number}" / f"{path.name}.png"
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(converted)
    return copy


def _read_image(item: ImageInput) -> bytes:
    if isinstance(item, bytes):
        return item
    if isinstance(item, (Image.Image, np.ndarray)):
        return encode_image(item)
    if not isinstance(item, (str, Path)):
        raise UsageError(
            "Expected an image: a path, the content of a file, an image of Pillow, or an array of uint8 [height, "
            f"width, 3]. Got {type(item).__name__}."
        )
    path = parse_path(item)
    if find_path_kind(path) == "pipe":
        raise UsageError(f"{abbreviate_path(path)} is a pipe. Expected an image, such as a JPEG or PNG file.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{abbreviate_path(path)} cannot be read: {error.strerror}. Expected an image, such as a JPEG or PNG file."
        ) from error


TASK = Task(
    name="captioning",
    headline_metrics=("test BLEU-4",),
    preprocessor=CaptioningPreprocessor,
    predictor=CaptioningPredictor,
    model_settings=(
        "encoder",
        "weights",
        "image_size",
        "num_tuned",
        "num_frames",
        "vocabulary_size",
        "embedding_dim",
        "cell",
        "units",
        "decoder_depth",
        "attention",
        "max_tokens",
    ),
    pipeline_tags={"image": "image-to-text", "video": "video-text-to-text"},
)
