"""How tests run recipes and ask what they export: as a user does, and as a client with TensorFlow alone."""

import io
import json
import pickle
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]

Answer = dict[str, np.ndarray]

CLIENT = """
import pickle, sys
sys.modules["keras"] = sys.modules["zoo"] = sys.modules["recipes"] = None  # importing them would fail
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
answers, said = [], {}
for signature, inputs in pickle.load(sys.stdin.buffer):
    names = list(model.signatures[signature].structured_input_signature[1])
    if isinstance(inputs, list):
        (name,) = names
        inputs = {name: tf.constant(inputs, tf.string, [len(inputs)])}
    given = said | inputs
    said = model.signatures[signature](**{name: tf.constant(given[name]) for name in names})
    answers.append({name: value.numpy() for name, value in said.items()})
pickle.dump(answers, sys.stdout.buffer)
"""


def run(recipe: str, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess:
    """Run a recipe from the command line."""
    command = [sys.executable, f"recipes/{recipe}.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **options)


def ask(model: Path, *questions: tuple[str, list | dict[str, np.ndarray]]) -> list[Answer]:
    """What a fresh process gets from an export for each question: a signature, and texts or images.

    Or arrays by name; those that are left out are taken from the answer before, as a stream goes on.
    """
    client = subprocess.run(
        [sys.executable, "-I", "-c", CLIENT, str(model)],
        input=pickle.dumps(questions),
        capture_output=True,
    )
    assert client.returncode == 0, client.stderr.decode()
    return pickle.loads(client.stdout)


def figures(model: Path) -> dict[str, float]:
    """What the card of an export says was measured."""
    return json.loads((model / "card.json").read_text(encoding="utf-8"))["figures"]


def mistaken(
    recipe: str,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    """What a recipe says of arguments with which it ends, in this process; words apart by one space."""
    script = str(ROOT / "recipes" / f"{recipe}.py")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(SystemExit) as end:
        runpy.run_path(script, run_name="__main__")
    assert end.value.code == 2
    return " ".join(capsys.readouterr().err.replace("│", " ").split())
