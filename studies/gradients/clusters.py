"""How gradient estimators learn latent clusters, compared with the exact gradient of the choice."""

import math
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import torch
from sklearn.metrics import v_measure_score
from torch import LongTensor, Tensor
from torch.nn.functional import cross_entropy, linear, normalize, one_hot

from spigot_allennlp.data.dataset_readers.latent_clusters import sample_latent_clusters
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, SurrogateEstimator
from spigot_allennlp.estimators.pipeline import Pipeline
from spigot_allennlp.estimators.problem import ArgmaxProblem, Downstream
from spigot_allennlp.estimators.reinforce import Reinforce
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.estimators.spigot_ce import SpigotCE
from spigot_allennlp.estimators.spigot_eg import SpigotEG
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.estimators.straight_through_marginals import StraightThroughMarginals
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from spigot_allennlp.structures.categorical import Categorical
from studies.gradients.rivals import (
    EstimatorFactory,
    make_estimator,
    score_gradients,
)


class Enumerated(SurrogateEstimator):
    """
    The exact gradient of the expected loss of one choice, `p_k (L_k - sum_j p_j L_j)`. The rest of
    the model runs once per category. The value is the argmax.
    """

    @property
    def reevaluates(self) -> bool:
        return True

    def pull_back(
        self, problem: ArgmaxProblem, value: Tensor, gradient: Tensor, state: Any
    ) -> Tensor:
        choices = torch.eye(value.size(-1), dtype=value.dtype)
        losses = [problem.repeated_losses(choice.expand_as(value)) for choice in choices]
        probabilities = problem.scores.softmax(dim=-1)
        excess = torch.stack(losses, dim=-1)
        excess = excess - (probabilities * excess).sum(dim=-1, keepdim=True)
        return probabilities * excess


class AtNormOf(SurrogateEstimator):
    """The direction of one gradient with the norm of another, point by point."""

    def __init__(self, direction: SurrogateEstimator, norm: SurrogateEstimator) -> None:
        super().__init__()
        self._direction = direction
        self._norm = norm

    @property
    def reevaluates(self) -> bool:
        return True

    def pull_back(
        self, problem: ArgmaxProblem, value: Tensor, gradient: Tensor, state: Any
    ) -> Tensor:
        direction = self._direction.pull_back(problem, value, gradient, state)
        norm = self._norm.pull_back(problem, value, gradient, state).norm(dim=-1, keepdim=True)
        return normalize(direction, dim=-1) * norm


class Points(NamedTuple):
    """
    Points with classes and clusters.

    # Parameters

    features : `Tensor`
        Shape `(num_points, dim)`.
    label, cluster : `LongTensor`
        Shape `(num_points,)`.
    """

    features: Tensor
    label: LongTensor
    cluster: LongTensor


class Training(NamedTuple):
    """
    How a classifier is trained: full batches, a fixed number of steps.

    # Parameters

    estimator : `EstimatorFactory`
    lr : `float`
    sgd : `bool`
        Whether to use plain gradient descent instead of Adam.
    gold : `bool`
        Whether the classifier is given the cluster.
    slow : `float`
        The factor by which the learning rate of the scorer is smaller.
    """

    estimator: EstimatorFactory
    lr: float = 0.02
    sgd: bool = False
    gold: bool = False
    slow: float = 1.0


class Trained(NamedTuple):
    """
    The results of a trained classifier.

    # Parameters

    variant : `str`
    seed : `int`
        Of the data and of the initial parameters.
    accuracy, training_accuracy : `float`
        In percent, on unseen points and on training points.
    v_measure : `float`
        The agreement of categories and clusters, in percent.
    label_bits : `float`
        The mutual information of category and label given the cluster, on the training points; at
        most one bit.
    changed : `float`
        The percentage of training points that change their category per step, at the end.
    """

    variant: str
    seed: int
    accuracy: float
    training_accuracy: float
    v_measure: float
    label_bits: float
    changed: float


class Followed(NamedTuple):
    """
    Compares a gradient of the scorer's weights with the exact one, at the same parameters.

    # Parameters

    trained : `str`
        The variant that is trained.
    estimator : `str`
    seed, step : `int`
    cosine, norm : `float`
        The norm is relative to the exact gradient's.
    """

    trained: str
    estimator: str
    seed: int
    step: int
    cosine: float
    norm: float


