import json

from benchmarks import first_call
from benchmarks.operation import OPERATIONS


def test_every_row_is_an_operation():
    assert set(first_call.ROWS) <= set(OPERATIONS)


def test_a_fresh_process_prints_the_seconds_of_what_ours_offers(capsys, monkeypatch):
    monkeypatch.delattr(first_call.Ours, "projective_argmax")
    first_call.main(["projective_argmax", "simplex_projection"])
    measured = json.loads(capsys.readouterr().out)
    assert list(measured) == ["simplex_projection"]
    assert all(seconds > 0 for seconds in measured["simplex_projection"])


def test_its_metrics_say_whether_compilation_was_announced(monkeypatch):
    def in_fresh_process(operations, environment):
        cold = bool(environment)
        seconds = first_call.Seconds(9.0 if cold else 0.5, 10.0)
        return first_call.FreshProcess({name: seconds for name in operations}, cold)

    monkeypatch.setattr(first_call, "_in_fresh_process", in_fresh_process)
    warm, cold = first_call.first_calls(["chain_argmax"])
    assert (warm.row, warm.value, warm.label) == ("first_call", 0.5, "chain_argmax")
    assert (cold.row, cold.value) == ("first_call_ever", 9.0)
    assert cold.detail == "compiles its kernels, and says so; 10.00 s on the wall"
