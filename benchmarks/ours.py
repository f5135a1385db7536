"""
Ours: operations through the interface of `Structure` and `Projection`, as an estimator calls it;
layers as a user calls them.
"""

from functools import partial
from typing import Any, Callable, Tuple, Type, Union

import torch
from allennlp.common.checks import ConfigurationError
from scipy.optimize import linear_sum_assignment
from torch import BoolTensor, Tensor

from benchmarks.library import Call, Library, NotOffered, backward_through, value_and_gradient
from benchmarks.problem import GAMMA_K, NUM_SAMPLES, STEP_SIZE, Problem, chosen_of_row
from spigot_allennlp import projections, structures  # noqa: F401 (they register their classes)
from spigot_allennlp.estimators import Blackbox, ImplicitMLE, Perturbed, StraightThrough
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.noise import Noise, NormalNoise, SumOfGammaNoise
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.layers import DifferentiableSolver, StructuredArgmaxLayer, spo_plus_loss
from spigot_allennlp.projections.projection import Projection
from spigot_allennlp.registrable import Registrable
from spigot_allennlp.structures.structure import Structure

# The gap at which a projection onto the trees is good enough.
_GAP = 1e-5
_SEED = 1


class Ours(Library):
    distribution = "spigot_allennlp"

    def projective_argmax(self, problem: Problem) -> Call:
        return _tree("argmax", "projective_tree", problem)

    def projective_log_partition(self, problem: Problem) -> Call:
        return _tree("log_partition", "projective_tree", problem)

    def projective_marginals(self, problem: Problem) -> Call:
        return _tree("marginals", "projective_tree", problem)

    def projective_marginals_backward(self, problem: Problem) -> Call:
        return _backward("projective_tree", problem)

    def projective_tree_projection(self, problem: Problem) -> Call:
        return _projection("projective_tree", problem)

    flat_projective_tree_projection = projective_tree_projection

    def non_projective_argmax(self, problem: Problem) -> Call:
        return _tree("argmax", "non_projective_tree", problem)

    def non_projective_log_partition(self, problem: Problem) -> Call:
        return _tree("log_partition", "non_projective_tree", problem)

    def non_projective_marginals(self, problem: Problem) -> Call:
        return _tree("marginals", "non_projective_tree", problem)

    def non_projective_marginals_backward(self, problem: Problem) -> Call:
        return _backward("non_projective_tree", problem)

    def non_projective_tree_projection(self, problem: Problem) -> Call:
        return _projection("non_projective_tree", problem)

    flat_non_projective_tree_projection = non_projective_tree_projection

    def chain_argmax(self, problem: Problem) -> Call:
        return _chain("argmax", problem)

    def chain_marginals(self, problem: Problem) -> Call:
        return _chain("marginals", problem)

    def simplex_projection(self, problem: Problem) -> Call:
        structure = _registered(Structure, "categorical")()
        mask = torch.ones_like(problem.scores, dtype=torch.bool)
        return Call(lambda: structure.project(problem.scores, mask))

    def subset_argmax(self, problem: Problem) -> Call:
        structure = _registered(Structure, "subset")(k=chosen_of_row(problem))
        scores = _rows(problem.scores)
        mask = torch.ones_like(scores, dtype=torch.bool)
        shape = problem.scores.shape
        return Call(lambda: structure.argmax(scores, mask), lambda subsets: subsets.view(shape))

    def matching_argmax(self, problem: Problem) -> Call:
        structure = _registered(Structure, "matching")()
        mask = torch.ones_like(problem.scores, dtype=torch.bool)
        return Call(lambda: structure.argmax(problem.scores, mask))

    def alignment_marginals(self, problem: Problem) -> Call:
        structure = _registered(Structure, "alignment")()
        mask = torch.ones_like(problem.scores, dtype=torch.bool)
        return Call(lambda: structure.marginals(problem.scores, mask))

    def subset_straight_through(self, problem: Problem) -> Call:
        layer = _subset_layer(StraightThrough(), problem)
        run = value_and_gradient(layer, _rows(problem.scores), _rows(problem.direction))
        return Call(run, lambda result: torch.stack(result).view(2, *problem.scores.shape))

    def subset_perturbed(self, problem: Problem) -> Call:
        noise = NormalNoise()
        layer = _subset_layer(_perturbed(noise), problem)
        return _perturbed_call(layer, noise, problem, _rows)

    def matching_perturbed(self, problem: Problem) -> Call:
        noise = NormalNoise()
        layer = StructuredArgmaxLayer(_registered(Structure, "matching")(), _perturbed(noise))
        mask = torch.ones_like(problem.scores[..., 0], dtype=torch.bool)
        return _perturbed_call(lambda scores: layer(scores, mask).value, noise, problem)

    def solver_blackbox(self, problem: Problem) -> Call:
        layer = _solver_layer(Blackbox(STEP_SIZE))
        return Call(value_and_gradient(layer, problem.scores, problem.direction), torch.stack)

    def solver_perturbed(self, problem: Problem) -> Call:
        noise = NormalNoise()
        return _perturbed_call(_solver_layer(_perturbed(noise)), noise, problem)

    def solver_implicit_mle(self, problem: Problem) -> Call:
        noise = SumOfGammaNoise(k=GAMMA_K)
        estimator = ImplicitMLE(STEP_SIZE, num_samples=NUM_SAMPLES, noise=noise)
        return _perturbed_call(_solver_layer(estimator), noise, problem)

    def solver_spo_plus(self, problem: Problem) -> Call:
        solver, true = _solver_layer("pipeline"), problem.direction
        gold = solver(true)
        run = value_and_gradient(
            lambda scores: spo_plus_loss(solver, scores, true, gold),
            problem.scores,
            torch.ones(problem.size.batch),
        )
        return Call(
            run, lambda result: torch.cat([result[0].unsqueeze(1), result[1].flatten(1)], dim=1)
        )


