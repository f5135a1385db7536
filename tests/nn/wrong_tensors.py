"""
Calls every public function of `nn` that takes tensors, and every operation of every structure and
projection, with tensors that are not what they should be; to be run in a process of its own, which
a kernel that gets such a tensor may end.

The functions are those without an underscore in the modules that other packages import from; the
structures and projections are those that are registered. What a function takes is told by the names
of its parameters, so that a new function is called because it is there, and one with a parameter
that is not known here fails. Prints a line for each call that ends in anything but an error of
`nn/tensor_checks.py` that names its shape, or a result where a tensor is as good as another. With
`--without-kernels` torch computes what it can, and the rest is left out.
"""

import ast
import importlib
import inspect
import sys
from pathlib import Path

import torch

import spigot_allennlp
from spigot_allennlp.modules.attentive_lstm_cell import AttentiveLstmCell
from spigot_allennlp.modules.memory_score import BilinearMemoryScore
from spigot_allennlp.nn.attentive.cell import AttentiveOptions, State
from spigot_allennlp.nn.attentive.memory import Memories, threshold_weights
from spigot_allennlp.nn.spiking.connection import all_to_all
from spigot_allennlp.nn.spiking.gradient_problem import HM2BPOptions, SpikeGradientProblem
from spigot_allennlp.nn.spiking.hm2_bp import HM2BPLayer
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.projections.projection import Projection
from spigot_allennlp.structures.structure import OPTIONAL_OPERATIONS, Structure

ROOT = Path(spigot_allennlp.__file__).parent
BATCH, LENGTH, TAGS, STEPS, INPUTS, NEURONS = 2, 4, 3, 5, 6, 2
CONNECTION, NEURON = all_to_all(INPUTS, NEURONS), Neurons(0.5)
HM2BP_LAYER = HM2BPLayer(CONNECTION, NEURON, HM2BPOptions(), 1.0, True, 1)

# Functions whose argument is an inference, or a tensor of any kind and shape; and what looks at
# scores on their way to a function that checks them.
EXEMPT = {
    "arcs.lengths_from_arc_mask",
    "closed_form_autograd.log_partition",
    "closed_form_autograd.log_partition_and_marginals",
    "dropout.dropout",
    "instances.are_choices",
    "instances.at_least_single",
    "instances.flatten_parts",
    "invalid_scores.all_fit_mask",
    "invalid_scores.are_finite",
    "invalid_scores.compute_valid",
    "invalid_scores.invalid_instances",
    "invalid_scores.is_score",
    "invalid_scores.is_step",
    "invalid_scores.known_moderate",
    "invalid_scores.nan_for_invalid",
    "invalid_scores.without_excess",
    "invalid_scores.without_invalid",
    "invalid_scores.without_overflow",
    "padded_lstm.is_worthwhile",
    "transforms.check_untransformed",
    "transforms.has_tangent",
    "transforms.is_mapped_over",
}
# Dimensions of an argument that may have any size; all of them, and any number, for "...".
FREE = {
    "arc_mask(mask)": "...",
    "best_of_block(block)": {3},
    "at_heads(scores)": {2, 3},
    "chain_scores(transitions)": "...",
    "chain_scores(unary)": {0, 1},
    "clip_norm(tensor)": "...",
    "firing_counts(fired)": {0, 1, 2},
    "inhibition_factor(fired)": {1},
    "per_instance(like)": "...",
    "psp_per_spike(fired)": {0, 1, 2},
    "sample_spikes(probabilities)": {1, 2},
    "simulate(spikes)": {0, 1},
    "simulate_differentiably(spikes)": {0, 1},
    "softmax_weights(scores)": {1},
    "spike_train_psp(fired)": {2},
    "spike_train_psp(spikes)": {2},
    "spiking_layer(spikes)": {1},
    "threshold_weights(scores)": {1},
    "with_injected_spikes(fired)": {1},
}
# Functions whose arguments are broadcast, and arguments of any type.
BROADCAST = {"box_step", "simplex_step", "capped_simplex_step"}
OF_ANY_TYPE = {
    *("are_alignments(vertex)", "are_matchings(vertex)", "are_trees(arcs)", "at_heads(scores)"),
    *("per_instance(weights)", "per_instance(like)"),
}
OF_FLOATS_OR_TRUTHS = {"simulate_differentiably(spikes)"}


def floats(*shape):
    return torch.randn(shape)


def truths(*shape):
    return torch.rand(shape) < 0.5


