"""The signatures with which a client generates sequences token by token: `init` and `step`."""

from collections.abc import Callable, Mapping

import tensorflow as tf

from zoo.attention import Memory
from zoo.cells import Tensor
from zoo.formulations import Decoder
from zoo.formulations.decoder import State
from zoo.tasks.base import make_signature

Signatures = Mapping[str, Callable[..., dict[str, tf.Tensor]]]
"""`tf.function`s with an input signature, by name."""


def make_decoder_signatures(
    decoder: Decoder,
    prepare_memory: Callable[[Tensor], tuple[Memory | None, State]],
    source: tf.TensorSpec,
) -> Signatures:
    """Return the signatures `init` and `step` of a model with a decoder: numbers in, numbers out.

    `init` reads the source. It returns the memory of the decoder ("memory_values", "memory_keys" and "memory_mask",
    with attention) and its state before the first step ("state_0" and so on; "output_vector" with input feeding).

    `step` takes all of these and "ids", int32 [batch]: the last token of each row, at first the start token. It
    returns "logits" [batch, vocabulary size] of the next token, "attention" [batch, positions], and the new state,
    each tensor under its name after "next_". No output has the name of an input, because ONNX does not allow it.

    Args:
        decoder: the decoder.
        prepare_memory: from the source to the memory and the state before the first step.
        source: the source [batch, ...], with the name by which clients call it.
    """

    def init(source: Tensor) -> dict[str, Tensor]:
        memory, state = prepare_memory(source)
        memory_tensors = {} if memory is None else memory._asdict()
        return {f"memory_{name}": value for name, value in memory_tensors.items()} | _flatten_state(state)

    def step(ids: Tensor, *values: Tensor) -> dict[str, Tensor]:
        tensors = dict(zip(names, values, strict=True))
        state: State = {"states": [tensors[f"state_{i}"] for i in range(len(decoder.state_sizes))]}
        memory = None
        if decoder.attention is not None:
            memory = Memory(*(tensors[f"memory_{name}"] for name in Memory._fields))
            # Only a search with a coverage penalty reads it, and a client can sum up the attention.
            state["coverage"] = tf.zeros(tf.shape(memory.mask))
        if decoder.input_feeding:
            state["output_vector"] = tensors["output_vector"]
        logits, attention, state = decoder(ids[:, None], state, memory)
        outputs = {"logits": logits[:, 0]}
        if attention is not None:
            outputs["attention"] = attention[:, 0]
        return outputs | {f"next_{name}": value for name, value in _flatten_state(state).items()}

    signatures = {"init": make_signature(init, [source])}
    prepared = signatures["init"].get_concrete_function().structured_outputs  # type: ignore[attr-defined]  # of tf.function
    names = list(prepared)
    specs = [tf.TensorSpec([None, *value.shape[1:]], value.dtype, name) for name, value in prepared.items()]
    signatures["step"] = make_signature(step, [tf.TensorSpec([None], tf.int32, "ids"), *specs])
    return signatures


def _flatten_state(state: State) -> dict[str, Tensor]:
    """Return the tensors by name of a decoder's state that its steps need."""
    tensors = {f"state_{number}": value for number, value in enumerate(state["states"])}
    return tensors | {name: value for name, value in state.items() if name == "output_vector"}
