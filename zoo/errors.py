"""The errors that users see: one family, each with a message that says what to do.

A message has three parts: what was found (with file, line, row or argument), what was expected, what to do.
The command line prints it without a traceback and exits with code 2, or 1 after an `InputError`.
"""


class ZooError(Exception):
    """Base class of the errors that a user can correct.

    Example:
        >>> import zoo
        >>> try:
        ...     zoo.tasks.get_task("painting")
        ... except zoo.errors.ZooError as error:
        ...     print(error)  # doctest: +ELLIPSIS
        There is no task 'painting'. Expected one of ...
    """


class DataError(ZooError, ValueError):
    """The data cannot be used."""


class UsageError(ZooError, ValueError):
    """An argument, an option or an input cannot be used."""


class PathError(DataError, UsageError):
    """A path that a user names cannot be used: no file has such a name, or it leads to no file or directory."""


class InputError(ZooError, ValueError):
    """Some inputs of a command have no answer, or were read in part. All others have their answers."""


class ImageError(ZooError, ValueError):
    """An image cannot be read."""


class VideoError(ZooError, ValueError):
    """A video cannot be read."""


class WeightsError(ZooError, ValueError):
    """Pretrained weights are missing or do not fit the architecture."""


class ExportError(ZooError, RuntimeError):
    """A model was not exported. An earlier export in the same directory is unchanged."""


class ConversionError(ZooError, ValueError):
    """A model cannot be converted. The model is unchanged."""


class TrainingError(ZooError, RuntimeError):
    """Training cannot continue. All checkpoints are unchanged."""


class Interrupted(KeyboardInterrupt):
    """Training stopped after SIGINT or SIGTERM, and its state is saved.

    Attributes:
        signal: number of the signal; SIGINT for Ctrl-C.

    Example:
        >>> import signal, tempfile, keras, tensorflow as tf, zoo
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> data = tf.data.Dataset.from_tensors((tf.ones([4, 1]), tf.ones([4, 1])))
        >>> ctrl_c = keras.callbacks.LambdaCallback(lambda *_: signal.raise_signal(signal.SIGINT))
        >>> options = {"optimizer": "sgd", "loss": "mse", "epochs": 2, "callbacks": [ctrl_c]}
        >>> with tempfile.TemporaryDirectory() as run_dir:
        ...     try:
        ...         zoo.fit(model, data, run_dir=run_dir, **options)
        ...     except zoo.errors.Interrupted as interrupted:
        ...         print(interrupted, "Exit code:", 128 + interrupted.signal)  # doctest: +ELLIPSIS
        Stopped at step 1; saved in ... Exit code: 130
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal
