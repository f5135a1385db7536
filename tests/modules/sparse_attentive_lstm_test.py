import pytest
import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Token, Vocabulary
from allennlp.data.fields import LabelField, SequenceLabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.models import Model
from allennlp.modules import Seq2SeqEncoder
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from spigot_allennlp.modules.memory_score import AdditiveMemoryScore
from spigot_allennlp.modules.sparse_attentive_lstm import SparseAttentiveLstm
from tests.nn.attentive.attentive_paths import SlowCell, slow_outputs, slow_run

SMOOTHING = 0.3
SETTINGS = [
    (1, 1, 1),
    (1, 2, 3),
    (2, 3, 5),
    (3, 2, 4),
    (2, 100, 3),
    (1, 2, None),
    (2, 2, 100),
    (4, None, 3),
    (2, None, None),
]


def encoder_like(slow: SlowCell, layout, stored: str) -> SparseAttentiveLstm:
    encoder = SparseAttentiveLstm(
        slow.weight_ih.size(1),
        slow.weight_hh.size(1),
        *layout,
        Lazy(AdditiveMemoryScore, constructor_extras={"size": len(slow.output)}),
        smoothing=SMOOTHING,
        stored=stored,
    ).double()
    for ours, theirs in matching(encoder, slow):
        ours.data.copy_(theirs.view_as(ours))
    return encoder


def matching(encoder, slow):
    """Yields the parameters of the two, in pairs."""
    cell, score = encoder._cell, encoder._cell._score
    yield cell.weight_ih, slow.weight_ih
    yield cell.weight_hh, slow.weight_hh
    yield cell.bias, slow.bias
    yield score._present.weight, slow.query
    yield score._present.bias, slow.offset
    yield score._stored.weight, slow.memory
    yield score._output.weight, slow.output


@pytest.mark.parametrize("layout", SETTINGS)
@pytest.mark.parametrize("lengths", [[11, 11], [11, 4, 7]])
@pytest.mark.parametrize("stored", ["state", "provisional"])
def test_outputs_and_gradients_are_those_of_the_paths_written_out(layout, lengths, stored):
    torch.manual_seed(1)
    slow = SlowCell(input_size=3, hidden_size=4, size=5)
    encoder = encoder_like(slow, layout, stored)
    inputs = torch.randn(len(lengths), 11, 3, dtype=torch.double, requires_grad=True)
    expected = torch.zeros(len(lengths), 11, 8, dtype=torch.double)
    for row, length in enumerate(lengths):
        expected[row, :length] = slow_outputs(
            slow, inputs[row, :length], *layout, SMOOTHING, stored
        )
    mask = torch.arange(11) < torch.tensor(lengths).unsqueeze(-1)
    actual = encoder(inputs, mask)
    assert_close(actual, expected)

    weights = torch.randn_like(expected)
    (of_inputs,) = torch.autograd.grad((expected * weights).sum(), inputs, retain_graph=True)
    (expected * weights).sum().backward(inputs=list(slow.parameters()))
    (actual * weights).sum().backward()
    assert_close(inputs.grad, of_inputs)
    for ours, theirs in matching(encoder, slow):
        assert_close(ours.grad, theirs.grad.view_as(ours))


def built(**settings) -> SparseAttentiveLstm:
    params = {"type": "sparse_attentive_lstm", "input_size": 3, "hidden_size": 4, **settings}
    torch.manual_seed(3)
    return Seq2SeqEncoder.from_params(Params(params)).double()


def batch(*lengths: int):
    torch.manual_seed(4)
    inputs = torch.randn(len(lengths), max(lengths), 3, dtype=torch.double)
    return inputs, torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(-1)


