"""
Archives by name: an index of the user's says where an archive lies, and what it has to be.

`SPIGOT_ALLENNLP_INDEX` names the index, by default `spigot_allennlp/archives.json` in the user's
configuration folder (`XDG_CONFIG_HOME`, or `~/.config`): a JSON object with an entry for each name,
`{"dm": {"url": ..., "sha256": ..., "size": ..., "licence": ...}}`. Only names that the user asks
for are looked up there; a config in an archive cannot name another archive this way.
"""

import hashlib
import logging
import os
import re
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException, InvalidURL
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterator, NamedTuple, Optional, Union
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from spigot_allennlp.compat.atomic_io import file_sha256, read_json, remove_unfinished, replacing
from spigot_allennlp.compat.folder_lock import locked
from spigot_allennlp.compat.plain_errors import missing_part, plain_error

logger = logging.getLogger(__name__)

INDEX = "SPIGOT_ALLENNLP_INDEX"
ARCHIVE = "model.tar.gz"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
SECONDS_WITHOUT_DATA = 60
SECONDS_FOR_ANOTHER = 600  # while another process fetches into the cache
CHUNK = 1 << 20  # bytes


class IndexEntry(NamedTuple):
    """
    The entry of an archive in an index.

    # Parameters

    url : `str`
        Where it is: an address (`https:`, `http:`, `file:`) or a path relative to the folder of the
        index. A folder stands for the `model.tar.gz` in it.
    sha256 : `str`
        The checksum of the file, in hexadecimal digits.
    size : `int`
        The size of the file in bytes.
    licence : `str`
        Who may use it for what: the name of a licence such as CC-BY-4.0, or a description.
    """

    url: str
    sha256: str
    size: int
    licence: str


def index_path() -> Path:
    """Returns the path of the index, whether it exists or not."""
    named = os.environ.get(INDEX)
    if named:
        return Path(named).expanduser()
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.join("~", ".config")
    return Path(folder).expanduser() / "spigot_allennlp" / "archives.json"


def read_index(path: Path) -> Dict[str, IndexEntry]:
    """
    Reads the index; a missing index has no entries.

    # Raises

    `ConfigurationError` with the file, the entry and its key, if it is not an index.
    """
    try:
        content = read_json(path)
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise plain_error(f"{path} cannot be read as an index of archives: {error}") from error
    if not isinstance(content, dict):
        raise plain_error(f"{path} is no index of archives: it has to be an object, by name")
    return {name: _checked_entry(name, entry, path) for name, entry in content.items()}


def _checked_entry(name: str, entry: Any, path: Path) -> IndexEntry:
    keys = ", ".join(IndexEntry._fields)
    if not NAME.fullmatch(name):
        raise plain_error(f"{path}: the name {name!r} has other characters than A-Z a-z 0-9 _ . -")
    if not isinstance(entry, dict) or set(entry) != set(IndexEntry._fields):
        raise plain_error(f"{path}: the entry {name!r} has to be an object with {keys}, no more")
    is_right = {
        "url": isinstance(entry["url"], str) and _is_place(entry["url"]),
        "sha256": isinstance(entry["sha256"], str)
        and re.fullmatch("[0-9a-fA-F]{64}", entry["sha256"]) is not None,
        "size": type(entry["size"]) is int and entry["size"] > 0,
        "licence": isinstance(entry["licence"], str) and entry["licence"] != "",
    }
    for key, is_valid in is_right.items():
        if not is_valid:
            raise plain_error(
                f"{path}: {key} of the entry {name!r} is {entry[key]!r}. It has to be "
                + {
                    "url": "an address or a path",
                    "sha256": "64 hexadecimal digits",
                    "size": "the number of bytes",
                    "licence": "a text",
                }[key]
            )
    return IndexEntry(**{**entry, "sha256": entry["sha256"].lower()})


def _is_place(url: str) -> bool:
    try:
        urlsplit(url)
    except ValueError:
        return False
    return url != "" and "\0" not in url


def check_url(url: str, place: str) -> None:
    """
    # Raises

    `ConfigurationError` that begins with `place` if no archive can be read from `url`: it is
    neither an address nor a path, has another protocol, or is a file of another machine.
    """
    if not _is_place(url):
        raise plain_error(f"{place} is {url!r}. It has to be an address or a path")
    parts = urlsplit(url)
    if parts.scheme not in ("", "file", "https", "http"):
        raise plain_error(
            f"{place} begins with {parts.scheme}:. Take https:, http:, file:, or a path"
        )
    if parts.scheme in ("", "file") and parts.netloc not in ("", "localhost"):
        raise plain_error(
            f"{place} is on the machine {parts.netloc}, which file: cannot reach. Take "
            "file:///PATH, or https:"
        )


