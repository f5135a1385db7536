import json
from pathlib import Path

import pytest
import torch
from allennlp.common import Params
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.models.archival import archive_model

from studies.credit import ENCODERS, batch_of, gradient_norms, main, with_encoder

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "fixtures" / "experiments" / "step_classifier.jsonnet"
# 12 steps, of which the last three are scored; windows of 4 steps, a memory every 2.
DATA = "synthetic:size=5,seed=4"


def built(**encoder):
    """The config of a small model, the model in double precision, and its reader."""
    overrides = {f"model.encoder.{key}": value for key, value in encoder.items()}
    config = Params.from_file(str(CONFIG), overrides)
    reader = DatasetReader.from_params(config.duplicate()["dataset_reader"])
    vocab = Vocabulary.from_instances(reader.read("synthetic:size=40,seed=1"))
    torch.manual_seed(1)
    model = Model.from_params(config.duplicate()["model"], vocab=vocab).double()
    return config, model, reader


def norms_of(name, **encoder):
    config, source, reader = built(**encoder)
    model = with_encoder(source, config, ENCODERS[name]).double()
    return gradient_norms(model, batch_of(reader, DATA, model)), model, reader


def test_truncated_gradients_are_exactly_zero_before_the_last_window():
    norms, _, _ = norms_of("truncated, without memory")
    assert (norms[:, :8] == 0).all() and (norms[:, 8:] > 0).all()


def test_full_gradients_reach_every_step():
    for name in ("full, without memory", "attentive, gradient not cut"):
        assert (norms_of(name)[0] > 0).all()


def test_attentive_gradients_reach_the_steps_to_which_reads_lead_and_no_other():
    # With the softmax, unlike the threshold, the runner-up has no gradient.
    options = {"weights": "softmax", "top_k": 1, "attend_every": 3}  # few reads: not all is reached
    norms, model, reader = norms_of("attentive", **options)
    tensors = batch_of(reader, DATA, model)
    inputs = model.text_field_embedder(tensors["tokens"]).double()
    reads = model.encoder.reads(inputs)
    for row, memories in enumerate(reads.stored_after.tolist()):
        waiting, reached = [12], set()  # steps from 1; the last is scored
        while waiting:
            step = waiting.pop()
            start = (step - 1) // 4 * 4 + 1  # of its window
            new = set(range(start, step + 1)) - reached
            reached |= new
            waiting += [memory for each in new for memory in memories[each - 1] if memory]
        expected = [step in reached for step in range(1, 13)]
        assert (norms[row] > 0).tolist() == expected
        assert any(expected[:8])
    assert (norms == 0).any()


@pytest.mark.parametrize("name", ["full, without memory", "attentive, gradient not cut"])
def test_norms_are_those_of_the_slopes_of_the_loss(name):
    norms, model, reader = norms_of(name)
    tensors = batch_of(reader, DATA, model)
    inputs = model.text_field_embedder(tensors["tokens"]).double()

    def losses(moved):
        """Returns the loss of each sequence."""
        logits = model(inputs=moved)["logits"]
        scored, labels = tensors["scored"], tensors["labels"]
        return torch.stack(
            [
                torch.nn.functional.cross_entropy(
                    logits[row, scored[row]], labels[row, scored[row]]
                )
                for row in range(len(moved))
            ]
        )

    with torch.no_grad():
        for step in (0, 5, 11):
            slopes = []
            for size in torch.eye(12, dtype=torch.double) * 1e-6:
                move = torch.zeros_like(inputs)
                move[:, step] = size
                slopes.append((losses(inputs + move) - losses(inputs - move)) / 2e-6)
            expected = torch.stack(slopes, dim=-1).norm(dim=-1)
            torch.testing.assert_close(norms[:, step], expected, rtol=1e-5, atol=1e-9)


def test_the_gradient_that_is_cut_is_that_of_the_steps_in_its_last_window():
    norms, model, reader = norms_of("truncated, without memory")
    full, _, _ = norms_of("full, without memory")
    torch.testing.assert_close(norms[:, 8:], full[:, 8:])


def test_the_study_is_written_and_drawn(tmp_path, capsys):
    config, model, _ = built()
    config.to_file(str(tmp_path / "config.json"))
    torch.save(model.float().state_dict(), tmp_path / "weights.th")
    model.vocab.save_to_files(str(tmp_path / "vocabulary"))
    archive_model(str(tmp_path), weights="weights.th")
    output = tmp_path / "output"
    arguments = [*("--delays", "6", "20"), *("--all-steps", "6"), *("--size", "2")]
    main([str(tmp_path / "model.tar.gz"), "--output", str(output), *arguments])
    rows = json.loads((output / "credit_study.json").read_text())
    assert len(rows) == 2 * len(ENCODERS) * 2
    assert {len(row["norms"]) for row in rows} == {1, 12}
    assert (output / "credit_study.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert "| trained | truncated, without memory | 0 | 0 |" in printed


def test_the_page_has_what_was_measured():
    rows = json.loads((ROOT / "docs" / "credit_study.json").read_text())
    page = (ROOT / "docs" / "results" / "sparse_attentive.md").read_text()
    firsts = {(row["weights"], row["encoder"], row["delay"]): row["norms"][0] for row in rows}
    for weights in ("random", "trained"):
        for encoder in ENCODERS:
            delays = sorted(delay for *key, delay in firsts if key == [weights, encoder])
            norms = (firsts[weights, encoder, delay] for delay in delays)
            shown = " | ".join("0" if norm == 0 else f"{norm:.1e}" for norm in norms)
            assert f"| {weights} | {encoder} | {shown} |" in page
    assert all(norm == 0 for (_, name, _), norm in firsts.items() if name.startswith("truncated"))
