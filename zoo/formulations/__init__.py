"""The ways in which sequences go in and come out, as Keras models built from one `Encoder` and one `Decoder`.

one-to-many             one thing, such as an image, to a sequence: `OneToMany`
many-to-one             a sequence to one answer: `ManyToOne`
direct many-to-many     a sequence to an answer at each of its steps: `ManyToMany`
delayed many-to-many    a sequence to another, once it has been read to its end: `DelayedManyToMany`
"""

from zoo.formulations.decoder import Decoder
from zoo.formulations.delayed import (
    DelayedManyToMany,
    ScheduledSampling,
    apply_teacher_forcing,
)
from zoo.formulations.encoder import Encoder, ScaledEmbedding
from zoo.formulations.frames import FrameVectors
from zoo.formulations.many_to_many import ManyToMany, Stream
from zoo.formulations.many_to_one import ManyToOne
from zoo.formulations.one_to_many import OneToMany

__all__ = [
    "Decoder",
    "DelayedManyToMany",
    "Encoder",
    "FrameVectors",
    "ManyToMany",
    "ManyToOne",
    "OneToMany",
    "ScaledEmbedding",
    "ScheduledSampling",
    "Stream",
    "apply_teacher_forcing",
]