def parts(name):
    """The shape of scores, and legal parts, by the name of a module or of a structure."""
    tokens = torch.ones(BATCH, LENGTH, dtype=torch.bool)
    if "chain" in name:
        shape = torch.Size((BATCH, LENGTH, TAGS, TAGS))
        return shape, Structure.by_name("chain")().part_mask(tokens, shape)
    if name in ("alignment", "matching"):
        shape = torch.Size((BATCH, LENGTH, TAGS))
        return shape, Structure.by_name(name)().part_mask(tokens, shape)
    if name in ("assignment", "labelled_arcs", "predicate_graph", "semantic_graph"):
        shape = torch.Size((BATCH, LENGTH, LENGTH, TAGS))
        return shape, Structure.by_name("semantic_graph")().part_mask(tokens, shape)
    shape = torch.Size((BATCH, LENGTH, LENGTH))
    return shape, Structure.by_name("projective_tree")().part_mask(tokens, shape)


def argmax(scores, mask):
    return Structure.by_name("categorical")().argmax(scores, mask)


def lstm(top_k):
    """A cell of three inputs and two hidden units, for which there are kernels."""
    return AttentiveLstmCell(3, 2, BilinearMemoryScore(2, 2), threshold_weights, top_k, 0.1)


def arguments(package):
    """What a parameter stands for, by its name."""
    shape, mask = parts(package)
    spikes, fired = truths(BATCH, STEPS, INPUTS), truths(BATCH, STEPS, NEURONS)
    weight, delta = floats(INPUTS, NEURONS), floats(BATCH, NEURONS)
    return {
        "scores": {
            "memory": floats(BATCH, 3),
            "arcs": floats(BATCH, LENGTH - 1, LENGTH - 1, 2),
        }.get(package, floats(*shape)),
        **{name: floats(*shape) for name in ("origin", "step", "point", "direction", "tensor")},
        "chosen": torch.zeros(shape),
        "vertex": torch.zeros(shape),
        "arcs": torch.zeros(shape),
        "projective": True,
        "mask": {
            "attentive": truths(STEPS, BATCH),
            "hm2_bp": truths(BATCH, STEPS),
            "padded_lstm": torch.ones(STEPS, BATCH, dtype=torch.bool),
        }.get(package, mask),
        "lstm": torch.nn.LSTM(3, 2, batch_first=True, bidirectional=True),
        "block": floats(BATCH, 3, TAGS, 5),
        "alone": floats(BATCH, 3, TAGS),
        "present": truths(BATCH, 3),
        "single_root": True,
        "labels": [1],
        "unary": floats(BATCH, LENGTH, TAGS),
        "transitions": floats(TAGS, TAGS),
        "weights": floats(BATCH),
        "like": floats(BATCH, 3),
        "heads": torch.zeros(BATCH, LENGTH - 1, dtype=torch.long),
        "part_mask": truths(BATCH, LENGTH, LENGTH),
        "argmax": argmax,
        "function": lambda point, mask: point.flatten(1).sum(dim=1),
        "max_norm": 1.0,
        "max_iterations": 10,
        "tolerance": 1e-6,
        "top_k": 2,
        "k": 2,
        "smoothing": 0.1,
        "spikes": spikes,
        "fired": fired,
        "weight": weight,
        "counts": spikes.sum(dim=1).float(),
        "wanted": truths(BATCH, NEURONS),
        "num_injected": 2,
        "refractory": 1,
        "slope": 1.0,
        "dtype": torch.float,
        "connection": CONNECTION,
        "neurons": NEURON,
        "layer": HM2BP_LAYER,
        "problem": SpikeGradientProblem(
            spikes, fired, weight, delta, delta, CONNECTION, NEURON, HM2BPOptions(), True
        ),
        "probabilities": torch.rand(BATCH, 2, INPUTS),
        "steps_per_frame": 3,
        "seeds": torch.zeros(BATCH, dtype=torch.long),
        "cell": lstm(1),
        "options": AttentiveOptions(2, 1, 2),
        "inputs": floats(STEPS, BATCH, 3),
        "start": State(floats(BATCH, 2), floats(BATCH, 2)),
        "initial": Memories(floats(BATCH, 1, 2), floats(BATCH, 1, 2), truths(BATCH, 1)),
    }


