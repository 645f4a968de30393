"""The captioning recipe and its task: exports run by a process with TensorFlow alone, and rebuilt models."""

import contextlib
import dataclasses
import io
import re
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import av
import keras
import numpy as np
import pytest
import tensorflow as tf
from exports import (
    Outputs,
    assert_batchable,
    assert_parts_compute_the_whole,
    assert_portable,
    assert_same_as_export,
    generate_greedily,
    make_part_requests,
    predict_in_process,
    read_metrics,
    run_client,
    save_time,
)
from matplotlib.image import imread
from PIL import Image
from videos import make_frames, write_video

import zoo
from zoo.card import read_card
from zoo.datasets import CaptioningSplit, DataInfo, DataSplits, load_captioning
from zoo.datasets.builders import scenes
from zoo.errors import DataError, UsageError, VideoError
from zoo.metrics import score_captions
from zoo.preprocessing.images import build_image_encoder
from zoo.preprocessing.text import END_ID
from zoo.recipes import captioning
from zoo.tasks.captioning import (
    TASK,
    CaptioningModule,
    CaptioningPreprocessor,
    FeatureSplit,
    check_options,
)
from zoo.training import Run

COLORS, SHAPES = ("red", "yellow", "blue"), ("square", "cross")
SIZES = {"train": 700, "validation": 60, "test": 200}
SETTINGS = captioning.Settings(
    image_size=32,
    units=64,
    embedding_dim=32,
    decoder_depth=1,
    batch_size=16,
    epochs=4,
    learning_rate=0.005,
    num_beams=2,
)


class Trained(NamedTuple):
    """An export, what the recipe printed, and its captions of the test split."""

    directory: Path
    report: str
    captions: list[str]


