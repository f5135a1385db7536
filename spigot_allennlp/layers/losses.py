"""
Losses of scores against gold objects, for a structure or for a solver of your own.

Each returns the loss of each instance, shape `(batch_size,)`, and is convex in the scores. Its
gradient is a difference of two objects, or of means of objects; no estimator is needed.
`sparsemap_loss` and `negative_log_likelihood` have a second derivative; the others are linear
nearly everywhere, so theirs is zero. All take

structure : `Union[Structure, DifferentiableSolver]`
    With a solver that minimises, pass costs where scores are expected. A solver gets a single
    tensor whose first dimension indexes instances.
scores : `Tensor`
    Shape `(batch_size, *parts)`.
gold : `Tensor`
    The gold objects, of the same shape.
mask : `BoolTensor`, optional
    The legal parts, of the same shape (`Structure.part_mask`). By default all parts.

Losses in half precision are computed and returned in single precision. The loss is infinite for a
gold object that has an impossible part.
"""

from typing import Any, Callable, Optional, Tuple, Union

import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import FunctionCtx

from spigot_allennlp.config_checks import check_counts
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.noise import Noise, NormalNoise
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.layers.differentiable_solver import DifferentiableSolver
from spigot_allennlp.nn.instances import at_least_single, flatten_parts, per_instance
from spigot_allennlp.nn.tensor_checks import PARTS, check_pair, check_scores
from spigot_allennlp.projections.projection import check_binary
from spigot_allennlp.registrable import ConfigurationError
from spigot_allennlp.structures.structure import Structure

StructureOrSolver = Union[Structure, DifferentiableSolver]


def perceptron_loss(
    structure: StructureOrSolver, scores: Tensor, gold: Tensor, mask: Optional[BoolTensor] = None
) -> Tensor:
    """
    Returns `max_z <scores, z> - <scores, gold>`: how far the best object outscores the gold one
    ([Collins, 2002](https://aclanthology.org/W02-1001)). Its gradient is `best - gold`.

    With true scores in place of the scores and a chosen object in place of gold, it is the regret
    of that choice.
    """
    structure, scores = _maximised(structure, scores)
    gold, mask = _filled(scores, gold, mask)
    best = structure.argmax(scores, mask)
    possible = scores.masked_fill(~mask, -torch.inf)
    loss = structure.score(scores, best) - structure.score(possible, gold)
    # Where no object is possible, neither is gold, and nothing can be learnt from it.
    lost = structure.lacks_objects(best, mask) & flatten_parts(gold != 0).any(dim=-1)
    return loss.masked_fill(lost, torch.inf)


def hinge_loss(
    structure: StructureOrSolver,
    scores: Tensor,
    gold: Tensor,
    mask: Optional[BoolTensor] = None,
    cost: Optional[Tensor] = None,
) -> Tensor:
    """
    Returns `max_z (<scores, z> + <cost, z - gold>) - <scores, gold>`, the hinge loss with a margin
    rescaled by a cost ([Taskar et al., 2004](https://aclanthology.org/W04-3201)). It is at least
    the cost of the best object. Its gradient is `worst - gold`, where `worst` is the object at the
    maximum.

    # Parameters

    cost : `Tensor`, optional
        What a part adds to the cost of an object that has it, in the shape of the scores. By
        default 0.5 for a part that gold does not have and -0.5 for one that it has: the cost of an
        object of zeros and ones is then half the number of wrong or missing parts.
    """
    structure, scores = _maximised(structure, scores)
    gold, mask = _filled(scores, gold, mask)
    if cost is not None:
        check_pair(("scores", "cost"), PARTS, scores, cost)
    return perceptron_loss(structure, scores + (0.5 - gold if cost is None else cost), gold, mask)


def spo_plus_loss(
    structure: StructureOrSolver,
    scores: Tensor,
    true_scores: Tensor,
    gold: Optional[Tensor] = None,
    mask: Optional[BoolTensor] = None,
) -> Tensor:
    """
    Returns the SPO+ loss of predicted scores against true ones
    ([Elmachtoub & Grigas, 2022](https://doi.org/10.1287/mnsc.2020.3922), definition 3), which is
    the perceptron loss of `2 * scores - true_scores`. It is at least the regret of the best object.
    With `z` the best object under these scores, its gradient is `2 * (z - gold)`.

    # Parameters

    true_scores : `Tensor`
        Of the shape of the scores.
    gold : `Tensor`, optional
        The best objects under the true scores. By default they are computed.
    """
    true_scores = _maximised(structure, true_scores)[1]
    structure, scores = _maximised(structure, scores)
    gold, mask = _filled(scores, gold, mask)
    check_pair(("scores", "true_scores"), PARTS, scores, true_scores)
    if gold is None:
        gold = structure.argmax(true_scores, mask)
    impossible = (scores == -torch.inf) | (true_scores == -torch.inf)
    moved = (2 * scores - true_scores).masked_fill(impossible, -torch.inf)
    return perceptron_loss(structure, moved, gold, mask)


def perturbed_loss(
    structure: StructureOrSolver,
    scores: Tensor,
    gold: Tensor,
    mask: Optional[BoolTensor] = None,
    num_samples: int = 10,
    noise: Optional[Noise] = None,
) -> Tensor:
    """
    Estimates the Fenchel-Young loss of the estimator "perturbed"
    ([Berthet et al., 2020](https://arxiv.org/abs/2002.08676), section 4), up to a constant that
    depends only on gold. It is the mean perceptron loss of perturbed scores,
    `mean_i max_z <scores + noise_i, z> - <scores + noise_i, gold>`. Its gradient is the mean of the
    best objects, minus gold. On `categorical` with Gumbel noise its expected value is the
    cross-entropy.

    # Parameters

    num_samples : `int`, optional (default = `10`)
    noise : `Noise`, optional (default = `NormalNoise()`)
        Any noise; its scale is a temperature.
    """
    check_counts(num_samples=num_samples)
    structure, scores = _maximised(structure, scores)
    gold, mask = _filled(scores, gold, mask)
    problem = ArgmaxProblem(structure, scores.detach(), mask)
    noise = NormalNoise() if noise is None else noise
    samples = noise.samples(problem, num_samples)
    repeated = [tensor.expand(samples.shape).flatten(0, 1) for tensor in (gold, mask)]
    losses = perceptron_loss(structure, (scores + samples).flatten(0, 1), *repeated)
    return losses.view(num_samples, -1).mean(dim=0)