class Classifier(torch.nn.Module):
    """
    The model `latent_classifier`, without the interface of AllenNLP: a linear choice of one
    category, and a linear classifier for each category.
    """

    def __init__(self, num_categories: int, dim: int) -> None:
        super().__init__()
        self.scorer = torch.nn.Linear(dim, num_categories)
        self.classifier = torch.nn.Bilinear(num_categories, dim, 2)

    def downstream(self, points: Points) -> Downstream:
        """Returns the function from categories, shape `(num_points, num_categories)`, to losses."""
        opinions = self._opinions(points)

        def losses(category: Tensor) -> Tensor:
            logits = (opinions * category.unsqueeze(1)).sum(dim=-1) + self.classifier.bias
            return cross_entropy(logits, points.label, reduction="none")

        return losses

    def accuracy(self, points: Points, category: LongTensor) -> float:
        """Returns the share of points that are classified correctly with these categories."""
        logits = self._opinions(points)[torch.arange(len(category)), :, category]
        right = (logits + self.classifier.bias).argmax(dim=-1) == points.label
        return float(right.double().mean())

    def _opinions(self, points: Points) -> Tensor:
        """Returns the logits of each category, shape `(num_points, 2, num_categories)`."""
        flat = linear(points.features, self.classifier.weight.flatten(0, 1))
        return flat.view(len(flat), 2, -1)


VARIANTS: Dict[str, Training] = {
    "gold": Training(lambda _: Pipeline(), gold=True),
    "pipeline": Training(lambda _: Pipeline()),
    "exact gradient": Training(lambda _: Enumerated()),
    "structured_attention": Training(lambda _: StructuredAttention()),
    "straight_through_marginals": Training(lambda _: StraightThroughMarginals()),
    "straight_through": Training(lambda _: StraightThrough()),
    "reinforce": Training(lambda _: Reinforce()),
    "spigot_ce": Training(lambda _: SpigotCE()),
    "spigot_eg": Training(lambda _: SpigotEG()),
    "spigot": Training(lambda _: Spigot()),
    "spigot, step 0.01": Training(lambda _: Spigot(step_size=0.01)),
    "spigot, step 1/5000": Training(lambda _: Spigot(step_size=1 / 5000)),
    "spigot, two-sided": Training(lambda _: Spigot(two_sided=True)),
    "spigot's direction, exact norm": Training(lambda _: AtNormOf(Spigot(), Enumerated())),
    "exact direction, spigot's norm": Training(lambda _: AtNormOf(Enumerated(), Spigot())),
    "spigot, scorer 100 times slower": Training(lambda _: Spigot(), slow=100.0),
    "spigot, SGD 0.3": Training(lambda _: Spigot(), lr=0.3, sgd=True),
    "spigot, SGD 0.03": Training(lambda _: Spigot(), lr=0.03, sgd=True),
    "pipeline, SGD 0.3": Training(lambda _: Pipeline(), lr=0.3, sgd=True),
    "exact gradient, SGD 0.3": Training(lambda _: Enumerated(), lr=0.3, sgd=True),
}


def sample(size: int, num_clusters: int, seed: int) -> Tuple[Points, Points]:
    """Returns training points and 1000 test points of the benchmark of Mihaylova et al. (2020)."""
    points = sample_latent_clusters(size + 1000, num_clusters, dim=100, deviation=0.1, seed=seed)
    fields = [
        torch.from_numpy(array) for array in (points.features, points.labels, points.clusters)
    ]
    return Points(*(f[:size] for f in fields)), Points(*(f[size:] for f in fields))


def train(
    training: Training,
    points: Points,
    num_clusters: int,
    num_steps: int,
    seed: int,
    observe: Optional[Callable[[int, Classifier], None]] = None,
) -> Classifier:
    """Returns a classifier trained on `num_steps` full batches. Calls `observe` before each."""
    torch.manual_seed(seed)
    model = Classifier(num_clusters, points.features.size(1))
    estimator = training.estimator(Categorical()).train()
    make_optimizer = torch.optim.SGD if training.sgd else torch.optim.Adam
    groups = [
        {"params": model.scorer.parameters(), "lr": training.lr / training.slow},
        {"params": model.classifier.parameters(), "lr": training.lr},
    ]
    optimizer = make_optimizer(groups, fused=True)
    gold = one_hot(points.cluster, num_clusters).to(points.features.dtype)
    for step in range(num_steps):
        if observe:
            observe(step, model)
        optimizer.zero_grad()
        scores = model.scorer(points.features)
        mask = torch.ones_like(scores, dtype=torch.bool)
        problem = ArgmaxProblem(Categorical(), scores, mask, model.downstream(points))
        value = gold if training.gold else estimator(problem)
        losses = problem.losses(value)
        (losses.mean() + estimator.auxiliary_loss(problem, value, losses)).backward()
        optimizer.step()
    return model


