"""
`allennlp demo`: a page on this machine to type sentences into and look at their parses.

A sentence is in the query of an address, so each page can be linked and reloaded. Nothing is
stored, and the pages have no scripts. Requests from another machine, or by a foreign name for this
one, are not answered.
"""

import argparse
import errno
import logging
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Lock
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence
from urllib.parse import parse_qs, urlencode, urlsplit

from allennlp.commands.subcommand import Subcommand

from spigot_allennlp.commands.parse import (
    TEXT_OF,
    Parsed,
    add_model_arguments,
    parse_of_output,
    predictor_options,
)
from spigot_allennlp.compat.plain_errors import plain_error

if TYPE_CHECKING:  # imported when needed: AllenNLP imports every command at startup
    from spigot_allennlp.parses.parse import Parse
    from spigot_allennlp.predictors.sentence_predictor import LatentChoice, SentencePredictor

logger = logging.getLogger(__name__)

MOST_CHARACTERS = 2000
MOST_WORDS = 150  # unless --predictor-args has another max_words
TIMEOUT = 30  # seconds for which a connection may be silent

EXAMPLES = """examples:
  allennlp demo runs/first
  allennlp demo runs/first/model.tar.gz --port 0  # any port that is free
  allennlp demo runs/first --predictor-args '{"language": "en_core_web_sm"}'"""

SENTENCES = ("The clever hero did not win .", "The villain persuaded the hero to lose .")
#: The same, for a model that learned from lemmas and parts of speech.
ANNOTATED = (
    '{"words": ["The", "villain", "persuaded", "the", "hero", "to", "lose", "."], '
    '"lemmas": ["the", "villain", "persuade", "the", "hero", "to", "lose", "."], '
    '"pos": ["DT", "NN", "VBD", "DT", "NN", "TO", "VB", "."]}'
)

STYLE = """
body { max-width: 75rem; margin: 0 auto }
form { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0 }
input, button { font: inherit; padding: .5rem .75rem; border-radius: 6px }
input { flex: 1 1 16rem; min-width: 0; border: 1px solid var(--soft) }
button { border: 1px solid transparent; background: #0b6e69; color: #ffffff; cursor: pointer }
a { color: LinkText; overflow-wrap: anywhere }
.error, .note { border-left: 4px solid; padding: .25rem .75rem; overflow-wrap: anywhere }
.error { border-color: #d1242f } .note { border-color: #bf8700 }
.soft { color: var(--soft) }
"""
NAMES_OF_LAYERS = {"lemmas": "lemmas", "pos": "parts of speech"}


@Subcommand.register("demo")
class DemoCommand(Subcommand):
    """
    Reads the command line, and serves a `Demo`. Registered as a `Subcommand` with name "demo".
    """

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        description = (
            "Serve a page to type sentences into, and to look at what a parser (or a classifier "
            "with one in it) makes of them. Only this machine can reach it."
        )
        subparser = parser.add_parser(
            self.name, description=description, help=description, epilog=EXAMPLES
        )
        add = subparser.add_argument
        add("archive", help="a model.tar.gz, the folder of a training run, or a name of the index")
        add("--port", type=int, default=8000, help="0 takes any that is free")
        add(
            "--host",
            default="127.0.0.1",
            help="the address to listen at; with any but a local one, whoever reaches this machine "
            "can use the page",
        )
        add_model_arguments(subparser)
        subparser.set_defaults(func=demo_from_args)
        return subparser


