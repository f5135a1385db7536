"""
Makes archives that somebody might send who means ill, and damaged ones, from a harmless one.

Each kind is a function that gets the parts of the harmless archive and a folder outside of it, and
returns the bytes of the hostile one. What a kind would do, were it let, shows in that folder.
"""

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy
import torch
from allennlp.common import Params
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model, archive_model

EXPERIMENTS = Path(__file__).parents[2] / "fixtures" / "experiments"
WORDS = "model.encoder.text_field_embedder.token_embedders.words"
READER = "dataset_reader.token_indexers.words"


class Parts(NamedTuple):
    """
    # Parameters

    files : `Dict[str, bytes]`
        The files of the harmless archive, by name.
    outside : `Path`
        A folder that no archive may write to or read from. It has `secret.json`.
    address : `str`
        The URL of a server that counts who asks.
    """

    files: Dict[str, bytes]
    outside: Path
    address: str

    def packed(self, files: Any = None, members: Any = (), without: Tuple[str, ...] = ()) -> bytes:
        """With other files, and members that are no files, behind them."""
        every = {**self.files, **(files or {})}
        kept = [(name, data) for name, data in every.items() if name not in without]
        return pack([member(name, data) for name, data in kept] + list(members))

    def with_config(self, **changes: Any) -> bytes:
        """With other values at some dotted keys of the config."""
        config = json.loads(self.files["config.json"])
        for key, value in changes.items():
            *path, last = key.split(".")
            part = config
            for name in path:
                part = part[name]
            part[last] = value
        return self.packed({"config.json": json.dumps(config).encode()})

    def with_text(self, change: Callable[[str], str]) -> bytes:
        return self.packed({"config.json": change(self.files["config.json"].decode()).encode()})

    def with_weights(self, change: Callable[[Dict[str, Any]], Any], **options: Any) -> bytes:
        state = torch.load(io.BytesIO(self.files["weights.th"]))
        saved = io.BytesIO()
        torch.save(change(state), saved, **options)
        return self.packed({"weights.th": saved.getvalue()})

    def touch(self) -> List[str]:
        return ["touch", str(self.outside / "ran")]

    def pickled(self) -> Any:
        return Pickled(" ".join(self.touch()))


class Pickled:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        import os

        return os.system, (self.command,)


class PickledInNumpy:
    """The same, within a scalar of numpy, which may be in a checkpoint."""

    def __init__(self, pickled: Pickled) -> None:
        self.pickled = pickle.dumps(pickled)

    def __reduce__(self) -> Any:
        scalar = numpy.float64(0.0).__reduce__()[0]
        return scalar, (numpy.dtype("O"), self.pickled)


def member(name: str, data: bytes = b"", **attributes: Any) -> Tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, data


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Tuple[tarfile.TarInfo, bytes]:
    return member(name, type=kind, linkname=target)


def pack(members: List[Tuple[tarfile.TarInfo, bytes]], mode: str = "w:gz") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def make_harmless(folder: Path, experiment: str = "semantic_parser") -> Path:
    """A model of the fixtures that was not trained, archived as AllenNLP does after training."""
    params = Params.from_file(str(EXPERIMENTS / f"{experiment}.jsonnet"))
    params.to_file(str(folder / "config.json"))
    reader = DatasetReader.from_params(params.pop("dataset_reader"))
    vocabulary = Vocabulary.from_instances(reader.read(params["train_data_path"]))
    vocabulary.save_to_files(str(folder / "vocabulary"))
    model = Model.from_params(params.pop("model"), vocab=vocabulary)
    torch.save(model.state_dict(), folder / "best.th")
    return Path(archive_model(folder))


def parts_of(archive: Path, outside: Path, address: str) -> Parts:
    with tarfile.open(archive) as tar:
        files = {info.name: tar.extractfile(info).read() for info in tar if info.isfile()}
    return Parts(files, outside, address)


def bomb(config: str) -> str:
    start = "local f(n) = if n == 0 then [1] else f(n - 1) + f(n - 1); "
    return start + config[:-1] + ', "bomb": std.length(f(40))}'


