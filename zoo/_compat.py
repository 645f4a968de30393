"""Private or undocumented names of Keras, TensorFlow and TFDS, used nowhere else in the library.

Each function has a test in `tests/test_compat.py`, which fails first when such a name changes.
"""

import copy
import inspect
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

import keras
import tensorflow as tf
import tensorflow_datasets as tfds
from keras.src.backend.common import AutocastScope, global_state, masking
from keras.src.layers.layer import CallContext
from keras.src.trainers.compile_utils import get_loss, get_metric
from tensorflow.compiler.xla.tsl.protobuf import coordination_config_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.eager import context
from tensorflow.python.saved_model import fingerprinting_utils
from tensorflow_datasets.core.download import resource


def flatten_layers(layer: keras.Layer) -> list[keras.Layer]:
    """Return the layer and all layers inside it, at any depth."""
    return list(layer._flatten_layers())


def direct_trainable_variables(layer: keras.Layer) -> list[keras.Variable]:
    """Return the trainable variables of the layer itself, without those of layers inside it."""
    return list(layer._trainable_variables)


def disable_gradient_all_reduce(optimizer: keras.optimizers.Optimizer) -> None:
    """Make the optimizer apply gradients as they are, for gradients already summed over the replicas.

    Under a distribution strategy Keras clips the gradients of each replica first and sums them afterwards, so
    `global_clipnorm` would not bound the norm of the gradient of the whole batch.
    """
    wrapped: Any = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    wrapped._all_reduce_sum_gradients = lambda pairs: pairs


@contextmanager
def accumulation_branch(optimizer: keras.optimizers.Optimizer, is_update: bool) -> Iterator[None]:
    """Within this context, `apply` of an optimizer with `gradient_accumulation_steps` does one of its two steps.

    Keras chooses with `tf.cond`, but within a replica of several no branch may update variables. So the caller
    chooses, outside of the replicas. Gradients must be summed over the replicas already.

    Args:
        optimizer: the built optimizer.
        is_update: whether `apply` updates the weights; otherwise it adds the gradients to the accumulated ones.
    """
    wrapped: Any = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer

    def apply(gradients: Sequence[tf.Tensor], variables: Sequence[Any]) -> None:
        accumulators = [wrapped._accumulated_gradients[wrapped._get_variable_index(v)] for v in variables]
        if not is_update:
            wrapped._backend_increment_gradient_accumulators(gradients, accumulators)
            return
        sums = [tf.convert_to_tensor(accumulator.value) for accumulator in accumulators]
        steps = wrapped.gradient_accumulation_steps
        means = [(gradient + total) / steps for gradient, total in zip(gradients, sums, strict=True)]
        wrapped._apply_weight_decay(variables)
        wrapped._backend_update_step(wrapped._clip_gradients(means), variables, wrapped.learning_rate)
        wrapped._backend_increment_gradient_accumulators([-total for total in sums], accumulators)

    wrapped._backend_apply_gradients = apply
    try:
        yield
    finally:
        del wrapped._backend_apply_gradients


def count_applied_batches(optimizer: keras.optimizers.Optimizer) -> int:
    """Return how often gradients were applied to an optimizer, also if it only accumulated them."""
    wrapped: Any = getattr(optimizer, "inner_optimizer", optimizer)
    return int(tf.convert_to_tensor(wrapped._iterations.value))


def get_adam_moments(
    optimizer: keras.optimizers.Adam, variable: tf.Variable
) -> tuple[tf.Variable, tf.Variable]:
    """Return the variables m and v that a built Adam keeps for one of its trainable variables."""
    index = optimizer._get_variable_index(variable)
    return optimizer._momentums[index].value, optimizer._velocities[index].value


_CALLBACK_STATE: dict[type, tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: ("best", "best_epoch", "stopped_epoch", "wait"),
    keras.callbacks.History: ("epoch", "history"),
    keras.callbacks.LambdaCallback: (),
    keras.callbacks.LearningRateScheduler: (),
    keras.callbacks.ModelCheckpoint: ("best", "_batches_seen_since_last_saving", "_last_batch_seen"),
    keras.callbacks.ReduceLROnPlateau: ("best", "cooldown_counter", "wait"),
    keras.callbacks.RemoteMonitor: (),
    keras.callbacks.TerminateOnNaN: (),
}


def get_callback_state_names(callback: keras.callbacks.Callback) -> tuple[str, ...] | None:
    """Return the names of the attributes that a callback of Keras changes in training; None if it is not known.

    The best weights of an EarlyStopping are not among them.
    """
    return _CALLBACK_STATE.get(type(callback))


