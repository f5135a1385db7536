"""
PyEPO ([Tang and Khalil, 2024](https://arxiv.org/abs/2206.14234)): layers around a solver, which is
SciPy's assignment of one instance at a time, as a model of theirs.

Scores are flat, `(batch_size, num_parts)`. Its I-MLE divides the gradient by the step size.
"""

from typing import Any, Tuple

import numpy
import torch
from pyepo import EPO
from pyepo.func import SPOPlus, blackboxOpt, implicitMLE, perturbedOpt
from pyepo.func.utils import sumGammaDistribution
from pyepo.model.opt import optModel
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from benchmarks.library import Call, Library, value_and_gradient
from benchmarks.problem import GAMMA_K, NUM_SAMPLES, STEP_SIZE, Problem

_SEED = 1


class PyEPO(Library):
    distribution = "pyepo"

    def solver_blackbox(self, problem: Problem) -> Call:
        layer = blackboxOpt(_Assignment(problem.size.length), lambd=STEP_SIZE)
        return Call(_run(layer, problem), lambda result: _shaped(torch.stack(result), problem))

    def solver_perturbed(self, problem: Problem) -> Call:
        # Its baseline is another than ours, and neither has one here: so the gradients are equal.
        layer = perturbedOpt(
            _Assignment(problem.size.length), NUM_SAMPLES, seed=_SEED, variance_reduction=False
        )

        def read(result: Tuple[Tensor, Tensor]) -> Tensor:
            noise = torch.randn(_noise_size(problem), generator=torch.manual_seed(_SEED))
            return _shaped(torch.cat([torch.stack(result), noise.transpose(0, 1)]), problem)

        return Call(_run(layer, problem), read)

    matching_perturbed = solver_perturbed

    def solver_implicit_mle(self, problem: Problem) -> Call:
        layer = implicitMLE(
            _Assignment(problem.size.length),
            NUM_SAMPLES,
            lambd=STEP_SIZE,
            distribution=_noise_distribution(),
        )

        def read(result: Tuple[Tensor, Tensor]) -> Tensor:
            value, gradient = result
            noise = _noise_distribution().sample(_noise_size(problem), device="cpu")
            pair = torch.stack([value, STEP_SIZE * gradient])
            return _shaped(torch.cat([pair, noise.transpose(0, 1)]), problem)

        return Call(_run(layer, problem), read)

    def solver_spo_plus(self, problem: Problem) -> Call:
        assignment = _Assignment(problem.size.length)
        loss = SPOPlus(assignment, reduction="none")
        predicted, true = problem.scores.flatten(1), problem.direction.flatten(1)
        chosen, objectives = [], []
        for scores in true.numpy():
            assignment.setObj(scores)
            solution, objective = assignment.solve()
            chosen.append(torch.from_numpy(solution))
            objectives.append([objective])
        gold, gold_objectives = torch.stack(chosen), torch.tensor(objectives)
        run = value_and_gradient(
            lambda scores: loss(scores, true, gold, gold_objectives),
            predicted,
            torch.ones(problem.size.batch),
        )
        return Call(run, lambda result: torch.cat([result[0].unsqueeze(1), result[1]], dim=1))


class _Assignment(optModel):
    """The best matching of `length` rows with as many columns."""

    modelSense = EPO.MAXIMIZE

    def __init__(self, length: int) -> None:
        self._length = length
        super().__init__()

    def _getModel(self) -> Tuple[None, range]:
        return None, range(self._length**2)

    def setObj(self, c: Any) -> None:
        self._scores = c.reshape(self._length, self._length)

    def solve(self) -> Tuple[numpy.ndarray, float]:
        pairs = linear_sum_assignment(self._scores, maximize=True)
        chosen = numpy.zeros_like(self._scores)
        chosen[pairs] = 1
        return chosen.ravel(), self._scores[pairs].sum()


def _run(layer: Any, problem: Problem) -> Any:
    return value_and_gradient(layer, problem.scores.flatten(1), problem.direction.flatten(1))


def _noise_distribution() -> sumGammaDistribution:
    return sumGammaDistribution(GAMMA_K, seed=_SEED)


def _noise_size(problem: Problem) -> Tuple[int, int, int]:
    return problem.size.batch, NUM_SAMPLES, problem.size.length**2


def _shaped(result: Tensor, problem: Problem) -> Tensor:
    return result.reshape(-1, *problem.scores.shape)
