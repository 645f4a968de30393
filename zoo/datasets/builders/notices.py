"""Messages of user interfaces with items that a translation carries over unchanged."""

from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from zoo._compat import make_dataset_version
from zoo.datasets.builders.base import GeneratedBuilder, assign_split, hash_words

SIZES = {"train": 6_000, "validation": 500, "test": 500}
LANGUAGES = ("en", "de")

# Some items are in another order in German, and one is in brackets.
TEMPLATES = (
    ("Hello {name}, you have {number} new {nouns}.", "Hallo {name}, Sie haben {number} neue {nouns}."),
    ("Visit {url} to see all {nouns}.", "Besuchen Sie {url}, um alle {nouns} zu sehen."),
    ("Write to {email} if {nouns} are missing.", "Schreiben Sie an {email}, wenn {nouns} fehlen."),
    ("{name} has deleted {number} {nouns} {emoji}", "{name} hat {number} {nouns} gelöscht {emoji}"),
    (
        "Click {tag}here{end_tag} to save the {nouns} in {field}.",
        "Klicken Sie {tag}hier{end_tag}, um die {nouns} in {field} zu speichern.",
    ),
    ("Copied {field} {nouns} from {url}.", "{field} {nouns} von {url} kopiert."),
    ("{emoji} The {nouns} of {name} are ready.", "{emoji} Die {nouns} von {name} sind bereit."),
    (
        "Error {number}: {field} could not read the {nouns}.",
        "Fehler {number}: {field} konnte die {nouns} nicht lesen.",
    ),
    (
        "In {number} days {name} will receive the {nouns} at {email}.",
        "{name} erhält die {nouns} in {number} Tagen unter {email}.",
    ),
    (
        "The {nouns} were sent by {name} ({email}).",
        "Die {nouns} wurden von {name} ({email}) gesendet.",
    ),
    (
        "Have you lost your {tag}{nouns}{end_tag}? See {url}.",
        "Haben Sie Ihre {tag}{nouns}{end_tag} verloren? Siehe {url}.",
    ),
    ("{name} is waiting for {other}'s {nouns}.", "{name} wartet auf die {nouns} von {other}."),
    (
        "Since {number} the {nouns} have been shared with {field} {emoji}",
        "Seit {number} werden die {nouns} mit {field} geteilt {emoji}",
    ),
    (
        "Do not send {nouns} to {email} before {name} answers.",
        "Senden Sie keine {nouns} an {email}, bevor {name} antwortet.",
    ),
    (
        "{tag}Warning:{end_tag} {number} {nouns} will be removed from {url}.",
        "{tag}Achtung:{end_tag} {number} {nouns} werden von {url} entfernt.",
    ),
    (
        "Thank you, {name} {emoji} {number} {nouns} have arrived.",
        "Danke, {name} {emoji} {number} {nouns} sind angekommen.",
    ),
)
NOUNS = (
    ("files", "Dateien"),
    ("pages", "Seiten"),
    ("pictures", "Bilder"),
    ("messages", "Nachrichten"),
    ("invoices", "Rechnungen"),
    ("entries", "Einträge"),
    ("reports", "Berichte"),
    ("orders", "Bestellungen"),
    ("tickets", "Tickets"),
    ("comments", "Kommentare"),
    ("passwords", "Passwörter"),
    ("letters", "Briefe"),
)
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
EMOJI = (
    "😀😂😊😍🤔😎😢😡👍👎👏🙏💪🎉🎁🎂🔥⭐🌈🌙🌞🌍🌸🌲🍀🍎🍕🍔🍰☕🍺🚀🚗🚲🚂✈⛵🏠🏆⚽🎵🎬📷"
    "📱💻💡📚📌📎🔑🔒🔔⏰❤💔✅❌❓❗⚠🐶🐱🐭🐰🦊🐻🐼🐸🐵🐔🐧"
)
FIELD_FORMS = ("{{{}}}", "{{{{{}}}}}", "${{{}}}", "%({})s", "{{0_{}}}")
DOMAINS = ("org", "com", "net")


class Notices(GeneratedBuilder):
    """Messages of user interfaces in English and German, with items that are the same in both.

    "Hello Nalvo, you have 412 new files." is "Hallo Nalvo, Sie haben 412 neue Dateien." The items are URLs, e-mail
    addresses, numbers, placeholders, tags, emoji and names, all invented. Each item is in one split only, so a model
    that can write only what it has seen in training fails.

    Example:
        >>> import zoo
        >>> builder = zoo.datasets.builders.Notices()
        >>> {language: feature.shape for language, feature in builder.info.features.items()}
        {'en': (), 'de': ()}
    """

    VERSION = make_dataset_version("1.0.0")
    text_languages = LANGUAGES

    def _info(self) -> Any:
        return self.declare(tfds.features.Translation(LANGUAGES), LANGUAGES)

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, str]]]:
        for number in range(SIZES[split]):
            templates = TEMPLATES[number % len(TEMPLATES)]
            nouns = NOUNS[hash_words(split, number) % len(NOUNS)]
            items = make_items(split, number)
            source, target = (
                template.format(nouns=noun, **items) for template, noun in zip(templates, nouns, strict=True)
            )
            yield source, dict(zip(LANGUAGES, (source, target), strict=True))


def make_items(split: str, number: int) -> dict[str, str]:
    """Return an item of each kind by name, the same on every machine.

    Args:
        split: the split that the items belong to.
        number: position of the example in the split.
    """

    def draw(kind: str, make_item: Any) -> str:
        """Return the first item of a random series that belongs to the split."""
        attempt = 0
        while True:
            item: str = make_item(hash_words(split, number, kind, attempt))
            if assign_split(kind, item.lower()) == split:
                return item
            attempt += 1

    tag = draw("word", _make_word)
    return {
        "name": draw("name", lambda seed: _make_word(seed).capitalize()),
        "other": draw("name", lambda seed: _make_word(seed // 3).capitalize()),
        "number": draw("number", lambda seed: str(13 + seed % 30_000)),
        "url": draw("url", _make_url),
        "email": draw("email", _make_email),
        "field": draw("field", lambda seed: FIELD_FORMS[seed % len(FIELD_FORMS)].format(_make_word(seed))),
        "emoji": draw("emoji", lambda seed: EMOJI[seed % len(EMOJI)]),
        "tag": f"<{tag}>",
        "end_tag": f"</{tag}>",
    }


def _make_word(seed: int) -> str:
    letters = ""
    for _ in range(2 + seed % 2):
        seed, consonant = divmod(seed // 5, len(CONSONANTS))
        seed, vowel = divmod(seed, len(VOWELS))
        letters += CONSONANTS[consonant] + VOWELS[vowel]
    return letters + CONSONANTS[seed % len(CONSONANTS)]


def _make_url(seed: int) -> str:
    path = ("", f"/{_make_word(seed // 7)}", f"/?{_make_word(seed // 11)}={seed % 100}")[seed % 3]
    return f"https://{_make_word(seed)}.{DOMAINS[seed // 3 % len(DOMAINS)]}{path}"


def _make_email(seed: int) -> str:
    return f"{_make_word(seed)}@{_make_word(seed // 13)}.{DOMAINS[seed % len(DOMAINS)]}"
