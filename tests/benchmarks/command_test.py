import pytest

from benchmarks.__main__ import main, parse
from benchmarks.problem import Size
from benchmarks.results import Results, Settings
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


def test_a_peer_that_does_not_exist_is_refused(capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with pytest.raises(SystemExit, match="2"):
        main(["--only", "projective_argmax", "--without", "snntorch", "superpar"])
    assert "['superpar']" in capsys.readouterr().err


def test_a_quick_run_has_one_size():
    options = parse(["--quick"])
    assert (options.batch_sizes, options.lengths) == ([32], [20])


def test_a_quick_run_is_without_the_rows_that_take_minutes(monkeypatch, capsys):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    seen = []

    def run(settings):
        seen.append(settings)
        return Results(settings, {}, {}, {})

    monkeypatch.setattr("benchmarks.run.run", run)
    for arguments in (["--quick"], [], ["--quick", "--only", "first_call"]):
        with pytest.raises(SystemExit, match="0"):
            main(arguments)
    quick, full, chosen = (settings.rows for settings in seen)
    assert set(quick) < set(full) == set(ROWS)
    assert "first_call" not in quick and chosen == ("first_call",)
    assert seen[0].sentences < seen[1].sentences
    assert set(seen[0].scales) < set(seen[1].scales)


def test_a_run_in_which_something_fails_ends_with_status_1(monkeypatch, capsys):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    failures = {"entmax": "cannot be imported: ModuleNotFoundError"}

    def run(settings):
        return Results(settings, {}, {}, failures)

    monkeypatch.setattr("benchmarks.run.run", run)
    with pytest.raises(SystemExit, match="1"):
        main(["--quick"])
    assert "failed: entmax cannot be imported" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["--quick", "--without", "entmax"])


def test_sizes_come_from_the_small_to_the_large():
    sizes = Settings((), batch_sizes=(1, 32), lengths=(10, 80)).sizes
    assert sizes == [Size(1, 10), Size(32, 10), Size(1, 80), Size(32, 80)]
