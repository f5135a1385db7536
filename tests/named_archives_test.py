"""Archives that an index names: from a folder, a file, and a server on this machine."""

import errno
import functools
import hashlib
import json
import os
import shutil
import ssl
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse, IncompleteRead
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import URLError
from urllib.request import Request

import pytest
from allennlp.common import file_utils
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.compat.atomic_io import file_sha256
from spigot_allennlp.named_archives import (
    INDEX,
    NAME,
    IndexEntry,
    _SafeRedirects,
    find_archive,
    index_path,
    read_index,
)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder to work in, with an index and a cache of its own."""
    monkeypatch.setenv(INDEX, str(tmp_path / "index.json"))
    monkeypatch.setattr(file_utils, "CACHE_DIRECTORY", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.fixture
def published(tmp_path):
    """A folder with a file that stands for an archive."""
    (tmp_path / "published").mkdir()
    file = tmp_path / "published" / "model.tar.gz"
    file.write_bytes(b"a model" * 1000)
    return file


@pytest.fixture
def server(published):
    """Serves that folder on this machine, and counts what it is asked for."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=str(published.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked, server.url = asked, f"http://127.0.0.1:{server.server_port}/model.tar.gz"
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def write_index(published, **changes):
    content = Path(published).read_bytes()
    entry = {
        "url": str(published),
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "licence": "CC0-1.0",
        **changes,
    }
    index_path().write_text(json.dumps({"dm": entry}))


def cached_files():
    folder = Path(file_utils.CACHE_DIRECTORY)
    return [file for file in folder.rglob("*") if file.is_file() and file.name != ".lock"]


@pytest.mark.parametrize("kind", ["file", "folder", "address", "relative", "folder address"])
def test_a_file_of_this_machine_is_taken_from_where_it_lies(published, kind):
    urls = {
        "file": str(published),
        "folder": str(published.parent),
        "address": published.as_uri(),
        "relative": "published/model.tar.gz",
        "folder address": published.parent.as_uri(),
    }
    write_index(published, url=urls[kind])
    assert os.path.samefile(find_archive("dm"), published) and not cached_files()


def test_what_a_server_has_is_fetched_once_and_is_there_without_the_server(published, server):
    write_index(published, url=server.url)
    path = find_archive("dm")
    assert Path(path).read_bytes() == published.read_bytes() and len(server.asked) == 1
    server.shutdown()
    server.server_close()
    assert find_archive("dm") == path and len(server.asked) == 1
    assert cached_files() == [Path(path)]


def test_a_copy_in_the_cache_that_was_damaged_is_fetched_again(published, server):
    write_index(published, url=server.url)
    path = Path(find_archive("dm"))
    path.write_bytes(b"damaged")
    assert find_archive("dm") == str(path) and path.read_bytes() == published.read_bytes()


@pytest.mark.parametrize(
    "content, difference",
    [
        (b"A model" * 1000, "has the checksum .*, not "),
        (b"a model" * 999, "has 6993 bytes, not 7000"),
        (b"a model" * 5000, "has more than 7000 bytes, not 7000"),
    ],
)
def test_another_file_is_refused_and_nothing_of_it_is_left(published, server, content, difference):
    for url in (server.url, str(published)):
        write_index(published, url=url)
        original = published.read_bytes()
        published.write_bytes(content)
        with pytest.raises(
            ConfigurationError, match=f"^dm is refused: .*{difference}.*index.json says"
        ):
            find_archive("dm")
        assert not cached_files()
        published.write_bytes(original)


def test_a_transfer_that_breaks_off_leaves_nothing(published, server, monkeypatch):
    write_index(published, url=server.url)

    def copyfile(handler, source, target):
        target.write(source.read()[:100])

    monkeypatch.setattr(SimpleHTTPRequestHandler, "copyfile", copyfile)
    with pytest.raises(ConfigurationError, match="dm .*(refused|fetched)"):
        find_archive("dm")
    assert not cached_files()


def test_two_that_ask_at_once_fetch_once_and_both_get_the_whole_file(published, server):
    published.write_bytes(os.urandom(1 << 22))
    write_index(published, url=server.url)
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(find_archive, ["dm"] * 8))
    (path,) = paths
    assert Path(path).read_bytes() == published.read_bytes() and len(server.asked) == 1
    assert cached_files() == [Path(path)]


def test_what_a_killed_fetch_has_left_is_removed_by_the_next(published, server):
    write_index(published, url=server.url)
    path = Path(find_archive("dm"))
    path.rename(path.with_name(f".{path.name}.7.new"))
    assert find_archive("dm") == str(path) and cached_files() == [path]


@pytest.mark.parametrize(
    "fault, message",
    [
        (ssl.SSLError(1, "bad record mac"), "cannot be fetched from .*bad record mac"),
        (ConnectionResetError(104, "reset by peer"), "cannot be fetched from .*reset by peer"),
        (IncompleteRead(b""), "cannot be fetched from .*IncompleteRead"),
    ],
)
def test_a_fault_while_reading_is_of_the_server(published, server, monkeypatch, fault, message):
    write_index(published, url=server.url)

    def read(response, size):
        raise fault

    monkeypatch.setattr(HTTPResponse, "read", read)
    with pytest.raises(ConfigurationError, match=message):
        find_archive("dm")
    assert not cached_files()


def test_a_fault_while_writing_is_of_the_disk(published, server, monkeypatch):
    write_index(published, url=server.url)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device: .*cache.*tar.gz'"):
        find_archive("dm")
    assert not cached_files()


