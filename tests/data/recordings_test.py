import io
import tarfile
import wave

import numpy
import pytest

from spigot_allennlp.data.recordings import read_recordings


def wav(samples, width=2, channels=1, rate=8000):
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setsampwidth(width)
        file.setnchannels(channels)
        file.setframerate(rate)
        file.writeframes(numpy.asarray(samples, f"<i{width}").tobytes())
    return stream.getvalue()


def test_the_files_of_a_folder_come_in_the_order_of_their_names(tmp_path):
    (tmp_path / "b.wav").write_bytes(wav([0, 2**14]))
    (tmp_path / "a.wav").write_bytes(wav([-(2**15)], rate=16000))
    (tmp_path / "notes.txt").write_text("no sound")
    found = [(name, rate, signal.tolist()) for name, rate, signal in read_recordings(tmp_path)]
    assert found == [("a", 16000, [-1]), ("b", 8000, [0, 0.5])]


def test_channels_are_averaged(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav([0, 2**14, 2**14, 2**14], channels=2))
    assert next(read_recordings(tmp_path)).signal.tolist() == [0.25, 0.5]


@pytest.mark.parametrize("suffix", ["tar", "tar.xz", "tar.gz"])
def test_an_archive_is_read_as_it_is(suffix, tmp_path):
    path = tmp_path / f"all.{suffix}"
    with tarfile.open(path, "w:" + suffix.partition(".")[2]) as archive:
        for name in ("recordings/7_theo_2.wav", "README.md"):
            content = wav([1, 2])
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert [recording.name for recording in read_recordings(path)] == ["7_theo_2"]


@pytest.mark.parametrize(
    "content, message", [(b"RIFF", "no WAV file"), (wav([1], width=4), "32 bits, but must have 16")]
)
def test_a_file_that_cannot_be_read_is_named(content, message, tmp_path):
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(ValueError, match=f"bad.*{message}"):
        list(read_recordings(tmp_path))


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "file").write_text("nothing")
    with pytest.raises(ValueError, match="neither a folder nor a tar archive"):
        list(read_recordings(tmp_path / "file"))