# Each kind of gradient, and both of kernels and torch.
KINDS = [
    {"top_k": 2, "attend_every": 2, "truncation": 3},
    {"top_k": 2, "attend_every": 2, "truncation": 3, "score": {"type": "additive"}},
    {"top_k": 2, "attend_every": 1, "truncation": 3, "weights": "softmax"},
    {"top_k": 2, "attend_every": 2, "truncation": 3, "stored": "provisional"},
    {"top_k": 0, "truncation": 3},
    {"top_k": 0, "truncation": None},
    {"top_k": None, "truncation": None},
    {"top_k": None, "truncation": 4},
]


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_an_instance_does_not_see_its_batch_or_its_padding(settings):
    encoder = built(**settings)
    inputs, mask = batch(9, 0, 5)
    together = encoder(inputs, mask)
    assert together.shape == (3, 9, encoder.get_output_dim())
    assert (together[~mask] == 0).all()
    assert_close(encoder(inputs[2:, :5], mask[2:, :5]), together[2:, :5])
    assert_close(encoder(inputs[:1]), together[:1])


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_stateful_use_goes_on_where_the_last_batch_ended(settings):
    settings = {**settings, "attend_every": 1}
    inputs, _ = batch(8, 8)
    whole = built(**settings)(inputs)
    encoder = built(**settings, stateful=True)
    parts = [encoder(part, torch.ones(2, 4, dtype=torch.bool)) for part in inputs.split(4, dim=1)]
    assert_close(torch.cat(parts, dim=1), whole)
    encoder.reset_states()
    again = encoder(inputs[:, :4], torch.ones(2, 4, dtype=torch.bool))
    assert_close(again, whole[:, :4])


@pytest.mark.parametrize("settings", KINDS[:1] + KINDS[-2:], ids=str)
def test_in_stateful_use_instances_go_on_where_they_themselves_ended(settings):
    settings = {**settings, "attend_every": 1}
    inputs, mask = batch(6, 3)
    encoder = built(**settings, stateful=True)
    encoder(inputs, mask)
    more, _ = batch(2, 2)
    actual = encoder(more, torch.ones(2, 2, dtype=torch.bool))
    alone = built(**settings)(torch.cat([inputs[1:, :3], more[1:]], dim=1))
    assert_close(actual[1:], alone[:, 3:])


def test_a_smaller_batch_leaves_the_states_of_the_others():
    inputs, mask = batch(4, 4)
    encoder = built(**KINDS[0], stateful=True)
    encoder(inputs, mask)
    first = [states[:, 1] for states in encoder._states]
    encoder(inputs[:1], mask[:1])
    for before, after in zip(first, encoder._states, strict=True):
        assert_close(after[-len(before) :, 1], before)
    encoder(inputs, mask)  # and all can go on


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_outputs_that_are_changed_in_place_leave_what_is_carried(settings):
    encoder, (inputs, _) = built(stateful=True, **settings), batch(5, 5)
    with torch.no_grad():
        encoder(inputs)
        expected = encoder(inputs)
        encoder.reset_states()
        encoder(inputs).zero_()
        assert_close(encoder(inputs), expected)


def test_what_is_carried_has_the_type_of_the_weights():
    encoder, (inputs, _) = built(stateful=True, top_k=2), batch(5, 5, 5)
    encoder(inputs)
    assert encoder.float()(inputs[:2].float()).dtype == torch.float
    assert {states.dtype for states in encoder._states} == {torch.float, torch.bool}


def test_a_stateful_encoder_is_not_run_again_by_a_checkpoint():
    encoder, (inputs, _) = built(stateful=True, top_k=2), batch(5, 5)
    outputs = checkpoint(encoder, inputs, use_reentrant=False)
    with pytest.raises(NotImplementedError, match='Take it out .* "stateful": false'):
        outputs.sum().backward()


def test_states_of_single_instances_are_reset():
    inputs, mask = batch(4, 4)
    encoder = built(**KINDS[0], stateful=True)
    fresh = encoder(inputs, mask)
    encoder.reset_states(torch.tensor([False, True]))
    actual = encoder(inputs, mask)
    assert_close(actual[1], fresh[1])
    assert (actual[0] - fresh[0]).abs().max() > 1e-3


