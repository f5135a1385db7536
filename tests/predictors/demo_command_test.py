"""`allennlp demo` in a thread, asked as a browser asks, and by a browser."""

import argparse
import http.client
import json
import logging
import re
import socket
import struct
import sys
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from threading import Event, Thread
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen
from xml.etree import ElementTree

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model

from spigot_allennlp.commands.demo import (
    ANNOTATED,
    Demo,
    DemoCommand,
    DemoServer,
    demo_from_args,
    is_loopback,
    note_of_layers,
)
from spigot_allennlp.compat.plain_errors import message_of
from spigot_allennlp.data.formats.conll import scan_conll
from spigot_allennlp.data.formats.sdp import scan_sdp
from spigot_allennlp.data.formats.source import Source
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.predictors.sentence_parser import load_sentence_predictor
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from tests.browser import CHROMIUM, browser
from tests.data.sample_files import records_of
from tests.predictors.conftest import ChainParser, without_words


@contextmanager
def serving(archive, **options):
    """Gives the block a server, at an address with a port that was free."""
    predictor = load_sentence_predictor(archive, on_error="report", **{"max_words": 20, **options})
    with DemoServer("127.0.0.1", 0, Demo(predictor, "<model>")) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server(make_archive):
    with serving(make_archive()) as server:
        yield server


def get(server, path="/", **query):
    """Returns status, headers and text of what the server says."""
    try:
        answer = urlopen(f"{server.address.rstrip('/')}{path}?{urlencode(query)}")
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode("utf-8")


def source_of(text):
    return Source("text", lambda: BytesIO(text.encode("utf-8")))


def test_the_page_has_a_field_and_after_a_sentence_its_picture(server):
    status, headers, page = get(server)
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<input name="sentence"' in page and "<svg" not in page
    status, _, page = get(server, sentence="We know it")
    picture = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    words = [text.text for text in picture.iter() if text.get("class") == "word"]
    assert (status, words) == (200, ["We", "know", "it"])
    assert page.count('class="arc tree"') == 3 and page.count('class="arc graph"') == 3
    assert "Above the words is the tree. Below the words is the graph" in page
    assert "probability" not in page and "In the middle" not in page


def test_whatever_is_typed_is_shown_as_text(server):
    for sentence in ('"><script>alert(1)</script>', "<b> & 'x' </title>", "😀 \x00"):
        status, headers, page = get(server, sentence=sentence)
        assert status == 200 and "<script" not in page and "<b>" not in page
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert "What &lt;model&gt; makes" in page
    assert set(re.findall(r"https?://[^\"]*", page)) == {"http://www.w3.org/2000/svg"}


def test_the_files_of_a_parse_are_what_the_formats_say(server):
    links = re.findall(
        r'href="/(parse\.\w+)\?sentence=We\+know"', get(server, sentence="We know")[2]
    )
    assert links == ["parse.json", "parse.conllu", "parse.sdp", "parse.svg"]
    texts = {}
    for name in links:
        status, headers, texts[name] = get(server, f"/{name}", sentence="We know")
        assert status == 200 and headers["X-Content-Type-Options"] == "nosniff"
    parsed = json.loads(texts["parse.json"])
    assert parsed["tree"] == {"heads": [0, 1], "labels": ["dep", "dep"]}
    (sentence,) = records_of(scan_conll(source_of(texts["parse.conllu"])))
    assert [word.head for word in sentence.words] == [0, 1]
    (sentence,) = records_of(scan_sdp(source_of(texts["parse.sdp"])))
    assert [tuple(arc) for arc in sentence.arcs] == [(1, 2, "ARG1")]
    assert ElementTree.fromstring(texts["parse.svg"]).tag.endswith("svg")


def test_an_object_has_tokens_and_annotation(server):
    inputs = {"words": ["We know", "it"], "pos": ["<P>", "Q"]}
    status, _, page = get(server, sentence=json.dumps(inputs))
    assert status == 200 and ">We know</text>" in page and ">&lt;P&gt;</text>" in page


