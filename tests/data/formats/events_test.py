from pathlib import Path

import numpy
import pytest

from spigot_allennlp.data.formats.events import CameraEvents, encode_events, read_events

RECORDING = Path(__file__).parents[2].parent / "shared" / "data" / "nmnist" / "sample_nmnist.bin"


def events(times, columns, rows, brighter):
    return CameraEvents(
        *(numpy.array(column, numpy.int64) for column in (times, columns, rows, brighter))
    )


def test_an_event_by_hand(tmp_path):
    # column 3, row 33, brighter, at 0x012345 microseconds
    (tmp_path / "events.bin").write_bytes(bytes([3, 33, 0x81, 0x23, 0x45]))
    events_read = read_events(tmp_path / "events.bin")
    assert [int(column[0]) for column in events_read] == [0x12345, 3, 33, 1]
    assert events_read.sources().tolist() == [34 * 34 + 33 * 34 + 3]


def test_what_is_written_is_read(tmp_path):
    expected = events([5, 70_000, 8_000_000], [0, 33, 7], [1, 2, 33], [0, 1, 0])
    (tmp_path / "events.bin").write_bytes(encode_events(expected))
    for values, column in zip(read_events(tmp_path / "events.bin"), expected, strict=True):
        assert values.tolist() == column.tolist()


def test_an_overflow_event_moves_the_clock_and_is_no_event(tmp_path):
    expected = events([8000, 0, 100, 0, 200], [1, 0, 2, 0, 3], [1, 240, 2, 240, 3], [0, 0, 1, 0, 1])
    (tmp_path / "events.bin").write_bytes(encode_events(expected))
    events_read = read_events(tmp_path / "events.bin")
    assert events_read.times.tolist() == [8000, 2**13 + 100, 2 * 2**13 + 200]
    assert events_read.columns.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "content, message",
    [
        (bytes(7), "has 7 bytes, which are not whole events of 5"),
        (bytes([34, 0, 0, 0, 0]), "byte 1: .*an event is in column 34"),
        (bytes([0, 0, 0, 0, 0, 0, 99, 0, 0, 0]), "byte 6: .*an event is in row 99"),
        (b"", "has 0 bytes"),
        (bytes([0, 240, 0, 0, 0]), "overflows of the clock alone"),
        (
            bytes([0, 240, 0, 0, 0, 1, 1, 0, 0, 9, 1, 1, 0, 0, 8]),
            "byte 11: .*at 8200 microseconds, but the one before it at 8201",
        ),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content, message, tmp_path):
    (tmp_path / "events.bin").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_events(tmp_path / "events.bin")


@pytest.mark.skipif(not RECORDING.exists(), reason="the recording is not there")
def test_a_recording_of_n_mnist_has_its_events():
    events_read = read_events(RECORDING)
    assert len(events_read.times) == 4325
    assert (numpy.diff(events_read.times) >= 0).all() and 250_000 < events_read.times[-1] < 400_000
    assert set(events_read.brighter.tolist()) == {0, 1}
    # three sweeps of the camera: hardly an event around 100 ms, when the second begins
    assert events_read.columns.max() < 34 and events_read.rows.max() < 34