def sparsemap_loss(
    structure: StructureOrSolver, scores: Tensor, gold: Tensor, mask: Optional[BoolTensor] = None
) -> Tensor:
    """
    Returns the Fenchel-Young loss of the estimator "sparsemap"
    ([Niculae et al., 2018](https://arxiv.org/abs/1802.04223), section 5),
    `||scores - gold||^2 / 2 - ||scores - mean||^2 / 2`, where `mean` is the point of the convex
    hull of all objects that is nearest to the scores. It is zero exactly where `mean` is gold: gold
    then wins by a margin. Its gradient is `mean - gold`. On `categorical` it is the sparsemax loss.

    # Raises

    `ConfigurationError` if objects are not zeros and ones.
    """
    structure, scores = _maximised(structure, scores)
    gold, mask = _filled(scores, gold, mask)
    check_binary("sparsemap_loss", structure)
    nearest = GradientEstimator.by_name("sparsemap")()
    mean = nearest(ArgmaxProblem(structure, scores, mask))
    possible = scores.masked_fill(~mask, -torch.inf)
    return _SparseMAPLoss.apply(possible, gold, structure, lambda: mean)


class _SparseMAPLoss(torch.autograd.Function):
    """
    The loss above, whose gradient is `mean - gold`. Only a second derivative differentiates the
    mean. So the mean is not an input that autograd sees, but the result of `mean_of_scores`.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        scores: Tensor,
        gold: Tensor,
        structure: Structure,
        mean_of_scores: Callable[[], Tensor],
    ) -> Tensor:
        ctx.save_for_backward(scores, gold)
        ctx.mean_of_scores = mean_of_scores
        mean = mean_of_scores()
        # The difference of two squares, computed without squaring.
        return structure.score(scores - (mean + gold) / 2, mean - gold)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tuple[Tensor, Optional[Tensor], None, None]:
        scores, gold = ctx.saved_tensors
        mean = ctx.mean_of_scores()
        weights = per_instance(gradient, mean)
        of_gold = weights * (gold - scores) if ctx.needs_input_grad[1] else None
        return weights * (mean - gold), of_gold, None, None


def negative_log_likelihood(
    structure: StructureOrSolver, scores: Tensor, gold: Tensor, mask: Optional[BoolTensor] = None
) -> Tensor:
    """
    Returns `-log p(gold)` under `p(z) ∝ exp <scores, z>`, in nats: the Fenchel-Young loss of the
    entropy. Its gradient is that of the log-partition, the marginals, minus gold.

    # Raises

    `ConfigurationError` if the structure does not provide `log_partition`.
    """
    structure, scores = _maximised(structure, scores)
    if not structure.provides("log_partition"):
        raise ConfigurationError(
            f"negative_log_likelihood needs log_partition, which {type(structure).__name__} (so "
            "configured) does not provide; marginals are not enough. Pass the solver a function "
            "log_partition, or choose another loss: perceptron_loss needs the argmax alone."
        )
    gold, mask = _filled(scores, gold, mask)
    return -structure.log_prob(scores, mask, gold)


def _maximised(structure: StructureOrSolver, scores: Tensor) -> Tuple[Structure, Tensor]:
    """
    Returns the structure, and scores for it to maximise, in single precision at least.

    # Raises

    `TypeError` if the scores are not a single tensor; `ConfigurationError` if instances are not
    indexed by exactly one dimension.
    """
    if not isinstance(scores, Tensor):
        raise TypeError(
            f"A loss takes a single tensor of scores, but found a {type(scores).__name__}. Let the "
            "solver take one tensor, and split it there."
        )
    scores = at_least_single(scores)
    if isinstance(structure, Structure):
        return structure, scores
    if structure.num_batch_dims != 1:
        raise ConfigurationError(
            "A loss takes a solver with num_batch_dims=1, but found "
            f"num_batch_dims={structure.num_batch_dims}. Make another DifferentiableSolver for it, "
            "and reshape the scores to (batch_size, *parts)."
        )
    return structure.structure, scores if structure.structure.maximize else -scores


def _filled(scores: Tensor, gold: Any, mask: Optional[BoolTensor]) -> Tuple[Any, BoolTensor]:
    """
    Returns gold, if there is any, in the type of the scores, and the mask, by default all parts.

    # Raises

    `TypeError`, `ValueError` if their shape is not that of the scores.
    """
    if mask is None:
        mask = torch.ones_like(scores, dtype=torch.bool)
    elif isinstance(mask, Tensor) and mask.shape != scores.shape:
        raise ValueError(
            f"Expected a mask of the legal parts, of the shape of the scores, "
            f"{tuple(scores.shape)}, but found shape {tuple(mask.shape)}. The part_mask of a "
            "structure makes it of a mask of tokens."
        )
    if isinstance(gold, Tensor):
        gold = gold.to(scores.dtype)
    if gold is None:
        check_scores(PARTS, scores, mask)
    else:
        check_pair(("scores", "gold"), PARTS, scores, gold, mask)
    return gold, mask
