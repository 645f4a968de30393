"""Kill a training run again and again, and check that it ends like an uninterrupted one.

python tests/soak.py --kills 20

Each kill is a SIGKILL at a random moment: while the process starts, in a step, in an evaluation, and, because
it saves after every step, often while a checkpoint is written.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from test_resume import finish, read_log, start


def main(kills: int, epochs: int, seed: int) -> None:
    """Print a line for each kill, and the result."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        uninterrupted, killed = directory / "uninterrupted", directory / "killed"
        expected = finish(start(uninterrupted, 60, 0.2, epochs)).splitlines()[-1]
        began = time.monotonic()
        finish(start(uninterrupted, 60, 0.2, epochs))  # trains no further: measures the time of a start
        start_seconds = time.monotonic() - began
        num_unfinished = 0
        for kill in range(1, kills + 1):
            process = start(killed, 0, 0.2, epochs)
            started_at = time.time()
            seconds = rng.uniform(0.8, 2.0) * start_seconds
            time.sleep(seconds)
            process.kill()
            process.communicate()
            unfinished = killed / "checkpoints" / "unfinished"
            is_unfinished = unfinished.exists() and unfinished.stat().st_mtime > started_at
            num_unfinished += is_unfinished
            log_path = killed / "log.jsonl"
            num_lines = log_path.read_text().count("\n") if log_path.exists() else 0
            state = f"{num_lines} lines in the log" + (", an unfinished checkpoint" if is_unfinished else "")
            print(f"kill {kill:3}: after {seconds:5.2f} s, {state}", flush=True)
        actual = finish(start(killed, 60, 0.2, epochs)).splitlines()[-1]
        is_identical = expected == actual and read_log(uninterrupted) == read_log(killed)
        print(
            f"{kills} kills, {num_unfinished} of them in a checkpoint: weights, optimizer and log are",
            end=" ",
        )
        print("bit-identical" if is_identical else f"NOT identical: expected {expected}, got {actual}")
        if not is_identical:
            shutil.copytree(directory, "soak", dirs_exist_ok=True)
            sys.exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    main(arguments.kills, arguments.epochs, arguments.seed)
