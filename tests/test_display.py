"""Figures, short representations, and the tables that notebooks show."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import keras
import matplotlib.figure
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.datasets import CaptioningSplit, ClozeSet, DataInfo, DataSplits, TaggingSplit
from zoo.inspection import plots
from zoo.tasks.base import Predictions
from zoo.tasks.captioning import FeatureSplit
from zoo.tasks.frame_tagging import TaggingPrediction
from zoo.tasks.text_classification import LabelPrediction

ROOT = Path(__file__).parents[1]
CURVES = {"": {"a": ([0, 1, 2], [1, 2, 3]), "b": ([0, 1, 2], [1, 2, 3]), "c": ([0, 1, 2], [3, 2, 1])}}
PLOTS: dict[str, Callable] = {
    "curves": lambda **options: plots.plot_curves(CURVES, x_label="x", y_label="y", **options),
    "saliency": lambda **options: plots.plot_saliency([0.5, -1], ["good", "bad"], **options),
    "gate_means": lambda **options: plots.plot_gate_means(
        {"update": [0.1, 0.9], "reset": [0.5, 0.5]}, ["a", "b"], **options
    ),
    "attention": lambda **options: plots.plot_attention(np.eye(2), ["a", "b"], ["c", "d"], **options),
    "confusion": lambda **options: zoo.reports.plot_confusion_matrix(np.eye(2), ["no", "yes"], **options),
    "gates": lambda **options: plots.plot_gates({"forget": np.full((3, 4), 0.5)}, **options),
    "sheet": lambda **options: zoo.inspection.plot_contact_sheet(
        [np.zeros((8, 8, 3), np.uint8)], ["black"], **options
    ),
    "image": lambda **options: plots.plot_image_attention(
        np.zeros((8, 8, 3)), ["dog"], np.ones((1, 2, 2)), **options
    ),
    "images in a list": lambda **options: plots.plot_image_attention(
        [np.zeros((8, 8, 3))] * 2, ["a", "dog"], np.ones((2, 2, 2)), **options
    ),
}


@pytest.mark.parametrize("name", PLOTS)
def test_plots_return_a_figure_and_write_a_file(name: str, tmp_path: Path) -> None:
    figure = PLOTS[name](path=tmp_path / "plot.png")
    assert isinstance(figure, matplotlib.figure.Figure)
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert isinstance(PLOTS[name](), matplotlib.figure.Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")  # what a notebook shows


@pytest.mark.parametrize("name", ["curves", "saliency", "gate_means", "attention", "confusion"])
def test_plots_of_one_panel_draw_in_axes(name: str, tmp_path: Path) -> None:
    figure = matplotlib.figure.Figure()
    left, right = figure.subplots(1, 2)
    assert PLOTS[name](ax=right, path=tmp_path / "plot.png") is figure
    assert right.has_data()
    assert not left.has_data()
    assert (tmp_path / "plot.png").exists()


def test_several_panels_do_not_fit_in_axes() -> None:
    axes = matplotlib.figure.Figure().subplots()
    with pytest.raises(ValueError, match=r"Expected one panel for `ax`, got 2\."):
        plots.plot_curves({"a": {}, "b": {}}, x_label="x", y_label="y", ax=axes)


GATES = {"forget": np.full((4, 3), 0.5), "cell": np.full((4, 3), 2.0)}
MEANS = {"update": [0.1, 0.9], "reset": [0.5, 0.5]}
IMAGE = np.zeros((8, 8, 3))


def plot_curve(*values: object) -> matplotlib.figure.Figure:
    return plots.plot_curves({"": {"GRU": values}}, x_label="x", y_label="y")


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (
            lambda: plots.plot_gates({"forget": np.ones((2, 4, 3))}),
            "values['forget']: found shape (2, 4, 3). Expected [time, units] of one example. Take one row of a batch, "
            "`{name: value[0] for name, value in values.items()}`",
        ),
        (
            lambda: plots.plot_gates({"forget": tf.ones((1, 4, 3))}),
            "values['forget']: found shape (1, 4, 3). Expected [time, units]",
        ),
        (
            lambda: plots.plot_gates(GATES, steps=["a", "b", "c"]),
            "steps: found 3 labels for 4 time steps. Expected one",
        ),
        (
            lambda: plots.plot_gates({**GATES, "hidden": np.ones((5, 3))}),
            "values: found 4 time steps in 'forget' and 5 in 'hidden'. Expected the same number.",
        ),
        (
            lambda: plots.plot_gates(tf.ones((4, 3))),
            "values: found EagerTensor. Expected arrays [time, units] of one example by name",
        ),
        (lambda: plots.plot_gates({}), "values: found no arrays. Expected arrays [time, units]"),
        (
            lambda: plots.plot_gate_means(GATES, list("abcd")),
            "means['forget']: found shape (4, 3). Expected [time].",
        ),
        (lambda: plots.plot_gate_means(MEANS, ["a"]), "steps: found 1 label for 2 time steps. Expected one"),
        (
            lambda: plots.plot_saliency({"inputs": np.ones((1, 2))}, ["a", "b"]),
            "scores: found a dict with the names 'inputs'. Expected [time]. Take one row",
        ),
        (
            lambda: plots.plot_saliency(np.ones((1, 2)), ["a", "b"]),
            "scores: found shape (1, 2). Expected [time]. Take one row",
        ),
        (lambda: plots.plot_saliency([1, 2], ["a"]), "steps: found 1 label for 2 time steps. Expected one"),
        (
            lambda: plots.plot_attention(np.ones((1, 2, 3)), list("abc"), list("de")),
            "weights: found shape (1, 2, 3) for 2 target and 3 source tokens. Expected [target, source] of one "
            "example, (2, 3). Take one row of a batch",
        ),
        (lambda: plots.plot_attention(np.ones((3, 2)), list("abc"), list("de")), "Expected [target, source]"),
        (
            lambda: plots.plot_image_attention(IMAGE, ["dog"], np.ones((2, 2, 2))),
            "words: found 1 label for 2 maps of weights. Expected one",
        ),
        (
            lambda: plots.plot_image_attention(np.stack([IMAGE] * 3), ["a", "dog"], np.ones((2, 2, 2))),
            "words: found 2 labels for 3 images. Expected one",
        ),
        (
            lambda: plots.plot_image_attention(IMAGE, ["dog"], np.ones((1, 4))),
            "weights: found shape (1, 4). Expected [words, rows, columns].",
        ),
        (
            lambda: plots.plot_image_attention(IMAGE[0], ["dog"], np.ones((1, 2, 2))),
            "images: found shape (8, 3). Expected [height, width, 3].",
        ),
        (
            lambda: plots.plot_curves({"GRU": ([1, 2], [3, 4])}, x_label="x", y_label="y"),
            "panels['GRU']: found tuple. Expected curves by name.",
        ),
        (lambda: plots.plot_curves({}, x_label="x", y_label="y"), "panels: found none. Expected curves"),
        (
            lambda: plot_curve([1, 2], [3]),
            "panels['']['GRU']: found 2 arrays of shapes (2,), (1,). Expected two, the x values",
        ),
        (lambda: plot_curve([1, 2], np.ones((2, 2))), "found 2 arrays of shapes (2,), (2, 2). Expected two"),
        (lambda: plot_curve(1, 2, 3), "found 3 arrays of shapes (), (), (). Expected two"),
        (
            lambda: zoo.reports.plot_confusion_matrix(np.eye(3), ["no", "yes"]),
            "matrix: found shape (3, 3) for 2 labels. Expected [classes, classes], (2, 2).",
        ),
        (
            lambda: zoo.inspection.plot_contact_sheet([IMAGE.astype(np.uint8)] * 2, ["black"]),
            "captions: found 1 for 2 images. Expected one for each",
        ),
        (
            lambda: zoo.inspection.plot_contact_sheet([IMAGE], ["black"]),
            "images[0]: found float64 of shape (8, 8, 3). Expected uint8 [height, width, 3].",
        ),
    ],
)
def test_unsuitable_arrays_and_labels_raise(plot: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        plot()


def test_labels_instead_of_a_path_raise() -> None:
    with pytest.raises(TypeError, match=r"path: found list\. Expected the name of a file\."):
        plots.plot_gates(GATES, ["a", "b", "c", "d"])


def test_plots_take_lists_and_batches_of_images() -> None:
    assert zoo.reports.plot_confusion_matrix([[1, 0], [0, 1]], ["no", "yes"]).axes
    assert zoo.inspection.plot_contact_sheet(np.zeros((2, 8, 8, 3), np.uint8), ["a", "b"])


def test_axes_of_attention_are_labeled() -> None:
    axes = plots.plot_attention(np.eye(2), ["a", "b"], ["c", "d"], title="Alignment").axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("source (read)", "target (written)")
    assert axes.xaxis.get_label_position() == "top"
    assert axes.get_title() == "Alignment"


def test_the_unit_of_gate_means_is_in_their_title() -> None:
    assert "percent" in plots.plot_gate_means(MEANS, ["a", "b"]).axes[0].get_title()


@pytest.mark.parametrize("steps", [(), list("abcd")])
def test_lowest_panels_of_gates_have_a_labeled_step_axis(steps: list[str]) -> None:
    values = {**GATES, "hidden": GATES["cell"]}
    figure = plots.plot_gates(values, columns=2, steps=steps)
    panels = {axes.get_title("left"): axes for axes in figure.axes if axes.get_title("left")}
    assert list(panels) == ["forget", "cell", "hidden"]
    assert len(figure.axes) == 6  # with the color bars, and without an empty panel
    assert [axes.get_xlabel() for axes in panels.values()] == ["", "step", "step"]
    figure.draw_without_rendering()
    ticks = [[label.get_text() for label in axes.get_xticklabels()] for axes in panels.values()]
    assert ticks[1] == ticks[2]
    assert set(steps or "0123") <= set(ticks[1])
    assert [axes.xaxis.get_tick_params()["labelbottom"] for axes in panels.values()] == [False, True, True]


def test_curves_that_hide_each_other_differ_in_width_and_have_their_names_at_their_ends() -> None:
    (axes,) = PLOTS["curves"]().axes
    widths = {line.get_label(): line.get_linewidth() for line in axes.get_lines()}
    assert widths["a"] > widths["b"] == widths["c"]
    heights = {text.get_text(): text.xyann[1] for text in axes.texts}
    assert heights["c"] < heights["a"] < heights["b"]
    assert heights["b"] - heights["a"] > 0.04


def read_table(markup: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", markup)
    return [[html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


@pytest.mark.parametrize(
    ("split", "info", "expected"),
    [
        (
            tf.data.Dataset.from_tensor_slices((["<b> good", "bad"], [1, 0])),
            DataInfo("reviews.csv", labels=("neg", "pos")),
            [
                ["split", "examples", "text", "label"],
                ["train", "2", "<b> good", "pos"],
                ["", "", "bad", "neg"],
            ],
        ),
        (
            tf.data.Dataset.from_tensor_slices((["dog"], ["Hund"])).filter(lambda *_: True),
            DataInfo("pairs.tsv"),
            [["split", "examples", "source", "target"], ["train", "1", "dog", "Hund"]],
        ),
        (
            CaptioningSplit(
                [f"{i}.jpg" for i in range(9_000)], [("a dog", "a cat")] * 9_000, lambda: iter(())
            ),
            DataInfo("photos"),
            [["split", "examples", "name", "captions"], ["train", "9,000", "0.jpg", "a dog | a cat"]],
        ),
        (
            TaggingSplit(["a"], [np.zeros((4, 2), "float32")], [np.array([1, 1, 0, 1])], [np.arange(4.0)]),
            DataInfo("videos", labels=("shot", "cut")),
            [
                ["split", "examples", "name", "sequence", "labels"],
                ["train", "1", "a", "float32 [4, 2]", "shot, cut"],
            ],
        ),
        (
            ClozeSet(["I speak"], ["french"], np.array([3])),
            DataInfo("gaps"),
            [
                ["split", "examples", "text", "next word", "distance"],
                ["train", "1", "I speak", "french", "3"],
            ],
        ),
        (["one " * 100], DataInfo("text"), [["split", "examples", "example"], ["train", "1"]]),
    ],
)
def test_data_sets_show_themselves_as_tables(
    split: object, info: DataInfo, expected: list[list[str]]
) -> None:
    splits = DataSplits(split, split, split, info)
    table = read_table(splits._repr_html_())
    for row, cells in zip(table, expected, strict=False):
        assert row[: len(cells)] == cells
    assert [row[0] for row in table if row[0]] == ["split", "train", "validation", "test"]
    assert all(len(cell) <= 160 for row in table for cell in row)
    assert len(repr(splits)) < 600
    assert repr(DataSplits(*[tf.data.Dataset.range(3)] * 3, DataInfo("numbers"))).startswith(
        "DataSplits(train=<tf.data.Dataset>, validation=<tf.data.Dataset>, test=<tf.data.Dataset>, info="
    )
    assert len(repr(split)) < 400 or isinstance(split, list)


def test_predictions_show_themselves_as_tables() -> None:
    good = LabelPrediction("", "pos", {"neg": 0.25, "pos": 0.75})
    empty = LabelPrediction("no words", "", {})
    assert read_table(good._repr_html_()) == [["label", "probability"], ["pos", "0.750"], ["neg", "0.250"]]
    predictions = Predictions([good, empty], ["good", ""])
    expected = [
        ["input", "status", "label", "probability"],
        ["good", "", "pos", "0.750"],
        ["", "no words", "", ""],
    ]
    assert read_table(predictions._repr_html_()) == expected
    predictions.reverse()
    assert read_table(predictions._repr_html_())[2] == expected[1]
    tags = TaggingPrediction("", ("shot",) * 5_000, (), tuple(range(5_001)), np.ones((5_000, 2)))
    assert len(repr(tags)) < 300
    assert "float64 [5000, 2]" in repr(tags)


def test_records_of_tasks_have_short_representations() -> None:
    features = FeatureSplit(np.zeros((2, 7, 7, 64)), np.arange(2), [["a dog"]] * 2)
    ancestor = zoo.tasks.read_ancestor(zoo.tasks.get_task("translation"), ROOT / "saved_models/translation/1")
    assert "<float64 [2, 7, 7, 64]>" in repr(features)
    assert len(repr(features)) < 200
    assert len(repr(ancestor)) < 400


def test_layers_have_short_representations() -> None:
    encoder = zoo.Encoder(zoo.LSTMCell(3), depth=2)
    for layer in (zoo.LSTM(3), zoo.LSTMCell(3), encoder, keras.Sequential([zoo.GRU(2)])):
        assert len(repr(layer)) < 100
