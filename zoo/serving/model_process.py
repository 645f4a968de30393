"""Models in a process of their own: one prediction at a time, with bounds on memory and time.

The process can be ended at any moment, which a thread cannot. It protects the page from inputs that take too long, need
too much memory or end the process that reads them. The parent does not import TensorFlow.
"""

import asyncio
import base64
import dataclasses
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.errors import UsageError, VideoError, ZooError

if TYPE_CHECKING:
    from zoo.tasks.base import Explanation, Predictor

logger = logging.getLogger(__name__)

MEMORY_LIMIT = 2_000_000_000
"""Bytes that one prediction may take, on Linux."""

MAX_WAITING_SECONDS = 60.0
"""Time for which a prediction may wait."""

MAX_WAITING_FOR_PLOT, SECONDS_WITHOUT_PLOT = 3, 10.0
"""Number of waiting predictions above which no plots are drawn, and for how long.

A plot takes as long as a hundred predictions.
"""

SECONDS_AFTER_LEAVING = 5.0
"""Time that a prediction may still take after its client has left. Restarting the process takes as long."""

SECONDS_WITHOUT_PARENT = 1.0
"""Time after which a process ends whose parent was killed."""

SMALL_INPUT_BYTES = 1000
"""Size up to which an input is not the reason that a prediction fails: the machine is."""

_LARGEST_REPLY = 1 << 26

_COMMAND = "import zoo_quiet; from zoo.serving.model_process import main; main()"


class Busy(Exception):
    """Too many predictions are waiting."""


class Reply(NamedTuple):
    """A prediction as JSON, or `{"error": message}` with another status than 200."""

    status: HTTPStatus
    content: bytes