def without_secrets(url: str) -> str:
    """Returns the address of an entry without user, password and query, for printing."""
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def find_archive(archive: Union[str, "os.PathLike[str]"]) -> str:
    """
    Returns the path of an archive, given a path or a name in the index. A file or folder of that
    name in the current folder comes first, with a warning if the index has the name, too. An
    archive of the index is fetched into the cache of AllenNLP (`ALLENNLP_CACHE_ROOT`) on first use;
    an archive on this machine is used in place. In both cases the checksum is computed each time.

    # Raises

    `ConfigurationError` if there is no such path or name, or if the file is not the one in the
    index.
    """
    path = os.fspath(archive)
    index = index_path()
    if not NAME.fullmatch(path):
        return path
    if os.path.exists(path):
        _warn_of_shadowed(path, index)
        return path
    entries = read_index(index)
    if path not in entries:
        known = f"It has {', '.join(sorted(entries))}." if entries else "It has none."
        raise plain_error(
            f"There is neither a file or folder {path!r}, nor an archive of that name in the index "
            f"{index}. {known}{missing_part(path)}"
        )
    return _fetched(path, entries[path], index)


def _warn_of_shadowed(path: str, index: Path) -> None:
    from allennlp.common.checks import ConfigurationError

    try:
        is_named = path in read_index(index)
    except ConfigurationError:  # in an index that is not needed here
        return
    if is_named:
        logger.warning(
            "Taking %s, whose checksum is not known, not the archive %s of %s. To have that, go to "
            "another folder.",
            os.path.join(os.curdir, path),
            path,
            index,
        )


def _fetched(name: str, entry: IndexEntry, index: Path) -> str:
    """Returns the path of a file with the checksum of an entry."""
    check_url(entry.url, f"{index}: the url of {name!r}")
    if urlsplit(entry.url).scheme in ("", "file"):
        return _local_file(name, entry, index)
    from allennlp.common.file_utils import CACHE_DIRECTORY

    cached = Path(CACHE_DIRECTORY, "spigot_allennlp", f"{entry.sha256}.tar.gz")
    if not _has_checksum(cached, entry):
        with locked(cached.parent, patience=SECONDS_FOR_ANOTHER):
            if not _has_checksum(cached, entry):  # another process may have fetched it meanwhile
                remove_unfinished(cached.parent)
                _fetch(cached, name, entry, index)
    return str(cached)


def _has_checksum(path: Path, entry: IndexEntry) -> bool:
    return path.is_file() and file_sha256(path) == entry.sha256


def _local_file(name: str, entry: IndexEntry, index: Path) -> str:
    parts = urlsplit(entry.url)
    local = unquote(parts.path) if parts.scheme else entry.url
    path = index.parent / os.path.expanduser(local)
    path = path / ARCHIVE if path.is_dir() else path
    try:
        with open(path, "rb") as file:
            _copy_checked(partial(file.read, CHUNK), None, name, entry, index)
    except (OSError, ValueError) as error:
        raise plain_error(f"{name} of {index} cannot be read: {error}") from error
    return str(path)


class _SafeRedirects(HTTPRedirectHandler):
    """Follows no redirect that leaves encryption behind, or goes to another protocol than http."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Optional[Request]:
        scheme = urlsplit(newurl).scheme
        if scheme not in ("https", req.type):
            raise URLError(f"it leads on to an address that begins with {scheme}:")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(cached: Path, name: str, entry: IndexEntry, index: Path) -> None:
    """Fetches a file into the cache, or raises `ConfigurationError`."""
    address = without_secrets(entry.url)

    # This wraps only what the server does: errors of writing come from the disk, and name it.
    @contextmanager
    def errors_of_the_server() -> Iterator[None]:
        try:
            yield
        except (OSError, HTTPException, ValueError) as error:
            if isinstance(error, HTTPError):
                reason: Any = error
            elif isinstance(error, (InvalidURL, UnicodeError)):
                reason = "that is no address"  # their messages may contain a password
            else:
                reason = getattr(error, "reason", None) or error
            raise plain_error(
                f"{name} of {index} cannot be fetched from {address}: {reason}. It is not in the "
                f"cache, either ({cached.parent})"
            ) from error

    with errors_of_the_server():
        response = build_opener(_SafeRedirects).open(entry.url, timeout=SECONDS_WITHOUT_DATA)

    def read() -> bytes:
        with errors_of_the_server():
            return response.read(CHUNK)

    logger.info("Fetching %s (licence: %s) from %s.", name, entry.licence, address)
    with response, replacing(cached) as new, open(new, "wb") as file:
        _copy_checked(read, file, name, entry, index)


def _copy_checked(
    read: Callable[[], bytes],
    target: Optional[BinaryIO],
    name: str,
    entry: IndexEntry,
    index: Path,
) -> None:
    """
    Calls `read` until there is no more data, and writes the data to `target` unless that is `None`.

    # Raises

    `ConfigurationError` as soon as the data is known to differ from the entry.
    """
    digest, size = hashlib.sha256(), 0
    while chunk := read():
        digest.update(chunk)
        size += len(chunk)
        if size > entry.size:
            break
        if target is not None:
            target.write(chunk)
    if size == entry.size and digest.hexdigest() == entry.sha256:
        return
    if size != entry.size:
        more = "more than " if size > entry.size else ""
        difference = f"has {more}{min(size, entry.size)} bytes, not {entry.size}"
    else:
        difference = f"has the checksum {digest.hexdigest()}, not {entry.sha256}"
    raise plain_error(
        f"{name} is refused: {without_secrets(entry.url)} {difference}, as {index} says. Either it "
        "was damaged or replaced, or the entry is of another version; ask whoever gave it to you"
    )
