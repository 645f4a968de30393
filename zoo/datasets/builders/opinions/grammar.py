"""The templates of `opinions`: a small grammar that makes a praising and a blaming sentence at once.

<name>      a word of the lexicon, the same in both sentences
(a|b|c)     one of several wordings, the same in both sentences
[a|b]       the first in the sentence that praises, the second in the one that blames
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

Draw: TypeAlias = Callable[[str], str]
"""From the name of a list in the lexicon to one of its words."""

Pick: TypeAlias = Callable[[int], int]
"""From a number of wordings to the index of one of them."""


class Pair(NamedTuple):
    """Two sentences, or parts of them, of opposite opinions."""

    positive: str
    negative: str


def read_templates(text: str) -> tuple[str, ...]:
    """Return the templates of a text, one for each line."""
    return tuple(text.strip().splitlines())


def expand_template(template: str, draw: Draw, pick: Pick) -> Pair:
    """Make the two sentences of a template.

    Args:
        template: a template; see the module.
        draw: chooses words.
        pick: chooses wordings.

    Raises:
        ValueError: the template is not well formed.

    >>> expand_template("(The|This) <thing> was [fine|a bore]", draw=lambda name: "film", pick=lambda count: 1)
    Pair(positive='This film was fine', negative='This film was a bore')
    """
    tokens = re.findall(r"<\w+>|[\[\]()|]|[^<>\[\]()|]+", template)
    if "".join(tokens) != template:
        raise ValueError(f"Expected <name> with a name of letters in the template {template!r}.")
    tokens.reverse()  # the next one is the last
    pair = _expand_options(tokens, draw, pick)
    if len(pair) != 1 or tokens:
        raise ValueError(f"Expected brackets that match, and bars within them, in the template {template!r}.")
    return pair[0]


def _expand_options(tokens: list[str], draw: Draw, pick: Pick) -> list[Pair]:
    """Remove tokens up to a closing bracket or the end, and return what stands between the bars."""
    options = [Pair("", "")]
    while tokens and tokens[-1] not in "])":
        token = tokens.pop()
        if token == "|":
            options.append(Pair("", ""))
            continue
        if token in "[(":
            inner = _expand_options(tokens, draw, pick)
            if (
                not tokens
                or tokens.pop() != {"[": "]", "(": ")"}[token]
                or (token == "[" and len(inner) != 2)
            ):
                raise ValueError("Expected ( ) with wordings, or [ ] with two of them, in a template.")
            part = inner[pick(len(inner))] if token == "(" else Pair(inner[0].positive, inner[1].negative)
        elif token[0] == "<":
            word = draw(token[1:-1])
            part = Pair(word, word)
        else:
            part = Pair(token, token)
        options[-1] = Pair(*(before + after for before, after in zip(options[-1], part, strict=True)))
    return options