def get_metric_direction(metric: keras.metrics.Metric) -> Literal["min", "max"] | None:
    """Return whether higher ("max") or lower ("min") values of a metric are better; None if Keras does not say."""
    directions: dict[str | None, Literal["min", "max"]] = {"up": "max", "down": "min"}
    return directions.get(getattr(metric, "_direction", None))


def resolve_loss(name: str, targets: tf.TensorSpec, outputs: tf.TensorSpec) -> keras.losses.Loss:
    """Return the loss that a string stands for in Keras's `compile`.

    Args:
        name: the string.
        targets: shape of the targets.
        outputs: shape of the outputs of the model.
    """
    return get_loss(name, targets, outputs)


def resolve_metric(identifier: Any, targets: tf.TensorSpec, outputs: tf.TensorSpec) -> keras.metrics.Metric:
    """Return the metric that a string or a function stands for in Keras's `compile`.

    Args:
        identifier: the string or function. "accuracy" is the accuracy that fits the shapes.
        targets: shape of the targets.
        outputs: shape of the outputs of the model.
    """
    return get_metric(identifier, targets, outputs)


def get_wrapped_function(function: Any) -> Any:
    """Return the function that a loss or metric of Keras computes; the argument itself if it wraps none."""
    return getattr(function, "fn", getattr(function, "_fn", function))


def get_argument(function: Any, name: str) -> Any:
    """Return the value that a loss or metric has for an argument, None if it has no such argument.

    Args:
        function: a loss or metric of Keras, or a function.
        name: name of the argument.
    """
    for attribute in (name, f"_{name}"):
        if hasattr(function, attribute):
            return getattr(function, attribute)
    parameter = inspect.signature(get_wrapped_function(function)).parameters.get(name)
    return getattr(function, "_fn_kwargs", {}).get(name, parameter and parameter.default)


def make_text_file_initializer(
    path: Path, key: tuple[tf.DType, int], value: tuple[tf.DType, int], shared_name: str
) -> tf.lookup.TextFileInitializer:
    """Return an initializer of a lookup table from a text file, without the file's path in the table's name.

    TensorFlow names the table after the path, and an export keeps that name.

    Args:
        path: the text file.
        key: dtype of the keys, and which part of a line they are: a `tf.lookup.TextFileIndex`.
        value: the same for the values.
        shared_name: stands for the path in the table's name. Tables of one process with equal names share
            their content, so it must identify the content of the file.
    """

    class Initializer(tf.lookup.TextFileInitializer):
        @property
        def _shared_name(self) -> str:
            name: str = super()._shared_name
            return name.replace(str(path), shared_name)

    return Initializer(str(path), *key, *value)


def find_applications() -> dict[str, Callable[..., keras.Model]]:
    """Return the functions in `keras.applications` that build an image model, by their names."""
    return {
        name: value
        for name, value in vars(keras.applications).items()
        if inspect.isfunction(value) and "include_top" in inspect.signature(value).parameters
    }


def get_preprocess_input(application: Callable[..., keras.Model]) -> Callable[[Any], Any]:
    """Return the preprocessing of an application: pixels between 0 and 255 to the inputs of its model.

    Args:
        application: a function from `find_applications`. The public module with its preprocessing has the
            name of the private module that defines it.
    """
    module = getattr(keras.applications, application.__module__.rpartition(".")[2])
    preprocess_input: Callable[[Any], Any] = module.preprocess_input
    return preprocess_input


def autocast_scope(dtype: str | None) -> AbstractContextManager[None]:
    """Return a context in which reading a floating-point variable casts it to `dtype`; None for no cast."""
    return AutocastScope(dtype)


def make_call_context(training: bool) -> CallContext:
    """Return what Keras passes from a layer that is called now to the layers inside it, with this `training`."""
    call_context: CallContext = copy.copy(
        global_state.get_global_attribute("current_call_ctx")
    ) or CallContext(None)
    call_context.set_value("training", training)
    return call_context


@contextmanager
def call_context_scope(call_context: CallContext) -> Iterator[None]:
    """Return a context in which layers are called as if an earlier call of the layer around them had not ended.

    A custom gradient that computes a layer again needs it: the gradient is traced after the call. And calling a
    layer with another `training` changes what Keras passes to all that follow, up to the end of this context.

    Args:
        call_context: from `make_call_context` in the earlier call. It is not changed.
    """
    outer = global_state.get_global_attribute("current_call_ctx")
    global_state.set_global_attribute("current_call_ctx", copy.copy(call_context))
    try:
        yield
    finally:
        global_state.set_global_attribute("current_call_ctx", outer)


def get_keras_mask(x: Any) -> Any:
    """Return the mask that a tensor carries, None if there is none."""
    return masking.get_keras_mask(x)


