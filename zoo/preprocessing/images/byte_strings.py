"""Numbers in the content of files, read inside the graph for all files of a batch at once."""

import tensorflow as tf


def read_bytes(images: tf.Tensor, offsets: tf.Tensor, count: int) -> tf.Tensor:
    """Return `count` bytes of each image from an offset on, int64 [n, count], zeros after its end.

    Args:
        images: string [n].
        offsets: int32 [n]; not negative.
        count: number of bytes.
    """
    offsets = tf.minimum(offsets, tf.strings.length(images))
    content = tf.strings.substr(images, offsets, tf.fill(tf.shape(offsets), count))
    return tf.cast(tf.io.decode_raw(content, tf.uint8, fixed_length=count), tf.int64)


def read_number(content: tf.Tensor, offset: int, size: int, big: bool = False) -> tf.Tensor:
    """Return the unsigned number in `size` bytes of int64 [..., count], little-endian unless `big`."""
    weights = [256**i for i in range(size)]
    number = content[..., offset : offset + size] * (weights[::-1] if big else weights)
    return tf.reduce_sum(number, axis=-1)
