"""The models of long sequences: their losses and metrics, and that they learn."""

import math
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, DataLoader, DatasetReader, Vocabulary
from allennlp.evaluation import SimpleEvaluator
from allennlp.models import Model
from allennlp.modules.seq2seq_encoders import LstmSeq2SeqEncoder
from allennlp.training import GradientDescentTrainer
from torch.testing import assert_close

from spigot_allennlp.models.sequence_models import last_step

FIXTURES = Path(__file__).parents[2] / "fixtures"
EXPERIMENT = FIXTURES / "experiments" / "character_language_model.jsonnet"
ENCODER = {"type": "sparse_attentive_lstm", "hidden_size": 16, "top_k": 2, "truncation": 4}
ONE_HOT = {"token_embedders": {"tokens": {"type": "one_hot"}}}
TASKS = {
    "copying": (
        {"type": "copying", "delay": 3, "num_symbols": 2},
        {
            "type": "step_classifier",
            "text_field_embedder": ONE_HOT,
            "encoder": {**ENCODER, "input_size": 12},
        },
    ),
    "adding": (
        {"type": "adding", "length": 6},
        {"type": "sequence_regressor", "encoder": {**ENCODER, "input_size": 2}},
    ),
    "pixels": (
        {"type": "pixel_sequence", "downsample": 2},
        {
            "type": "sequence_classifier",
            "encoder": {"type": "lstm", "input_size": 1, "hidden_size": 16},
        },
    ),
}


def built(task: str, size: int = 40):
    """A model, and `size` instances as one batch."""
    torch.manual_seed(1)
    reader, model = (Params(deepcopy(params)) for params in TASKS[task])
    reader = DatasetReader.from_params(reader)
    # as many as it takes for all symbols to be among them: the encoder is built for all
    instances = list(reader.read("synthetic:size=40,seed=1"))
    for instance in instances:
        reader.apply_token_indexers(instance)
    vocab = Vocabulary.from_instances(instances)
    batch = Batch(instances[:size])
    batch.index_instances(vocab)
    return Model.from_params(model, vocab=vocab), batch.as_tensor_dict()


def train(model, tensors, steps):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(steps):
        model.get_metrics(reset=True)
        loss = model(**tensors)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.get_metrics()


def test_a_step_classifier_learns_to_copy():
    assert train(*built("copying", 12), steps=80)["accuracy"] == 1


def test_a_sequence_regressor_learns_to_add():
    assert train(*built("adding", 20), steps=120)["mean_squared_error"] < 0.02


def test_a_sequence_classifier_learns_what_is_on_images():
    assert train(*built("pixels", 10), steps=400)["accuracy"] > 0.8


def test_only_steps_that_are_scored_count():
    model, tensors = built("copying", 3)
    output = model.eval()(**tensors)
    scored = tensors["scored"]
    assert scored.sum() == 3 * 2
    wanted = tensors["labels"][scored]
    losses = torch.nn.functional.cross_entropy(output["logits"][scored], wanted)
    assert_close(output["loss"], losses)
    metrics = model.get_metrics()
    assert metrics["cross_entropy"] == pytest.approx(losses.item())
    assert metrics["bits"] == pytest.approx(losses.item() / math.log(2))
    right = (output["logits"][scored].argmax(dim=-1) == wanted).float().mean()
    assert metrics["accuracy"] == pytest.approx(right.item())


def test_without_such_a_mark_all_steps_count_but_not_the_padding():
    model, tensors = built("copying", 2)
    del tensors["scored"]
    tensors["tokens"]["tokens"]["tokens"][1, 4:] = 0  # padding
    output = model.eval()(**tensors)
    logits, labels = output["logits"], tensors["labels"]
    kept = torch.cat([logits[0], logits[1, :4]]), torch.cat([labels[0], labels[1, :4]])
    assert_close(output["loss"], torch.nn.functional.cross_entropy(*kept))
    readable = model.make_output_human_readable(output)["labels"]
    assert [len(row) for row in readable] == [len(labels[0]), 4]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("dtype", [torch.double, torch.bfloat16])
