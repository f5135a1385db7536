import pytest

from benchmarks.__main__ import main, parse
from benchmarks.problem import Size
from benchmarks.results import Settings
from benchmarks.run import ROWS


def test_the_rows_can_be_listed(capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with pytest.raises(SystemExit, match="0"):
        main(["--list"])
    assert capsys.readouterr().out.split() == ROWS


def test_a_row_that_does_not_exist_is_refused(capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with pytest.raises(SystemExit, match="2"):
        main(["--only", "projective_argmin"])
    assert "projective_argmin" in capsys.readouterr().err


def test_a_quick_run_has_one_size():
    options = parse(["--quick"])
    assert (options.batch_sizes, options.lengths) == ([32], [20])


def test_sizes_come_from_the_small_to_the_large():
    sizes = Settings((), batch_sizes=(1, 32), lengths=(10, 80)).sizes
    assert sizes == [Size(1, 10), Size(32, 10), Size(1, 80), Size(32, 80)]
