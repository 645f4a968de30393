"""TFDS data sets by name, with a quick answer where the name is wrong or the network is away."""

import contextlib
import difflib
import io
import re
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import requests
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.resource import get_dl_fname, is_locally_cached

from zoo.errors import DataError

_PATIENCE = 8.0  # seconds for all probes together: a DNS query may hang longer than its own limit


def some(names: Sequence[str]) -> str:
    """The first names, for a message, and how many more there are."""
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def find(name: str, data_dir: Path | None = None) -> tfds.core.DatasetBuilder:
    """Returns the builder of a TFDS data set, without network and not yet prepared.

    Args:
        name: As TFDS has it: `name`, `name/config`, `name:version`; no community namespaces.
        data_dir: Where prepared data and downloads are kept; TFDS's own folder if None.

    Raises:
        DataError: There is no such data set; the message names the nearest.
    """
    # TFDS would look up a community namespace ("kubric:movi_a") on the network.
    if re.match(r"\w+(/|:\d|$)", name):
        with contextlib.suppress(ValueError, AssertionError):
            return tfds.builder(name, data_dir=data_dir)
    known = tfds.list_builders(with_community_datasets=False)
    base = re.split("[/:]", name)[0]
    if base in known:
        known += [f"{base}/{config}" for config in tfds.builder_cls(base).builder_configs]
    near = " or ".join(difflib.get_close_matches(name, set(known)))
    raise DataError(
        f"{name!r} is neither a file or folder that exists nor a TFDS data set. "
        + (f"Did you mean {near}?" if near else "Correct the path or the name.")
    )


def prepare(builder: tfds.core.DatasetBuilder) -> None:
    """Downloads and prepares the data set unless that is done already.

    Raises:
        DataError: A download is needed and its host does not answer, told within 10 seconds where
            TFDS would retry for minutes.
    """
    if builder.data_path.exists():
        return
    downloads = Path(builder.data_dir_root) / "downloads"
    missing = _missing(builder, downloads)
    if silent := _silent_hosts(missing):
        urls = [url for url in missing if urlsplit(url).netloc in silent]
        raise DataError(
            f"{builder.info.full_name} needs {some(urls)}, and {some(silent)} cannot be reached. "
            "Connect and run again, or put "
            f"{some([missing[url] or url for url in urls])} into {downloads / 'manual'}, or give "
            "a path to files of your own (--dataset PATH), or use the embedded default."
        )
    if builder.url_infos:
        builder.download_and_prepare()
    else:  # generated, about which TFDS has too much to say
        print(f"generating {builder.info.full_name}, once", flush=True)
        tfds.disable_progress_bar()
        with contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare()
        tfds.enable_progress_bar()


def origin(info: tfds.core.DatasetInfo) -> dict[str, str]:
    """What each of our sets tells of where it comes from: source, citation and license."""
    return {
        "source": info.full_name,
        "citation": info.citation.strip(),
        "license": info.redistribution_info.license.strip(),
    }


def named_features(info: tfds.core.DatasetInfo) -> str:
    """The features with their kinds, for a message."""
    return ", ".join(f"{name} ({type(feature).__name__})" for name, feature in info.features.items())


def _missing(builder: tfds.core.DatasetBuilder, downloads: Path) -> dict[str, str]:
    """Maps the URL of each download that TFDS will not find locally to its file name, if known."""
    infos = builder.url_infos or {}
    # The URLs are registered for all configurations together; often the one chosen names its own.
    config = vars(builder.builder_config) if builder.builder_config else {}
    own = {value for value in config.values() if isinstance(value, str)}
    missing = {}
    for url in [url for url in infos if url in own] or infos:
        info, cached = infos[url], get_dl_fname(url, infos[url].checksum)
        if not (
            (info.filename and (downloads / "manual" / info.filename).exists())
            or is_locally_cached(downloads / builder.name / cached)
            or is_locally_cached(downloads / cached)
        ):
            missing[url] = info.filename
    return missing


def _silent_hosts(urls: Iterable[str]) -> list[str]:
    """Returns the hosts of the HTTP URLs that give no answer at all; a refusal is an answer."""
    answered = set()

    def probe(host: str, url: str) -> None:
        with contextlib.suppress(requests.RequestException):
            requests.head(url, timeout=4)
            answered.add(host)

    hosts = {urlsplit(url).netloc: url for url in urls if url.startswith("http")}
    # Daemons: an executor would wait for a hanging query before the program may end.
    threads = [threading.Thread(target=probe, args=item, daemon=True) for item in hosts.items()]
    deadline = time.monotonic() + _PATIENCE
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [host for host in hosts if host not in answered]