def is_exporting(to_onnx: bool = False) -> bool:
    """Return whether `keras.Model.export`, `keras.export.ExportArchive` or tf2onnx is tracing a model.

    None of them has a public sign of it, so this looks for their modules among the callers.

    Args:
        to_onnx: whether only exports to ONNX count.
    """
    modules = ("keras.src.export.onnx" if to_onnx else "keras.src.export.", "tf2onnx.")
    frame = sys._getframe().f_back
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(modules):
            return True
        frame = frame.f_back
    return False


def updated_variable_ids(scope: keras.StatelessScope) -> set[int]:
    """Return the `id` of every variable that has been assigned inside a `keras.StatelessScope`."""
    return set(scope.state_mapping)


def uninitialized_variables() -> list[keras.Variable]:
    """Return the variables created inside a `keras.StatelessScope`, which get their values at its end."""
    return list(global_state.get_global_attribute("uninitialized_variables") or [])


def cache_compiled_programs(directory: str) -> bool:
    """Make TensorFlow store what XLA compiles for the CPU in a directory, and use what is stored there.

    TensorFlow reads the environment variable TF_XLA_FLAGS, to which this adds, when it is used first.

    Args:
        directory: a directory of any file system of TensorFlow. In memory, `ram://<name>/<name>`, it cannot fail.

    Returns:
        Whether the directory will be used. It is not if TF_XLA_FLAGS names another one, or a file with flags.
    """
    flags = os.environ.get("TF_XLA_FLAGS", "").strip()
    if (flags and not flags.startswith("-")) or "tf_xla_persistent_cache" in flags:
        return False
    cache_flags = (
        f"--tf_xla_persistent_cache_directory={directory} --tf_xla_persistent_cache_device_types=CPU"
    )
    os.environ["TF_XLA_FLAGS"] = f"{flags} {cache_flags}".lstrip()
    return True


def get_builder_base_class() -> Any:
    """Return the base class of TFDS builders that generate their examples."""
    return tfds.core.GeneratorBasedBuilder


def make_dataset_version(version: str) -> Any:
    """Return the version of a TFDS builder, such as "1.0.0", as TFDS represents it."""
    return tfds.core.Version(version)


def make_builder_config(name: str) -> Any:
    """Return a configuration of a TFDS builder."""
    return tfds.core.BuilderConfig(name=name)


def make_dataset_info(builder: Any, **fields: Any) -> Any:
    """Return what a TFDS builder declares about its data set.

    Args:
        builder: the builder.
        **fields: `features`, `supervised_keys`, `description`, `license`, `homepage`.
    """
    return tfds.core.DatasetInfo(builder=builder, **fields)


def get_download_name(url: str, checksum: str) -> str:
    """Return the name under which TFDS keeps the download of a URL with a registered checksum."""
    return resource.get_dl_fname(url, checksum)


def is_downloaded(path: Path) -> bool:
    """Return whether TFDS would use a file of its download directory instead of downloading it again."""
    return resource.is_locally_cached(path)


def parse_saved_model(content: bytes) -> Any:
    """Return the protocol buffer in a file `saved_model.pb`."""
    return saved_model_pb2.SavedModel.FromString(content)


def write_fingerprint(directory: Path) -> None:
    """Write `fingerprint.pb` of a SavedModel again, after `saved_model.pb` has changed."""
    fingerprinting_utils.write_fingerprint(str(directory))


def configure_coordination(tasks: Sequence[str], start_seconds: float, heartbeat_seconds: float) -> None:
    """Set the time limits of TensorFlow's coordination service, which connects the workers of several machines.

    By default workers wait for each other for an hour. Call this before a
    `tf.distribute.MultiWorkerMirroredStrategy` is created.

    Args:
        tasks: all workers, such as "worker 0". The service runs in the first one.
        start_seconds: time until all workers must have started.
        heartbeat_seconds: time without a heartbeat after which a worker is lost.
    """
    jobs = Counter(task.split()[0] for task in tasks)
    job, index = tasks[0].split()
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader=f"/job:{job}/replica:0/task:{index}",
        cluster_register_timeout_in_ms=int(1000 * start_seconds),
        heartbeat_timeout_in_ms=int(1000 * heartbeat_seconds),
        coordinated_jobs=[
            coordination_config_pb2.CoordinatedJob(name=name, num_tasks=count) for name, count in jobs.items()
        ],
    )
    # Without a barrier, a worker that has registered waits for the others without a limit.
    context.context().coordination_service.cluster_register_with_barrier = True


def report_error_to_workers(message: str) -> None:
    """End the collective operations of all other workers with an error that contains the message.

    Raises:
        tf.errors.OpError: the coordination service cannot be reached.
    """
    context.context().report_error_to_cluster(tf.errors.ABORTED, message)
