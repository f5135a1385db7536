from dataclasses import replace

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.plan.plan import (
    Plan,
    RunId,
    Variant,
    apply_overrides,
)
from spigot_allennlp.ablation.run.single_run import config_digest

PLAN = Plan(
    "base.jsonnet",
    {"a": Variant("a", {"k": 1}, {}), "b": Variant("b", {"k": {"l": 2}}, {"k.l": 2})},
    [RunId("a", 1), RunId("b", 1)],
    "test.txt",
    ["accuracy"],
    "a",
)
CONFIG = {"model": {"argmax": {"estimator": {"type": "a", "step": 1}}}, "steps": [{"n": 1}], "k": 3}


def test_a_plan_is_read_as_it_was_written(tmp_path):
    PLAN.save(tmp_path)
    assert Plan.load(tmp_path) == PLAN


def test_runs_and_variants_may_be_added(tmp_path):
    more = replace(PLAN, variants={"c": Variant("c", {})}, run_ids=[RunId("c", 1), RunId("c", 2)])
    joined = more.join(PLAN, tmp_path)
    assert list(joined.variants) == ["a", "b", "c"]
    assert joined.run_ids == [("a", 1), ("b", 1), ("c", 1), ("c", 2)]


def test_each_command_is_kept_once(tmp_path):
    first, second = replace(PLAN, commands=["one"]), replace(PLAN, commands=["two"])
    joined = second.join(first, tmp_path)
    assert joined.commands == ["one", "two"]
    assert first.join(joined, tmp_path).commands == ["one", "two"]


def test_a_report_without_a_variant_has_none_of_its_runs():
    rest = PLAN.without(["b"])
    assert list(rest.variants) == ["a"] and rest.run_ids == [("a", 1)]
    assert PLAN.without([]) == PLAN
    with pytest.raises(ConfigurationError, match="--drop bb: there is no such variant.* a, b"):
        PLAN.without(["bb"])
    with pytest.raises(ConfigurationError, match="--drop a: this is the baseline"):
        PLAN.without(["b", "a"])


def test_another_config_under_the_same_name_is_refused_with_the_difference(tmp_path):
    other = replace(PLAN, variants={"b": Variant("b", {"k": {"l": 3}})})
    with pytest.raises(
        ConfigurationError,
        match="'b' is there already, with another config: k.l was 2 and is now 3",
    ):
        other.join(PLAN, tmp_path)


def test_a_run_has_its_seed_in_four_places_if_the_data_are_sampled():
    plan = replace(
        PLAN,
        variants={"a": Variant("a", {"random_seed": 1, "dataset_reader": {"seed": 1}})},
        seed_paths=["dataset_reader.seed"],
    )
    seeds = {"random_seed": 7, "numpy_seed": 7, "pytorch_seed": 7}
    assert plan.seeded_config(RunId("a", 7)) == {"dataset_reader": {"seed": 7}, **seeds}
    assert plan.variants["a"].config["dataset_reader"] == {"seed": 1}


def test_other_seed_paths_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"--seed-paths was \[\] and is now \['model.s'\]"):
        replace(PLAN, seed_paths=["model.s"]).join(PLAN, tmp_path)


def test_other_test_data_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="--test-data was 'test.txt' and is now None"):
        replace(PLAN, test_data=None).join(PLAN, tmp_path)


def test_two_names_for_one_folder_are_refused(tmp_path):
    other = replace(PLAN, variants={"a?": Variant("a?", {})}, run_ids=[RunId("a?", 1)])
    with pytest.raises(ConfigurationError, match="would share a folder"):
        other.join(PLAN, tmp_path)


def test_a_folder_without_a_plan_is_no_ablation(tmp_path):
    with pytest.raises(ConfigurationError, match="There is no ablation in .* no plan.json"):
        Plan.load(tmp_path)


def test_the_order_of_keys_makes_no_difference():
    digest = config_digest({"a": 1, "b": 2})
    assert digest == config_digest({"b": 2, "a": 1}) != config_digest({"a": 1, "b": 3})


def test_a_path_is_replaced_whole_and_the_config_is_left_alone():
    changed = apply_overrides(CONFIG, {"model.argmax.estimator": "b", "steps.0.n": 2}, "-o")
    assert changed["model"]["argmax"] == {"estimator": "b"}
    assert changed["steps"] == [{"n": 2}]
    assert CONFIG["model"]["argmax"]["estimator"] == {"type": "a", "step": 1}


def test_the_last_part_may_be_new():
    assert apply_overrides(CONFIG, {"model.argmax.more": 1}, "-o")["model"]["argmax"]["more"] == 1


@pytest.mark.parametrize(
    "path, message",
    [
        ("modle.x", "--vary p: there is no 'modle' in the config, which has model, steps, k. "
         "Did you mean 'model'"),
        ("model.argmx.x", "no 'argmx' in model, which has argmax. Did you mean 'argmax'"),
        ("k.x", "k.x goes into 'k', which is 3"),
        ("steps.7.n", "no '7' in steps, which has 0"),
    ],
)  # fmt: skip
def test_an_unknown_path_is_refused_with_what_there_is(path, message):
    with pytest.raises(ConfigurationError, match=message):
        apply_overrides(CONFIG, {path: 1}, "--vary p")
