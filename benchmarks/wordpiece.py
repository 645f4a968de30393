"""Compare `zoo.preprocessing.text.WordPieceTokenizer` with `tokenizers`: results and time.

python benchmarks/wordpiece.py train.de.gz train.en.gz --vocabulary-size 4000

For each file a vocabulary is trained. Then both tokenizers clean, split and encode every sentence of the
file, 1,000 sentences at a time, by turns and on all cores. The ids must be equal. The zoo's tokenizer also
detokenizes the ids, with unknown words copied, and the result must be the sentence as `tokenizers` cleaned
it. The exit code is 1 if anything differs.
"""

import gzip
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf
import tyro
from tokenizers import Regex, Tokenizer, normalizers
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Split

from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt
from zoo.errors import UsageError
from zoo.preprocessing.text import UNKNOWN_ID, WordPieceTokenizer, train_wordpiece, write_vocabulary

IGNORED = r"[\x{AD}\x{200B}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{FEFF}]"  # characters that show nothing
JOINERS = r"\x{200C}\x{200D}"
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\x{30FC}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
MAX_PRINTED = 5  # sentences that differ
tf.get_logger().setLevel("ERROR")  # each vocabulary is a new function, which TensorFlow takes for retracing


@dataclass(frozen=True)
class Settings:
    """Compare the tokens of every sentence in some files."""

    files: tyro.conf.Positional[tuple[Path, ...]]
    """One sentence per line, also .gz; .zip: tab-separated sentence pairs."""
    vocabulary_size: PositiveInt = 8_000
    min_frequency: PositiveInt = 5  # of characters and tokens in the vocabulary
    max_tokens: PositiveInt = 300  # per sentence


def read_sentences(path: Path) -> list[str]:
    """Return the sentences of a file; of sentence pairs, both."""
    if path.suffix == ".zip":
        try:
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if not Path(name).name.startswith("_")]
                lines = [line for name in names for line in archive.read(name).splitlines()]
        except zipfile.BadZipFile as error:
            raise UsageError(f"{path} is not a zip file: {error}. Name another file.") from error
        sentences = [sentence for line in lines for sentence in line.split(b"\t")[:2]]
    else:
        data = path.read_bytes()
        sentences = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
    if not sentences:
        raise UsageError(f"{path} contains no text. Expected one sentence per line.")
    return [sentence.decode(errors="replace") for sentence in sentences]


def build_reference(vocabulary: Sequence[str]) -> Tokenizer:
    """Build the counterpart of `WordPieceTokenizer` from `tokenizers` alone.

    Each side has its own Unicode tables. Characters of the newest scripts, which are in one of them only, are split
    differently, and so are joiners that join nothing.
    """
    token_to_id = {token: number for number, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(token_to_id, unk_token=vocabulary[UNKNOWN_ID]))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(IGNORED), ""),
            normalizers.NFC(),
            normalizers.Replace(Regex(r"[\p{Z}\p{Cc}\x{2581}]+"), " "),
            normalizers.Strip(),
            normalizers.Replace(Regex("(^| )(?=.)"), "▁"),
        ]
    )
    tokenizer.pre_tokenizer = Split(
        Regex(rf"▁(?={UNSPACED})|▁?((?:(?!{UNSPACED})[\p{{L}}\p{{M}}]\p{{M}}*[{JOINERS}]?)+|\X)"), "isolated"
    )
    return tokenizer


def clean(reference: Tokenizer, sentence: str) -> str:
    """Return a sentence as `tokenizers` cleans it."""
    return reference.normalizer.normalize_str(sentence).replace("▁", " ").strip()


@dataclass
class Comparison:
    """Sentences whose tokens differ, and the seconds that each side took for all sentences."""

    differences: list[str] = field(default_factory=list)
    zoo_seconds: float = 0.0
    tokenizers_seconds: float = 0.0


def compare(tokenizer: WordPieceTokenizer, reference: Tokenizer, sentences: Sequence[str]) -> Comparison:
    """Encode all sentences with both tokenizers, and detokenize them with the zoo's."""
    encode = tf.function(tokenizer.__call__, input_signature=[tf.TensorSpec([None], tf.string)])
    matrices = [tf.TensorSpec([None, None], dtype) for dtype in (tf.int32, tf.string)]
    detokenize = tf.function(tokenizer.detokenize, input_signature=matrices)
    encode([""])  # trace before the clock starts
    comparison = Comparison()
    for first in range(0, len(sentences), 1000):
        batch = sentences[first : first + 1000]
        start = time.perf_counter()
        tokenized = encode(batch)
        middle = time.perf_counter()
        encodings = reference.encode_batch_fast(batch)
        comparison.tokenizers_seconds += time.perf_counter() - middle
        comparison.zoo_seconds += middle - start
        texts = detokenize(tokenized.ids, tokenized.tokens.to_tensor("")).numpy()
        for sentence, row, encoding, text in zip(batch, tokenized.ids.numpy(), encodings, texts, strict=True):
            ids = encoding.ids[: tokenizer.max_tokens]
            is_truncated = len(encoding.ids) > tokenizer.max_tokens
            same_ids = row[: len(ids)].tolist() == ids and not row[len(ids) :].any()
            if not same_ids or not (is_truncated or text.decode() == clean(reference, sentence)):
                comparison.differences.append(sentence)
    return comparison


def run(settings: Settings) -> bool:
    """Compare all files and print a table. Return whether nothing differs."""
    if not settings.files:
        raise UsageError("There are no files to compare. Give at least one file of sentences.")
    print("| file | sentences | tokens | different | zoo, ms per 1,000 | tokenizers, ms per 1,000 |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    differences = []
    for path in settings.files:
        sentences = read_sentences(path)
        vocabulary = train_wordpiece(sentences, settings.vocabulary_size, settings.min_frequency)
        with tempfile.TemporaryDirectory() as directory:
            vocabulary_path = write_vocabulary(vocabulary, Path(directory) / "pieces.txt")
            tokenizer = WordPieceTokenizer(vocabulary_path, settings.max_tokens)
            comparison = compare(tokenizer, build_reference(vocabulary), sentences)
        times = " | ".join(
            f"{1e6 * seconds / len(sentences):.0f}"
            for seconds in (comparison.zoo_seconds, comparison.tokenizers_seconds)
        )
        counts = f"{len(sentences)} | {len(vocabulary)} | {len(comparison.differences)}"
        print(f"| {path.name} | {counts} | {times} |", flush=True)
        differences += comparison.differences
    for sentence in differences[:MAX_PRINTED]:
        print(f"different: {sentence!r}")
    return not differences


if __name__ == "__main__":
    with exit_on_user_error():
        sys.exit(0 if run(tyro.cli(Settings)) else 1)