def sparse(parts: Parts) -> bytes:
    header = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**45)}
    return parts.packed(members=[member("sparse", b"1\n0\n1\n", pax_headers=header)])


def flipped(parts: Parts) -> bytes:
    """One bit of the weights, the compressed form of which remains what it was in all else."""
    packed = bytearray(parts.packed())
    packed[-5] ^= 1  # of the length that is behind the checksum
    return bytes(packed)


def damaged_header(parts: Parts) -> bytes:
    """Without compression there is no checksum; tarfile takes the header for the end."""
    packed = bytearray(pack([member(name, data) for name, data in parts.files.items()], "w"))
    packed[packed.index(b"weights.th\0") + 1] ^= 1
    return bytes(packed)


def zip_of(parts: Parts) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, data in parts.files.items():
            file.writestr(name, data)
    return packed.getvalue()


def words(parts: Parts, change: Callable[[List[str]], List[str]]) -> bytes:
    name = "vocabulary/tokens.txt"
    lines = change(parts.files[name].decode().split("\n"))
    return parts.packed({name: "\n".join(lines).encode()})


def popen(parts: Parts) -> Dict[str, Any]:
    return {"type": "subprocess.Popen", "args": parts.touch()}


def system(parts: Parts) -> Dict[str, Any]:
    return {"type": "os.system", "command": " ".join(parts.touch())}


def filled(value: Any) -> Callable[[Dict[str, Any]], Any]:
    return lambda state: {key: torch.full_like(tensor, value) for key, tensor in state.items()}


OUTSIDE, NO_KIND = "outside of the folder", "as is asked for"
DAMAGED, NO_WEIGHTS, NO_JSON = "damaged, or no tar", "damaged, or holds more", "not the plain JSON"
FIRST = "encoder._root"

# How each is made, and what the message says of it. These are refused before anything is made of
# them, by whatever unpacks an archive:
UNPACKED: Dict[str, Tuple[Callable[[Parts], bytes], str]] = {
    "traversal": (lambda p: p.packed(members=[member("../outside/ran", b"x")]), OUTSIDE),
    "absolute": (lambda p: p.packed(members=[member(str(p.outside / "ran"), b"x")]), OUTSIDE),
    "through_a_link": (
        lambda p: p.packed(members=[link("out", str(p.outside)), member("out/ran", b"x")]),
        OUTSIDE,
    ),
    "through_a_relative_link": (
        lambda p: p.packed(members=[link("out", "../outside"), member("out/ran", b"x")]),
        OUTSIDE,
    ),
    "link_to_a_secret": (
        lambda p: p.packed(members=[link("vocabulary/x.txt", str(p.outside / "secret.json"))]),
        OUTSIDE,
    ),
    "hard_link_to_a_secret": (
        lambda p: p.packed(members=[link("x", str(p.outside / "secret.json"), tarfile.LNKTYPE)]),
        OUTSIDE,
    ),
    "link_to_nowhere": (lambda p: p.packed(members=[link("x", "y")]), "no file that came before"),
    "device": (
        lambda p: p.packed(members=[member("d", type=tarfile.CHRTYPE, devmajor=1, devminor=5)]),
        "neither a file nor a folder",
    ),
    "fifo": (lambda p: p.packed(members=[member("f", type=tarfile.FIFOTYPE)]), "neither a file"),
    "sparse": (sparse, "sparse file"),
    "second_config": (lambda p: p.packed(members=[member("./Config.json", b"{}")]), "two files"),
    "second_weights": (lambda p: p.packed(members=[member("weights.th", b"x")]), "two files"),
    "bomb": (
        lambda p: p.packed({"zeros": bytes(2**26)}),
        "more than .* GiB.*SPIGOT_ALLENNLP_ARCHIVE_GIB",
    ),
    "long_header": (
        lambda p: p.packed(members=[member("x", pax_headers={"comment": "x" * 2**17})]),
        "a header of it has",
    ),
    "flipped": (flipped, DAMAGED),
    "cut": (lambda p: p.packed()[:-100], DAMAGED),
    "cut_in_the_checksum": (lambda p: p.packed()[:-3], DAMAGED),
    "damaged_header": (damaged_header, "a header cannot be read"),
    "no_end": (lambda p: gzip.compress(gzip.decompress(p.packed())[:512]), DAMAGED),
    "something_behind": (lambda p: gzip.compress(gzip.decompress(p.packed()) + b"x" * 512), "end"),
}