class ModelProcess:
    """Loaded models in another process, which is restarted after it failed.

    Args:
        models: directories of exports by name.
        seconds: time that one prediction may take.
        max_waiting: number of predictions that may wait for another one.
        directory: directory of temporary files.

    Attributes:
        is_loading: whether the models are not ready yet, or are being loaded again.
    """

    def __init__(self, models: Mapping[str, Path], seconds: float, max_waiting: int, directory: Path) -> None:
        self._models, self._directory = models, directory
        self._seconds, self._max_waiting = seconds, max_waiting
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._computation: asyncio.Task[Reply] | None = None
        self._num_waiting = 0
        self._next_plot_time = 0.0
        self.is_loading = True

    async def load(self) -> dict[str, str]:
        """Start the process in turn: predictions wait for it. See `start`."""
        async with self._turn:
            return await self.start()

    async def start(self) -> dict[str, str]:
        """Start the process, load the models and let each predict an example.

        Returns:
            What is wrong with models that cannot be loaded, by name.

        Raises:
            UsageError: the process ended.
        """
        self.is_loading = True
        try:
            return await self._start()
        except BaseException:
            await self.stop()
            raise
        finally:
            self.is_loading = False

    async def _start(self) -> dict[str, str]:
        models = {name: str(path.absolute()) for name, path in self._models.items()}
        command = (sys.executable, "-P", "-c", _COMMAND, json.dumps(models))
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LARGEST_REPLY,
            env={**os.environ, "TMPDIR": str(self._directory)},
            start_new_session=True,  # Ctrl-C reaches the parent alone
        )
        self._process = process
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            raise UsageError(
                f"The process of the models {', '.join(self._models)} ended while it loaded them."
            )
        problems: dict[str, str] = json.loads(line)
        return problems

    async def stop(self) -> None:
        """End the process, also in the middle of a prediction."""
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                with suppress(ProcessLookupError):  # `process.kill` would take the exit code from asyncio
                    os.kill(process.pid, signal.SIGKILL)
            await process.communicate()  # until the pipes are closed

    async def close(self) -> None:
        """End the process and a prediction that it computes."""
        if self._computation is not None:
            self._computation.cancel()
            await asyncio.wait([self._computation])
        await self.stop()

    @property
    def is_full(self) -> bool:
        """Whether no further prediction can wait."""
        return self._num_waiting >= self._max_waiting

    async def predict(self, name: str, path: Path, file_name: str) -> Reply:
        """Return what a model predicts for an input in a file, once its turn has come.

        When cancelled before its turn, nothing is computed.

        Args:
            name: name of the model.
            path: file with a text, an image or a video.
            file_name: name that the user knows the file by; empty for a text.

        Raises:
            Busy: too many predictions are waiting, or too long.
        """
        if self.is_full:
            raise Busy
        is_small = path.stat().st_size <= SMALL_INPUT_BYTES
        self._num_waiting += 1
        loop = asyncio.get_running_loop()
        if self._num_waiting > MAX_WAITING_FOR_PLOT:
            self._next_plot_time = loop.time() + SECONDS_WITHOUT_PLOT
        try:
            async with asyncio.timeout(MAX_WAITING_SECONDS):
                await self._turn.acquire()
        except TimeoutError as error:
            raise Busy from error
        finally:
            self._num_waiting -= 1
        has_plot = loop.time() >= self._next_plot_time
        request = {"name": name, "path": str(path), "file_name": file_name, "has_plot": has_plot}
        self._computation = computation = asyncio.create_task(self._compute(request, is_small))
        computation.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            return await asyncio.shield(computation)
        except asyncio.CancelledError:
            # Models that are being loaded again are of use to others, too; the removed input then takes no time.
            loop.call_later(SECONDS_AFTER_LEAVING, lambda: self.is_loading or computation.cancel())
            raise

    async def _compute(self, request: Mapping[str, Any], is_small: bool) -> Reply:
        """Return the reply of the process, and pass the turn on.

        After any exception the process is stopped: its reply could otherwise be taken for that to the next request.
        """
        advice = "This machine is busy: try again later." if is_small else "Send a smaller input."
        try:
            if self._process is None:
                await self.start()
            async with asyncio.timeout(self._seconds):
                return await self._exchange(request)
        except UsageError as error:  # from `start`
            return make_reply(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except TimeoutError:
            await self.stop()
            return make_reply(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"The prediction was stopped after {self._seconds:.0f} seconds. {advice}",
            )
        except asyncio.LimitOverrunError:
            await self.stop()
            return make_reply(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"The prediction has more than {_LARGEST_REPLY:,} bytes. Send a smaller input.",
            )
        except (EOFError, OSError):
            await self.stop()
            logger.warning("The process of %s ended during a prediction.", request["name"])
            return make_reply(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"The process of the model ended during the prediction, maybe for lack of memory. {advice}",
            )
        except BaseException:
            await self.stop()
            raise
        finally:
            self._turn.release()

    async def _exchange(self, request: Mapping[str, Any]) -> Reply:
        """Send a line to the process and read a line.

        Raises:
            EOFError: the process has ended.
            asyncio.LimitOverrunError: the line has more than `_LARGEST_REPLY` bytes.
        """
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readuntil(b"\n")
        status, _, content = line.partition(b" ")
        return Reply(HTTPStatus(int(status)), content)


def make_reply(status: HTTPStatus, message: str) -> Reply:
    """Return a reply with an error message."""
    return Reply(status, json.dumps({"error": message}).encode())


# In the process of the models.


def main() -> None:
    """Load the models that the first argument names, then reply to each line of standard input."""
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print does not mix with the replies
    end_with_parent()
    from zoo.serving.loading import load

    predictors, problems = {}, {}
    for name, path in json.loads(sys.argv[1]).items():
        try:
            predictors[name] = load(path)
        except ZooError as error:
            problems[name] = str(error)
    limit_memory(MEMORY_LIMIT)
    for predictor in predictors.values():
        prepare(predictor)
    replies.write(json.dumps(problems).encode() + b"\n")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if predictor := predictors.get(request["name"]):
            path = Path(request["path"])
            reply = compute_reply(predictor, path, request["file_name"], request["has_plot"])
        else:  # its files have changed since the page was started
            reply = make_reply(HTTPStatus.INTERNAL_SERVER_ERROR, "The model cannot be loaded any more.")
        replies.write(b"%d %s\n" % (reply.status, reply.content))


def prepare(predictor: "Predictor[Any, Any]") -> None:
    """Predict and plot an example: the first prediction takes seconds longer, in which graphs and fonts are prepared.

    A model that fails on it is left to fail on what users send.
    """
    from zoo.serving.examples import read_first_example

    with tempfile.TemporaryDirectory() as directory, suppress(Exception):
        path = Path(directory, "example.mp4")
        path.write_bytes(read_first_example(predictor.card, predictor.directory))
        predict(predictor, path, path.name, has_plot=True)


def end_with_parent() -> None:
    """End this process as soon as its parent has ended, also in the middle of a prediction; from a thread."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_WITHOUT_PARENT)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def limit_memory(num_bytes: int) -> None:
    """Let this process take at most so much more memory, on Linux; further requests for memory fail."""
    if sys.platform == "linux":
        import resource

        lines = Path("/proc/self/status").read_text().splitlines()
        used = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
        resource.setrlimit(resource.RLIMIT_DATA, (used + num_bytes, used + num_bytes))


def compute_reply(predictor: "Predictor[Any, Any]", path: Path, file_name: str, has_plot: bool) -> Reply:
    """Return prediction, table and plot for an input in a file, or what is wrong with it.

    Args:
        predictor: the model.
        path: file with a text, an image or a video.
        file_name: name that the user knows the file by.
        has_plot: whether to plot.
    """
    import tensorflow as tf

    too_large = f"The prediction needs too much memory. Send a smaller {predictor.input_kind}."
    try:
        response = predict(predictor, path, file_name or f"the {predictor.input_kind}", has_plot)
        return Reply(HTTPStatus.OK, json.dumps(response, allow_nan=False).encode())
    except ZooError as error:
        return make_reply(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    except (MemoryError, tf.errors.ResourceExhaustedError):
        return make_reply(HTTPStatus.UNPROCESSABLE_ENTITY, too_large)
    except FileNotFoundError:  # nobody waits for the reply
        return make_reply(
            HTTPStatus.UNPROCESSABLE_ENTITY, "The input was removed, because its client has left."
        )
    except Exception as error:
        logger.error("%s failed with %s.", predictor.directory, type(error).__name__)  # inputs are private
        return make_reply(HTTPStatus.INTERNAL_SERVER_ERROR, "The model failed on this input.")


def predict(predictor: "Predictor[Any, Any]", path: Path, file_name: str, has_plot: bool) -> dict[str, Any]:
    """Return prediction, table and plot for an input in a file."""
    item: Any = path
    if predictor.input_kind == "text":
        item = predictor.parse(path.read_bytes())
    elif predictor.input_kind == "image":
        item = path.read_bytes()
    try:
        (prediction,) = predictor.predict([item])
    except VideoError as error:
        raise VideoError(str(error).replace(str(path), file_name)) from error
    prediction = dataclasses.replace(prediction, status=prediction.status.replace(str(path), file_name))
    from zoo.tasks.base import Predictor

    has_words = type(predictor).explain is not Predictor.explain  # which take the place of the plot
    explanation = predictor.explain(item, prediction) if has_plot else None
    return {
        "prediction": prediction.as_json(),
        "status": prediction.status,
        "table": prediction.as_table()._asdict(),
        "explanation": explanation and as_dict(explanation),
        "plot": plot_as_url(predictor, item, prediction) if has_plot and not has_words else "",
        "plot_caption": predictor.plot_caption,
        "is_plot_left_out": not has_plot,
    }


def as_dict(explanation: "Explanation") -> dict[str, Any]:
    """Return an explanation as JSON values."""
    return explanation._asdict() | {
        "words": [word._asdict() for word in explanation.words],
        "gates": explanation.gates and explanation.gates._asdict(),
    }


def plot_as_url(predictor: "Predictor[Any, Any]", item: Any, prediction: Any) -> str:
    """Return the plot of a prediction as a data URL; empty if there is nothing to plot, or too much."""
    is_text = predictor.input_kind == "text"
    media_type, suffix = ("image/svg+xml", "svg") if is_text else ("image/png", "png")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"plot.{suffix}")
        try:
            predictor.plot(item, prediction, path)
        except (UsageError, MemoryError):
            return ""
        return f"data:{media_type};base64,{base64.b64encode(path.read_bytes()).decode()}"