def test_no_more_memories_are_carried_than_is_said():
    encoder = built(**KINDS[0], stateful=True, max_carried=3)
    for _ in range(3):
        encoder(*batch(6, 6))
    assert encoder._states[2].shape == (3, 2, 4)


@pytest.mark.parametrize("settings", [KINDS[0], KINDS[-1]], ids=str)
def test_what_an_instance_carries_does_not_depend_on_how_far_others_pad_it(settings):
    settings = {**settings, "attend_every": 1, "stateful": True, "max_carried": 3}
    inputs, mask = batch(9, 4)
    more, _ = batch(2, 2)
    together, alone = built(**settings), built(**settings)
    for _ in range(2):  # the second time there are gaps among what was carried, too
        together(inputs, mask)
        alone(inputs[1:, :4], mask[1:, :4])
    assert together._states[3][:, 1].sum() == 3
    everyone = torch.ones(2, 2, dtype=torch.bool)
    assert_close(together(more, everyone)[1:], alone(more[1:], everyone[1:]))


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_padding_that_is_no_number_changes_nothing(settings):
    encoder = built(**settings)
    inputs, mask = batch(9, 5)
    results = []
    for padding in (0.0, float("nan"), float("inf")):
        encoder.zero_grad()
        padded = inputs.detach().masked_fill(~mask.unsqueeze(-1), padding).requires_grad_()
        outputs = encoder(padded, mask)
        outputs.sum().backward()
        gradients = [part.grad for part in encoder.parameters() if part.grad is not None]
        results.append([outputs, padded.grad, *gradients])
    for result in results[1:]:
        assert_close(result, results[0])


@pytest.mark.parametrize("settings", KINDS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float, torch.bfloat16])
def test_autocast_changes_neither_outputs_nor_gradients(settings, dtype):
    encoder = built(**settings).float()
    inputs, mask = batch(9, 5)
    inputs = inputs.detach().to(dtype)

    def gradients_of(outputs):
        return torch.autograd.grad(outputs.sum(), list(encoder.parameters()), allow_unused=True)

    expected = encoder(inputs.float(), mask)
    with torch.autocast("cpu", torch.bfloat16):
        actual = encoder(inputs, mask)
        reads = encoder.reads(inputs, mask)
        if settings["truncation"] is not None:  # where windows are computed once more
            gradients = gradients_of(actual)
    if settings["truncation"] is None:
        gradients = gradients_of(actual)
    assert actual.dtype == torch.float
    assert_close(actual, expected)
    assert_close(reads.weights, encoder.reads(inputs.float(), mask).weights)
    for gradient, wanted in zip(gradients, gradients_of(expected), strict=True):
        assert (gradient is None) == (wanted is None)
        if gradient is not None:
            assert_close(gradient, wanted)


