"""The words that may follow a text, from a model of word pieces: against all sequences of pieces."""

from collections import defaultdict

import keras
import numpy as np
import pytest
import tensorflow as tf
from references import randomize_weights

import zoo
from zoo.preprocessing.text import END_ID, WordPieceTokenizer, write_vocabulary
from zoo.tasks.language_model import WordPieceModule, WordPiecePreprocessor
from zoo.tasks.word_search import Pieces, search_words

SPECIAL = ["[PAD]", "[UNK]", "[START]", "[END]"]
TOKENS = [*SPECIAL, "▁a", "##b", "b", "'", "▁'", ",", "▁7", "7", "▁", "木", "##🏽", "▁👍"]
SPACED, WORDLIKE = "▁", set("ab'7")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> WordPieceTokenizer:
    path = write_vocabulary(TOKENS, tmp_path_factory.mktemp("pieces") / "pieces.txt")
    return WordPieceTokenizer(path, max_tokens=50, truncation_side="left")


@pytest.fixture(scope="module")
def model() -> zoo.LanguageModel:
    keras.utils.set_random_seed(3)
    model = zoo.LanguageModel(len(TOKENS), 8, zoo.Encoder(zoo.LSTMCell(8), 2), tie_weights=True)
    model.build((None, None))
    randomize_weights(model)
    return model


def continues(word: list[str], token: str) -> bool:
    """Whether a piece belongs to the same word as those before it."""
    if token in SPECIAL or token.startswith(SPACED):
        return False
    if token.startswith("##") or word == [SPACED]:
        return True
    return word[-1].strip("#▁")[0] in WORDLIKE and token[0] in WORDLIKE


def enumerate_words(model: zoo.LanguageModel, ids: list[int], ends_with_space: bool) -> dict[str, float]:
    """The probability of each word after a text, by all sequences of up to six pieces."""
    words: dict[str, float] = defaultdict(float)

    def predict(sequences: list[list[int]]) -> np.ndarray:
        return tf.nn.softmax(model(np.array([ids + sequence for sequence in sequences]))[:, -1]).numpy()

    last = [TOKENS[ids[-1]]]
    first = [
        i
        for i, token in enumerate(TOKENS)
        if token not in SPECIAL
        and not token.startswith("##")
        and not (last[0] not in SPECIAL and continues(last, token))
        and (token.startswith(SPACED) or not ends_with_space)
    ]
    [following] = predict([[]])
    prefixes = [([i], following[i] / following[first].sum()) for i in first]
    for _ in range(6):
        extended = []
        for (sequence, probability), following in zip(
            prefixes, predict([sequence for sequence, _ in prefixes]), strict=True
        ):
            word = [TOKENS[i] for i in sequence]
            inside = [i for i, token in enumerate(TOKENS) if continues(word, token)]
            if word == [SPACED]:
                following /= following[inside].sum()
            else:
                text = "".join(token.removeprefix("##").removeprefix(SPACED) for token in word)
                words[text] += probability * (1 - following[inside].sum())
            extended += [([*sequence, i], probability * following[i]) for i in inside]
        prefixes = [prefix for prefix in extended if prefix[1] > 1e-4]
        if not prefixes:
            break
    return words


@pytest.mark.parametrize(
    ("text", "ends_with_space"),
    [
        ("▁a", False),
        ("▁a", True),
        ("▁a ,", False),
        ("▁a ,", True),
        ("▁ 木", False),
        ("▁👍 ##🏽", False),
        ("", False),
    ],
)
def test_words_are_those_of_all_sequences_of_pieces(
    tokenizer: WordPieceTokenizer, model: zoo.LanguageModel, text: str, ends_with_space: bool
) -> None:
    ids = [END_ID, *(TOKENS.index(token) for token in text.split())]
    expected = enumerate_words(model, ids, ends_with_space)
    assert sum(expected.values()) > 0.95
    padded = np.array([[*ids, 0, 0], [END_ID] + [4] * (len(ids) + 1)], np.int32)
    found = search_words(
        model, tokenizer, Pieces(tokenizer), tf.constant(padded), tf.constant([ends_with_space, False]), 40
    )
    words = [word.decode() for word in found.words[0].numpy()]
    probabilities = found.probabilities[0].numpy()
    assert len(set(words)) == len(words)
    assert (np.diff(probabilities) <= 0).all()
    for word, probability in list(zip(words, probabilities, strict=True))[:15]:
        # The search leaves out improbable ways to write a word.
        assert 0.95 * expected[word] < probability < 1.001 * expected[word], word
    assert set(words[:8]) == set(sorted(expected, key=expected.__getitem__)[-8:])


def test_words_of_pieces_are_counted(tokenizer: WordPieceTokenizer) -> None:
    def count(tokens: str) -> int:
        return Pieces(tokenizer).count_words(np.array([TOKENS.index(token) for token in tokens.split()]))

    assert count("[END] ▁a ##b ' b , ▁7 7 ▁ 木 木 ▁👍 ##🏽 [END]") == 7
    assert count("▁a ##b") == 0
    assert count("[END] [END]") == 1


def test_a_space_at_the_end_asks_for_a_word_after_a_space(
    tokenizer: WordPieceTokenizer, model: zoo.LanguageModel
) -> None:
    module = WordPieceModule(WordPiecePreprocessor(tokenizer), model)
    outputs = module.predict_next(tf.constant(["a", "a ", "a\t", "a\u3000", "a\n", "", " "]))
    probabilities = outputs["probabilities"].numpy()
    ids = [END_ID, TOKENS.index("▁a")]
    for row, ends_with_space in enumerate([False, True, True, True, True]):
        expected = enumerate_words(model, ids, ends_with_space)
        for word, probability in zip(outputs["words"].numpy()[row], probabilities[row], strict=True):
            assert probability == pytest.approx(expected[word.decode()], rel=0.05)
    assert abs(probabilities[0] - probabilities[1]).max() > 0.05
    assert not (outputs["words"].numpy()[5:] != b"").any()
    assert not probabilities[5:].any()
    assert outputs["status"].numpy().tolist() == [b""] * 5 + [b"no text"] * 2
