"""The ways in which sequences go in and come out, as Keras models built from one `Encoder` and one `Decoder`.

one-to-many             captioner: one input, such as an image, to a sequence: `OneToMany`
many-to-one             sequence classifier: a sequence to one vector of scores: `ManyToOne`
direct many-to-many     sequence tagger: a sequence to scores at each step: `ManyToMany`, `LanguageModel`
delayed many-to-many    sequence-to-sequence: a sequence to another, once it has ended: `DelayedManyToMany`
"""

from zoo.formulations.decoder import Decoder
from zoo.formulations.delayed import (
    DelayedManyToMany,
    ScheduledSampling,
    apply_teacher_forcing,
)
from zoo.formulations.encoder import Encoder, ScaledEmbedding
from zoo.formulations.frames import FrameVectors, build_feature_encoder, build_frame_encoder
from zoo.formulations.language_model import LanguageModel
from zoo.formulations.many_to_many import ManyToMany, StreamState
from zoo.formulations.many_to_one import ManyToOne
from zoo.formulations.one_to_many import OneToMany

__all__ = [
    "Decoder",
    "DelayedManyToMany",
    "Encoder",
    "FrameVectors",
    "LanguageModel",
    "ManyToMany",
    "ManyToOne",
    "OneToMany",
    "ScaledEmbedding",
    "ScheduledSampling",
    "StreamState",
    "apply_teacher_forcing",
    "build_feature_encoder",
    "build_frame_encoder",
]