@pytest.mark.parametrize("settings", [KINDS[0], KINDS[-1]], ids=str)
def test_inputs_that_do_not_fit_are_refused_in_the_words_of_the_encoder(settings):
    encoder = built(**settings)
    inputs, mask = batch(9, 5)
    inputs = inputs.detach()
    for wrong in ((inputs[0],), (inputs[..., :-1],), (inputs, mask[:1]), (inputs, mask[:, :-1])):
        with pytest.raises(ValueError, match=r"Expected inputs of shape \(batch_size, length, "):
            encoder(*wrong)
    with pytest.raises(ValueError, match=r"mask of shape \(batch_size, length\)"):
        encoder.reads(inputs, torch.ones(1, 9, dtype=torch.bool))
    with pytest.raises(TypeError, match="of the type of the weights"):
        encoder(inputs.half(), mask)


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_parameters_for_a_single_call_get_the_gradient_of_that_call(settings):
    encoder, (inputs, mask) = built(**settings), batch(11, 7)
    others = {name: 1.5 * weight for name, weight in encoder.named_parameters()}
    outputs = torch.func.functional_call(encoder, others, (inputs, mask))
    actual = torch.autograd.grad(outputs.square().sum(), list(others.values()))
    encoder.load_state_dict(others)
    expected = torch.autograd.grad(encoder(inputs, mask).square().sum(), list(encoder.parameters()))
    assert_close(actual, expected)


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_what_torch_func_cannot_transform_is_refused_with_the_way_out(settings):
    encoder, (inputs, _) = built(**settings), batch(5, 5)
    leaf = inputs.clone().requires_grad_()
    encoder(leaf).sum().backward()
    if settings["truncation"] is None:
        assert_close(torch.func.grad(lambda vectors: encoder(vectors).sum())(inputs), leaf.grad)
        assert_close(torch.func.vmap(encoder)(inputs.unsqueeze(1)).squeeze(1), encoder(inputs))
        return
    with pytest.raises(NotImplementedError, match="call torch.autograd.grad"):
        torch.func.grad(lambda vectors: encoder(vectors).sum())(inputs)
    with pytest.raises(NotImplementedError, match="put what is mapped into the batch"):
        torch.func.vmap(encoder)(inputs.unsqueeze(0))


def test_torch_compile_runs_the_recurrence_as_it_is():
    encoder = built(top_k=None, truncation=None)
    inputs, mask = batch(9, 5)
    operations = []

    def backend(graph, _):
        operations.extend(graph.graph.nodes)
        return graph.forward

    torch.compiler.reset()
    assert_close(torch.compile(encoder, backend=backend)(inputs, mask), encoder(inputs, mask))
    torch.compiler.reset()
    assert len(operations) < 60  # those of the steps are not among them


def test_without_a_memory_it_is_the_lstm_of_torch():
    encoder, lstm = built(top_k=0, truncation=None), torch.nn.LSTM(3, 4, batch_first=True).double()
    cell = encoder._cell
    lstm.load_state_dict(
        {
            "weight_ih_l0": cell.weight_ih,
            "weight_hh_l0": cell.weight_hh,
            "bias_ih_l0": cell.bias,
            "bias_hh_l0": torch.zeros_like(cell.bias),
        }
    )
    inputs, _ = batch(9, 9)
    assert_close(encoder(inputs), lstm(inputs)[0])


def test_the_zero_of_the_start_is_a_memory():
    encoder = built(top_k=1, attend_every=1)
    encoder._cell._score._query.weight.data.zero_()
    encoder._cell._score._query.bias.data.fill_(-1)
    encoder._cell._score._key.weight.data.fill_(1)  # the larger the state, the worse
    encoder._cell.bias.data[8:12] = 5  # of the new content of cells: all states are positive
    encoder._cell.weight_ih.data.zero_()
    encoder._cell.weight_hh.data.zero_()
    states, summaries = encoder(batch(6, 6)[0]).chunk(2, dim=-1)
    assert (states > 0).all() and (summaries == 0).all()


