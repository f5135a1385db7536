import json
import math
from pathlib import Path

import pytest
import torch

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from spigot_allennlp.structures.categorical import Categorical
from studies.gradients import noise as noise_study
from studies.gradients.__main__ import main
from studies.gradients.bias import comparisons, estimated_cosine
from studies.gradients.clusters import AtNormOf, Enumerated, label_bits
from studies.gradients.exact import exact_gradient, expected_loss, listed_structures, random_losses
from studies.gradients.noise import capped_rows
from studies.gradients.rivals import make_estimator, score_gradients
from studies.gradients.tables import bias_table, tables

DOCS = Path(__file__).parents[2] / "docs"
LISTED = listed_structures()
ALL_LISTED = pytest.mark.parametrize("listed", LISTED, ids=lambda listed: listed.name)


def random_scores(listed, num_problems):
    return torch.randn(num_problems, *listed.mask.shape, dtype=torch.double) * listed.mask


# ---- The exact gradient


def test_as_many_objects_are_listed_as_there_are():
    # 3^3 tag sequences; 30 trees of 4 words with one root; 2^3 sets of tops, and for each of 6
    # arcs one of 2 roles or none.
    counts = [len(listed.objects) for listed in LISTED]
    assert counts == [6, 27, 30, 2**3 * 3**6]
    assert all(len(listed.objects.unique(dim=0)) == len(listed.objects) for listed in LISTED)


@ALL_LISTED
def test_the_exact_gradient_is_the_slope_of_the_expected_loss(listed):
    torch.manual_seed(0)
    losses = random_losses(2, listed.mask).of(listed.objects.unsqueeze(1))
    scores, direction = random_scores(listed, 2), random_scores(listed, 2)
    ahead, behind = (
        expected_loss(listed.objects, scores + size * direction, losses) for size in (1e-5, -1e-5)
    )
    exact = exact_gradient(listed.objects, scores, losses)
    slopes = (exact * direction).flatten(1).sum(dim=1)
    torch.testing.assert_close(slopes, (ahead - behind) / 2e-5, rtol=1e-6, atol=1e-8)


@ALL_LISTED
def test_of_linear_losses_the_exact_gradient_is_that_of_structured_attention(listed):
    torch.manual_seed(0)
    scores, costs = random_scores(listed, 3), random_scores(listed, 3)
    losses = torch.einsum("nd,pd->np", listed.objects.flatten(1), costs.flatten(1))
    attention = score_gradients(
        StructuredAttention(),
        listed.structure,
        scores,
        listed.mask,
        lambda value: (value * costs).flatten(1).sum(dim=1),
    )
    torch.testing.assert_close(exact_gradient(listed.objects, scores, losses), attention)


@ALL_LISTED
def test_the_losses_of_many_values_are_those_of_each(listed):
    torch.manual_seed(0)
    losses = random_losses(2, listed.mask)
    values = listed.objects[:4]
    alone = [losses.of(value.expand(1, 2, *value.shape))[0] for value in values]
    torch.testing.assert_close(losses.of(values.unsqueeze(1)), torch.stack(alone))


def test_the_enumerated_gradient_of_a_choice_is_the_exact_one():
    torch.manual_seed(0)
    listed = LISTED[0]
    losses, scores = random_losses(5, listed.mask), random_scores(listed, 5)
    expected = exact_gradient(listed.objects, scores, losses.of(listed.objects.unsqueeze(1)))
    gradient = score_gradients(
        Enumerated().train(),
        listed.structure,
        scores,
        listed.mask,
        lambda value: losses.of(value.unsqueeze(0))[0],
    )
    torch.testing.assert_close(gradient, expected)


# ---- Rules that are no options of the package

COSTS = torch.tensor([[1.0, 0.0, -1.0]])
SCORES, MASK = torch.tensor([[2.0, 1.0, 0.0]]), torch.ones(3, dtype=torch.bool)


def pulled(estimator, costs):
    return score_gradients(
        estimator.train(), Categorical(), SCORES, MASK, lambda value: (value * costs).sum(dim=1)
    )


def test_the_two_sided_step_is_half_the_difference_of_both():
    # Against the costs from the first vertex lies (0.9, 0, 0.1); along them, the vertex itself.
    expected = torch.tensor([[0.05, 0.0, -0.05]])
    torch.testing.assert_close(pulled(Spigot(step_size=0.1, two_sided=True), COSTS), expected)
    torch.testing.assert_close(pulled(Spigot(step_size=0.1, two_sided=True), -COSTS), -expected)
    torch.testing.assert_close(pulled(Spigot(step_size=0.1), -COSTS), torch.zeros(1, 3))


def test_a_direction_takes_the_norm_of_another_gradient():
    gradient = pulled(AtNormOf(Spigot(), Spigot(step_size=0.1, two_sided=True)), COSTS)
    # SPIGOT's own direction is (1, 0, -1); 0.05 * sqrt(2) is the norm of the other.
    torch.testing.assert_close(gradient, torch.tensor([[0.05, 0.0, -0.05]]))


# ---- What is measured


def test_spigot_lowers_all_chosen_heads_but_those_that_are_best_already():
    (none, *_) = capped_rows(num_noises=400, length=5, seed=1)
    # One of five heads has the least noise by chance, and stays.
    assert none.lowered == pytest.approx(1 - 1 / 5, abs=0.02)
    assert none.raised == 0


class Recorded(GradientEstimator):
    """Gives the parts of a choice these gradients, call by call, whatever follows."""

    def __init__(self, gradients):
        super().__init__()
        self._gradients = iter(gradients)

    def forward(self, problem):
        return problem.scores * next(self._gradients)


