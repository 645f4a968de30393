"""Self-critical training: samples, rewards and advantages, and that training on them resumes exactly."""

import os
import signal
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from exports import save_time

import zoo
from zoo.errors import Interrupted
from zoo.losses import PolicyGradientLoss
from zoo.metrics import score_captions
from zoo.metrics.text import CiderScorer, split_captions
from zoo.preprocessing.images import build_image_encoder
from zoo.preprocessing.text import END_ID, START_ID
from zoo.tasks.captioning import CaptioningModule, CaptioningPreprocessor, FeatureSplit
from zoo.tasks.self_critical import NUM_SAMPLES, add_advantages, sample_captions

CAPTIONS = [["a red dog"], ["two blue cats", "two cats"], ["a green boat on a lake"], ["a lake"]]


@pytest.fixture(scope="module")
def split() -> FeatureSplit:
    features = np.random.default_rng(1).normal(size=(5, 3, 3, 6)).astype("float32")
    return FeatureSplit(features, np.array([0, 1, 3, 4]), CAPTIONS)  # the third cannot be read


def make_module(split: FeatureSplit, directory: Path) -> CaptioningModule:
    """An untrained captioner, for feature maps of random numbers."""
    keras.utils.set_random_seed(2)
    preprocessor = CaptioningPreprocessor(build_image_encoder("small", 32))
    preprocessor.adapt(split, 60, 8, directory)
    decoder = zoo.Decoder(
        preprocessor.tokenizer.vocabulary_size,
        8,
        zoo.GRUCell(32),
        1,
        attention=zoo.MultiplicativeAttention(),
        dropout=0.1,
    )
    model = zoo.OneToMany(decoder, dropout=0.1, doubly_stochastic=0.0)
    model.build(((None, *split.features.shape[1:]), (None, None)))
    return CaptioningModule(preprocessor, model)


@pytest.mark.parametrize("seed", range(3))
def test_loss_and_gradient_equal_those_of_numpy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids, advantages = rng.integers(7, size=(3, 4)), rng.normal(size=(3, 4))
    logits = rng.normal(size=(3, 4, 7))
    x = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(x)
        losses = PolicyGradientLoss(reduction=None, dtype="float64")(np.stack([ids, advantages], -1), x)
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    one_hot = np.eye(7)[ids]
    np.testing.assert_allclose(losses, -advantages * np.log((probabilities * one_hot).sum(-1)), 1e-12)
    expected = advantages[..., None] * (probabilities - one_hot)
    np.testing.assert_allclose(tape.gradient(losses, x), expected, 1e-10, 1e-13)


def test_scores_of_single_captions_average_to_the_score_of_all() -> None:
    predictions = ["a dog", "two cats sit", "a boat on a lake", ""]
    words = split_captions(predictions)
    scorer = CiderScorer([split_captions(references) for references in CAPTIONS])
    scores = [scorer.score(caption, image) for image, caption in enumerate(words)]
    assert 100 * np.mean(scores) == pytest.approx(score_captions(predictions, CAPTIONS)["CIDEr"])
    assert len(set(scores)) == 4


def test_a_batch_has_samples_and_their_advantages(split: FeatureSplit, tmp_path: Path) -> None:
    module = make_module(split, tmp_path)
    batches = sample_captions(module, split, batch_size=2 * NUM_SAMPLES, seed=3)
    references = [[[*words, "."] for words in split_captions(captions)] for captions in CAPTIONS]
    scorer, seen = CiderScorer(references), []
    for keys, ((features, inputs), labels, weights) in zip(batches.make_keys(4), batches(4), strict=True):
        ids, advantages = np.array(labels[..., 0], int), np.array(labels[..., 1])
        images = np.repeat(keys, NUM_SAMPLES)
        seen += list(keys.numpy())
        np.testing.assert_array_equal(features, split.features[split.rows[images]])
        np.testing.assert_array_equal(inputs[:, 0], START_ID)
        np.testing.assert_array_equal(inputs[:, 1:], ids[:, :-1])
        np.testing.assert_array_equal(weights, ids != 0)
        rewards = []
        for row, image in zip(ids, images, strict=True):
            is_complete = END_ID in row
            tokens = row[: list(row).index(END_ID)] if is_complete else np.trim_zeros(row, "b")
            assert len(tokens) + is_complete <= module.max_length
            assert not row[len(tokens) + 1 :].any()
            (text,) = module.preprocessor.tokenizer.detokenize(tf.constant([tokens], tf.int32)).numpy()
            (words,) = split_captions([text.decode()])
            rewards.append(scorer.score([*words, "."] if is_complete else words, image))
        for start in range(0, len(rewards), NUM_SAMPLES):
            for k in range(start, start + NUM_SAMPLES):
                others = [rewards[j] for j in range(start, start + NUM_SAMPLES) if j != k]
                used = advantages[k][ids[k] != 0]
                np.testing.assert_allclose(used, rewards[k] - np.mean(others), 1e-5, 1e-6)
    assert sorted(seen) == [0, 1, 2, 3]