def weights_of_memories(reads, row: int, attend_every: int):
    """The weight of each memory at each step, `(length, memories)`; the zero comes first."""
    stored_after, weights = reads.stored_after[row], reads.weights[row]
    assert (stored_after % attend_every == 0).all()
    memories = torch.zeros(len(weights), len(weights) // attend_every + 1, dtype=weights.dtype)
    return memories.scatter_add(1, stored_after // attend_every, weights)


@pytest.mark.parametrize("layout", SETTINGS)
@pytest.mark.parametrize("lengths", [[11, 11], [11, 4, 7]])
@pytest.mark.parametrize("stored", ["state", "provisional"])
def test_what_is_read_is_what_the_paths_written_out_read(layout, lengths, stored):
    torch.manual_seed(1)
    slow = SlowCell(input_size=3, hidden_size=4, size=5)
    encoder = encoder_like(slow, layout, stored)
    inputs = torch.randn(len(lengths), 11, 3, dtype=torch.double)
    mask = torch.arange(11) < torch.tensor(lengths).unsqueeze(-1)
    reads = encoder.reads(inputs, mask)
    for row, length in enumerate(lengths):
        _, expected = slow_run(slow, inputs[row, :length], *layout, SMOOTHING, stored)
        actual = weights_of_memories(reads, row, attend_every=layout[0])
        for step, weights in enumerate(expected):
            assert_close(actual[step, : len(weights)], weights.detach())
            assert (actual[step, len(weights) :] == 0).all()
        assert (reads.stored_after[row, length:] == 0).all()
        assert (reads.weights[row, length:] == 0).all()


@pytest.mark.parametrize("settings", [KINDS[0], KINDS[2], KINDS[6]], ids=str)
def test_a_summary_is_the_sum_of_what_was_read_by_its_weights(settings):
    encoder = built(**settings)
    inputs, mask = batch(9, 5)
    states, summaries = encoder(inputs, mask).chunk(2, dim=-1)  # the first of them by kernels
    reads = encoder.reads(inputs, mask)
    assert_close(reads.weights.sum(dim=-1), mask.double())
    assert not reads.weights.requires_grad
    with_zero = torch.nn.functional.pad(states, (0, 0, 1, 0))
    instance = torch.arange(2)[:, None, None]
    memories = with_zero[instance, reads.stored_after]
    assert_close((reads.weights.unsqueeze(-1) * memories).sum(dim=2), summaries)
    assert (reads.weights.diff(dim=-1) <= 1e-12).all()


def test_memories_with_equal_scores_are_read_in_equal_shares():
    encoder = built(top_k=2, attend_every=2, truncation=3)
    encoder._cell._score._key.weight.data.zero_()
    stored_after, weights = encoder.reads(batch(5)[0])
    assert weights.tolist() == [[[1, 0], [1, 0], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]]
    assert stored_after[0, :2].tolist() == [[0, 0], [0, 0]]
    assert [sorted(step) for step in stored_after[0, 2:4].tolist()] == [[0, 2], [0, 2]]


def test_in_stateful_use_what_is_carried_is_read_and_left_as_it_is():
    encoder, whole = built(**KINDS[3], stateful=True), built(**KINDS[3])
    inputs, _ = batch(8, 8)
    encoder(inputs[:, :4])
    before = [states.clone() for states in encoder._states]
    reads, expected = encoder.reads(inputs[:, 4:]), whole.reads(inputs)
    assert_close(encoder._states, tuple(before), rtol=0, atol=0)
    assert_close(reads.weights, expected.weights[:, 4:])
    assert_close(reads.stored_after, (expected.stored_after[:, 4:] - 4).clamp(min=0))


def test_where_no_memory_is_read_none_is_told():
    inputs, _ = batch(4, 4)
    for encoder, shown in [
        (built(top_k=0), inputs),
        (built(), inputs[:0]),
        (built(), inputs[:, :0]),
    ]:
        for field in encoder.reads(shown):
            assert field.shape == (*shown.shape[:2], 0)


def test_evaluation_leaves_no_graph():
    with torch.no_grad():
        assert not built(**KINDS[0])(batch(5, 3)[0]).requires_grad


def test_frozen_parameters_get_no_gradient_and_the_others_theirs():
    encoder = built(**KINDS[1])
    encoder._cell.weight_hh.requires_grad_(False)
    encoder(batch(9, 5)[0]).sum().backward()
    assert encoder._cell.weight_hh.grad is None
    assert encoder._cell.weight_ih.grad.abs().max() > 0


def test_time_scales_of_the_gates_are_spread_up_to_the_longest_memory():
    cell = built(longest_memory=30)._cell
    input_bias, forget_bias = cell.bias[:4].exp(), cell.bias[4:8].exp()
    assert ((forget_bias >= 1) & (forget_bias <= 29)).all() and forget_bias.std() > 0
    assert_close(input_bias * forget_bias, torch.ones_like(forget_bias))
    assert (built()._cell.bias[4:8] == 1).all()


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"attend_every": 0}, "attend_every must be at least 1"),
        ({"truncation": 0}, "truncation must be at least 1"),
        ({"top_k": -1}, "top_k must be at least 0"),
        ({"hidden_size": 0}, "hidden_size must be at least 1"),
        ({"input_size": 0}, "input_size must be at least 1"),
        ({"score": {"type": "bilinear", "size": 0}}, "size must be at least 1"),
        ({"score": {"type": "additive", "size": 0}}, "size must be at least 1"),
        ({"smoothing": 0.0}, "smoothing is 0.0, but must be positive"),
        ({"smoothing": float("inf")}, "smoothing is inf, but must be positive, and finite"),
        ({"weights": "sparsemax"}, 'weights is "sparsemax", but must be one of'),
        ({"stored": "cell"}, 'stored is "cell", but must be one of'),
        ({"longest_memory": 2}, "longest_memory must be at least 3"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        built(**settings)


def error_at_adding(top_k: int) -> float:
    """
    Returns the mean square error, over the last 50 batches, of a regressor that was trained to add
    two marked numbers out of the first 24 of 30, at the last step. Windows are of 5 steps.
    """
    torch.manual_seed(1)
    encoder = SparseAttentiveLstm(2, 16, 5, top_k, 5, smoothing=1.0, stored="provisional")
    output = torch.nn.Linear(encoder.get_output_dim(), 1)
    parameters = [*encoder.parameters(), *output.parameters()]
    optimizer, errors, row = torch.optim.Adam(parameters, lr=0.01), [], torch.arange(32)
    for _ in range(300):
        inputs = torch.rand(32, 30, 2)
        inputs[..., 1] = 0
        for half in (0, 12):
            inputs[row, half + torch.randint(12, (32,)), 1] = 1
        actual = output(encoder(inputs)[:, -1]).squeeze(-1)
        error = (actual - inputs.prod(dim=-1).sum(dim=-1)).square().mean()
        optimizer.zero_grad()
        error.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 0.25)
        optimizer.step()
        errors.append(error.item())
    return sum(errors[-50:]) / 50