def run_recipe(settings: captioning.Settings) -> Trained:
    """Run the recipe, whose export is checked in this process; tests run it in a fresh one."""
    captions: list[list[str]] = []
    caption_split = CaptioningModule.caption_split

    def record(*arguments: object) -> list[str]:
        captions.append(caption_split(*arguments))
        return captions[-1]

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setattr(CaptioningModule, "caption_split", record)
        patch.setattr("zoo.export.saved_model.run_in_fresh_process", predict_in_process)
        captioning.train(settings)
    return Trained(settings.export_dir, printed.getvalue(), captions[-1])


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A smaller model, trained on simpler scenes."""
    directory = tmp_path_factory.mktemp("captioning")
    things = [thing for thing in scenes.THINGS if thing.color in COLORS and thing.shape in SHAPES]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, "SIZES", SIZES)
        patch.setattr(scenes, "THINGS", things)
        return run_recipe(
            dataclasses.replace(
                SETTINGS, data_dir=data_dir, run_dir=directory / "run", export_dir=directory / "1"
            )
        )


@pytest.fixture(scope="module")
def data(data_dir: Path, trained: Trained) -> DataSplits[CaptioningSplit]:
    return load_captioning("scenes", data_dir=data_dir)


def encode(image: Image.Image, kind: str) -> bytes:
    content = io.BytesIO()
    image.save(content, kind)
    return content.getvalue()


def make_png(color: str) -> bytes:
    return encode(Image.new("RGB", (40, 30), color), "PNG")


@pytest.fixture(scope="module")
def odd_images(data: DataSplits[CaptioningSplit]) -> list[bytes]:
    """One image in three formats, and three contents that are no image."""
    png = next(data.test.read_inputs())
    image = Image.open(io.BytesIO(png))
    return [png, b"", encode(image, "BMP"), png[:500], encode(image.convert("RGBA"), "PNG"), b"text"]


@pytest.fixture(scope="module")
def outputs(
    trained: Trained, data: DataSplits[CaptioningSplit], odd_images: list[bytes]
) -> dict[str, Outputs]:
    """Outputs of the export in a fresh process."""
    images = list(data.test.read_inputs())
    calls = {
        "first half": ("serving_default", images[:100]),
        "second half": ("serving_default", images[100:]),
        "greedy": ("greedy", images[:40]),
        "empty": ("serving_default", []),
        "odd": ("serving_default", odd_images),
        "alone": ("serving_default", odd_images[:1]),
    }
    return dict(zip(calls, run_client(trained.directory, *calls.values()), strict=True))


def get_best(outputs: Outputs) -> list[str]:
    return [caption.decode() for caption in outputs["captions"][:, 0]]


def rebuild(directory: Path) -> CaptioningModule:
    settings = read_card(directory)["settings"]
    preprocessor, model = TASK.from_export(directory)
    return CaptioningModule(preprocessor, model, settings["num_beams"], settings["length_penalty"])


# A model of images.


def test_the_export_has_the_captions_of_the_training_process(
    trained: Trained, outputs: dict[str, Outputs], data: DataSplits[CaptioningSplit]
) -> None:
    """Training computes them from cached features, the export from image files."""
    captions = get_best(outputs["first half"]) + get_best(outputs["second half"])
    metrics = read_metrics(trained.directory)
    assert captions == trained.captions
    assert len(set(captions)) > 20
    for name, score in score_captions(captions, data.test.captions).items():
        assert metrics[f"test {name}"] == pytest.approx(score, abs=0.01)


def test_captions_are_better_than_those_of_the_nearest_training_images(trained: Trained) -> None:
    metrics = read_metrics(trained.directory)
    assert metrics["test BLEU-4"] > 50
    assert metrics["test BLEU-4, nearest training example"] < metrics["test BLEU-4"]
    assert metrics["test exact match, nearest training example"] < 5


def test_the_report_shows_metrics_examples_and_the_next_command(trained: Trained) -> None:
    directory, report, _ = trained
    for name, value in read_metrics(directory).items():
        assert re.search(rf"^{re.escape(name)} +{value}$", report, re.MULTILINE)
    examples = [f"{directory}/example{number}.png" for number in (1, 2)]
    for path in examples:
        assert re.search(rf"^{path} +-\d\.\d+  a (small|large) ", report, re.MULTILINE)
    assert report.splitlines()[-1] == f"next: zoo predict {directory} {examples[0]}"
    page = (directory / "README.md").read_text(encoding="utf-8")
    predictions = zoo.load(directory).predict(examples)
    for number, prediction in enumerate(predictions, 1):
        image = f'<img src="example{number}.png" alt="example{number}.png" width="160">'
        assert f"\n| {image} | {prediction.captions[0]} | -" in page


def test_shapes_and_order(outputs: dict[str, Outputs]) -> None:
    expected = {"first half": (100, 2), "second half": (100, 2), "greedy": (40, 1), "empty": (0, 2)}
    for name, (n, num_captions) in expected.items():
        batch = outputs[name]
        assert batch["captions"].shape == batch["scores"].shape == (n, num_captions)
        assert batch["status"].shape == (n,)
        assert not any(batch["status"])
        assert batch["attention"].shape == (n, batch["words"].shape[1], 4, 4)
        assert (np.diff(batch["scores"]) <= 0).all()


def test_attention_belongs_to_the_words(outputs: dict[str, Outputs]) -> None:
    batch = outputs["first half"]
    for row, caption in enumerate(get_best(batch)):
        words = [word.decode() for word in batch["words"][row] if word]
        assert words == caption.split()
        weights = batch["attention"][row]
        np.testing.assert_allclose(weights[: len(words)].sum((1, 2)), 1, atol=1e-5)
        assert not weights[len(words) :].any()


def test_status_names_the_limit_of_a_caption_without_an_end(trained: Trained) -> None:
    module = rebuild(trained.directory)
    bias = module.model.decoder.bias
    bias.assign(np.where(np.arange(bias.shape[0]) == END_ID, -99, bias))
    features = tf.zeros([2, *module.preprocessor.extractor.shape])
    outputs = module.caption(features, tf.constant(["", "no picture"]), module.searches["greedy"])
    limit = module.preprocessor.tokenizer.max_tokens + 1
    no_end = f"the caption has no end: it stopped at the limit of {limit} tokens"
    assert [status.decode() for status in outputs["status"].numpy()] == [no_end, "no picture"]
    assert len(outputs["captions"][0, 0].numpy()) > limit


def test_empty_captions_have_a_status(trained: Trained) -> None:
    module = rebuild(trained.directory)
    bias = module.model.decoder.bias
    bias.assign(np.where(np.arange(bias.shape[0]) == END_ID, 99, bias))
    features = tf.zeros([2, *module.preprocessor.extractor.shape])
    outputs = module.caption(features, tf.constant(["", "no picture"]), module.searches["greedy"])
    assert outputs["captions"].numpy().tolist() == [[b""]] * 2
    assert outputs["status"].numpy().tolist() == [b"the caption is empty", b"no picture"]


def test_requests_are_batched(trained: Trained, odd_images: list[bytes]) -> None:
    requests = [{"image": batch} for batch in (odd_images[:1], odd_images[1:4], odd_images[4:])]
    parts = make_part_requests(trained.directory, requests)
    assert_batchable(trained.directory, {"serving_default": requests, "greedy": requests, **parts})


def test_parts_compute_the_whole(trained: Trained, odd_images: list[bytes]) -> None:
    assert_parts_compute_the_whole(trained.directory, {"image": odd_images})


def test_init_and_step_generate_what_greedy_search_does(trained: Trained, odd_images: list[bytes]) -> None:
    model, images = tf.saved_model.load(str(trained.directory)), tf.constant(odd_images[::2])
    pixels = model.signatures["preprocess"](image=images)["pixels"].numpy()
    sequences = generate_greedily(trained.directory, pixels, max_length=60)
    captions = model.signatures["decode"](sequences=tf.constant(sequences))["captions"]
    expected = model.signatures["greedy"](image=images)["captions"]
    assert captions.numpy().tolist() == expected.numpy().tolist()


def test_corrupt_images_do_not_affect_the_others(outputs: dict[str, Outputs]) -> None:
    mixed, alone = outputs["odd"], outputs["alone"]
    assert [status.decode() for status in mixed["status"]] == [
        "", "no picture", "", "the picture is broken", "", "the picture is not JPEG, PNG, GIF or BMP"
    ]  # fmt: skip
    for row in (0, 2, 4):
        assert mixed["captions"][row].tolist() == alone["captions"][0].tolist()
        np.testing.assert_allclose(mixed["scores"][row], alone["scores"][0], atol=1e-4)
    for row in (1, 3, 5):
        assert mixed["captions"][row].tolist() == [b""] * 2
        assert not mixed["scores"][row].any()
        assert not any(mixed["words"][row])
        assert not mixed["attention"][row].any()


def test_the_export_uses_operations_of_older_versions_alone(trained: Trained) -> None:
    assert_portable(trained.directory)


def test_saved_model_cli_runs_the_export(
    trained: Trained, odd_images: list[bytes], tmp_path: Path, saved_model_cli: Callable[..., str]
) -> None:
    np.save(tmp_path / "image.npy", np.array(odd_images[:1]))
    which = ["--dir", trained.directory, "--tag_set", "serve", "--signature_def", "greedy"]
    printed = saved_model_cli("run", *which, "--inputs", f"image={tmp_path}/image.npy")
    assert "Result for output key captions:\n[[b'a " in printed


def test_the_predictor_lists_alternatives_and_plots_attention(
    trained: Trained, odd_images: list[bytes], tmp_path: Path
) -> None:
    predictor = zoo.load(trained.directory)
    image, corrupt = predictor.predict([odd_images[0], b"x"])
    assert len(list(image.format_lines("a.png", top_k=2))) == 2
    assert list(corrupt.format_lines("b.png", top_k=2)) == [
        "b.png  [the file is no picture of a known format: expected JPEG, PNG, GIF, BMP, WebP, AVIF, TIFF or HEIC]"
    ]
    with pytest.raises(UsageError, match="no attention to plot"):
        predictor.plot(b"x", corrupt, tmp_path / "attention.png")
    webp = io.BytesIO()
    Image.open(io.BytesIO(odd_images[0])).save(webp, "WEBP", lossless=True)
    converted, broken = predictor.predict([webp.getvalue(), webp.getvalue()[:30]])
    assert (converted.captions, converted.status) == (image.captions, "")
    assert (broken.captions, broken.status) == ((), "the picture is broken")
    predictor.plot(odd_images[0], image, tmp_path / "attention.png")
    assert np.ptp(imread(tmp_path / "attention.png")[..., :3]) > 0.5


def test_a_rebuilt_model_has_the_outputs_of_the_export(trained: Trained, odd_images: list[bytes]) -> None:
    assert_same_as_export(rebuild(trained.directory), trained.directory, {"image": odd_images})


def test_a_rebuilt_model_continues_training(
    trained: Trained, data: DataSplits[CaptioningSplit], tmp_path: Path
) -> None:
    """It starts far above chance, and each weight moves."""
    preprocessor, model = TASK.from_export(trained.directory)
    split = preprocessor.extract(data.test, tmp_path / "features")
    before = [weight.numpy() for weight in model.trainable_variables]
    history = zoo.fit(
        model,
        preprocessor.bucket(split, batch_size=50),
        optimizer=keras.optimizers.SGD(0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
        epochs=1,
        run_dir=tmp_path / "run",
    )
    assert history.history["accuracy"][0] > 0.7
    assert all(
        (weight.numpy() != old).any() for weight, old in zip(model.trainable_variables, before, strict=True)
    )


# The preprocessor.


@pytest.fixture
def preprocessor() -> CaptioningPreprocessor:
    return CaptioningPreprocessor(build_image_encoder("small", 8))


def make_split(inputs: Sequence[bytes]) -> CaptioningSplit:
    names = [f"{i}.png" for i in range(len(inputs))]
    return CaptioningSplit(names, [(f"Number {i}.",) for i in range(len(inputs))], lambda: iter(inputs))


def test_unreadable_images_are_left_out_with_a_warning(
    preprocessor: CaptioningPreprocessor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inputs = [make_png("red"), *[b"broken"] * 6, b"", make_png("blue")]
    split = preprocessor.extract(make_split(inputs), tmp_path)
    assert split.rows.tolist() == [0, 8]
    assert split.captions == [["number 0"], ["number 8"]]
    (batch,) = split.read_batches()
    assert batch.mean((1, 2)).tolist() == [[255, 0, 0], [0, 0, 255]]
    problem = "the picture is not JPEG, PNG, GIF or BMP"
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        *(f"left out: {number}.png: {problem}" for number in range(1, 6)),
        "left out: 2 more",
    ]


def test_a_split_without_a_readable_image_raises(
    preprocessor: CaptioningPreprocessor, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"None of 2 images .* The first is 0\.png: no picture\."):
        preprocessor.extract(make_split([b"", b"x"]), tmp_path)


def repeat(captions: list[str]) -> FeatureSplit:
    """A split with each caption so often that all of its characters are known."""
    return FeatureSplit(np.zeros((1, 8, 8, 3), np.uint8), np.arange(1), [captions * 5])


def test_a_batch_has_an_image_with_each_of_its_captions(
    preprocessor: CaptioningPreprocessor, tmp_path: Path
) -> None:
    features = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 3), np.uint8)
    split = FeatureSplit(features, np.array([0, 2, 3]), [["one dog"], ["two dogs", "a dog"], ["a cat"]])
    preprocessor.adapt(repeat(split.all_captions), 100, 10, tmp_path)
    pairs = set()
    for (images, tokens), targets, _ in preprocessor.bucket(split, batch_size=2)(0):
        texts = preprocessor.tokenizer.detokenize(targets[:, None])[:, 0].numpy()
        pairs |= {(int(image[0, 0, 0]), text.decode()) for image, text in zip(images, texts, strict=True)}
        np.testing.assert_array_equal(tokens[:, 1:], tf.where(tokens[:, 1:] > 0, targets[:, :-1], 0))
    assert pairs == {(0, "one dog"), (2, "two dogs"), (2, "a dog"), (3, "a cat")}


def test_tokens_are_counted_with_the_end_of_each_caption(
    preprocessor: CaptioningPreprocessor, tmp_path: Path
) -> None:
    split = repeat(["a b", "a", "a b b b"])
    preprocessor.adapt(split, 100, 10, tmp_path)
    counts, tokenizer = preprocessor.count_tokens(split), preprocessor.tokenizer
    a, b = (tokenizer(tf.constant([text])).ids.numpy()[0, 0] for text in "ab")
    assert (counts[a], counts[b], counts[END_ID]) == (15, 20, 15)
    assert counts.sum() == 50


def test_a_vocabulary_that_is_too_small_raises(preprocessor: CaptioningPreprocessor, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="A vocabulary of 5 word pieces is too small"):
        preprocessor.adapt(repeat(["all of these letters"]), 5, 10, tmp_path)


def test_nearest_captions_equal_those_of_all_distances() -> None:
    """More training examples than are compared at a time."""
    rng = np.random.default_rng(0)
    train_features, test_features = (rng.integers(0, 256, (n, 2, 2, 3)).astype(np.uint8) for n in (2_500, 40))
    train_rows, test_rows = np.arange(0, 2_500, 2), np.arange(5, 40)
    train = FeatureSplit(train_features, train_rows, [[str(row)] for row in train_rows])
    test = FeatureSplit(test_features, test_rows, [[""]] * len(test_rows))
    differences = test_features[test_rows, None].astype(float) - train_features[train_rows]
    distances = (differences**2).sum((2, 3, 4))
    assert test.find_nearest_captions(train) == [str(train_rows[i]) for i in distances.argmin(1)]


def test_exact_match_accepts_each_reference() -> None:
    split = FeatureSplit(np.zeros((2, 1)), np.arange(2), [["a dog", "the dog"], ["a cat"]])
    assert split.score_exact_match(["the dog", "the cat"]) == 50


def test_captions_are_compared_with_each_other_and_with_those_of_training() -> None:
    split = FeatureSplit(np.zeros((4, 1)), np.arange(4), [["a dog"], ["a cat"], ["a bird"], ["a cow"]])
    metrics = split.evaluate(["a dog", "a dog", "a dog", "a hen"], split)
    assert (metrics["distinct captions (%)"], metrics["captions found in training (%)"]) == (50, 75)


def test_examples_of_the_same_name_remain_two(preprocessor: CaptioningPreprocessor, tmp_path: Path) -> None:
    paths = [tmp_path / directory / "photo.webp" for directory in ("a", "b")]
    for path, color in zip(paths, ((1, 2, 3), (200, 100, 50)), strict=True):
        path.parent.mkdir()
        Image.new("RGB", (8, 8), color).save(path, lossless=True)
    split, features = (
        make_split([make_png("red")]),
        FeatureSplit(np.zeros((1, 8, 8, 3)), np.arange(1), [["red"]]),
    )
    copies = preprocessor.make_examples(split, features, paths, tmp_path)["image"]
    assert [Image.open(copy).getpixel((0, 0)) for copy in copies] == [(1, 2, 3), (200, 100, 50)]
    assert [copy.name for copy in copies] == ["photo.webp.png"] * 2


@pytest.mark.parametrize(
    ("changes", "is_video", "message"),
    [
        (
            {"doubly_stochastic": 1.0},
            True,
            "--doubly-stochastic is 1, but the attention of clips is not penalized",
        ),
        (
            {"doubly_stochastic": 0.5, "attention": "none"},
            False,
            "--doubly-stochastic is 0.5, but the attention does not exist with --attention none",
        ),
        ({"num_tuned": 3}, False, "--num-tuned is 3, but the encoder small, .* is trained as a whole"),
        ({"num_frames": 4}, False, "--num-frames is 4, but the data are images"),
        ({"doubly_stochastic": 1.0}, False, ""),
        ({"num_tuned": 3, "encoder": "efficientnet_lite0"}, False, ""),
        ({"num_frames": 4, "attention": "none"}, True, ""),
        ({"num_tuned": 3, "num_frames": 4, "init_from": Path("captioning")}, False, ""),  # of the other model
        ({}, False, ""),
    ],
)
def test_options_without_effect_are_refused(changes: dict[str, Any], is_video: bool, message: str) -> None:
    with pytest.raises(UsageError, match=message) if message else contextlib.nullcontext():
        check_options(dataclasses.replace(captioning.Settings(), **changes), is_video)


def test_files_that_the_user_names_are_the_examples(
    preprocessor: CaptioningPreprocessor, videos: Path, tmp_path: Path
) -> None:
    split = make_split([make_png("red"), make_png("blue"), make_png("green")])
    features = FeatureSplit(np.zeros((3, 8, 8, 3)), np.array([1, 2]), [["blue"], ["green"]])
    paths = [tmp_path / "one.png", tmp_path / "two.webp", tmp_path / "three.webp"]
    paths[0].write_bytes(make_png("red"))
    Image.new("RGB", (8, 8), (1, 2, 3)).save(paths[1], lossless=True)
    paths[2].write_bytes(paths[1].read_bytes()[:30])
    converted = tmp_path / "example2" / "two.webp.png"
    assert preprocessor.make_examples(split, features, paths[:2], tmp_path) == {
        "image": [paths[0], converted]
    }
    assert Image.open(converted).getpixel((0, 0)) == (1, 2, 3)
    with pytest.raises(UsageError, match=r"three\.webp cannot be an example: the picture is broken"):
        preprocessor.make_examples(split, features, paths, tmp_path)
    thumbnails = preprocessor.make_examples(split, features, [], tmp_path)["image"]
    assert [Image.open(path).getpixel((0, 0)) for path in thumbnails] == [(0, 0, 255), (0, 128, 0)]
    of_clips = CaptioningPreprocessor(build_image_encoder("small", 8), num_frames=4)
    examples = of_clips.make_examples(split, features, [videos / "0.mp4", videos / "10.mp4"], tmp_path)
    assert examples["lengths"].tolist() == [4, 14]


# Encoders and data of other kinds.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "num_frames", "num_tuned"),
    [
        ("efficientnet_lite0", None, 2),
        ("efficientnet_lite0", 3, 2),
        ("MobileNetV2", None, 2),
        ("MobileNetV2", None, 99),
    ],
)
def test_a_rebuilt_model_has_the_tuned_encoder(
    name: str,
    num_frames: int | None,
    num_tuned: int,
    tmp_path: Path,
    predict_in_process: Callable[..., Outputs],
) -> None:
    """The model is not trained, which makes no difference here."""
    encoder = build_image_encoder(name, 32, "pretrained" if name == "efficientnet_lite0" else None)
    preprocessor = CaptioningPreprocessor(encoder, num_frames, num_tuned)
    assert preprocessor.trainable_network
    assert bool(preprocessor.networks) == (num_tuned < 99)
    settings = dataclasses.replace(SETTINGS, run_dir=tmp_path / "run", num_tuned=num_tuned)
    split = FeatureSplit(np.zeros((1, *preprocessor.extractor.shape)), np.arange(1), [["a dog", "two cats"]])
    preprocessor.adapt(split, 50, 5, tmp_path)
    model = captioning.build_model(settings, preprocessor, split)
    module = CaptioningModule(preprocessor, model, num_beams=2)
    clips = np.random.default_rng(1).integers(0, 256, (2, 5, 40, 40, 3)).astype(np.uint8)
    if num_frames:
        examples = inputs = preprocessor.extractor.reader.pack_inputs([clips[0, :3], clips[1]])
    else:
        paths = [tmp_path / f"{number}.png" for number in range(2)]
        for path, clip in zip(paths, clips, strict=True):
            Image.fromarray(clip[0]).save(path)
        examples, inputs = {"image": paths}, {"image": [path.read_bytes() for path in paths]}
    run = Run(tmp_path / "run", settings)
    directory = TASK.export(run, module, DataInfo("noise"), tmp_path / "1", examples)
    rebuilt = rebuild(directory)
    assert_same_as_export(rebuilt, directory, inputs)
    requests = [{name: values[row : row + 1] for name, values in inputs.items()} for row in (0, 1, 1)]
    parts = make_part_requests(directory, requests)
    assert_batchable(directory, {"serving_default": requests, "greedy": requests, **parts})
    shapes = [variable.shape for variable in rebuilt.model.trainable_variables]
    assert shapes == [variable.shape for variable in model.trainable_variables]


@pytest.mark.slow
def test_a_directory_of_images_with_flaws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Half of them red, half blue; one is corrupt, one is missing; without attention."""
    for i in range(80):
        color = ("red", "blue")[i % 2]
        content = b"broken" if i == 10 else encode(Image.new("RGB", (40, 30), color), "JPEG")
        if i != 11:
            (tmp_path / f"{i}.jpg").write_bytes(content)
    rows = [f"{i}.jpg\tAll is {('red', 'blue')[i % 2]}." for i in range(80)]
    (tmp_path / "all.tsv").write_text("\n".join(rows), encoding="utf-8")
    with save_time():
        captioning.train(
            captioning.Settings(
                dataset=str(tmp_path),
                run_dir=tmp_path / "run",
                export_dir=tmp_path / "1",
                image_size=8,
                attention="none",
                units=16,
                embedding_dim=16,
                batch_size=4,
                epochs=6,
                dropout=0.0,
                learning_rate=0.01,
                vocabulary_size=100,
            )
        )
    assert "Left out because there is no such file: 11.jpg (" in capsys.readouterr().out
    assert "left out: 10.jpg: the picture is not JPEG, PNG, GIF or BMP" in caplog.messages
    images = [make_png("blue"), make_png("red")]
    (batch,) = run_client(tmp_path / "1", ("serving_default", images))
    assert get_best(batch) == ["all is blue", "all is red"]
    assert_same_as_export(rebuild(tmp_path / "1"), tmp_path / "1", {"image": images})


