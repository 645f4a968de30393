"""Metrics of generated text: translations and captions."""

import itertools
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from typing import NamedTuple, TypeVar, cast

import numpy as np
import tensorflow as tf
from sacrebleu.metrics import BLEU, CHRF

from zoo.errors import UsageError
from zoo.languages import normalize_language
from zoo.preprocessing.text import join_plain_words, normalize_texts, split_plain_words

T = TypeVar("T")

logger = logging.getLogger(__name__)

_INSTALL_MECAB = '`pip install -c constraints.txt -e ".[ja]"`'
_BLEU_TOKENIZERS = {"zh": "zh", "yue": "zh", "th": "char", "lo": "char", "km": "char", "my": "char"}

_Ngrams = Counter[tuple[str, ...]]


class CorpusScore(NamedTuple):
    """The score of a whole test set, and how it was computed.

    Example:
        >>> import zoo
        >>> round(zoo.metrics.bleu(["the dog runs in the garden"], ["the dog runs in the garden"]).score, 1)
        100.0
    """

    score: float
    """From 0 to 100."""
    signature: str
    """The sacrebleu signature. Scores are comparable if their signatures are equal."""


def choose_bleu_tokenizer(language: str, tokenizer: str | None = None) -> str:
    """Return the tokenizer with which sacrebleu measures BLEU in a language.

    | language | tokenizer | its words are |
    | --- | --- | --- |
    | Chinese, Cantonese | zh | characters of Chinese; of other scripts as 13a has them |
    | Japanese | ja-mecab | those of MeCab, with the dictionary of IPA |
    | Japanese without MeCab, Thai, Lao, Khmer, Burmese | char | characters |
    | others | 13a | what spaces and punctuation separate |

    The extra `ja` contains MeCab; a log message says so where it is missing. Scores of different tokenizers
    are not comparable: those of characters are higher.

    Args:
        language: name of a language or locale, such as "zh", "zh_CN" or "jpn".
        tokenizer: the choice of the user, which overrides that of the language.

    Raises:
        UsageError: the user chose "ja-mecab", and MeCab is not installed.

    Example:
        >>> [choose_bleu_tokenizer(language) for language in ("zh_CN", "th", "de", "target")]
        ['zh', 'char', '13a', '13a']
    """
    has_mecab = all(find_spec(name) for name in ("MeCab", "ipadic"))
    if tokenizer == "ja-mecab" and not has_mecab:
        raise UsageError(
            f"The tokenizer {tokenizer} of BLEU needs MeCab, which is not installed. Run {_INSTALL_MECAB}, or choose "
            "the tokenizer char."
        )
    code = normalize_language(language).split("_")[0]
    if tokenizer or code != "ja":
        return tokenizer or _BLEU_TOKENIZERS.get(code, "13a")
    if not has_mecab:
        logger.warning("BLEU is that of characters. For words, as papers count them, run %s.", _INSTALL_MECAB)
    return "ja-mecab" if has_mecab else "char"


def bleu(predictions: Sequence[str], references: Sequence[str], tokenize: str = "13a") -> CorpusScore:
    """Compute corpus BLEU with sacrebleu, of texts in normalized form (`zoo.preprocessing.text.normalize_texts`).

    Papineni et al. (2002, "BLEU: a method for automatic evaluation of machine translation"); Post (2018, "A
    call for clarity in reporting BLEU scores").

    Args:
        predictions: one text per example.
        references: one reference text per example.
        tokenize: sacrebleu's tokenizer, such as "13a", "zh", or "none" for tokenized texts; see
            `choose_bleu_tokenizer`.

    Returns:
        The score from 0 to 100, and sacrebleu's signature.

    Raises:
        ValueError: predictions and references differ in number, there are none, or one of them is not a text.

    Example:
        >>> bleu(["the cat sat on the mat"], ["the cat sat on a mat"]).signature.split("|version")[0]
        'nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp'
    """
    return _score_corpus(BLEU(tokenize=tokenize, force=True), predictions, references)


def chrf(predictions: Sequence[str], references: Sequence[str]) -> CorpusScore:
    """Compute corpus chrF2 with sacrebleu: an F-score of character n-grams, n = 1 to 6.

    Popović (2015, "chrF: character n-gram F-score for automatic MT evaluation").

    Args:
        predictions: one text per example.
        references: one reference text per example.

    Returns:
        The score from 0 to 100, and sacrebleu's signature.

    Raises:
        ValueError: predictions and references differ in number, there are none, or one of them is not a text.

    Example:
        >>> round(chrf(["a cat"], ["the cat"]).score)
        31
    """
    return _score_corpus(CHRF(), predictions, references)