@pytest.mark.parametrize(
    "sentence, reason",
    [
        ("x" * 2001, "The sentence has more than 2000 characters. Shorten it"),
        ("x " * 21, "the sentence has 21 words, more than max_words, which is 20"),
        ('{"words": [', "The sentence begins with {, but it is not JSON"),
        ('{"<i>": 3}', "unknown keys [&#x27;&lt;i&gt;&#x27;]"),
        ('{"words": ["a", 3]}', "entry 2 of &quot;words&quot;"),
    ],
)
def test_what_cannot_be_parsed_is_told_on_the_page(server, sentence, reason):
    status, _, page = get(server, sentence=sentence)
    shown = re.search('<p class="error" role="alert">(.*?)</p>', page)[1]
    assert status == 400 and reason in shown and "<svg" not in page and "Traceback" not in page
    status, headers, text = get(server, "/parse.json", sentence=sentence)
    assert (status, headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert text and "Traceback" not in text


def test_an_error_of_the_model_is_a_line_and_the_next_sentence_is_parsed(server, monkeypatch):
    def forward(*arguments, **layers):
        raise RuntimeError("an <odd> reason")

    with monkeypatch.context() as patch:
        patch.setattr(ChainParser, "forward", forward)
        status, _, page = get(server, sentence="We know")
        assert status == 400 and "RuntimeError: an &lt;odd&gt; reason" in page
        assert "Traceback" not in page
    assert get(server, sentence="We know")[0] == 200


def test_an_error_of_the_program_is_a_line_and_its_trace_is_in_the_log(server, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        patch.setattr(Demo, "answer", lambda *args: 1 / 0)
        status, _, text = get(server, sentence="We know")
    assert (status, text) == (
        500,
        "This went wrong in the program. Its log, in the terminal, says how.",
    )
    assert "ZeroDivisionError" in caplog.text


def test_a_file_that_cannot_hold_the_parse_says_so(make_archive, monkeypatch):
    config = {
        "model": {"type": "length_classifier", "tree": True},
        "dataset_reader": {"type": "sst"},
    }
    with serving(make_archive(**config)) as server:
        page = get(server, sentence="What a fine film")[2]
        assert "parse.sdp" not in page and "positive, probability 1.00" in page
        status, _, text = get(server, "/parse.sdp", sentence="What a fine film")
    assert status == 400 and text.startswith("This parse has no graph, which SDP is for.")


@pytest.mark.parametrize(
    "host, status",
    [
        ("127.0.0.1", 200),
        ("localhost:9000", 200),
        ("[::1]:1", 200),
        ("[::ffff:7f00:1]:1", 200),
        ("LOCALHOST", 200),
        ("evil.example", 403),
        ("evil.example:8000", 403),
        ("localhost.evil.example", 403),
        ("192.168.0.7", 403),
        ("[::ffff:192.168.0.7]", 403),
        ("[", 403),
        ("", 403),
    ],
)
def test_nobody_asks_by_a_foreign_name(server, host, status):
    connection = http.client.HTTPConnection(*server.server_address)
    connection.putrequest("GET", "/?sentence=secret", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == status and ("secret" in text) == (status == 200)


def test_an_address_of_ipv4_in_ipv6_is_as_local_as_that_of_ipv4(server, monkeypatch):
    for host in ("127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"):
        assert is_loopback(host)
    for host in ("0.0.0.0", "::", "::ffff:0.0.0.0", "::ffff:10.0.0.1", "localhost", ""):
        assert not is_loopback(host)
    monkeypatch.setattr(server, "server_address", ("::ffff:127.0.0.1", 8000, 0, 0))
    assert server.is_local and not server.is_asked_by_name("evil.example")


def test_who_leaves_while_a_sentence_is_parsed_leaves_no_trace(server, monkeypatch, capsys, caplog):
    is_parsed, has_left, is_over = Event(), Event(), Event()
    answer, shutdown_request = Demo.answer, server.shutdown_request

    def slow_answer(*arguments):
        is_parsed.set()
        assert has_left.wait(60)
        return answer(*arguments)

    def shutdown(request):
        shutdown_request(request)
        is_over.set()

    with monkeypatch.context() as patch, caplog.at_level(logging.DEBUG):
        patch.setattr(Demo, "answer", slow_answer)
        patch.setattr(server, "shutdown_request", shutdown)
        with socket.create_connection(server.server_address) as reader:
            reader.sendall(b"GET /?sentence=We+know HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert is_parsed.wait(60)
            # Closing resets the connection, so that the server cannot write.
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        has_left.set()
        assert is_over.wait(60)
    assert capsys.readouterr() == ("", "")
    (record,) = [record for record in caplog.records if "broke" in record.getMessage()]
    assert record.levelno == logging.DEBUG
    assert issubclass(record.exc_info[0], ConnectionError)
    assert get(server, sentence="We know")[0] == 200


def test_another_error_of_a_connection_is_logged_with_its_trace(server, caplog):
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        server.handle_error(None, ("127.0.0.1", 1))
    assert caplog.records[-1].levelno == logging.ERROR and "ZeroDivisionError" in caplog.text


def test_other_requests_are_answered_in_a_line(server):
    assert get(server, "/etc/passwd")[::2] == (404, "There is nothing here. Go to /.")
    connection = http.client.HTTPConnection(*server.server_address)
    connection.request("POST", "/")
    answer = connection.getresponse()
    assert answer.status == 501 and answer.read() == b"Unsupported method ('POST')"
    connection.putrequest("GET", "http://[x", skip_host=True)
    connection.putheader("Host", "localhost")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 400 and answer.read() == b"This is no address. Go to /."
    connection.close()


def test_many_ask_at_once_and_each_has_its_own_answer(server):
    texts = {}

    def ask(number):
        texts[number] = json.loads(get(server, "/parse.json", sentence="x " * number)[2])

    threads = [Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: len(parse["tokens"]) for number, parse in texts.items()} == {
        number: number for number in range(1, 9)
    }


@Model.register("chain_parser_with_choice")
class ChainParserWithChoice(ChainParser):
    """It has a layer that a parser could choose its tree by."""

    def __init__(self, vocab):
        super().__init__(vocab)
        self.argmax = StructuredArgmaxLayer(ProjectiveTree(), Spigot())


def test_a_choice_in_the_middle_of_a_model_is_described(make_archive):
    with serving(make_archive(model={"type": "chain_parser_with_choice"})) as server:
        page = get(server, sentence="We know")[2]
    assert "a layer chooses the tree (structure projective_tree)" in page
    assert "by the estimator spigot." in page


def test_a_model_that_lacks_what_it_learned_from_says_so_with_the_way_out(make_archive):
    tags = {"type": "single_id", "feature_name": "pos_", "namespace": "tokens"}
    reader = {"type": "sdp", "token_indexers": {"pos": tags}}
    with serving(make_archive(dataset_reader=reader)) as server:
        note = note_of_layers(["pos"])
        assert "parts of speech" in note and "--predictor-args" in note
        page = get(server, sentence="We know")[2]
        assert f'<p class="note">{note[:60]}' in page
        page = get(server, sentence='{"words": ["We", "know"], "pos": ["We", "know"]}')[2]
        assert 'class="note"' not in page
        status, _, page = get(server, sentence=ANNOTATED)
        assert status == 200 and 'class="note"' not in page


def command(*arguments):
    parser = argparse.ArgumentParser()
    DemoCommand().add_subparser(parser.add_subparsers())
    return parser.parse_args(["demo", *arguments])


def test_the_command_serves_at_the_address_it_prints(make_archive, monkeypatch, capsys):
    archive = make_archive()
    pages = []

    def serve(server):
        Thread(target=server.handle_request).start()
        pages.append(get(server, sentence="We know it"))
        raise KeyboardInterrupt

    monkeypatch.setattr(DemoServer, "serve_forever", serve)
    demo_from_args(command(archive, "--port", "0"))
    assert pages[0][0] == 200 and archive in pages[0][2]
    printed = capsys.readouterr().out
    assert re.match(rf"http://127\.0\.0\.1:[1-9]\d+/ shows what {archive} makes", printed)
    assert "no longer there" in printed


def test_the_address_is_known_before_the_first_request_also_behind_a_pipe(
    make_archive, monkeypatch
):
    written = BytesIO()
    seen = []
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(written))
    monkeypatch.setattr(DemoServer, "serve_forever", lambda server: seen.append(written.getvalue()))
    demo_from_args(command(make_archive(), "--port", "0"))
    assert seen[0].startswith(b"http://127.0.0.1:")


def test_a_model_whose_output_has_no_words_is_refused_before_anybody_asks(
    make_archive, monkeypatch
):
    monkeypatch.setattr(ChainParser, "make_output_human_readable", without_words)
    with pytest.raises(ConfigurationError) as raised:
        demo_from_args(command(make_archive(), "--port", "0"))
    assert "no words. Its forward has to return the metadata" in (message_of(raised.value) or "")


def test_an_address_that_cannot_be_had_is_told_with_the_way_out(make_archive):
    archive = make_archive()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(ConfigurationError, match=f"--port {port}: another program.* or 0 for"):
            demo_from_args(command(archive, "--port", port))
    with pytest.raises(ConfigurationError, match="--port 70000: .*0-65535"):
        demo_from_args(command(archive, "--port", "70000"))
    with pytest.raises(ConfigurationError, match="--host no.such.host.invalid"):
        demo_from_args(command(archive, "--host", "no.such.host.invalid"))
    for host in (".x", "a..b", f"{'x' * 64}.example"):
        with pytest.raises(ConfigurationError, match=f"--host {host} --port 8000: no host has"):
            demo_from_args(command(archive, "--host", host))


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
def test_a_click_shows_a_parse_which_is_scrolled_in_its_own_box(make_archive, tmp_path):
    words = [f"word{number}" for number in range(40)]
    with serving(make_archive(), max_words=40) as server, browser(tmp_path / "profile") as page:
        for width, height in ((1280, 800), (360, 740)):
            page.resize(width, height)
            page.open(server.address)
            page.click("input")
            page.type(" ".join(words))
            page.click_to_go("button")
            shown = page.evaluate("[...document.querySelectorAll('.word')].map(e => e.textContent)")
            assert shown == words
            box = "document.querySelector('.scroll')"
            assert page.evaluate(f"{box}.scrollWidth > {box}.clientWidth + 100")
            # The page itself is as wide as the window.
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.click_to_go("li a")
            assert page.evaluate("document.querySelectorAll('.word').length") == 7
        for scheme, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(13, 17, 23)")):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            page.call("Emulation.setEmulatedMedia", features=features)
            paper = "getComputedStyle(document.querySelector('.arc .paper')).fill"
            background = "getComputedStyle(document.body).backgroundColor"
            assert page.evaluate(f"[{paper}, {background}]") == [colour, colour]