# Clips.

DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def draw_square(direction: str, start: int, time: int, side: int = 24) -> np.ndarray:
    """A white square that moves, uint8 [time, side, side, 3]."""
    frames = np.full((time, side, side, 3), 60, np.uint8)
    x, y = DIRECTIONS[direction]
    for step in range(time):
        along = start + round(12 * step / time)
        column, row = ((along if part > 0 else side - 6 - along) if part else 9 for part in (x, y))
        frames[step, row : row + 6, column : column + 6] = 230
    return frames


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of videos of 4 to 14 frames, and a table."""
    directory, rows = tmp_path_factory.mktemp("videos"), []
    for number in range(160):
        direction = list(DIRECTIONS)[number % 4]
        with av.open(str(directory / f"{number}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"crf": "10"})
            stream.height, stream.width, stream.pix_fmt = 24, 24, "yuv420p"
            for frame in draw_square(direction, number % 5, 4 + number % 11):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        rows.append(f"{number}.mp4\tIt moves {direction}.")
    (directory / "all.tsv").write_text("\n".join(rows), encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def trained_on_clips(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    directory = tmp_path_factory.mktemp("clips")
    settings = captioning.Settings(
        dataset=str(videos),
        run_dir=directory / "run",
        export_dir=directory / "1",
        image_size=24,
        num_frames=8,
        units=32,
        embedding_dim=16,
        decoder_depth=1,
        batch_size=8,
        epochs=7,
        learning_rate=0.01,
        dropout=0.0,
        num_beams=2,
    )
    return run_recipe(settings)


def pad(clips: list[np.ndarray], time: int, fill: int = 0) -> dict[str, np.ndarray]:
    frames = np.full((len(clips), time, *clips[0].shape[1:]), fill, np.uint8)
    for row, clip in enumerate(clips):
        frames[row, : len(clip)] = clip
    return {"frames": frames, "lengths": np.array([len(clip) for clip in clips], np.int32)}


CLIPS = [draw_square(way, 2, time) for way, time in zip(DIRECTIONS, (4, 7, 8, 14), strict=True)]


@pytest.fixture(scope="module")
def clip_outputs(trained_on_clips: Trained, videos: Path) -> dict[str, Outputs]:
    """Outputs of the export in a fresh process, for the test set and for clips in other forms."""
    clips = pad(CLIPS, 14)
    calls = {
        "test set": pad(list(load_captioning(str(videos)).test.read_inputs()), 16),
        "clips": clips,
        "more padding": pad(CLIPS, 20, fill=200),
        "larger": {**clips, "frames": clips["frames"].repeat(3, 2).repeat(2, 3)},
        "wrong lengths": {
            "frames": pad([*CLIPS, CLIPS[0]], 14)["frames"],
            "lengths": np.array([0, 7, -1, 15, 4], np.int32),
        },
        "no rows": {name: value[:0] for name, value in clips.items()},
        "no pixels": {"frames": np.zeros((2, 0, 0, 0, 3), np.uint8), "lengths": np.zeros(2, np.int32)},
    }
    signatures = [("serving_default", inputs) for inputs in calls.values()]
    results = run_client(trained_on_clips.directory, *signatures, ("greedy", clips))
    return dict(zip([*calls, "greedy"], results, strict=True))


@pytest.mark.slow
def test_the_export_of_clips_has_the_captions_of_the_training_process(
    trained_on_clips: Trained, clip_outputs: dict[str, Outputs]
) -> None:
    directory, report, captions = trained_on_clips
    assert get_best(clip_outputs["test set"]) == captions
    assert set(captions) == {f"it moves {direction}" for direction in DIRECTIONS}
    assert read_metrics(directory)["test exact match"] == 100
    examples = re.findall(r"^example ([12]), \d+ steps +-\d\.\d+  it moves \w+$", report, re.MULTILINE)
    assert examples == ["1", "2"]
    assert report.splitlines()[-1] == f"next: zoo predict {directory} video.mp4"


@pytest.mark.slow
def test_size_and_padding_of_clips_make_no_difference(clip_outputs: dict[str, Outputs]) -> None:
    clips = clip_outputs["clips"]
    for name in ("clips", "more padding", "larger", "greedy"):
        assert get_best(clip_outputs[name]) == [f"it moves {direction}" for direction in DIRECTIONS]
    for name in ("more padding", "larger"):
        np.testing.assert_allclose(clips["scores"], clip_outputs[name]["scores"], atol=1e-4)
        np.testing.assert_allclose(clips["attention"], clip_outputs[name]["attention"], atol=1e-4)
    assert clip_outputs["greedy"]["captions"].shape == (4, 1)
    assert not any(clips["status"])


@pytest.mark.slow
def test_attention_is_spread_over_frames_and_positions(clip_outputs: dict[str, Outputs]) -> None:
    weights = clip_outputs["clips"]["attention"]
    assert weights.shape == (4, clip_outputs["clips"]["words"].shape[1], 8, 3, 3)
    np.testing.assert_allclose(weights[:, :3].sum((2, 3, 4)), 1, atol=1e-5)


@pytest.mark.slow
def test_clips_without_frames_do_not_affect_the_others(clip_outputs: dict[str, Outputs]) -> None:
    clips, odd = clip_outputs["clips"], clip_outputs["wrong lengths"]
    wrong = [f"lengths is {length}, and there are 14 frames" for length in (-1, 15)]
    assert [status.decode() for status in odd["status"]] == ["no frames", "", *wrong, ""]
    assert get_best(odd) == ["", "it moves right", "", "", "it moves left"]
    np.testing.assert_allclose(odd["scores"][[1, 4]], clips["scores"][[1, 0]], atol=1e-4)
    assert not odd["attention"][[0, 2, 3]].any()
    assert clip_outputs["no rows"]["captions"].shape == (0, 2)
    assert clip_outputs["no rows"]["attention"].shape[2:] == (8, 3, 3)
    assert get_best(clip_outputs["no pixels"]) == ["", ""]


@pytest.mark.slow
def test_a_rebuilt_model_of_clips_has_the_outputs_of_the_export(trained_on_clips: Trained) -> None:
    directory = trained_on_clips.directory
    assert_same_as_export(rebuild(directory), directory, pad(CLIPS, 14))


@pytest.mark.slow
def test_the_predictor_reads_videos_and_plots_attention(
    trained_on_clips: Trained, videos: Path, tmp_path: Path
) -> None:
    predictor = zoo.load(trained_on_clips.directory)
    paths = [videos / f"{number}.mp4" for number in (9, 8)]
    predictions = predictor.predict(paths)
    assert [prediction.captions[0] for prediction in predictions] == ["it moves right", "it moves left"]
    predictor.plot(paths[1], predictions[1], tmp_path / "attention.png")
    assert np.ptp(imread(tmp_path / "attention.png")[..., :3]) > 0.5
    (tmp_path / "half.mkv").write_bytes(
        write_video(tmp_path / "all.mkv", make_frames(90)).read_bytes()[:9000]
    )
    (prediction,) = predictor.predict([tmp_path / "half.mkv"])
    assert prediction.captions
    assert "the file seems truncated, it has 9,000 of" in prediction.status
    assert prediction.status in list(prediction.format_lines("half.mkv", 1))[-1]
    with pytest.raises(VideoError, match="cannot be read as a video"):
        predictor.predict([videos / "all.tsv"])
    with pytest.raises(UsageError, match="Expected a video, as a path or an array of frames, got bytes"):
        predictor.predict([b"video"])
