"""What holds for every reader of ours because it is registered: nothing vanishes in silence."""

import bz2
import gzip
import io
import lzma
import random
import tarfile
import wave

import numpy
import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.data.dataset_readers.dataset_reader import DistributedInfo, WorkerInfo

import spigot_allennlp  # noqa: F401  registers
from spigot_allennlp.compat.plain_errors import message_of
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.formats.events import encode_events
from spigot_allennlp.data.synthetic.digits import generate_events
from tests.data.idx_files import idx

OURS = sorted(
    name
    for name in DatasetReader.list_available()
    if DatasetReader.by_name(name).__module__.startswith("spigot_allennlp")
)


def reader_of(name, **options):
    return DatasetReader.by_name(name)(**options)


def empty_inputs(folder):
    """Paths at which there is nothing: an empty file and folder, images and an archive of none."""
    (folder / "file").write_bytes(b"")
    (folder / "folder").mkdir()
    for kind, shape in (("images-idx3", (0, 2, 2)), ("labels-idx1", (0,))):
        (folder / f"a-{kind}").write_bytes(idx(numpy.zeros(shape, "u1")))
    tarfile.open(folder / "archive.tar", "w").close()
    return [folder / name for name in ("file", "a-images-idx3", "archive.tar", "folder")]


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("name", OURS)
def test_where_nothing_is_read_an_error_says_so(name, on_error, tmp_path):
    try:
        reader = reader_of(name, on_error=on_error)
    except TypeError:
        reader = reader_of(name)
    for path in empty_inputs(tmp_path):
        if name == "n_mnist" and path.suffix == ".tar":
            continue  # zeros are events
        with pytest.raises((MalformedInputError, ConfigurationError, IsADirectoryError)) as caught:
            list(reader.read(str(path)))
        assert path.name in str(caught.value) or "is generated" in str(caught.value)


@pytest.mark.parametrize("max_instances", [None, 7])
@pytest.mark.parametrize("name", OURS)
def test_spawned_workers_of_all_ranks_read_each_instance_once(name, max_instances):
    # In such a worker torch.distributed is not initialized; the reader alone knows its rank.
    path = "dev" if name == "latent_clusters" else "synthetic:size=20,seed=1"
    alone = len(list(reader_of(name, max_instances=max_instances).read(path)))
    together = 0
    for rank in range(2):
        for worker in range(2):
            reader = reader_of(name, max_instances=max_instances)
            reader._set_distributed_info(DistributedInfo(2, rank))
            reader._set_worker_info(WorkerInfo(2, worker))
            together += len(list(reader.read(path)))
    assert together == alone > 0


CLASSES = ("sst", "long_documents", "mnist", "n_mnist", "spoken_digits", "pixel_sequence")


@pytest.mark.parametrize("name", [*CLASSES, "synthetic_treebank", "latent_clusters"])
def test_a_class_that_the_training_data_lack_is_named_in_a_line(name):
    options = {"sentiment": "2-class"} if name == "synthetic_treebank" else {}
    path = "dev" if name == "latent_clusters" else "synthetic:size=20,seed=1"
    instance = next(iter(reader_of(name, **options).read(path)))
    vocabulary = Vocabulary()
    vocabulary.add_tokens_to_namespace(["of training"], "labels")
    label = instance["label"].label
    expected = f"has the label '{label}', but the training data have only .'of training'."
    with pytest.raises(ConfigurationError, match=expected) as raised:
        instance["label"].index(vocabulary)
    assert message_of(raised.value)
    vocabulary.add_token_to_namespace(label, "labels")
    instance["label"].index(vocabulary)
    assert int(instance["label"].as_tensor({})) == 1