def public_functions():
    """All entrances, with the name of their module."""
    modules = set()
    for file in ROOT.rglob("*.py"):
        if ROOT / "nn" not in file.parents:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                name = getattr(node, "module", None) or ""
                if isinstance(node, ast.ImportFrom) and name.startswith("spigot_allennlp.nn."):
                    modules.add(name)
    for name in sorted(modules - {"spigot_allennlp.nn.tensor_checks"}):
        module = importlib.import_module(name)
        for function in vars(module).values():
            ours = inspect.isfunction(function) and function.__module__ == name
            if ours and not function.__name__.startswith("_"):
                short = name.rpartition(".")[-1]
                takes_tensors = any(
                    word in str(parameter.annotation)
                    for parameter in inspect.signature(function).parameters.values()
                    for word in ("Tensor", "Problem", "State", "Memories")
                )
                if takes_tensors and f"{short}.{function.__name__}" not in EXEMPT:
                    yield short, function


def calls():
    """Name, function and arguments of everything that is called."""
    for package, function in public_functions():
        known = arguments(package)
        if function.__name__ == "arc_mask":
            known["mask"] = truths(BATCH, LENGTH)
        if function.__name__ == "graph_likelihood":
            known["arcs"] = truths(BATCH, LENGTH, LENGTH)
            known["labels"] = truths(LENGTH, TAGS)
            known["gold"] = torch.zeros(BATCH, LENGTH, LENGTH, dtype=torch.long)
        names = list(inspect.signature(function).parameters)
        if function.__name__ == "attentive_recurrence":
            all_of_it = {"cell": lstm(None), "options": AttentiveOptions(2, None, None)}
            by_autograd = {name: (known | all_of_it)[name] for name in names}
            yield function.__name__, function, by_autograd
        yield function.__name__, function, {name: known[name] for name in names}
    for name in Structure.list_available():
        structure = Structure.by_name(name)(**({"k": 2} if name == "subset" else {}))
        known = arguments(name)
        for operation in (
            *("argmax", "log_partition", "sample", "projected_step", "hull_jvp"),
            *("project", "marginals", "log_partition_and_marginals", "entropy", "score"),
            "log_prob",
        ):
            needed = {
                "project": "projected_step",
                "log_partition_and_marginals": "log_partition",
                "entropy": "log_partition",
                "log_prob": "log_partition",
            }.get(operation, operation)
            if needed in OPTIONAL_OPERATIONS and not structure.provides(needed):
                continue
            method = getattr(structure, operation)
            names = list(inspect.signature(method).parameters)
            yield f"{name}.{operation}", method, {key: known[key] for key in names}
    tree, known = Structure.by_name("projective_tree")(), arguments("tree")
    for name in Projection.list_available():
        projection = Projection.by_name(name)()
        names = ("origin", "step", "mask")
        chosen = {"structure": tree} | {key: known[key] for key in names}
        yield f"{name}.projected_step", projection.projected_step, chosen


def tensors_in(named):
    """Every tensor among the arguments, with the keys that lead to it."""
    for name, value in named.items():
        if isinstance(value, torch.Tensor):
            yield (name,), value
        elif hasattr(value, "_fields"):
            for field in value._fields:
                if isinstance(getattr(value, field), torch.Tensor):
                    yield (name, field), getattr(value, field)


def replaced(named, path, tensor):
    if len(path) == 1:
        return {**named, path[0]: tensor}
    return {**named, path[0]: named[path[0]]._replace(**{path[1]: tensor})}


def wrong(tensor):
    """What a tensor should not be, with a name; a dimension, "shape" or "type" says why."""
    for dim in range(tensor.dim()):
        for more in (1, 60):
            longer = torch.cat([tensor] + more * [tensor.narrow(dim, 0, 1)], dim=dim)
            yield f"{more} more in dimension {dim}", longer, dim
        yield f"one less in dimension {dim}", tensor.narrow(dim, 0, tensor.size(dim) - 1), dim
    yield "without its batch", tensor[0], "shape"
    yield "with another dimension", tensor.unsqueeze(0).repeat(2, *tensor.dim() * [1]), "shape"
    for dtype in (torch.bool, torch.long, torch.uint8, torch.float, torch.cfloat):
        if dtype != tensor.dtype and not (dtype.is_floating_point and tensor.is_floating_point()):
            yield f"as {dtype}", tensor.to(dtype), "type" if not dtype.is_complex else "complex"
    yield "on the device meta", tensor.to("meta"), "device"
    yield "sparse", tensor.to_sparse(), "device"
    yield "as an array", tensor.numpy(), "device"
    yield "as a list", tensor.tolist(), "device"