def demo_from_args(args: argparse.Namespace) -> None:
    """Serves the page that the command line asks for, until the user ends it."""
    from spigot_allennlp.predictors.sentence_parser import load_sentence_predictor

    options = {"max_words": MOST_WORDS, **predictor_options(args), "on_error": "report"}
    predictor = load_sentence_predictor(args.archive, args.cuda_device, args.overrides, **options)
    predictor.logs_errors = False  # the page has them
    demo = Demo(predictor, args.archive)
    with DemoServer(args.host, args.port, demo) as server:
        demo.parse(demo.examples[-1])  # compiles kernels, so that the first click is quick
        if not server.is_local:
            print(f"Whoever reaches {args.host} can use this page.")
        # Flushed, for pipes too: with --port 0 the port is not known otherwise.
        text = f"{server.address} shows what {args.archive} makes of sentences. Ctrl-C ends it."
        print(text, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nThe page is no longer there.")


# ---- Answers


class Answer(NamedTuple):
    """The text of an HTTP response, with its status and type."""

    status: HTTPStatus
    content_type: str
    text: str


FILES = {
    "/parse.json": "application/json",
    "/parse.conllu": "text/plain",
    "/parse.sdp": "text/plain",
    "/parse.svg": "image/svg+xml",
}


class Demo:
    """
    Answers requests with a parser, in any number of threads. The parser serves one at a time.

    # Parameters

    predictor : `SentencePredictor`
        It reports errors.
    name : `str`
        What the page calls the model.
    """

    def __init__(self, predictor: "SentencePredictor", name: str) -> None:
        self._predictor = predictor
        self._name = name
        self._lock = Lock()
        self._has_probabilities = predictor.add_probabilities()
        self._choices = predictor.latent_choices()
        self.examples = [*SENTENCES, *([ANNOTATED] if predictor.learned_layers() else [])]

    def answer(self, target: str) -> Answer:
        """Returns the answer to a request for `target`, a path with a query."""
        try:
            address = urlsplit(target)
        except ValueError:
            return Answer(HTTPStatus.BAD_REQUEST, "text/plain", "This is no address. Go to /.")
        sentence = parse_qs(address.query).get("sentence", [""])[0].strip()
        if address.path == "/":
            return self._page(sentence)
        if address.path in FILES:
            return self._file(address.path, sentence)
        return Answer(HTTPStatus.NOT_FOUND, "text/plain", "There is nothing here. Go to /.")

    def parse(self, sentence: str) -> Parsed:
        """Returns the result for a sentence: a text, or an object as for `allennlp predict`."""
        from allennlp.common.checks import ConfigurationError

        from spigot_allennlp.predictors.line_predictor import ReportedError, parsed_object

        if len(sentence) > MOST_CHARACTERS:
            return Parsed(
                error=f"The sentence has more than {MOST_CHARACTERS} characters. Shorten it; or "
                "write it into a file, and use allennlp parse."
            )
        try:
            is_object = sentence.startswith("{")
            inputs = parsed_object(sentence) if is_object else {"sentence": sentence}
        except ConfigurationError as error:
            return Parsed(error=f"The sentence begins with {{, but {error}.")
        with self._lock:
            output = self._predictor.predict_json(inputs)
            if isinstance(output, ReportedError):
                return Parsed(error=output["error"])
            missing = self._predictor.missing_layers(inputs, output)
        return Parsed(parse_of_output(output), missing_layers=sorted(missing))

    def _file(self, path: str, sentence: str) -> Answer:
        parsed = self.parse(sentence)
        if parsed.parse is None:
            return Answer(HTTPStatus.BAD_REQUEST, "text/plain", parsed.error)
        try:
            return Answer(HTTPStatus.OK, FILES[path], file_of(parsed.parse, path))
        except ValueError as reason:
            return Answer(HTTPStatus.BAD_REQUEST, "text/plain", str(reason))

    def _page(self, sentence: str) -> Answer:
        from spigot_allennlp.parses.svg import escape, html_head

        status, parts = HTTPStatus.OK, []
        if sentence:
            parsed = self.parse(sentence)
            if parsed.parse is None:
                status = HTTPStatus.BAD_REQUEST
                parts.append(f'<p class="error" role="alert">{escape(parsed.error)}</p>\n')
            else:
                parts += self._parts_of(parsed, sentence)
        title = f"What {self._name} makes of a sentence"
        links = [
            f'<li><a href="/?{escape(urlencode({"sentence": text}))}">{escape(text)}</a></li>'
            for text in self.examples
        ]
        text = (
            f"{html_head(title, STYLE)}<body>\n<h1>{escape(title)}</h1>\n"
            '<form action="/"><input name="sentence" aria-label="a sentence" placeholder="a '
            # Twice the limit, since browsers count UTF-16 units. One more lets the server say that
            # the text is too long.
            f'sentence" maxlength="{2 * MOST_CHARACTERS + 1}" value="{escape(sentence)}" autofocus>'
            f"<button>Parse</button></form>\n{''.join(parts)}"
            f'<p class="soft">For example:</p><ul>{"".join(links)}</ul>\n</body></html>\n'
        )
        return Answer(status, "text/html", text)

    def _parts_of(self, parsed: Parsed, sentence: str) -> List[str]:
        """Returns the picture of a parse, and the notes on it."""
        from spigot_allennlp.parses.svg import Picture, escape, figure

        parse = parsed.parse
        assert parse is not None
        picture = Picture("", " ".join(parse.tokens), parse.to_svg(with_style=False))
        query = escape(urlencode({"sentence": sentence}))
        paths = [path for path in FILES if parse.graph is not None or path != "/parse.sdp"]
        links = ", ".join(f'<a href="{path}?{query}">{path[1:]}</a>' for path in paths)
        parts = []
        if parsed.missing_layers:
            text = note_of_layers(parsed.missing_layers)
            parts.append(f'<p class="note">{escape(text)}</p>\n')
        parts += [figure(picture), f"<p>The same as a file: {links}</p>\n"]
        texts = [legend(parse, self._has_probabilities), *map(description, self._choices)]
        return parts + [f'<p class="soft">{escape(text)}</p>\n' for text in texts if text]


def file_of(parse: "Parse", path: str) -> str:
    """
    Returns the content of a file with a parse, one of `FILES`.

    # Raises

    `ValueError` if the format cannot hold the parse.
    """
    from spigot_allennlp.data.formats.sdp import SDP_HEADER

    file_format = path.rpartition(".")[2]
    if file_format == "svg":
        return parse.to_svg()
    header = f"{SDP_HEADER}\n" if file_format == "sdp" else ""
    return header + TEXT_OF[file_format](parse)


def legend(parse: "Parse", has_probabilities: bool) -> str:
    """Returns a description of the parts of a picture."""
    parts = []
    if parse.tree is not None:
        parts.append("Above the words is the tree.")
    if parse.graph is not None:
        parts.append("Below the words is the graph, with arrows from predicates to arguments.")
    if has_probabilities:
        parts.append("The number at a label is the probability of its arc.")
    return " ".join(parts)


def description(choice: "LatentChoice") -> str:
    """Returns what a choice of the model's intermediate layer means for the picture."""
    chosen = "tree" if choice.is_tree else "graph"
    return (
        f"In the middle of this model a layer chooses the {chosen} (structure {choice.structure}), "
        "and whatever comes after is predicted with that choice as an input. In training the "
        f"gradient passed through the choice by the estimator {choice.estimator}."
    )


def note_of_layers(missing: Sequence[str]) -> str:
    """Returns a warning that a sentence lacks annotation, and says what to do about it."""
    names = " and ".join(NAMES_OF_LAYERS[layer] for layer in missing)
    return (
        f"This model learned from {names}, which nobody knows of this sentence, so the parse is "
        "worse than it could be. Type an object, as in the last example; or have them made by a "
        'pipeline of spaCy, if one is installed: --predictor-args \'{"language": '
        '"en_core_web_sm"}\'; or train spigot_allennlp:semantic_parser/raw_text.jsonnet, which '
        "does without."
    )


# ---- HTTP


class DemoServer(ThreadingHTTPServer):
    """
    Listens at an address, and answers with a `Demo`.

    # Parameters

    host : `str`
    port : `int`
        0 takes any free port.
    demo : `Demo`

    # Raises

    `ConfigurationError` if it is not possible to listen there.
    """

    daemon_threads = True

    def __init__(self, host: str, port: int, demo: Demo) -> None:
        self.demo = demo
        try:
            self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            super().__init__((host, port), Handler)
        except (OSError, OverflowError, UnicodeError) as error:
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                reason = "another program uses this port. Choose another, or 0 for any that is free"
            elif isinstance(error, UnicodeError):
                reason = "no host has such a name; each part between dots has 1 to 63 characters"
            else:
                reason = str(error)
            raise plain_error(f"--host {host} --port {port}: {reason}.") from error

    @property
    def is_local(self) -> bool:
        """Returns whether only this machine can reach the server."""
        return is_loopback(str(self.server_address[0]))

    @property
    def address(self) -> str:
        """Returns the address for a browser."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    def is_asked_by_name(self, host: str) -> bool:
        """
        Returns whether the `Host` of a request names this server. A web page may point its own name
        at this machine (DNS rebinding), but its requests still carry that name. The port does not
        matter, since a tunnel may have another one.
        """
        if not self.is_local:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name == "localhost" or is_loopback(name)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Logs a broken connection: as an error, or at debug level if the client has left."""
        has_left = isinstance(sys.exc_info()[1], ConnectionError)
        level = logging.DEBUG if has_left else logging.ERROR
        logger.log(level, "The connection from %s broke.", client_address, exc_info=True)


def is_loopback(host: str) -> bool:
    """
    Returns whether a host is an address that only its own machine can reach. This includes IPv4 in
    IPv6, as in `::ffff:127.0.0.1`.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


class Handler(BaseHTTPRequestHandler):
    """Reads a request, and writes the answer from the server's `Demo`."""

    server: DemoServer
    timeout = TIMEOUT

    def do_GET(self) -> None:
        """Answers a request. An error is reported in one line; its traceback is logged."""
        if not self.server.is_asked_by_name(self.headers.get("Host", "")):
            text = f"Ask for {self.server.address}: this page is for its own machine alone."
            self._send(Answer(HTTPStatus.FORBIDDEN, "text/plain", text))
            return
        try:
            answer = self.server.demo.answer(self.path)
        except Exception:
            logger.exception("The request %r went wrong.", self.path[:200])
            text = "This went wrong in the program. Its log, in the terminal, says how."
            answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", text)
        self._send(answer)

    def send_error(
        self, code: int, message: Optional[str] = None, explain: Optional[str] = None
    ) -> None:
        """Answers a malformed request with one line."""
        status = HTTPStatus(code)
        self._send(Answer(status, "text/plain", message or status.phrase))

    def log_message(self, format: str, *args: Any) -> None:
        """Logs a request, and prints nothing in the terminal."""
        logger.debug(format, *args)

    def _send(self, answer: Answer) -> None:
        body = answer.text.encode("utf-8", "replace")
        headers: Dict[str, str] = {
            "Content-Type": f"{answer.content_type}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
            "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