@pytest.mark.parametrize(
    "name, path, options",
    [
        ("sdp", [], {}),
        ("sdp", "a.sdp", {"companion": ".conll"}),
        ("sdp", "a.sdp", {"companion": {"b.sdp": ".conll"}}),
        ("copying", "a.sdp", {}),
        ("mnist", "synthetic:size=2#dev", {}),
        ("spoken_digits", "synthetic:size=2#nobody", {}),
        ("sst", "synthetic:sizes=2", {}),
        ("sst", "a.tsv", {"phrases": True}),
        ("latent_clusters", "train.txt", {}),
        ("character_language_model", "a.tsv", {}),
    ],
)
def test_what_is_wrong_with_a_data_path_is_a_line(name, path, options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sdp").write_text("1\ta\t_\t_\t-\t-\t_\n\n")
    (tmp_path / "a.tsv").write_text("1\tIt works\n")
    with pytest.raises(ConfigurationError) as raised:
        list(reader_of(name, **options).read(path))
    assert message_of(raised.value)


def speech():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for number in range(3):
            content = io.BytesIO()
            with wave.open(content, "wb") as file:
                file.setsampwidth(2)
                file.setnchannels(1)
                file.setframerate(8000)
                file.writeframes(numpy.arange(40, dtype="<i2").tobytes())
            member = tarfile.TarInfo(f"{number}_theo_0.wav")
            member.size = len(content.getvalue())
            archive.addfile(member, io.BytesIO(content.getvalue()))
    return stream.getvalue()


# Of each reader of bytes the name of its file, options, and what is in the file.
CONTENTS = {
    "mnist": ("a-images-idx3-ubyte", {}, idx(numpy.arange(18).reshape(2, 3, 3).astype("u1"))),
    "pixel_sequence": (
        "a-images-idx3-ubyte",
        {},
        idx(numpy.arange(8).reshape(2, 2, 2).astype("u1")),
    ),
    "n_mnist": ("a.bin", {}, encode_events(next(generate_events("synthetic:size=1"))[0])[:200]),
    "spoken_digits": ("a.tar", {"num_frames": 2, "num_channels": 4}, speech()),
    "character_language_model": ("a.txt", {"length": 5}, "Das ist für mich.\n".encode()),
}


def instances_of(name, folder, content):
    file, options, _ = CONTENTS[name]
    (folder / file).write_bytes(content)
    (folder / "a-labels-idx1-ubyte").write_bytes(idx(numpy.array([7, 1], "u1")))
    instances = list(reader_of(name, **options).read(str(folder / file)))
    return [str(instance) + shown(instance) for instance in instances]


def shown(instance):
    field = instance.fields.get("inputs")
    array = getattr(field, "array", getattr(field, "tensor", None))
    return "" if array is None else repr(numpy.asarray(array).tolist())


def mutations(whole, number, seed):
    generator = random.Random(seed)
    for _ in range(number):
        mutated = bytearray(whole)
        for _ in range(generator.randint(1, 2)):
            place = generator.randrange(max(1, len(mutated)))
            kind = generator.choice(["flip", "cut", "splice", "end"])
            if kind == "flip" and mutated:
                mutated[place] ^= 1 << generator.randrange(8)
            elif kind == "cut":
                del mutated[place : place + generator.randint(1, 40)]
            elif kind == "end":
                del mutated[place:]
            else:
                start = generator.randrange(len(whole))
                mutated[place:place] = whole[start : start + generator.randint(1, 600)]
        yield bytes(mutated)


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", CONTENTS)
def test_whatever_the_bytes_the_data_are_right_or_the_file_is_named(name, compress, tmp_path):
    content = CONTENTS[name][2]
    expected = instances_of(name, tmp_path, compress(content))
    for mutated in mutations(compress(content), 40, seed=len(name)):
        try:
            instances = instances_of(name, tmp_path, mutated)
        except MalformedInputError as error:
            assert str(error).startswith(str(tmp_path)) and len(str(error)) < 1500
        except ConfigurationError as error:
            # A text of a few characters, or of the bytes of a compressed file, is a text.
            assert name == "character_language_model" and "too few for a piece" in str(error)
        else:
            # Without a checksum nobody knows of another pixel or sample, but of their number.
            if compress is not bytes:
                assert instances == expected
            elif name in ("mnist", "pixel_sequence", "spoken_digits"):
                assert len(instances) == len(expected)


def test_every_reader_of_bytes_is_met_here():
    texts = {"sdp", "conll", "sst", "long_documents"}
    generated = {"adding", "copying", "latent_clusters", "synthetic_treebank"}
    assert set(OURS) - texts - generated == set(CONTENTS)


def test_recordings_that_cannot_be_read_are_skipped_and_counted(tmp_path, caplog):
    with tarfile.open(fileobj=io.BytesIO(speech())) as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "1_theo_0.wav").write_bytes(b"RIFF")
    (tmp_path / "one_theo_0.wav").write_bytes((tmp_path / "0_theo_0.wav").read_bytes())
    with pytest.raises(MalformedInputError, match="member 1_theo_0.wav.*on_error"):
        list(reader_of("spoken_digits").read(str(tmp_path)))
    instances = list(reader_of("spoken_digits", on_error="skip").read(str(tmp_path)))
    assert [i["metadata"].metadata["name"] for i in instances] == ["0_theo_0", "2_theo_0"]
    assert [i["metadata"].metadata["sample"] for i in instances] == [0, 2]
    assert f"2 recordings of {tmp_path} were left out" in caplog.text
    with pytest.raises(ConfigurationError, match='on_error is "report", but must be "raise"'):
        reader_of("spoken_digits", on_error="report")


def test_recordings_of_events_keep_their_numbers_where_another_is_skipped(tmp_path):
    (tmp_path / "7").mkdir()
    content = CONTENTS["n_mnist"][2]
    for name, bytes_of_it in (("a.BIN", content), ("b.bin", content[:7]), ("c.bin", content)):
        (tmp_path / "7" / name).write_bytes(bytes_of_it)
    (tmp_path / "7" / "._a.bin").write_bytes(b"?")
    with pytest.raises(MalformedInputError, match="7/b.bin: a recording that .*7 bytes"):
        list(reader_of("n_mnist").read(str(tmp_path)))
    instances = reader_of("n_mnist", on_error="skip").read(str(tmp_path))
    assert [i["metadata"].metadata["sample"] for i in instances] == [0, 2]