def test_neither_password_nor_query_of_an_address_is_printed(published, server, caplog):
    caplog.set_level("INFO")
    write_index(published, url=f"{server.url}?token=secret")
    find_archive("dm")
    assert server.url in caplog.text and "secret" not in caplog.text
    host = server.url.partition("//")[2]
    for url in (f"http://me:secret@{host}", f"{server.url}.not_there?token=secret"):
        write_index(published, url=url, sha256="0" * 64)
        with pytest.raises(ConfigurationError, match=f"cannot be fetched from http://{host}") as e:
            find_archive("dm")
        assert "secret" not in str(e.value)


def test_a_redirect_is_followed_but_not_to_an_address_without_encryption(published, server):
    class Redirect(SimpleHTTPRequestHandler):
        target = server.url

        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", self.target)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirect) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{other.server_port}/model.tar.gz"
        write_index(published, url=url)
        assert Path(find_archive("dm")).read_bytes() == published.read_bytes()
        Redirect.target = "ftp://127.0.0.1/model.tar.gz"
        write_index(published, url=url, sha256="0" * 64)
        with pytest.raises(ConfigurationError, match="it leads on to .* begins with ftp:"):
            find_archive("dm")
        other.shutdown()
    # There is no certificate for a server here, so this is asked of the handler.
    follow = _SafeRedirects().redirect_request
    encrypted = Request("https://example.org/a")
    assert follow(encrypted, None, 302, "", {}, "https://example.org/b").type == "https"
    with pytest.raises(URLError, match="begins with http:"):
        follow(encrypted, None, 302, "", {}, "http://example.org/b")


def test_a_server_or_file_that_is_not_there_is_named(published, server):
    write_index(published, url=server.url + ".not_there")
    with pytest.raises(ConfigurationError, match=r"fetched from .*not_there: .*404"):
        find_archive("dm")
    server.shutdown()
    server.server_close()
    write_index(published, url=server.url)
    with pytest.raises(ConfigurationError, match="cannot be fetched from .*refused.*cache"):
        find_archive("dm")
    write_index(published, url="not/there.tar.gz")
    with pytest.raises(ConfigurationError, match="cannot be read: .*not/there.tar.gz"):
        find_archive("dm")


def test_what_lies_in_the_folder_comes_before_the_index_and_paths_are_left_alone(published, caplog):
    write_index(published)
    shutil.copytree(published.parent, "dm")
    assert find_archive("dm") == "dm"
    assert f"Taking ./dm, whose checksum is not known, not the archive dm of {index_path()}" in (
        caplog.text
    )
    caplog.clear()
    shutil.copytree("dm", "other")
    assert find_archive("other") == "other"
    index_path().write_text("no index")
    assert find_archive("dm") == "dm" and not caplog.text
    for path in ("runs/dm", "./dm.tar.gz", "https://example.org/model.tar.gz", "hf://a/b"):
        assert find_archive(path) == path and not NAME.fullmatch(path)


def test_a_name_that_nobody_knows_is_told_with_those_that_there_are(published):
    with pytest.raises(ConfigurationError, match="neither a file .*'pas'.*index.json. It has none"):
        find_archive("pas")
    write_index(published)
    with pytest.raises(ConfigurationError, match="'pas', nor an archive .* It has dm."):
        find_archive("pas")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"sha256": "12"}, "sha256 of the entry 'dm' is '12'. It has to be 64 hexadecimal"),
        ({"size": -1}, "size of the entry 'dm' is -1. It has to be the number of bytes"),
        ({"size": True}, "size of the entry 'dm' is True"),
        ({"licence": ""}, "licence of the entry 'dm' is ''"),
        ({"extra": 1}, "the entry 'dm' has to be an object with url, sha256, size, licence"),
        ({"url": "ftp://example.org/x"}, "begins with ftp:. Take https:"),
        ({"url": "file://example.org/x"}, "is on the machine example.org, which file: cannot"),
        ({"url": "https://["}, "url of the entry 'dm' is 'https://\\['. It has to be an address"),
        ({"url": "a\0b"}, "url of the entry 'dm' is .* It has to be an address or a path"),
        ({"url": "https://\u00e9..example.org/x"}, "cannot be fetched from .*that is no address"),
    ],
)
def test_an_entry_that_is_wrong_is_named_with_its_key(published, changes, message):
    write_index(published, **changes)
    with pytest.raises(ConfigurationError, match=f"index.json.*{message}"):
        find_archive("dm")


@pytest.mark.parametrize("text", ["[]", "{", '{"../dm": {}}'])
def test_a_file_that_is_no_index_is_named(text):
    index_path().write_text(text)
    with pytest.raises(ConfigurationError, match="^.*index.json"):
        read_index(index_path())


def test_the_index_is_in_the_configuration_folder_of_the_user(monkeypatch, tmp_path):
    assert index_path() == tmp_path / "index.json"
    monkeypatch.delenv(INDEX)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/xdg")
    assert index_path() == Path("/etc/xdg/spigot_allennlp/archives.json")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert index_path() == Path.home() / ".config/spigot_allennlp/archives.json"
    assert read_index(tmp_path / "none.json") == {}


def test_the_checksum_is_that_of_the_standard(published):
    published.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(published) == known
    write_index(published, sha256=known.upper())
    assert read_index(index_path())["dm"] == IndexEntry(str(published), known, 3, "CC0-1.0")
    assert find_archive("dm") == str(published)