def test_samples_depend_on_seed_epoch_and_weights(split: FeatureSplit, tmp_path: Path) -> None:
    module = make_module(split, tmp_path)

    datasets = {seed: sample_captions(module, split, 5, seed) for seed in (1, 2)}

    def read(seed: int, epoch: int) -> list[list[int]]:
        return [row for (_, ids), _, _ in datasets[seed](epoch) for row in ids.numpy().tolist()]

    first = read(1, 0)
    assert read(1, 0) == first
    assert read(2, 0) != first != read(1, 1)
    for weight in module.model.weights:
        weight.assign(-3 * weight)
    assert read(1, 0) != first


@pytest.fixture(scope="module")
def caption_run(split: FeatureSplit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a run of a few epochs on captions."""
    directory = tmp_path_factory.mktemp("caption_run")
    fit_to_captions(make_module(split, directory), split, directory / "run")
    return directory / "run"


def fit_to_captions(module: CaptioningModule, split: FeatureSplit, run_dir: Path) -> None:
    """Train on captions, or read the weights of a run that has ended."""
    batches = module.preprocessor.bucket(split, 2, seed=1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with save_time():
        zoo.fit(
            module.model,
            batches,
            optimizer=keras.optimizers.Adam(0.02),
            loss=loss,
            epochs=6,
            run_dir=run_dir,
        )


def fit_to_samples(
    module: CaptioningModule,
    split: FeatureSplit,
    run_dir: Path,
    epochs: int,
    interrupt_at: int | None = None,
) -> None:
    callbacks = []
    if interrupt_at is not None:
        stop = lambda batch, logs=None: batch == interrupt_at and os.kill(os.getpid(), signal.SIGINT)  # noqa: E731
        callbacks.append(keras.callbacks.LambdaCallback(on_train_batch_end=stop))
    with save_time():
        zoo.fit(
            module.model,
            sample_captions(module, split, 2 * NUM_SAMPLES, seed=5),
            module.preprocessor.bucket(split, 4).map(add_advantages),
            optimizer=keras.optimizers.Adam(0.005),
            loss=PolicyGradientLoss(),
            epochs=epochs,
            monitor="val_loss",
            mode="max",  # the weights of the last epochs: they leave the captions of the data
            run_dir=run_dir,
            callbacks=callbacks,
        )


def compute_cider(module: CaptioningModule, split: FeatureSplit) -> float:
    return score_captions(module.caption_split(split, "greedy"), split.captions)["CIDEr"]


def test_training_on_samples_resumes_exactly(split: FeatureSplit, caption_run: Path, tmp_path: Path) -> None:
    def train(name: str, **options: int) -> CaptioningModule:
        module = make_module(split, tmp_path)
        fit_to_captions(module, split, caption_run)
        fit_to_samples(module, split, tmp_path / name, epochs=3, **options)
        return module

    whole = train("whole")
    with pytest.raises(Interrupted):
        train("parts", interrupt_at=0)
    for one, other in zip(whole.model.weights, train("parts").model.weights, strict=True):
        np.testing.assert_array_equal(one, other, one.path)


def test_training_on_samples_raises_the_reward(
    split: FeatureSplit, caption_run: Path, tmp_path: Path
) -> None:
    module = make_module(split, tmp_path)
    fit_to_captions(module, split, caption_run)
    before = compute_cider(module, split)
    fit_to_samples(module, split, tmp_path / "run", epochs=40)
    assert compute_cider(module, split) > before + 20
