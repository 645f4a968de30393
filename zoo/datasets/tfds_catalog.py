"""TFDS data sets by name, with a quick error where the name is wrong or the network is missing."""

import contextlib
import difflib
import hashlib
import io
import logging
import re
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import tensorflow as tf
import tensorflow_datasets as tfds

from zoo._compat import get_download_name, is_downloaded
from zoo.datasets.builders.base import GeneratedBuilder
from zoo.datasets.fingerprint import note_fact, note_file
from zoo.datasets.messages import abbreviate
from zoo.datasets.records import DataInfo
from zoo.errors import DataError
from zoo.paths import parse_path

logger = logging.getLogger(__name__)

_OPEN_LICENSE = re.compile(
    r"apache|\bmit\b|\bbsd\b|\bcc0|\bcc[ -]by\b|creativecommons\.org/(licenses/by|publicdomain)|"
    r"creative commons (attribution|zero)|public domain|\bpddl\b|\bunicode-3|\bodc[ -]by\b|\bodbl\b",
    re.IGNORECASE,
)
_RESTRICTION = re.compile(r"\b(nc|nd|non-?commercial|no-?deriv\w*|research|unknown)\b", re.IGNORECASE)

_PROBE_SECONDS = 8.0  # for all hosts together: a DNS query may hang longer than its own timeout


def find_builder(name: str, data_dir: Path | None = None) -> Any:
    """Return the builder of a TFDS data set, without using the network and without preparing the data.

    Args:
        name: `name`, `name/config` or `name:version`; community namespaces are not supported.
        data_dir: directory of prepared data and downloads; the default of TFDS if `None`.

    Raises:
        DataError: there is no such data set; the message contains similar names, of files first.
    """
    # TFDS would look up a community namespace ("kubric:movi_a") on the network.
    if re.match(r"\w+(/|:\d|$)", name):
        with contextlib.suppress(ValueError, AssertionError):
            return tfds.builder(name, data_dir=data_dir)
    names = tfds.list_builders(with_community_datasets=False)
    base = re.split("[/:]", name)[0]
    if base in names:
        names += [f"{base}/{config}" for config in tfds.builder_cls(base).builder_configs]
    similar = " or ".join([*_find_similar_files(name), *difflib.get_close_matches(name, set(names))][:3])
    raise DataError(
        f"{name!r} is neither a file or directory that exists nor a TFDS data set. "
        + (f"Did you mean {similar}?" if similar else "Correct the path or the name.")
    )


def _find_similar_files(name: str) -> list[str]:
    """Return the paths of files and directories beside a path that does not exist, with similar names."""
    path = parse_path(name)
    try:
        names = [child.name for child in path.parent.iterdir()]
    except OSError:
        return []
    return [str(path.parent / match) for match in difflib.get_close_matches(path.name, names)]


def prepare(builder: Any) -> None:
    """Download and prepare a TFDS data set, or generate it, unless that was done before.

    Args:
        builder: from `find_builder`.

    Raises:
        DataError: a download is needed and its host does not answer. The error comes within 10 seconds; TFDS
            itself would retry for minutes.
    """
    if not builder.data_path.exists():
        _download_or_generate(builder)
    _note_sources(builder)


def _download_or_generate(builder: Any) -> None:
    downloads = Path(builder.data_dir_root) / "downloads"
    missing = _find_missing_downloads(builder, downloads)
    if hosts := _find_unreachable_hosts(missing):
        urls = [url for url in missing if urlsplit(url).netloc in hosts]
        raise DataError(
            f"{builder.info.full_name} needs {abbreviate(urls)}, and {abbreviate(hosts)} cannot be reached. "
            "Connect to the network and run again, or put "
            f"{abbreviate([missing[url] or url for url in urls])} into {downloads / 'manual'}, or choose "
            "your own files (--dataset PATH) or the embedded data set."
        )
    if builder.url_infos:
        builder.download_and_prepare()
    else:
        logger.info("generating %s, once", builder.info.full_name)
        tfds.disable_progress_bar()
        with contextlib.redirect_stdout(io.StringIO()):  # where TFDS prints about downloads
            builder.download_and_prepare()
        tfds.enable_progress_bar()


def _note_sources(builder: Any) -> None:
    """Note what identifies a prepared set: the checksums of its downloads; of a generated set its content."""
    info = builder.info
    facts: dict[str, Any] = {name: split.num_examples for name, split in info.splits.items()}
    if downloads := builder.url_infos:
        checksums = sorted((url, str(download.checksum)) for url, download in downloads.items())
        facts["SHA-256 of the checksums"] = hashlib.sha256(repr(checksums).encode()).hexdigest()
    else:
        for split in info.splits.values():
            for path in split.filepaths:
                note_file(Path(path))
    note_fact(info.full_name, facts)


def read_split(builder: Any, split: str, **options: Any) -> tf.data.Dataset:
    """Return the examples of a split in their stored order.

    Args:
        builder: from `find_builder`, prepared.
        split: name of the split.
        **options: further arguments of `as_dataset`.
    """
    config = tfds.ReadConfig(try_autocache=False)  # the cache warns when a split is read in part
    return builder.as_dataset(split=split, shuffle_files=False, read_config=config, **options)


def get_data_info(builder: Any) -> DataInfo:
    """Return source, license and citation of a TFDS data set."""
    info = builder.info
    license = info.redistribution_info.license.strip()
    return DataInfo(
        info.full_name,
        license,
        info.citation.strip(),
        languages=getattr(builder, "text_languages", None),
        is_redistributable=permits_redistribution(license),
        is_generated=isinstance(builder, GeneratedBuilder),
    )


def permits_redistribution(license: str) -> bool:
    """Return whether a license, as TFDS states it, is known to permit showing examples to everyone.

    >>> [permits_redistribution(name) for name in ("Apache-2.0", "CC BY-NC 4.0", "")]
    [True, False, False]
    """
    return bool(_OPEN_LICENSE.search(license)) and not _RESTRICTION.search(license)


def describe_features(builder: Any) -> str:
    """Return the features of a TFDS data set with their types, for a message."""
    return ", ".join(f"{name} ({type(feature).__name__})" for name, feature in builder.info.features.items())


def _find_missing_downloads(builder: Any, downloads: Path) -> dict[str, str]:
    """Map the URL of each download that TFDS would not find locally to its file name, if that is known."""
    infos = builder.url_infos or {}
    # URLs are registered for all configurations together; often a configuration contains its own.
    config = vars(builder.builder_config) if builder.builder_config else {}
    config_urls = {value for value in config.values() if isinstance(value, str)}
    missing = {}
    for url in [url for url in infos if url in config_urls] or infos:
        info, name = infos[url], get_download_name(url, infos[url].checksum)
        if not (
            (info.filename and (downloads / "manual" / info.filename).exists())
            or is_downloaded(downloads / builder.name / name)
            or is_downloaded(downloads / name)
        ):
            missing[url] = info.filename
    return missing


def _find_unreachable_hosts(urls: Iterable[str]) -> list[str]:
    """Return the hosts of HTTP URLs that do not answer. An error status is an answer."""
    reachable = set()

    def probe(host: str, url: str) -> None:
        with contextlib.suppress(requests.RequestException):
            requests.head(url, timeout=4)
            reachable.add(host)

    hosts = {urlsplit(url).netloc: url for url in urls if url.startswith("http")}
    # Daemon threads: an executor would wait for a hanging query before the program may end.
    threads = [threading.Thread(target=probe, args=item, daemon=True) for item in hosts.items()]
    deadline = time.monotonic() + _PROBE_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [host for host in hosts if host not in reachable]
