from pathlib import Path

import pytest

from spigot_allennlp.ablation.run.ablation import ProgressPrinter, first_line
from spigot_allennlp.ablation.run.run_record import RunRecord, format_duration
from spigot_allennlp.ablation.run.single_run import Run, file_digests

RUN = Run(Path("out/spigot/seed-1"), "spigot", 1, {})
ATTEMPT = {"seconds": 61.0}


@pytest.mark.parametrize(
    "seconds, text",
    [(None, ""), (3.14, "3.1 s"), (59.9, "59.9 s"), (61, "1 min 01 s"), (3660, "1 h 01 min")],
)
def test_a_time_is_written_in_two_units_at_most(seconds, text):
    assert format_duration(seconds) == text


def test_a_run_has_a_line_when_it_starts_and_one_when_it_ends(capsys):
    printer = ProgressPrinter(total=12, over=3, metric="f1")
    printer.print_start(RUN, is_resumed=False)
    done = RunRecord("spigot", 1, "", "done", [ATTEMPT], test={"figures": {"f1": 0.51239}})
    printer.print_end(RUN, done)
    printer.print_start(RUN, is_resumed=True)
    printer.print_end(RUN, RunRecord("spigot", 1, "", "failed", [ATTEMPT], message="E: no\nmore"))
    assert capsys.readouterr().out.splitlines() == [
        "[ 3/12] spigot seed 1  started",
        "[ 4/12] spigot seed 1  done: f1 0.5124 in 1 min 01 s",
        "[ 4/12] spigot seed 1  resumed",
        "[ 5/12] spigot seed 1  failed: E: no Log: out/spigot/seed-1/log.txt",
    ]


def test_it_begins_with_what_is_there(capsys):
    states = ["done", "done", "running", "trained", "planned"]
    records = [RunRecord("a", seed, "", state) for seed, state in enumerate(states)]
    records += [RunRecord("b", seed, "", "refused", message="model: no") for seed in (1, 2)]
    ProgressPrinter(7, 4, "f1").print_overview(Path("out"), records)
    assert capsys.readouterr().out == (
        "7 runs in out: 2 done, 2 unfinished, 1 planned, 2 refused\nrefused: b: model: no\n"
    )


def test_a_long_message_is_cut():
    assert first_line("x" * 300, longest=10) == "x" * 9 + "…"


def test_the_files_of_a_run_are_those_that_its_config_and_its_test_name(tmp_path):
    names = ("train", "vectors", "archive", "test")
    for name in names:
        (tmp_path / name).write_text(name)
    texts = [f"{tmp_path}/vectors", f"{tmp_path}/archive!vocabulary", f"{tmp_path}/none", "lstm"]
    config = {"train_data_path": {"task": f"{tmp_path}/train#part"}, "model": texts, "seed": 1}
    run = Run(tmp_path, "a", 1, config, test_data={"task": f"{tmp_path}/test"})
    files = file_digests([run])
    assert files.keys() == {f"{tmp_path}/{name}" for name in names}
    (tmp_path / "vectors").write_text("others")
    changed = file_digests([run])
    assert {path for path in files if files[path] != changed[path]} == {f"{tmp_path}/vectors"}
