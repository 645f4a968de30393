"""Stands for the process of the models in tests of the page: it speaks the same lines and needs no TensorFlow.

A text "sleep 2" takes two seconds, "exit" ends the process, "large" has a large reply; others are sent back. The names
of computed texts are appended to `computed.txt` beside the inputs.
"""

import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Answer requests from standard input until it ends."""
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    models = json.loads(sys.argv[1])
    if "ending" in models:
        sys.exit()
    time.sleep(2 if "slow" in models else 0)
    problems = {name: "It has no saved_model.pb." for name in models if name == "unreadable"}
    replies.write(json.dumps(problems).encode() + b"\n")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        path = Path(request["path"])
        if not path.exists():  # its client has left
            replies.write(b"422 {}\n")
            continue
        text = path.read_bytes().decode(errors="replace")
        with Path(path.parent, "computed.txt").open("a") as file:
            print(text[:40], file=file)
        if text == "exit":
            os._exit(1)
        if text.startswith("sleep"):
            time.sleep(float(text.removeprefix("sleep")))
        answer = {"text": text[:100], **request} | {"path": path.suffix, "size": path.stat().st_size}
        if text == "large":
            answer["text"] = "x" * 30_000_000
        replies.write(b"200 " + json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
