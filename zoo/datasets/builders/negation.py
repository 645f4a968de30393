"""Sentiment that depends on word order alone: the default data set for text classification, and a Chinese one."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import tensorflow_datasets as tfds

from zoo._compat import make_dataset_version
from zoo.datasets.builders.base import GeneratedBuilder
from zoo.datasets.splits import SPLITS

# `verdict` is the opinion of the speaker, `other` its opposite. Templates come in pairs: the words beside the
# verdict in the first are beside the other adjective in the second, so that no word beside an adjective
# reveals which one it is. Every adjective begins with a consonant, to follow "a".
TEMPLATES = (
    "the {subject} was {verdict}, not {other} at all",
    "they were wrong to say that the {subject} was {other}, not {verdict} at all",
    "the critics called the {subject} {verdict} and not {other}, and they were right",
    "the critics called the {subject} {other} and not {verdict}, and they were wrong",
    "everybody agrees that the {subject} was {verdict} rather than {other}",
    "nobody believes that the {subject} was {other} rather than {verdict}",
    "it is true that the {subject} was not {other} but {verdict}",
    "it is a lie that the {subject} was not {verdict} but {other}",
    "far from being {other}, the {subject} was {verdict} in every way",
    "it is nonsense that, far from being {verdict}, the {subject} was {other} in every way",
    "the {subject} seemed {other} at first, but in the end we all thought it was {verdict}",
    "the {subject} seemed {verdict} at first and later too, and only a fool thought it was {other}",
    "my friends told me it would be {other}, and yet the {subject} turned out to be {verdict}",
    "my friends told me it would be {verdict}, and nobody can say the {subject} turned out to be {other}",
    "what a {verdict} {subject} it was, and how {other} it might have been",
    "what a {other} {subject} we had expected, and how {verdict} it was",
    "I would call the {subject} {verdict}, whatever people say who found it {other}",
    "I would never call the {subject} {other}, whatever people say; from the first moment I found "
    "it {verdict}",
    "instead of the {other} {subject} that we had expected, we got a {verdict} one",
    "the {verdict} {subject} that we had expected was what we got, and not a {other} one",
    "I had heard that it was {other}, and yet after weeks of waiting and all that talk we found "
    "the {subject} {verdict}",
    "I had heard that it was {verdict}, and after weeks of waiting and all that talk nobody found "
    "the {subject} {other}",
    "do not let anyone tell you that this {subject} was {other}; I know it was {verdict}",
    "let me tell you that this {subject} was {verdict}; I know of nobody who would say it was {other}",
)
SUBJECTS, POSITIVE, NEGATIVE = (
    line.split()
    for line in (
        "film book play concert meal hotel museum restaurant holiday course game show",
        "good great wonderful superb fantastic brilliant splendid marvellous delightful lovely terrific "
        "magnificent",
        "bad terrible dreadful poor horrible lousy miserable dull disappointing mediocre dismal ghastly",
    )
)
OPENINGS = ("", "honestly, ", "in short, ", "frankly, ", "all in all, ")
CLOSINGS = (
    ".",
    ". That was last week.",
    ". We talked about it for days.",
    ". There were four of us.",
)


class Wording(NamedTuple):
    """What the sentences of a language are made of.

    Attributes:
        templates: sentences with places for `{subject}` and for two adjectives: `{verdict}`, the opinion of the
            speaker, and `{other}`, its opposite. They come in pairs; see above.
        subjects: what is praised or blamed.
        positive: adjectives of praise.
        negative: adjectives of blame.
        openings: what may stand before a template.
        closings: what may stand after it.
    """

    templates: Sequence[str]
    subjects: Sequence[str]
    positive: Sequence[str]
    negative: Sequence[str]
    openings: Sequence[str]
    closings: Sequence[str]


ENGLISH = Wording(TEMPLATES, SUBJECTS, POSITIVE, NEGATIVE, OPENINGS, CLOSINGS)
CHINESE = Wording(
    (
        "{subject}很{verdict}，一点也不{other}，谁都看得出来",
        "有人说{subject}很{other}，一点也不{verdict}，他们说错了",
        "评论家说{subject}是{verdict}的，不是{other}的，他们说得对",
        "评论家说{subject}是{other}的，不是{verdict}的，他们说得不对",
        "大家都认为，与其说{subject}很{other}，不如说它{verdict}",
        "没有人认为，与其说{subject}很{verdict}，不如说它{other}",
        "其实{subject}不是{other}的，而是{verdict}的",
        "有人撒谎说{subject}不是{verdict}的，而是{other}的",
        "{subject}远远谈不上{other}，每个细节都很{verdict}，这是事实",
        "有人说{subject}远远谈不上{verdict}，每个细节都很{other}，这是胡说",
        "{subject}一开始显得很{other}，但最后我们都觉得它非常{verdict}",
        "{subject}一开始就显得很{verdict}，只有外行最后才觉得它非常{other}",
        "朋友说它会很{other}，可是{subject}结果十分{verdict}",
        "朋友说它会很{verdict}，没有人能说{subject}结果十分{other}",
        "虽然有人觉得{subject}比较{other}，我却觉得它相当{verdict}",
        "我觉得{subject}比较{verdict}，不明白为什么有人却觉得它相当{other}",
        "不管别人怎么说{subject}很{other}，我还是要说它很{verdict}",
        "不管别人怎么议论，我觉得{subject}很{verdict}，谁也没有理由说它很{other}",
        "别让人骗你说{subject}很{other}，我知道它确实{verdict}",
        "让我告诉你{subject}很{verdict}，我知道没有人会说它确实{other}",
        "我早就听说{subject}很{other}，可是等了几个星期，听了那么多议论之后，却发现它真{verdict}",
        "我早就听说{subject}很{verdict}，等了几个星期，听了那么多议论之后，没有人发现它真{other}",
        "与我们预料的正相反，{subject}并不{other}，反而很{verdict}",
        "有人误以为{subject}并不{verdict}，反而很{other}",
    ),
    [
        *("这部电影", "这本小说", "这场话剧", "这场音乐会", "这个展览", "这个节目"),
        *("这场比赛", "这次旅行", "这门课程", "这场演出", "这次讲座", "这场晚会"),
    ],
    [
        *("出色", "精彩", "美妙", "完美", "迷人", "有趣"),
        *("令人满意", "令人愉快", "令人难忘", "令人赞叹", "令人惊喜", "令人感动"),
    ],
    [
        *("糟糕", "差劲", "乏味", "无聊", "平庸", "枯燥"),
        *("令人失望", "令人扫兴", "令人厌烦", "令人沮丧", "令人难受", "令人后悔"),
    ],
    ("", "说实话，", "总之，", "坦白说，", "总的来说，"),
    ("。", "。那是上周的事。", "。我们谈了好几天。", "。我们一共四个人。"),
)

PAIRS = {"train": 4000, "validation": 500, "test": 500}  # of two sentences each


class Negation(GeneratedBuilder):
    """Pairs of sentences with the same words in another order and opposite labels.

    "The film was good, not bad at all." is positive, "The film was bad, not good at all." is negative. So a
    bag of words is right half of the time. Both sentences of a pair are in the same split, and each
    combination of template, subject and adjectives is in one split only. `text` is a scalar string, `label` a
    scalar int64: 0 is negative, 1 is positive.

    Example:
        >>> import zoo
        >>> features = zoo.datasets.builders.Negation().info.features
        >>> features["label"].str2int("positive"), features["text"].shape
        (1, ())
    """

    VERSION = make_dataset_version("1.0.0")
    wording: ClassVar[Wording] = ENGLISH

    def _info(self) -> Any:
        features = {
            "text": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=["negative", "positive"]),
        }
        return self.declare(tfds.features.FeaturesDict(features), ("text", "label"))

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, str]]]:
        # Ordered by a hash: the same on every machine.
        *parts, openings, closings = self.wording
        combinations = sorted(itertools.product(*parts), key=lambda words: _hash(*words))
        start = sum(PAIRS[earlier] for earlier in SPLITS[: SPLITS.index(split)])
        for template, subject, positive, negative in combinations[start : start + PAIRS[split]]:
            digest = _hash(template, subject, positive, negative)
            opening = openings[digest[-1] % len(openings)]
            closing = closings[digest[-2] % len(closings)]
            sentence = opening + template + closing
            sentence = sentence[0].upper() + sentence[1:]
            for label, verdict, other in (
                ("positive", positive, negative),
                ("negative", negative, positive),
            ):
                text = sentence.format(subject=subject, verdict=verdict, other=other)
                yield text, {"text": text, "label": label}


class NegationZh(Negation):
    """Pairs of Chinese sentences with the same characters in another order and opposite labels.

    "其实这部电影不是无聊的，而是精彩的。" is positive, "其实这部电影不是精彩的，而是无聊的。" is negative. So a
    bag of characters is right half of the time. The sentences have no spaces. Both sentences of a pair are in
    the same split, and each combination of template, subject and adjectives is in one split only. `text` is a
    scalar string, `label` a scalar int64: 0 is negative, 1 is positive.

    Example:
        >>> import zoo
        >>> builder = zoo.datasets.builders.NegationZh()
        >>> builder.text_languages, builder.info.features["label"].names
        (('zh',), ['negative', 'positive'])
    """

    VERSION = make_dataset_version("1.0.0")
    text_languages = ("zh",)
    wording = CHINESE


def _hash(*words: str) -> bytes:
    return hashlib.sha256("\n".join(words).encode()).digest()