def test_a_model_of_another_precision_takes_what_its_reader_gives(task, dtype):
    model, tensors = built(task, 3)
    expected = model.eval()(**tensors)["loss"]
    model.to(dtype)(**tensors)["loss"].backward()
    actual = model(**tensors)["loss"]
    assert_close(actual.to(expected.dtype), expected, rtol=0.1, atol=0.1)
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_outputs_can_be_had_without_labels():
    model, tensors = built("pixels", 2)
    output = model.eval()(inputs=tensors["inputs"])
    assert "loss" not in output and model.get_metrics() == {}
    assert len(model.make_output_human_readable(output)["label"]) == 2
    model, tensors = built("adding", 2)
    assert model.eval()(inputs=tensors["inputs"])["value"].shape == (2,)


def test_a_value_in_a_vector_is_the_same_value():
    model, tensors = built("adding", 3)
    expected = model.eval()(**tensors)["loss"]
    assert_close(model(**{**tensors, "value": tensors["value"].unsqueeze(1)})["loss"], expected)


def test_vectors_may_have_a_mask():
    model, tensors = built("adding", 2)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    both = model.eval()(inputs=tensors["inputs"], mask=mask)["value"]
    alone = model(inputs=tensors["inputs"][1:, :4])["value"]
    assert_close(both[1:], alone)


@pytest.mark.parametrize(
    "task, arguments",
    [
        ("adding", [{"numbers": [0.1, 0.9]}, {"numbers": [0.5] * 7}]),
        ("pixels", [{"image": [[0, 255]] * 2}, {"image": [[255, 0, 9, 200]] * 6}]),
    ],
)
def test_vectors_of_a_reader_do_not_see_the_padding_of_their_batch(task, arguments):
    model, _ = built(task)
    reader = DatasetReader.from_params(Params(deepcopy(TASKS[task][0])))
    short, long = (reader.text_to_instance(**each) for each in arguments)
    alone, beside = model.forward_on_instance(short), model.forward_on_instances([short, long])[0]
    name = "value" if task == "adding" else "logits"
    assert beside[name] == pytest.approx(alone[name], abs=1e-6)


def test_the_last_step_is_that_of_each_sequence():
    encoded = torch.arange(12.0).view(4, 3, 1)
    mask = torch.tensor([[1, 1, 0], [1, 1, 1], [0, 1, 0], [0, 0, 0]]).bool()
    assert last_step(encoded, mask).tolist() == [[1], [5], [7], [0]]
    assert last_step(encoded[:, :0], mask[:, :0]).tolist() == [[0]] * 4


def test_labels_are_those_of_the_steps_in_the_mask():
    model, _ = built("copying", 1)
    logits = torch.eye(3).unsqueeze(0)
    names = [model.vocab.get_token_from_index(index, "labels") for index in range(3)]
    output = {"logits": logits, "mask": torch.tensor([[True, False, True]])}
    assert model.make_output_human_readable(output)["labels"] == [[names[0], names[2]]]


def test_tokens_without_an_embedder_are_refused():
    _, tensors = built("copying", 2)
    model, _ = built("adding", 2)
    with pytest.raises(ConfigurationError, match="no text_field_embedder"):
        model(tokens=tensors["tokens"])


def test_classes_that_the_vocabulary_does_not_have_are_refused():
    vocab = built("copying")[0].vocab
    config = {**deepcopy(TASKS["copying"][1]), "label_namespace": "characters"}
    with pytest.raises(ConfigurationError, match="no classes.*'characters'.*'labels'"):
        Model.from_params(Params(config), vocab=vocab)


def test_vectors_of_another_size_than_the_encoder_takes_are_refused():
    vocab = built("copying")[0].vocab
    config = deepcopy(TASKS["copying"][1])
    config["encoder"]["input_size"] = 13
    with pytest.raises(ConfigurationError, match="input size of the encoder, but got 12 and 13"):
        Model.from_params(Params(config), vocab=vocab)


def test_an_instance_without_tokens_and_inputs_is_refused():
    with pytest.raises(ConfigurationError, match="neither tokens nor inputs"):
        built("adding", 1)[0]()