def test_what_lies_before_the_window_is_learnt_by_way_of_memories_alone():
    # The variance of the sum is 1/6. Without memories only what the state happens to keep is known.
    assert error_at_adding(top_k=4) < 0.03
    assert error_at_adding(top_k=0) > 0.08


def model_of(kind: str, vocab: Vocabulary) -> Model:
    encoder = {"type": "sparse_attentive_lstm", "input_size": 5, "hidden_size": 4, "top_k": 2}
    embedder = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 5}}}
    params = {"type": kind, "text_field_embedder": embedder}
    if kind == "simple_tagger":
        params["encoder"] = encoder
    else:
        params["seq2seq_encoder"] = encoder
        params["seq2vec_encoder"] = {"type": "boe", "embedding_dim": 8}
    return Model.from_params(Params(params), vocab=vocab)


@pytest.mark.parametrize("kind", ["simple_tagger", "basic_classifier"])
def test_it_learns_inside_models_of_allennlp(kind):
    torch.manual_seed(1)
    instances = []
    for words in ("good film", "a bad film", "it was good", "so bad it was"):
        tokens = TextField([Token(w) for w in words.split()], {"tokens": SingleIdTokenIndexer()})
        tags = SequenceLabelField([w[0] for w in words.split()], tokens)
        label = LabelField("1" if "good" in words else "0")
        key = {"tags": tags} if kind == "simple_tagger" else {"label": label}
        instances.append(Instance({"tokens": tokens, **key}))
    vocab = Vocabulary.from_instances(instances)
    model = model_of(kind, vocab)
    tensors = Batch(instances)
    tensors.index_instances(vocab)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(40):
        model.get_metrics(reset=True)
        loss = model(**tensors.as_tensor_dict())["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert model.get_metrics()["accuracy"] == 1
