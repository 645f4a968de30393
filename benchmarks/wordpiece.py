"""Word pieces: `zoo.preprocessing.text.WordPieceTokenizer` beside `tokenizers`, sentence for sentence, and the time of both.

python benchmarks/wordpiece.py train.de.gz train.en.gz --size 4000

From each file a vocabulary is learnt. Then both encode every sentence of it, with cleaning and splitting,
and must give the same ids. Ours also puts each sentence together again from the ids, with unknown words
copied, and it must be what `tokenizers` had after cleaning. If anything differs the exit code is 1.

The two take turns, with 1,000 sentences each, on all cores.
"""

import gzip
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import UsageError

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf
import tyro
from tokenizers import Regex, Tokenizer, normalizers
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Split

from zoo.cli.types import PositiveInt
from zoo.preprocessing.text import UNKNOWN, WordPieceTokenizer, train_wordpiece, write_vocabulary

SHOWN = 5  # sentences that differ
tf.get_logger().setLevel("ERROR")  # a vocabulary is a new function, which it takes for retracing


@dataclass(frozen=True)
class Settings:
    """Compare the pieces of every sentence of some files."""

    files: tyro.conf.Positional[
        tuple[Path, ...]
    ]  # a sentence a line, also .gz; .zip: pairs with tabs between
    size: PositiveInt = 8_000  # of the vocabulary
    min_frequency: PositiveInt = 5  # of a character and of a piece
    max_pieces: PositiveInt = 300  # of a sentence


def read(file: Path) -> list[str]:
    """The sentences of a file; of pairs, both."""
    if file.suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if not Path(name).name.startswith("_")]
            lines = [line for name in names for line in archive.read(name).splitlines()]
        sentences = [sentence for line in lines for sentence in line.split(b"\t")[:2]]
    else:
        data = file.read_bytes()
        sentences = (gzip.decompress(data) if file.suffix == ".gz" else data).splitlines()
    if not sentences:
        raise UsageError(f"{file} holds no text.")
    return [sentence.decode(errors="replace") for sentence in sentences]


def reference(pieces: Sequence[str]) -> Tokenizer:
    """What `WordPieceTokenizer` does, by `tokenizers` alone.

    Both sides have their own tables of Unicode; letters that are in one of them only, of the latest scripts,
    are split differently.
    """
    ids = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token=pieces[UNKNOWN]))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"((?![\x{200C}-\x{200F}])[\p{Z}\p{Cc}\p{Cf}\p{Co}▁])+"), " "),
            normalizers.Strip(),
            normalizers.Replace(Regex("(^| )(?=.)"), "▁"),
        ]
    )
    tokenizer.pre_tokenizer = Split(Regex(r"▁?([\p{L}\p{M}\x{200C}\x{200D}]+|.)"), "isolated")
    return tokenizer


def clean(tokenizer: Tokenizer, sentence: str) -> str:
    """The sentence as `tokenizers` has it after cleaning."""
    return tokenizer.normalizer.normalize_str(sentence).replace("▁", " ").strip()


@dataclass
class Comparison:
    """What differs between the two, and the seconds that each takes."""

    different: list[str]
    ours: float = 0.0
    theirs: float = 0.0


def compare(encoder: WordPieceTokenizer, tokenizer: Tokenizer, sentences: Sequence[str]) -> Comparison:
    """Encode all sentences with both, and decode them with ours."""
    encode = tf.function(encoder.__call__, input_signature=[tf.TensorSpec([None], tf.string)])
    matrices = [tf.TensorSpec([None, None], kind) for kind in (tf.int32, tf.string)]
    decode = tf.function(encoder.text, input_signature=matrices)
    encode([""])  # traced before the clock runs
    found = Comparison([])
    for first in range(0, len(sentences), 1000):
        part = sentences[first : first + 1000]
        start = time.perf_counter()
        ours = encode(part)
        between = time.perf_counter()
        theirs = tokenizer.encode_batch_fast(part)
        found.theirs += time.perf_counter() - between
        found.ours += between - start
        texts = decode(ours.ids, ours.pieces.to_tensor(""))
        for sentence, row, their, text in zip(part, ours.ids.numpy(), theirs, texts.numpy(), strict=True):
            ids = their.ids[: encoder.max_pieces]
            whole = len(their.ids) > encoder.max_pieces or text.decode() == clean(tokenizer, sentence)
            if row[: len(ids)].tolist() != ids or row[len(ids) :].any() or not whole:
                found.different.append(sentence)
    return found


def run(settings: Settings) -> bool:
    """Compare, and print a table. Whether nothing differs."""
    print("| file | sentences | pieces | different | zoo, ms per 1,000 | tokenizers, ms per 1,000 |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    different = []
    for file in settings.files:
        sentences = read(file)
        pieces = train_wordpiece(sentences, settings.size, settings.min_frequency)
        with tempfile.TemporaryDirectory() as folder:
            vocabulary = write_vocabulary(pieces, Path(folder) / "pieces.txt")
            found = compare(WordPieceTokenizer(vocabulary, settings.max_pieces), reference(pieces), sentences)
        ours, theirs = (1e6 * seconds / len(sentences) for seconds in (found.ours, found.theirs))
        counts = f"{len(sentences)} | {len(pieces)} | {len(found.different)}"
        print(f"| {file.name} | {counts} | {ours:.0f} | {theirs:.0f} |", flush=True)
        different += found.different
    for sentence in different[:SHOWN]:
        print(f"different: {sentence!r}")
    return not different


if __name__ == "__main__":
    try:
        sys.exit(0 if run(tyro.cli(Settings, prog=Path(sys.argv[0]).name)) else 1)
    except (UsageError, ValueError, OSError, zipfile.BadZipFile) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