def test_the_drift_has_the_variance_of_the_means_of_pairs_subtracted(monkeypatch):
    monkeypatch.setattr(noise_study, "_linear", lambda costs, value: value.flatten(1).sum(dim=1))
    scores, mask = torch.tensor([[2.0, 1.0]]), torch.ones(1, 2, dtype=torch.bool)
    gradients = torch.tensor([[4.0, 0.0], [0.0, 0.0], [0.0, 2.0], [4.0, 0.0]])
    row = noise_study._sided(
        "", Categorical(), scores, mask, "", 4, 1, lambda _: Recorded(gradients)
    )
    # The pairs' means are (2, 0) and (2, 1), that of both (2, 1/2), so its squared norm is 17/4.
    # They have variance 1/2, their mean 1/4. The mean square of the four gradients is 36/4.
    assert row.drift == pytest.approx(math.sqrt((17 / 4 - 1 / 4) / 9))
    assert (row.lowered, row.raised, row.chosen, row.others) == (0.5, 0, 2, 0.5)


@pytest.mark.parametrize("name", ["straight_through", "spigot, two-sided"])
def test_rules_that_are_odd_in_the_gradient_have_no_drift(name):
    structure, scores, mask = noise_study._problems(5, 1)["projective_tree"]
    row = noise_study._sided("", structure, scores, mask, name, 4, 1)
    assert row.drift == row.chosen == row.others == 0
    assert row.lowered == row.raised > 0


def test_a_cosine_is_at_most_one_and_unknown_where_the_estimated_norm_is_zero():
    assert estimated_cosine(3.0, 2.0, 3.0) == 0.5
    assert estimated_cosine(6.1, 2.0, 3.0) == 1
    assert estimated_cosine(-6.1, 2.0, 3.0) == -1
    assert math.isnan(estimated_cosine(6.1, 0.0, 3.0))


def test_of_two_samples_no_cosine_leaves_its_range():
    rows = list(comparisons(num_problems=2, num_samples=2, scales=(1.0,), seed=1))
    cosines = [row.cosine for row in rows]
    assert any(map(math.isnan, cosines))
    assert all(-1 <= cosine <= 1 for cosine in cosines if not math.isnan(cosine))
    assert all(row.norm == 0 for row in rows if math.isnan(row.cosine))


def test_measured_cosines_are_cosines():
    rows = json.loads((DOCS / "gradient_study.json").read_text())["bias"]
    assert all(-1 <= row[key] <= 1 for row in rows for key in ("cosine", "cosine_alone"))


def test_spigot_projects_onto_the_exact_hull_where_there_is_no_other():
    for listed in LISTED:
        for name in ("spigot", "spigot_ce", "spigot, two-sided", "identity_with_projection"):
            make_estimator(name, listed.structure).check(listed.structure)


def test_the_bits_of_the_label_are_one_where_it_is_the_category():
    label = torch.tensor([0, 1, 0, 1] * 2)
    cluster = torch.tensor([0] * 4 + [1] * 4)
    assert label_bits(label, label, cluster) == pytest.approx(1)
    assert label_bits(1 - label, label, cluster) == pytest.approx(1)
    assert label_bits(cluster, label, cluster) == pytest.approx(0)
    # In the first cluster category 1 says all, and category 0, three times of four, leaves the
    # entropy of (1/3, 2/3); in the second nothing is said. The label has one bit.
    category = torch.tensor([0, 1, 0, 0, 0, 0, 0, 0])
    left = -(math.log2(1 / 3) + 2 * math.log2(2 / 3)) / 3
    assert label_bits(category, label, cluster) == pytest.approx((1 - 0.75 * left) / 2)


def test_a_quick_study_measures_everything(tmp_path, capsys):
    main(["--quick", "--output", str(tmp_path)])
    scores = json.loads((tmp_path / "gradient_study.json").read_text())
    assert set(scores) == set(json.loads((DOCS / "gradient_study.json").read_text()))
    assert all(scores.values())
    assert "Latent clusters" in capsys.readouterr().out
    assert (tmp_path / "gradient_study.png").stat().st_size > 0


def test_a_quick_study_does_not_overwrite_what_was_measured(capsys):
    with pytest.raises(SystemExit):
        main(["--quick"])
    assert "another --output" in capsys.readouterr().err


def test_a_part_leaves_the_scores_of_others_as_they_are(tmp_path):
    path = tmp_path / "gradient_study.json"
    path.write_text('{"noise": []}')
    main(["--quick", "--only", "noise_capped", "--output", str(tmp_path)])
    scores = json.loads(path.read_text())
    assert scores["noise"] == [] and len(scores["noise_capped"]) == 3


def test_a_table_has_a_line_for_each_estimator():
    row = {"structure": "projective_tree", "estimator": "spigot", "cosine": 0.5}
    row.update({"cosine_alone": 0.25, "norm": 2.0, "bias": 1.0, "spread": 2.0})
    rows = [{**row, "scale": scale} for scale in (1.0, 4.0)]
    table = bias_table([*rows, *({**r, "estimator": "blackbox", "spread": 0.0} for r in rows)])
    assert table.splitlines()[2:] == [
        "| `spigot` | 0.50 (0.25) | 2.00 | 1.00 | 4.0 | 0.50 / 0.50 |",
        "| `blackbox` | 0.50 (0.25) | 2.00 | 1.00 | 0 | 0.50 / 0.50 |",
    ]


def test_the_tables_of_the_page_are_those_of_the_scores():
    page = (DOCS / "choose_an_estimator.md").read_text(encoding="utf-8")
    measured = tables(json.loads((DOCS / "gradient_study.json").read_text()))
    shown = [line for line in page.splitlines() if line.startswith("| `") and line.count("|") > 5]
    assert len(shown) > 20
    assert [line for line in shown if line not in measured] == []