@pytest.mark.parametrize("task", ["copying", "adding"])
def test_a_misspelt_key_is_named(task):
    vocab = built(task, 1)[0].vocab
    config = {**deepcopy(TASKS[task][1]), "dropuot": 0.1}
    with pytest.raises(ConfigurationError, match="Extra parameters .*'dropuot'"):
        Model.from_params(Params(config), vocab=vocab)


@pytest.mark.parametrize("kind", ["sparse_attentive_lstm", "lstm"])
def test_pieces_of_a_stream_are_read_as_one_text_until_an_epoch_or_evaluation_begins(kind):
    encoder = {"type": kind, "input_size": 3, "hidden_size": 4, "stateful": True}
    torch.manual_seed(1)
    params = {"type": "step_classifier", "encoder": encoder}
    model = Model.from_params(Params(params), vocab=Vocabulary({"labels": {"a": 3, "b": 3}}))
    inputs = torch.randn(2, 8, 3)
    whole = model.eval()(inputs=inputs)["logits"]
    for begin in (model.eval, model.train):
        begin()
        pieces = [model(inputs=inputs[:, :4])["logits"], model(inputs=inputs[:, 4:])["logits"]]
        assert_close(torch.cat(pieces, dim=1), whole)
    assert (model(inputs=inputs[:, :4])["logits"] - whole[:, :4]).abs().max() > 0.01


def stateful(overrides=()):
    """A character language model with a stateful encoder, its reader, and its data loader."""
    params = Params.from_file(str(EXPERIMENT), dict(overrides))
    reader = DatasetReader.from_params(params["dataset_reader"])
    loader = DataLoader.from_params(
        params["data_loader"], reader=reader, data_path=params["train_data_path"]
    )
    vocab = Vocabulary.from_instances(loader.iter_instances())
    loader.index_with(vocab)
    torch.manual_seed(1)
    return Model.from_params(params["model"], vocab=vocab), reader, loader


def test_a_prediction_does_not_depend_on_those_before_it():
    model, reader, _ = stateful()
    first, second = (reader.text_to_instance(list(text)) for text in ("the cat sa", "on the mat"))
    for instance in (first, second):
        reader.apply_token_indexers(instance)
    alone = model.eval().forward_on_instances([second])[0]["logits"]
    model.forward_on_instances([first])
    assert_close(model.forward_on_instances([second])[0]["logits"], alone)


@pytest.mark.parametrize(
    "changes, fault",
    [
        ({"shuffle": True}, "shuffle must be false"),
        ({"batch_size": 1}, "batch_size is 1, but the reader has num_streams"),
        ({"num_workers": 2}, "num_workers must be 0 or 1 but is 2"),
        (
            {"batch_size": None, "batch_sampler": {"type": "bucket", "batch_size": 2}},
            "it must have a batch_size and no batch_sampler",
        ),
    ],
)
@pytest.mark.parametrize("which", ["data_loader", "validation_data_loader", "evaluate"])
def test_batches_that_do_not_continue_each_other_are_refused_with_a_stateful_encoder(
    changes, fault, which
):
    overrides = {f"data_loader.{key}": value for key, value in changes.items()}
    model, _, wrong = stateful(overrides)
    right = stateful()[2]
    key = "the data loader of the evaluation" if which == "evaluate" else which
    with pytest.raises(ConfigurationError, match=f"^{key}: {fault}.* is stateful"):
        if which == "evaluate":
            SimpleEvaluator()(model, wrong)
        else:
            loaders = {"data_loader": right, which: wrong}
            GradientDescentTrainer(model, torch.optim.SGD(model.parameters(), 0.1), **loaders)


def test_a_stateless_encoder_may_have_its_batches_in_any_order():
    overrides = {"model.encoder.stateful": False, "data_loader.shuffle": True}
    model, _, loader = stateful(overrides)
    model.check_loader(loader, "data_loader")


def test_an_embedder_that_is_stateful_may_have_its_batches_in_any_order():
    overrides = {"model.encoder.stateful": False, "data_loader.shuffle": True}
    model, _, loader = stateful(overrides)
    model.text_field_embedder.elmo = LstmSeq2SeqEncoder(1, 1, stateful=True)
    model.check_loader(loader, "data_loader")
