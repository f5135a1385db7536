import gzip
import io
import re
import struct
import tarfile
import wave

import numpy
import pytest

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.recordings import read_recordings


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
    recordings = [(name, rate, signal.tolist()) for name, rate, signal in read_recordings(tmp_path)]
    assert recordings == [("a", 16000, [-1]), ("b", 8000, [0, 0.5])]


def test_channels_are_averaged(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav([0, 2**14, 2**14, 2**14], channels=2))
    assert next(read_recordings(tmp_path)).signal.tolist() == [0.25, 0.5]


@pytest.mark.parametrize("suffix", ["tar", "tar.xz", "tar.gz", "tar.bz2"])
def test_an_archive_is_read_as_it_is(suffix, tmp_path):
    path = tmp_path / f"all.{suffix}"
    with tarfile.open(path, "w:" + suffix.partition(".")[2]) as archive:
        for name in ("recordings/7_theo_2.wav", "README.md"):
            content = wav([1, 2])
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert [recording.name for recording in read_recordings(path)] == ["7_theo_2"]


def extensible(samples, subformat=1):
    """The same as WAVE_FORMAT_EXTENSIBLE, as tools write it that know many channels."""
    guid = subformat.to_bytes(2, "little") + bytes.fromhex("000000001000800000aa00389b71")
    extra = struct.pack("<HHI", 22, 16, 4) + guid
    plain = wav(samples)
    body = b"WAVEfmt " + struct.pack("<IH", 16 + len(extra), 0xFFFE) + plain[22:36] + extra
    body += plain[36:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def changed(content, at, value):
    return content[:at] + value + content[at + len(value) :]


def read_one(tmp_path, content):
    (tmp_path / "7_theo_0.wav").write_bytes(content)
    (result,) = read_recordings(tmp_path)
    return result


def test_samples_of_16_bits_are_read_in_the_extensible_format(tmp_path):
    assert read_one(tmp_path, extensible([0, 2**14])).signal.tolist() == [0, 0.5]


def test_chunks_that_hold_no_sound_are_passed_over(tmp_path):
    plain = wav([0, 2**14])
    content = plain[:12] + b"LIST\3\0\0\0abc\0" + plain[12:] + b"id3 \2\0\0\0ab"
    assert read_one(tmp_path, content).signal.tolist() == [0, 0.5]


MONO = wav([1, 2, 3, 4])


@pytest.mark.parametrize(
    "content, fault, message",
    [
        (b"", Fault.RECORDING, "begins with nothing"),
        (b"RIFF", Fault.RECORDING, "begins with 52 49 46 46"),
        (MONO[:20], Fault.RECORDING, "chunk 'fmt ' has 0 bytes|without a chunk"),
        (MONO[:36], Fault.RECORDING, "without a chunk 'data'"),
        (MONO[:-1], Fault.RECORDING, "7 bytes of samples, but its header says 8"),
        (MONO[:-2], Fault.RECORDING, "6 bytes of samples, but its header says 8"),
        (changed(MONO, 40, b"\xff" * 4), Fault.RECORDING, "never filled in: sox --ignore-length"),
        (changed(MONO, 40, b"\7"), Fault.RECORDING, "contradicts itself.*7 in all"),
        (wav([]), Fault.EMPTY_RECORDING, "0 frames"),
        (changed(MONO, 24, b"\0\x28\x6b\xee"), Fault.RECORDING_FORMAT, "at 4000000000 samples"),
        (changed(MONO, 24, b"\1"), Fault.RECORDING, "contradicts itself"),
        (changed(MONO, 22, b"\0"), Fault.RECORDING_FORMAT, "0 channels"),
        (changed(MONO, 22, b"\xff\xff"), Fault.RECORDING_FORMAT, "65535 channels"),
        (wav([1], width=4), Fault.RECORDING_FORMAT, "of 32 bits.*sox IN.wav -b 16 -e signed"),
        (changed(MONO, 20, b"\3"), Fault.RECORDING_FORMAT, "format 3, and not 16-bit.*sox"),
        (extensible([1], 3), Fault.RECORDING_FORMAT, "format 65534, and not.*sox"),
        (changed(MONO, 0, b"RIFX"), Fault.RECORDING_FORMAT, "begins as 'RIFX'"),
        (MONO + b"data\0\0\0\0", Fault.RECORDING, "two chunks 'data'"),
    ],
)
def test_a_recording_that_cannot_be_read_says_which_and_why(content, fault, message, tmp_path):
    error = read_one(tmp_path, content)
    assert error.fault is fault and str(error).startswith(f"{tmp_path}: member 7_theo_0.wav: ")
    assert re.search(message, str(error))


def test_a_recording_that_cannot_be_read_does_not_spoil_the_others(tmp_path):
    for name, content in (("a.wav", MONO), ("b.wav", MONO[:-1]), ("c.wav", MONO)):
        (tmp_path / name).write_bytes(content)
    first, error, last = read_recordings(tmp_path)
    assert (first.name, error.place, last.name) == ("a", "member b.wav", "c")


def test_the_suffix_may_be_in_capitals_and_files_of_macos_are_ignored(tmp_path):
    for name in ("7_A_0.WAV", "._7_A_0.WAV", "._8_b_0.wav"):
        (tmp_path / name).write_bytes(MONO)
    (tmp_path / "folder.wav").mkdir()
    assert [recording.name for recording in read_recordings(tmp_path)] == ["7_A_0"]
    path = archive_of(tmp_path / "all.tar", {"x/7_A_0.WAV": MONO, "x/._8_b_0.wav": b"?"})
    assert [recording.name for recording in read_recordings(path)] == ["7_A_0"]


def archive_of(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


FOUR = {f"{digit}_theo_0.wav": MONO for digit in range(4)}
# A header and a block of samples.
MEMBER = 1024


def test_whichever_bit_of_a_header_is_flipped_no_recording_vanishes(tmp_path):
    whole = archive_of(tmp_path / "all.tar", FOUR).read_bytes()
    names, num_errors = list(FOUR), 0
    for bit in range(8 * MEMBER, 8 * (MEMBER + 512), 11):
        damaged = changed(whole, bit // 8, bytes([whole[bit // 8] ^ 1 << bit % 8]))
        (tmp_path / "all.tar").write_bytes(damaged)
        try:
            recordings = [
                f"{recording.name}.wav" for recording in read_recordings(tmp_path / "all.tar")
            ]
            assert recordings == names
        except MalformedInputError as error:
            assert error.fault is Fault.TAR
            num_errors += 1
    # Two of these bits are of what ends the checksum, where a zero and a space mean the same.
    assert num_errors > 360


@pytest.mark.parametrize("length", range(MEMBER // 4, 4 * MEMBER + 1, MEMBER // 4))
def test_an_archive_that_was_cut_anywhere_is_refused(length, tmp_path):
    whole = archive_of(tmp_path / "all.tar", FOUR).read_bytes()
    (tmp_path / "all.tar").write_bytes(whole[:length])
    with pytest.raises(MalformedInputError, match="all.tar: "):
        list(read_recordings(tmp_path / "all.tar"))


def test_a_compressed_archive_that_was_cut_is_named(tmp_path):
    whole = gzip.compress(archive_of(tmp_path / "all.tar", FOUR).read_bytes())
    (tmp_path / "all.tar.gz").write_bytes(whole[:-20])
    with pytest.raises(MalformedInputError, match="all.tar.gz: .*the compressed file is damaged"):
        list(read_recordings(tmp_path / "all.tar.gz"))


def test_archives_one_behind_the_other_are_refused_since_only_the_first_would_be_read(tmp_path):
    path = archive_of(tmp_path / "all.tar", FOUR)
    path.write_bytes(2 * path.read_bytes())
    with pytest.raises(MalformedInputError, match="something behind the end of the archive"):
        list(read_recordings(path))


def test_a_name_that_an_archive_has_twice_is_refused(tmp_path):
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        for _ in range(2):
            member = tarfile.TarInfo("7_theo_0.wav")
            member.size = len(MONO)
            archive.addfile(member, io.BytesIO(MONO))
    with pytest.raises(MalformedInputError, match="2 members are named '7_theo_0.wav'"):
        list(read_recordings(tmp_path / "all.tar"))


@pytest.mark.parametrize("size", [-512, -1024, 2**40])
def test_an_absurd_size_in_a_header_neither_hangs_nor_takes_memory(size, tmp_path):
    member = tarfile.TarInfo("7_theo_0.wav")
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = (size % 256**12).to_bytes(12, "big")
    header[124] = 0xFF if size < 0 else 0x80
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "all.tar").write_bytes(bytes(header) + bytes(2048))
    with pytest.raises(MalformedInputError, match="all.tar: "):
        for result in read_recordings(tmp_path / "all.tar"):
            raise result


@pytest.mark.parametrize("links", [tarfile.LNKTYPE, tarfile.SYMTYPE])
def test_a_link_is_the_file_that_it_names_or_refused(links, tmp_path):
    def archive(target):
        with tarfile.open(tmp_path / "all.tar", "w") as archive:
            member = tarfile.TarInfo("7_theo_0.wav")
            member.size = len(MONO)
            archive.addfile(member, io.BytesIO(MONO))
            member = tarfile.TarInfo("8_theo_0.wav")
            member.type, member.linkname = links, target
            archive.addfile(member)
        return list(read_recordings(tmp_path / "all.tar"))

    assert [recording.name for recording in archive("7_theo_0.wav")] == ["7_theo_0", "8_theo_0"]
    with pytest.raises(MalformedInputError, match="member 8_theo_0.wav: .*cannot be read"):
        archive("/etc/passwd")


def test_where_no_recording_is_an_error_says_so(tmp_path):
    (tmp_path / "notes.txt").write_text("no sound")
    with pytest.raises(MalformedInputError, match=r"no file in it is named \*.wav"):
        list(read_recordings(tmp_path))
    with pytest.raises(MalformedInputError, match=r"no file in it is named \*.wav"):
        list(read_recordings(archive_of(tmp_path / "all.tar", {})))


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "file").write_text("nothing")
    with pytest.raises(ValueError, match="file: .*neither a folder nor a tar archive"):
        list(read_recordings(tmp_path / "file"))
