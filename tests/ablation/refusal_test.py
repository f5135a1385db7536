import pytest

from spigot_allennlp.ablation.refusal import reason_to_refuse


def config(structure, estimator, **model):
    layer = {"structure": structure, "estimator": estimator}
    return {"model": {"type": "latent_tree_classifier", "argmax": layer, **model}}


@pytest.mark.parametrize("estimator", ["pipeline", {"type": "spigot", "step_size": 0.5}])
def test_a_pair_that_makes_sense_is_not_refused(estimator):
    assert reason_to_refuse(config("projective_tree", estimator)) is None


@pytest.mark.parametrize(
    "structure, estimator, reason",
    [
        ("projective_tree", "spigto", "model.argmax: spigto not in acceptable choices"),
        ("tree", "spigot", "model.argmax: tree not in acceptable choices"),
        ("chain", "spigot", "model.argmax: Spigot needs projected_step, which Chain"),
        ("chain", {"type": "spigot", "step_size": -1}, "step_size must be positive"),
        ("chain", {"type": "spigot", "step": 1}, "Extra parameters passed to Spigot: {'step': 1}"),
    ],
)
def test_a_layer_that_cannot_be_built_is_refused_with_its_place(structure, estimator, reason):
    assert reason in reason_to_refuse(config(structure, estimator))


def test_a_layer_is_found_however_deep():
    inner = config("chain", "spigot")["model"]
    assert reason_to_refuse(config("chain", "pipeline", parts=[{"x": inner}])).startswith(
        "model.parts.0.x.argmax: "
    )


def test_a_model_that_nobody_registered_is_refused():
    assert "model: 'mdoel' is not a registered name" in reason_to_refuse(
        {"model": {"type": "mdoel"}}
    )


def test_the_config_is_left_as_it_is():
    given = config("projective_tree", {"type": "spigot"})
    reason_to_refuse(given)
    assert given == config("projective_tree", {"type": "spigot"})
