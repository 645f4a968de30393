"""Kill a training run again and again, and see whether it ends as one that was left alone.

python tests/soak.py --kills 20

Each kill is a SIGKILL at a random moment: while the process starts, in a step, in an evaluation, and, as it
saves after every step, often in the middle of a checkpoint.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from test_resume import finished, log, start


def main(kills: int, epochs: int, seed: int) -> None:
    """Print a line for each kill, and what came of all."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = finished(start(folder / "whole", 60, 0.2, epochs)).splitlines()[-1]
        took = time.monotonic()
        finished(start(folder / "whole", 60, 0.2, epochs))  # to its end again: the time of a start
        starting = time.monotonic() - took
        unfinished = 0
        for kill in range(1, kills + 1):
            process = start(folder / "cut", 0, 0.2, epochs)
            started = time.time()
            moment = chance.uniform(0.8, 2.0) * starting
            time.sleep(moment)
            process.kill()
            process.communicate()
            left = folder / "cut" / "checkpoints" / "unfinished"
            half = left.exists() and left.stat().st_mtime > started
            unfinished += half
            logged = folder / "cut" / "log.jsonl"
            lines = logged.read_text().count("\n") if logged.exists() else 0
            seen = f"{lines} lines in the log" + (", a checkpoint half written" if half else "")
            print(f"kill {kill:3}: after {moment:5.2f} s, {seen}", flush=True)
        last = finished(start(folder / "cut", 60, 0.2, epochs)).splitlines()[-1]
        same = whole == last and log(folder / "whole") == log(folder / "cut")
        print(f"{kills} kills, {unfinished} in a checkpoint: weights, optimizer and log are", end=" ")
        print("the same to the bit" if same else f"NOT the same: {whole} and {last}")
        if not same:
            shutil.copytree(folder, "soak", dirs_exist_ok=True)
            sys.exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    main(arguments.kills, arguments.epochs, arguments.seed)