def best_tree(structure: str, scores: Tensor) -> Tensor:
    """Returns the best tree with a single root, as zeros and ones."""
    trees, mask = _trees(structure, scores)
    return trees.argmax(scores, mask)


def _perturbed(noise: Noise) -> Perturbed:
    """Returns the estimator without its baseline, which no other library has."""
    return Perturbed(NUM_SAMPLES, noise, control_variate=False)


def _solver_layer(estimator: Union[str, GradientEstimator]) -> DifferentiableSolver:
    return DifferentiableSolver(
        partial(linear_sum_assignment, maximize=True),
        estimator,
        reduction="sum",
        numpy=True,
        batched=False,
        indices=True,
    )


def _subset_layer(estimator: GradientEstimator, problem: Problem) -> Callable[[Tensor], Tensor]:
    """Returns a layer of rows, each of which is an instance."""
    structure = _registered(Structure, "subset")(k=chosen_of_row(problem))
    layer = StructuredArgmaxLayer(structure, estimator)
    mask = torch.ones_like(_rows(problem.scores), dtype=torch.bool)
    return lambda scores: layer(scores, mask).value


def _perturbed_call(
    layer: Callable[[Tensor], Tensor],
    noise: Noise,
    problem: Problem,
    instances: Callable[[Tensor], Tensor] = lambda scores: scores,
) -> Call:
    """Returns a call of a layer whose noise can be drawn again."""
    scores = instances(problem.scores)

    def read(result: Tuple[Tensor, Tensor]) -> Tensor:
        mask = torch.ones_like(scores, dtype=torch.bool)
        # Noise asks for nothing but the shape of the scores.
        perturbed = ArgmaxProblem(Structure(), scores, mask)
        torch.manual_seed(_SEED)
        samples = [noise.sample(perturbed) for _ in range(NUM_SAMPLES)]
        return torch.stack([*result, *samples]).view(-1, *problem.scores.shape)

    torch.manual_seed(_SEED)
    return Call(value_and_gradient(layer, scores, instances(problem.direction)), read)


def _rows(matrices: Tensor) -> Tensor:
    return matrices.flatten(0, 1)


def _tree(operation: str, structure: str, problem: Problem) -> Call:
    trees, mask = _trees(structure, problem.scores)
    compute = getattr(trees, operation)
    return Call(lambda: compute(problem.scores, mask))


def _backward(structure: str, problem: Problem) -> Call:
    trees, mask = _trees(structure, problem.scores)
    return Call(
        backward_through(
            lambda scores: trees.marginals(scores, mask), problem.scores, problem.direction
        )
    )


def _projection(structure: str, problem: Problem) -> Call:
    trees, mask = _trees(structure, problem.scores)
    projection = _registered(Projection, "sparsemap")(tolerance=_GAP)
    origin = torch.zeros_like(problem.scores)
    return Call(
        lambda: projection.projected_step(trees, origin, -problem.scores, mask), torch.Tensor.neg
    )


def _chain(operation: str, problem: Problem) -> Call:
    """Scores the parts, pairs of tags `[batch, position, tag, previous]`, 0 being the root."""
    assert problem.transitions is not None
    structure = _registered(Structure, "chain")()
    tags = problem.scores.unsqueeze(3)
    pairs = tags + problem.transitions.t()
    # before the first token there is no tag, which counts as tag 0
    pairs[:, 0] = tags[:, 0]
    scores = torch.nn.functional.pad(pairs, (0, 0, 0, 0, 1, 0))
    mask = structure.part_mask(scores.new_ones(scores.shape[:2]).bool(), scores.shape)
    compute = getattr(structure, operation)
    return Call(lambda: compute(scores, mask), _tags_of_pairs)


def _tags_of_pairs(pairs: Tensor) -> Tensor:
    return pairs[:, 1:].sum(dim=3)


def _trees(name: str, scores: Tensor) -> Tuple[Structure, BoolTensor]:
    """Returns a structure of trees with a single root, and the mask of arcs of full sentences."""
    structure = _registered(Structure, name)(single_root=True)
    return structure, structure.part_mask(scores.new_ones(scores.shape[:2]).bool(), scores.shape)


def _registered(base: Type[Registrable], name: str) -> Callable[..., Any]:
    try:
        return base.by_name(name)
    except ConfigurationError as error:
        raise NotOffered(f"no {base.__name__} is registered with name '{name}'") from error