def may_be_right(name, place, named, path, tensor, why):
    """Whether a tensor is as good as the one in whose place it stands."""
    if why == "type":
        floats_or_truths = torch.is_tensor(tensor) and tensor.dtype in (torch.float, torch.bool)
        return place in OF_ANY_TYPE or (place in OF_FLOATS_OR_TRUTHS and floats_or_truths)
    if isinstance(why, int) or why == "shape":
        if name in BROADCAST:
            try:
                shapes = [other.shape for _, other in tensors_in(replaced(named, path, tensor))]
                return bool(torch.broadcast_shapes(*shapes))
            except RuntimeError:
                return False
        free = FREE.get(place, set())
        return free == "..." or why in free
    return False


def awkward(tensor):
    """What is as good as a tensor, with a name, and that tensor."""
    yield "not contiguous", torch.stack([tensor, tensor], dim=-1)[..., 0], tensor
    if len(tensor) > 1:
        expanded = tensor[:1].expand_as(tensor)
        yield "expanded", expanded, expanded.clone()
    if tensor.is_floating_point():
        yield "with a gradient", tensor.clone().requires_grad_(), tensor
        yield "double", tensor.double(), tensor
        yield "half", tensor.half(), tensor.half().float()
        yield "bfloat16", tensor.bfloat16(), tensor.bfloat16().float()


def outcome(function, named):
    """The tensors that a call gives, drawn from one seed."""
    torch.manual_seed(1)
    results = function(**named)
    results = results if isinstance(results, tuple) else (results,)
    return [result for result in results if isinstance(result, torch.Tensor)]


def differs(function, named, path, tensor, plain):
    """What is wrong with the outcome of an awkward tensor; nothing, if it is as of a plain one."""
    expected = outcome(function, replaced(named, path, plain))
    try:
        results = outcome(function, replaced(named, path, tensor))
    except TypeError as error:  # the tensors of a recurrence have one type
        return "" if "of the type of the inputs" in str(error) else str(error)[:300]
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    for value, reference in zip(results, expected, strict=True):
        tolerance = 1e-2 if "float16" in str(value.dtype) else 1e-5
        if not torch.allclose(
            value.detach().double(), reference.detach().double(), rtol=tolerance, atol=tolerance
        ):
            return f"{value.tolist()} in place of {reference.tolist()}"[:300]
    return ""


def verdict(function, named, path, tensor, is_right):
    """What is wrong with the outcome of a wrong tensor; nothing, if all is well."""
    try:
        function(**replaced(named, path, tensor))
    except (ValueError, TypeError) as error:
        text = str(error)
        shapes = [str(tuple(tensor.shape))] if hasattr(tensor, "shape") else []
        if "xpected" in text and all(shape in text or is_right for shape in shapes):
            return ""
        return f"{type(error).__name__}: {text[:300]}"
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    return "" if is_right else "a result"


# What is computed by kernels wherever the tensors are.
NEEDS_KERNELS = (
    *("project_onto_hull", "hull_step", "sparsemap", "best_arborescence", "sample_arborescence"),
    *("non_projective_tree.argmax", "non_projective_tree.sample", "graph_likelihood"),
    *("best_matching", "matching.argmax"),
)


def main(with_kernels):
    torch.manual_seed(0)
    number = 0
    for name, function, named in calls():
        if not with_kernels and name.startswith(NEEDS_KERNELS):
            continue
        function(**named)
        for path, tensor in tensors_in(named):
            place = f"{name}({'.'.join(path)})"
            for kind, other, why in wrong(tensor):
                print("?", place, kind, flush=True)
                is_right = may_be_right(name, place, named, path, other, why)
                problem = verdict(function, named, path, other, is_right)
                number += 1
                if problem:
                    print(f"! {place} {kind}: {problem}", flush=True)
            for kind, other, plain in awkward(tensor):
                print("?", place, kind, flush=True)
                problem = differs(function, named, path, other, plain)
                number += 1
                if problem:
                    print(f"! {place} {kind}: {problem}", flush=True)
    print("calls:", number)


if __name__ == "__main__":
    alone = "--without-kernels" in sys.argv
    if alone:
        list(public_functions())  # imports their modules
        for module in list(sys.modules.values()):
            if hasattr(module, "has_kernels"):
                module.has_kernels = lambda device: False
    main(with_kernels=not alone)
