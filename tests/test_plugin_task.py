"""A sixth task in a package of its own, `plugins/zoo_rating.py`: trained, exported, and used by every client."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from count_code import count_code

PLUGINS = Path(__file__).parent / "plugins"

TRAIN = """
import sys
from pathlib import Path

import keras
import tensorflow as tf
import zoo
from zoo.datasets import DataInfo
from zoo.preprocessing.text import WordTokenizer, write_vocabulary
from zoo.training import Run
from zoo_rating import TASK, RatingModule, RatingPreprocessor

directory = Path(sys.argv[1])
run = Run(directory / "run", {"seed": 1})
tokenizer = WordTokenizer(write_vocabulary(["good", "fine", "bad"], run.directory / "vocabulary.txt"), 20)
preprocessor = RatingPreprocessor(tokenizer)
keras.utils.set_random_seed(1)
model = zoo.ManyToOne(tokenizer.vocabulary_size, 8, zoo.Encoder(zoo.GRUCell(8)), 1, "last")
ids = tokenizer(tf.constant(["good good", "good bad", "bad bad", "fine"])).ids
data = tf.data.Dataset.from_tensors((ids, tf.constant([[2.0], [0.0], [-2.0], [1.0]])))
run.fit(
    model,
    data,
    name="gru",
    optimizer=keras.optimizers.Adam(0.02),
    loss=keras.losses.MeanSquaredError(),
    epochs=100,
)
run.metrics["test error"] = 0.25
info = DataInfo("ratings", license="none")
TASK.export(run, RatingModule(preprocessor, model), info, directory / "models/rating/1", {"text": ["good good"]})
"""

PAGE = """
import sys
from pathlib import Path

from zoo.serving.page import PageServer

server = PageServer({"rating": Path(sys.argv[1])}, port=0)
server.serve_forever(lambda: print(server.url, flush=True))
"""


def test_the_task_takes_60_lines() -> None:
    assert count_code((PLUGINS / "zoo_rating.py").read_text(encoding="utf-8")) <= 60


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """The environment of a user who has installed the package of the task."""
    return os.environ | {"PYTHONPATH": str(PLUGINS)}


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """A directory of models with an export of the task."""
    directory = tmp_path_factory.mktemp("rating")
    run(environment, "-c", TRAIN, str(directory))
    return directory / "models"


def run(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, *arguments]
    process = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.slow
def test_the_command_lists_predicts_and_verifies(models_dir: Path, environment: dict[str, str]) -> None:
    zoo = ["-m", "zoo_command"]
    where = ["--models", str(models_dir)]
    assert "Error on test data: 0.25" in run(environment, *zoo, "list", *where)
    texts = ["good good", "bad bad"]
    lines = run(environment, *zoo, "predict", "rating", *texts, "--json", *where).splitlines()
    good, bad = (json.loads(line)["rating"] for line in lines)
    assert good > 1 > -1 > bad
    assert "what the card states" in run(environment, *zoo, "verify", *where)


def test_python_loads_and_rebuilds_it(models_dir: Path, environment: dict[str, str]) -> None:
    program = """
import sys
import zoo
import tensorflow as tf
[prediction] = zoo.load(sys.argv[1]).predict(["good bad"])
preprocessor, model = zoo.tasks.get_task("rating").from_export(sys.argv[1])
rating = float(model(preprocessor.tokenizer(tf.constant(["good bad"])).ids)[0, 0])
print(type(prediction).__name__, abs(rating - prediction.rating) < 1e-5)
"""
    assert run(environment, "-c", program, str(models_dir / "rating/1")) == "RatingPrediction True\n"


@pytest.mark.slow
def test_the_page_serves_it(models_dir: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", PAGE, str(models_dir / "rating/1")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            assert "Rates texts." in urllib.request.urlopen(url).read().decode()
            request = urllib.request.Request(
                f"{url}predict/rating", b"good good", {"Content-Type": "text/plain"}
            )
            response = json.load(urllib.request.urlopen(request))
        finally:
            process.terminate()
    assert response["table"]["columns"] == ["rating"]
    assert response["prediction"]["rating"] == response["table"]["rows"][0][0] > 1


@pytest.mark.slow
def test_without_the_package_the_task_is_unknown(models_dir: Path) -> None:
    command = [sys.executable, "-m", "zoo_command", "predict", "rating", "x", "--models", str(models_dir)]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 2
    assert "There is no task 'rating'. Expected one of captioning, " in process.stderr