def train_variants(
    names: Sequence[str], size: int, num_clusters: int, num_steps: int, seeds: Sequence[int]
) -> Iterator[Trained]:
    """Trains the named variants, with each seed, on `size` points."""
    for name in names:
        for seed in seeds:
            yield _train_variant(name, size, num_clusters, num_steps, seed)


def _train_variant(name: str, size: int, num_clusters: int, num_steps: int, seed: int) -> Trained:
    points, test = sample(size, num_clusters, seed)
    training = VARIANTS[name]
    last: List[Tensor] = []

    def observe(step: int, model: Classifier) -> None:
        if step >= num_steps - 20:
            last.append(model.scorer(points.features).argmax(dim=-1))

    model = train(training, points, num_clusters, num_steps, seed, observe)
    with torch.no_grad():
        seen = _categories(model, points, training.gold)
        unseen = _categories(model, test, training.gold)
    changes = [(a != b).double().mean() for a, b in zip(last[1:], last[:-1], strict=True)]
    return Trained(
        name,
        seed,
        100 * model.accuracy(test, unseen),
        100 * model.accuracy(points, seen),
        100 * v_measure_score(test.cluster.numpy(), unseen.numpy()),
        label_bits(seen, points.label, points.cluster),
        100 * float(torch.stack(changes).mean()),
    )


def _categories(model: Classifier, points: Points, gold: bool) -> LongTensor:
    return points.cluster if gold else model.scorer(points.features).argmax(dim=-1)


def follow(
    trained: str, names: Sequence[str], size: int, num_clusters: int, num_steps: int, seed: int
) -> List[Followed]:
    """
    Trains a variant, and compares the gradients of the named estimators with the exact one, at its
    parameters after 0, 1, 3, 10, ... steps.
    """
    points, _ = sample(size, num_clusters, seed)
    steps = [step for step in (0, 1, 3, 10, 30, 100, 300, 1000, 3000) if step < num_steps]
    rows: List[Followed] = []

    def weights_gradient(estimator: GradientEstimator, model: Classifier) -> Tensor:
        with torch.no_grad():
            scores = model.scorer(points.features)
        mask = torch.ones_like(scores, dtype=torch.bool)
        downstream = model.downstream(points)
        gradient = score_gradients(estimator, Categorical(), scores, mask, downstream)
        return (gradient.t() @ points.features).flatten() / size

    def observe(step: int, model: Classifier) -> None:
        if step not in steps:
            return
        exact = weights_gradient(Enumerated().train(), model)
        for name in names:
            gradient = weights_gradient(make_estimator(name, Categorical()), model)
            norm, unit = float(gradient.norm()), float(exact.norm())
            cosine = float(gradient @ exact) / max(norm * unit, 1e-30)
            rows.append(Followed(trained, name, seed, step, cosine, norm / unit))

    train(VARIANTS[trained], points, num_clusters, num_steps, seed, observe)
    return rows


def label_bits(category: LongTensor, label: LongTensor, cluster: LongTensor) -> float:
    """Returns the mutual information, in bits, of category and label given the cluster."""
    sizes = [int(numbers.max()) + 1 for numbers in (cluster, category, label)]
    counts = torch.zeros(sizes, dtype=torch.double)
    counts.index_put_((cluster, category, label), counts.new_ones(()), accumulate=True)
    joint = counts / counts.sum()

    def entropy(probabilities: Tensor) -> Tensor:
        return torch.special.entr(probabilities).sum()

    nats = entropy(joint.sum(2)) + entropy(joint.sum(1)) - entropy(joint)
    return float(nats - entropy(joint.sum((1, 2)))) / math.log(2)
