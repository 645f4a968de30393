"""The words that may follow a text, from a model of word pieces."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.decoding import beam_search
from zoo.formulations import LanguageModel
from zoo.preprocessing.text import END_ID, PADDING_ID, START_ID, UNKNOWN_ID, WordPieceTokenizer
from zoo.preprocessing.text.base import METASPACE
from zoo.preprocessing.text.unicode import Kind, look_up_properties

_MAX_PIECES = 20  # of a word, its end included
_BEAMS_PER_WORD = 4
_APOSTROPHES = "'\u2019"
_MARK, _WORD, _SPACE = range(3)


class Pieces:
    """Which pieces of a vocabulary may follow each other within a word.

    A word consists of letters, digits and apostrophes, such as "don't", "1980" or "dogs'"; any other mark is a word by
    itself, and so is a character of a script without spaces. Every sequence of pieces is a sequence of words:

    | after | the word goes on with |
    | --- | --- |
    | letters, digits, apostrophes | pieces of these without a space before them |
    | a mark or a character | "##" pieces alone, such as the skin tone of an emoji |
    | "▁", a space by itself | all pieces without a space before them |

    Args:
        tokenizer: the tokenizer, whose vocabulary the pieces are.
    """

    def __init__(self, tokenizer: WordPieceTokenizer) -> None:
        tokens = tokenizer.get_vocabulary()
        is_special = np.isin(np.arange(len(tokens)), [PADDING_ID, UNKNOWN_ID, START_ID, END_ID])
        is_inside = np.array([token.startswith("##") for token in tokens]) & ~is_special
        self.has_space = np.array([token.startswith(METASPACE) for token in tokens])
        texts = [token.removeprefix("##").removeprefix(METASPACE) for token in tokens]
        first = look_up_properties(tf.constant([ord(text[0]) if text else 0 for text in texts])).kind.numpy()
        is_word = np.isin(first, [Kind.LETTER, Kind.MARK, Kind.NUMBER]) & ~is_special
        is_word |= np.isin([text[:1] for text in texts], list(_APOSTROPHES))
        self.kinds = np.where(is_word, _WORD, _MARK).astype(np.int32)
        self.kinds[[token == METASPACE for token in tokens]] = _SPACE
        follows_directly = ~self.has_space & ~is_special
        self.continuations = np.stack([is_inside, is_inside | (is_word & follows_directly), follows_directly])
        self.can_begin = ~is_inside & ~is_special

    def count_words(self, ids: np.ndarray) -> int:
        """Return the number of words and ends of paragraphs among ids [n], except the one that the first belongs to."""
        return int(np.count_nonzero(~self.continuations[self.kinds[ids[:-1]], ids[1:]]))


class NextWords(NamedTuple):
    """The words that may follow each text, the most probable first; padded with empty strings and zeros.

    Attributes:
        words: string [batch, n].
        probabilities: float32 [batch, n].
    """

    words: tf.Tensor
    probabilities: tf.Tensor


def search_words(
    model: LanguageModel,
    tokenizer: WordPieceTokenizer,
    pieces: Pieces,
    ids: tf.Tensor,
    ends_with_space: tf.Tensor,
    top_k: int,
) -> NextWords:
    """Find the most probable words after texts.

    The probability of a word is that of its pieces, times that of what follows it: the pieces that do not continue it.
    It is the probability among all words that may follow at this place: the text goes on, its last word is finished,
    and after a space there is a word that has one before it. A beam search finds the words. Where the same word may
    stand both with and without a space before it, both count.

    Args:
        model: the model.
        tokenizer: of the pieces.
        pieces: what `Pieces` says about them.
        ids: int32 [batch, time]: `END_ID` and the pieces of each text.
        ends_with_space: bool [batch].
        top_k: number of words, n.
    """
    kinds, continuations = tf.constant(pieces.kinds), tf.constant(pieces.continuations)
    is_end = tf.range(len(pieces.kinds)) == END_ID

    def step(tokens: tf.Tensor, state: dict[str, Any]) -> tuple[tf.Tensor, dict[str, Any]]:
        logits, states = model.step(tokens, state["states"])
        kind = tf.gather(kinds, tokens)
        is_inside = tf.gather(continuations, kind)
        can_begin = pieces.can_begin & ~is_inside & (pieces.has_space | ~state["ends_with_space"][:, None])
        of_end = tf.reduce_logsumexp(tf.where(is_inside, -np.inf, logits), -1)
        of_end = tf.where(kind == _SPACE, -np.inf, of_end)
        inside = tf.where(is_inside, logits, tf.where(is_end, of_end[:, None], -np.inf))
        first = tf.where(can_begin, logits, -np.inf)
        new_state = {**state, "states": states, "is_first": tf.zeros_like(state["is_first"])}
        return tf.where(state["is_first"][:, None], first, inside), new_state

    last = tf.reduce_sum(tf.cast(ids != PADDING_ID, tf.int32), 1) - 1
    is_last = tf.range(tf.shape(ids)[1]) == last[:, None]
    _, states = model.read(tf.where(is_last, PADDING_ID, ids))
    result = beam_search(
        step,
        {
            "states": states,
            "is_first": tf.ones_like(ends_with_space),
            "ends_with_space": ends_with_space,
        },
        start_id=tf.gather(ids, last, batch_dims=1),
        end_id=END_ID,
        max_length=_MAX_PIECES,
        num_beams=_BEAMS_PER_WORD * top_k,
        num_return_sequences=_BEAMS_PER_WORD * top_k,
    )
    words = tf.strings.reduce_join(tokenizer.ids_to_tokens(result.tokens), -1)
    words = tf.strings.regex_replace(words, METASPACE, "")
    probabilities = tf.where(result.is_complete, tf.exp(result.scores), 0.0)
    # The same word with and without a space before it is one word.
    is_same = words[:, :, None] == words[:, None, :]
    is_repeated = tf.argmax(is_same, -1, tf.int32) < tf.range(tf.shape(words)[1])
    probabilities = tf.reduce_sum(tf.where(is_same, probabilities[:, None, :], 0.0), -1)
    probabilities, indices = tf.math.top_k(tf.where(is_repeated, 0.0, probabilities), top_k)
    words = tf.where(probabilities > 0, tf.gather(words, indices, batch_dims=1), "")
    return NextWords(words, probabilities)