def sentence_chrf(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    """Compute chrF2 of each text with sacrebleu; of several references the best one counts.

    Args:
        predictions: one text per example.
        references: one or more reference texts per example.

    Returns:
        The scores, from 0 to 100.

    Raises:
        ValueError: predictions and references differ in number, there are none, an example has no reference, or
            its references are not a list of texts.

    Example:
        >>> [round(score) for score in sentence_chrf(["a cat", "dogs"], [["a cat"], ["the cat", "a dog"]])]
        [100, 48]
    """
    _check_examples(predictions, references, depth=2)
    metric = CHRF()
    pairs = zip(_normalize(predictions), _apply_to_lists(_normalize, references), strict=True)
    return [float(metric.sentence_score(text, valid).score) for text, valid in pairs]


def exact_match(predictions: Sequence[str], references: Sequence[str]) -> float:
    """Compute the percentage of predictions that equal their reference, apart from the kind of whitespace.

    Args:
        predictions: one text per example.
        references: one reference text per example.

    Returns:
        A percentage.

    Raises:
        ValueError: predictions and references differ in number, there are none, or one of them is not a text.

    Example:
        >>> exact_match(["14:30\u202fh", "14.30"], ["14:30 h", "14:30"])
        50.0
    """
    _check_examples(predictions, references)
    pairs = zip(_normalize(predictions), _normalize(references), strict=True)
    matches = sum(prediction.split() == reference.split() for prediction, reference in pairs)
    return 100 * matches / len(references)


def score_translations(
    predictions: Sequence[str], references: Sequence[str], bleu_tokenizer: str = "13a"
) -> dict[str, float]:
    """Compute the usual metrics of translation, each from 0 to 100.

    Args:
        predictions: one translation per sentence.
        references: one reference translation per sentence.
        bleu_tokenizer: tokenizer of `bleu`; see `choose_bleu_tokenizer`.

    Returns:
        "BLEU", "chrF" and "exact match".

    Raises:
        ValueError: predictions and references differ in number, there are none, or one of them is not a text.

    Example:
        >>> score_translations(["\u661f\u671f\u4e00"], ["\u661f\u671f\u4e00"], "zh")["exact match"]
        100.0
    """
    return {
        "BLEU": bleu(predictions, references, bleu_tokenizer).score,
        "chrF": chrf(predictions, references).score,
        "exact match": exact_match(predictions, references),
    }


def _score_corpus(metric: BLEU | CHRF, predictions: Sequence[str], references: Sequence[str]) -> CorpusScore:
    _check_examples(predictions, references)
    score = metric.corpus_score(_normalize(predictions), [_normalize(references)]).score
    return CorpusScore(score, str(metric.get_signature()))


def _normalize(texts: Sequence[str]) -> list[str]:
    """Return texts as the tokenizers read them, so that a reference equals what a model can generate."""
    return [text.decode() for text in normalize_texts(tf.constant(list(texts), tf.string)).numpy().tolist()]


def _apply_to_lists(
    function: Callable[[Sequence[str]], Sequence[T]], lists: Sequence[Sequence[str]]
) -> list[list[T]]:
    """Call a function for the texts of all lists at once, and return its results in lists of the same lengths."""
    results = iter(function(list(itertools.chain.from_iterable(lists))))
    return [list(itertools.islice(results, len(texts))) for texts in lists]


def _check_examples(
    predictions: Sequence[str], references: Sequence[str] | Sequence[Sequence[str]], depth: int = 1
) -> None:
    """Raise a ValueError unless there are one or more texts, each with a reference, or with depth 2 a list of them."""
    _check_nesting("predictions", predictions, 1)
    _check_nesting("references", references, depth)
    if not len(predictions) == len(references) > 0:
        raise ValueError(
            f"Got {len(predictions)} predictions and references for {len(references)}, expected as many of both, and "
            "at least one. Pass references for each prediction."
        )
    if empty := [number for number, valid in enumerate(references) if depth == 2 and not len(valid)]:
        raise ValueError(
            f"`references[{empty[0]}]` has no texts, expected at least one. Leave out the example, or add a reference."
        )


def _check_nesting(name: str, texts: object, depth: int) -> None:
    """Raise a ValueError unless an argument is a list of texts (depth 1), or a list of lists of texts (depth 2)."""
    is_text = isinstance(texts, (str, bytes))
    if is_text == (depth == 0) and isinstance(texts, Iterable):
        if not is_text:
            for number, item in enumerate(texts):
                _check_nesting(f"{name}[{number}]", item, depth - 1)
        return
    expected = f"a list of {'lists of ' * (depth - 1)}texts" if depth else "a text"
    advice = "Put it into a list, also a single one." if is_text else "Pass the texts themselves."
    raise ValueError(f"`{name}` is {texts!r:.60}, expected {expected}. {advice}")


def normalize_captions(captions: Sequence[str]) -> list[str]:
    """Lowercase captions, and remove punctuation, emoji and repeated spaces.

    See `zoo.preprocessing.text.join_plain_words`.

    Raises:
        ValueError: it is not a list of texts.

    Example:
        >>> normalize_captions(["A man's dog, half-asleep, sits on the grass ."])
        ["a man's dog half asleep sits on the grass"]
    """
    _check_nesting("captions", captions, 1)
    return [text.decode() for text in join_plain_words(tf.constant(list(captions), tf.string)).numpy()]


def normalize_caption_lists(lists: Sequence[Sequence[str]]) -> list[list[str]]:
    """Normalize the captions of each image or clip; see `normalize_captions`.

    Raises:
        ValueError: the captions of an image are not a list of texts.

    Example:
        >>> import zoo
        >>> zoo.metrics.normalize_caption_lists([["A dog.", "Two dogs!"]])
        [['a dog', 'two dogs']]
    """
    _check_nesting("lists", lists, 2)
    return _apply_to_lists(normalize_captions, lists)


def split_captions(captions: Sequence[str]) -> list[list[str]]:
    """Return the words of each caption, as `score_captions` compares them.

    Raises:
        ValueError: it is not a list of texts.
    """
    _check_nesting("captions", captions, 1)
    words = split_plain_words(tf.constant(list(captions), tf.string)).to_list()
    return [[word.decode() for word in row] for row in words]


def score_captions(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Compute the usual metrics of image captioning on normalized captions.

    - BLEU-1 to BLEU-4 of the corpus, against all references, with the brevity penalty of the closest
      reference length. Papineni et al. (2002, "BLEU: a method for automatic evaluation of machine
      translation").
    - ROUGE-L: the mean over captions of the F-score of the longest common subsequence, with beta = 1.2. Lin
      (2004, "ROUGE: a package for automatic evaluation of summaries").
    - CIDEr-D, in percent: 100 is a CIDEr of 1, and more is possible. Vedantam, Zitnick and Parikh (2015,
      "CIDEr: consensus-based image description evaluation"). N-grams in the references of all images have no
      weight, so CIDEr-D of a single image is 0; a warning in the log says so, see `explain_zero_cider`.

    ROUGE-L and CIDEr-D are computed as in the COCO caption evaluation, except for the tokenizer, which is
    `zoo.preprocessing.text.split_plain_words`: in Chinese, Japanese, Thai and other scripts without spaces, words
    are characters.

    Args:
        predictions: one caption per image.
        references: one or more captions per image; their number may differ between images.

    Returns:
        "BLEU-1" to "BLEU-4", "ROUGE-L" and "CIDEr".

    Raises:
        ValueError: predictions and references differ in number, there are none, an image has no reference, or
            its references are not a list of texts.

    Example:
        >>> round(score_captions(["a dog runs"], [["a dog runs fast", "the dog runs"]])["BLEU-2"])
        100
    """
    _check_examples(predictions, references, depth=2)
    words = split_captions(predictions)
    reference_words = _apply_to_lists(split_captions, references)
    # sacrebleu takes streams: the k-th reference of every prediction, None where there are fewer.
    predicted = [" ".join(caption) for caption in words]
    streams = [
        [" ".join(captions[k]) if k < len(captions) else None for captions in reference_words]
        for k in range(max(map(len, reference_words)))
    ]
    scores = {}
    for order in range(1, 5):
        metric = BLEU(tokenize="none", force=True, max_ngram_order=order, smooth_method="none")
        # sacrebleu documents None in a stream, but its annotation does not include it.
        bleu_score = metric.corpus_score(predicted, cast(list[list[str]], streams))
        scores[f"BLEU-{order}"] = float(bleu_score.score)
    rouge = [_rouge_l(*pair) for pair in zip(words, reference_words, strict=True)]
    scores["ROUGE-L"] = 100 * float(np.mean(rouge))
    scorer = CiderScorer(reference_words)
    scores["CIDEr"] = 100 * float(np.mean([scorer.score(*pair) for pair in zip(words, itertools.count())]))
    if reason := explain_zero_cider(references):
        logger.warning("%s", reason)
    return scores


def explain_zero_cider(references: Sequence[Sequence[str]]) -> str:
    """Return for how many images CIDEr is 0 whatever their captions, and why; empty if there are none.

    CIDEr weights an n-gram by the number of images without it in their references, so n-grams that all images
    have count nothing. Of one image these are all n-grams, of a few similar ones many.

    Args:
        references: one or more captions per image.

    Raises:
        ValueError: the references of an image are not a list of texts.

    Example:
        >>> explain_zero_cider([["a dog"], ["a cat"]])
        ''
        >>> explain_zero_cider([["a dog"]]).split(":")[0]
        'CIDEr is 0 for 1 of 1 images, even for a perfect caption'
    """
    _check_nesting("references", references, 2)
    images = _collect_ngrams(_apply_to_lists(split_captions, references))
    shared = set.intersection(*images) if images else set()
    num_zero = sum(ngrams <= shared for ngrams in images)
    if not num_zero:
        return ""
    return (
        f"CIDEr is 0 for {num_zero:,} of {len(images):,} images, even for a perfect caption: all words of their "
        "references are in the references of every image, and have no weight. Score more images, or compare BLEU and "
        "ROUGE-L."
    )


def _rouge_l(prediction: list[str], references: list[list[str]]) -> float:
    beta = 1.2
    common = [_longest_common_subsequence(prediction, reference) for reference in references]
    precision = max(common) / max(len(prediction), 1)
    recall = max(n / max(len(reference), 1) for n, reference in zip(common, references, strict=True))
    if not precision or not recall:
        return 0.0
    return (1 + beta**2) * precision * recall / (recall + beta**2 * precision)


def _longest_common_subsequence(a: list[str], b: list[str]) -> int:
    """Return its length."""
    lengths = [0] * (len(b) + 1)
    for left in a:
        diagonal = 0
        for j, right in enumerate(b, 1):
            above = lengths[j]
            lengths[j] = diagonal + 1 if left == right else max(above, lengths[j - 1])
            diagonal = above
    return lengths[-1]


class CiderScorer:
    """CIDEr-D of single captions, with the document frequencies of a set of images.

    It is the cosine of clipped n-gram counts weighted by TF-IDF, times a Gaussian length penalty; the document
    frequency of an n-gram is the number of images that have it in a reference. See `score_captions`.

    Args:
        references: words of one or more captions of each image, from `split_captions`.

    Raises:
        ValueError: a caption is a text instead of its words.

    Example:
        >>> scorer = CiderScorer([[["a", "dog", "runs"]], [["two", "cats", "sit"]]])
        >>> scorer.score(["a", "dog", "runs"], image=0), scorer.score(["two", "cats"], image=0)
        (7.5, 0.0)
    """

    def __init__(self, references: list[list[list[str]]]) -> None:
        _check_nesting("references", references, 3)
        self._references = references
        self._document_frequency = Counter(ngram for image in _collect_ngrams(references) for ngram in image)

    def score(self, words: list[str], image: int) -> float:
        """Return the CIDEr-D of a caption; 1 is 100 %.

        Args:
            words: words of the caption.
            image: index of its image.

        Raises:
            ValueError: it is a text instead of its words.
        """
        _check_nesting("words", words, 1)
        return 10 * float(np.mean([self._compare(words, reference) for reference in self._references[image]]))

    def _compare(self, words: list[str], reference: list[str]) -> float:
        vectors, total = (self._compute_tf_idf(words), self._compute_tf_idf(reference)), 0.0
        for order in range(1, 5):
            p, r = ({k: v for k, v in vector.items() if len(k) == order} for vector in vectors)
            norms = math.hypot(*p.values()) * math.hypot(*r.values())
            product = sum(min(value, r[ngram]) * r[ngram] for ngram, value in p.items() if ngram in r)
            total += product / norms if norms else 0.0
        return total / 4 * math.exp(-((len(words) - len(reference)) ** 2) / (2 * 6.0**2))

    def _compute_tf_idf(self, words: list[str]) -> dict[tuple[str, ...], float]:
        log_images = math.log(len(self._references))
        return {
            ngram: count * (log_images - math.log(max(1, self._document_frequency[ngram])))
            for ngram, count in _count_ngrams(words).items()
        }


def _collect_ngrams(references: list[list[list[str]]]) -> list[set[tuple[str, ...]]]:
    """Return the n-grams in the references of each image."""
    return [set().union(*(_count_ngrams(caption) for caption in captions)) for captions in references]


def _count_ngrams(words: list[str]) -> _Ngrams:
    return Counter(tuple(words[i : i + n]) for n in range(1, 5) for i in range(len(words) - n + 1))