# and these only by what loads a model:
LOADED: Dict[str, Tuple[Callable[[Parts], bytes], str]] = {
    "many_members": (
        lambda p: p.packed(members=[member("many", type=tarfile.DIRTYPE) for _ in range(10_001)]),
        "more than 10000 members",
    ),
    "empty": (lambda p: b"", DAMAGED),
    "text": (lambda p: b"hello", DAMAGED),
    "gzip_of_text": (lambda p: gzip.compress(b"hello" * 1000), DAMAGED),
    "zip": (zip_of, DAMAGED),
    "reader_that_runs": (lambda p: p.with_config(dataset_reader=popen(p)), NO_KIND),
    "indexer_that_runs": (lambda p: p.with_config(**{READER: system(p)}), NO_KIND),
    "indexer_by_its_name": (lambda p: p.with_config(**{READER: "os.getpid"}), NO_KIND),
    "embedder_that_runs": (lambda p: p.with_config(**{WORDS: popen(p)}), NO_KIND),
    "structure_that_runs": (lambda p: p.with_config(**{"model.structure": popen(p)}), NO_KIND),
    "model_that_runs": (lambda p: p.with_config(model=popen(p)), NO_KIND),
    "vocabulary_that_runs": (lambda p: p.with_config(vocabulary=popen(p)), NO_KIND),
    "class_of_another_kind": (
        lambda p: p.with_config(**{"model.structure": {"type": "allennlp.data.Vocabulary"}}),
        "no Structure",
    ),
    "module_to_import": (
        lambda p: p.with_config(**{"model.structure": {"type": "antigravity.Structure"}}),
        "may not import.*--include-package",
    ),
    "importstr": (
        lambda p: p.with_text(lambda c: c[:-1] + f', "x": importstr "{p.outside}/secret.json"}}'),
        NO_JSON,
    ),
    "variable": (lambda p: p.with_text(lambda c: c[:-1] + ', "x": std.extVar("HOME")}'), NO_JSON),
    "jsonnet_bomb": (lambda p: p.with_text(bomb), NO_JSON),
    "key_twice": (lambda p: p.with_text(lambda c: c[:-1] + ', "model": 1}'), "'model' is there"),
    "deep_config": (lambda p: p.with_text(lambda c: "[" * 100_000), NO_JSON),
    "nested_config": (lambda p: p.with_config(x=json.loads("[" * 200 + "]" * 200)), "200|100 deep"),
    "no_object": (lambda p: p.with_text(lambda c: "[]"), "no JSON object"),
    "no_config": (lambda p: p.packed(without=("config.json",)), "no config.json"),
    "huge_embedding": (lambda p: p.with_config(**{WORDS + ".embedding_dim": 10**9}), "cannot fill"),
    "huge_layers": (
        lambda p: p.with_config(**{"model.arc_scorer.hidden_dim": 10**8}),
        "cannot fill",
    ),
    "many_layers": (
        lambda p: p.with_config(**{"model.encoder.encoder.num_layers": 10**7}),
        "cannot fill",
    ),
    "named_file": (
        lambda p: p.with_config(
            **{WORDS: {"type": "elmo_token_embedder", "options_file": f"{p.outside}/secret.json"}}
        ),
        "asks for the file.*--overrides",
    ),
    "named_folder": (
        lambda p: p.with_config(
            **{READER: {"type": "pretrained_transformer", "model_name": str(p.outside)}}
        ),
        "asks for the file",
    ),
    "address": (
        lambda p: p.with_config(
            **{WORDS: {"type": "elmo_token_embedder", "options_file": p.address + "/options"}}
        ),
        "asks for 'http",
    ),
    "archive_at_an_address": (
        lambda p: p.with_config(model={"type": "from_archive", "archive_file": p.address + "/x"}),
        "of another machine",
    ),
    "secret_as_an_archive": (
        lambda p: p.with_config(
            model={"type": "pretrained", "archive_file": f"{p.outside}/secret.json"}
        ),
        DAMAGED,
    ),
    "itself": (
        lambda p: p.with_config(
            model={"type": "pretrained", "archive_file": str(p.outside.parent / "itself.tar.gz")}
        ),
        "names the archive itself",
    ),
    "remote_code": (
        lambda p: p.with_config(
            **{READER: {"type": "pretrained_transformer", "model_name": "a/b"}},
            **{"model.x": {"trust_remote_code": True}},
        ),
        "trust_remote_code.*--overrides",
    ),
    "huge_vocabulary": (
        lambda p: words(p, lambda lines: lines + [f"w{i}" for i in range(1_100_000)]),
        "tokens.txt' has",
    ),
    "short_vocabulary": (lambda p: words(p, lambda lines: lines[:3]), "size mismatch"),
    "no_unknown_word": (lambda p: words(p, lambda lines: lines[1:]), "OOV token"),
    "no_text_vocabulary": (lambda p: p.packed({"vocabulary/tokens.txt": b"\xe9\n"}), "utf-8"),
    "no_vocabulary": (lambda p: p.packed(without=tuple(p.files)[2:]), "no folder vocabulary|no w"),
    "broken_counts": (lambda p: p.packed({"vocabulary/.counts.json": b"[1]"}), "counts"),
    "pickled_weights": (lambda p: p.with_weights(lambda s: {"x": p.pickled()}), NO_WEIGHTS),
    "pickled_in_numpy": (
        lambda p: p.with_weights(lambda s: {"x": PickledInNumpy(p.pickled())}),
        NO_WEIGHTS,
    ),
    "old_pickled_weights": (
        lambda p: p.with_weights(
            lambda s: {"x": p.pickled()}, _use_new_zipfile_serialization=False
        ),
        NO_WEIGHTS,
    ),
    "bare_pickle": (lambda p: p.packed({"weights.th": pickle.dumps(p.pickled())}), NO_WEIGHTS),
    "weights_list": (lambda p: p.with_weights(lambda s: [1]), "no dictionary"),
    "weights_expanded": (
        lambda p: p.with_weights(lambda s: {**s, FIRST: torch.zeros(1).expand(10**7)}),
        "larger than",
    ),
    "weights_sparse": (
        lambda p: p.with_weights(lambda s: {**s, FIRST: torch.zeros(3).to_sparse()}),
        "no numbers of its own",
    ),
    "weights_meta": (
        lambda p: p.with_weights(lambda s: {**s, FIRST: torch.zeros(10**7, device="meta")}),
        "larger than|no numbers",
    ),
    "weights_missing": (lambda p: p.packed(without=("weights.th",)), "has no"),
    "weights_empty": (lambda p: p.packed({"weights.th": b""}), NO_WEIGHTS),
    "key_missing": (
        lambda p: p.with_weights(lambda s: {key: s[key] for key in s if key != FIRST}),
        "Missing keys.*encoder._root",
    ),
    "key_too_many": (lambda p: p.with_weights(lambda s: {**s, "z": torch.zeros(2)}), "Unexpected"),
    "other_shape": (lambda p: p.with_weights(lambda s: {**s, FIRST: torch.zeros(1)}), "mismatch"),
    "other_type": (
        lambda p: p.with_weights(lambda s: {**s, FIRST: s[FIRST].double()}),
        "encoder._root as torch.float64",
    ),
    "broken_meta": (lambda p: p.packed({"meta.json": b"{"}), "JSONDecodeError"),
}

EVERY = {**UNPACKED, **LOADED}

# What takes seconds to make, or to refuse.
SLOW = {"many_layers", "huge_vocabulary"}
