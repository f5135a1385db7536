"""Makes a plan of what the command line asks for: every combination of choices, with every seed."""

import copy
import functools
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.params import parse_overrides

from spigot_allennlp.ablation.plan.axes import Axis, Choice, combinations
from spigot_allennlp.ablation.plan.plan import Plan, Variant, apply_overrides, run_ids
from spigot_allennlp.compat.configs import ConfigVariables, collected_variables

RESUMABLE = {"type": "resumable"}


class BaseConfig(NamedTuple):
    """A config with `--overrides` put in, and the external variables that its Jsonnet asked for."""

    config: Dict[str, Any]
    variables: ConfigVariables


def design(
    base: str,
    axes: Sequence[Axis],
    seeds: Sequence[int],
    overrides: str = "",
    test_data: Any = None,
    metrics: Sequence[str] = (),
    baseline: str = "",
    seed_paths: Sequence[str] = (),
) -> Plan:
    """
    Makes the plan of all combinations of the axes' choices with all seeds.

    # Parameters

    base : `str`
        The file of the base config.
    axes : `Sequence[Axis]`
        See `read_axes`.
    seeds : `Sequence[int]`
    overrides : `str`, optional (default = `""`)
        Of every base config, as for `allennlp train`.
    test_data : `Any`, optional (default = `None`)
        See `Plan`.
    metrics : `Sequence[str]`, optional (default = `validation_metric` of the trainer)
        The metrics that are reported.
    baseline : `str`, optional (default = the first variant)
        The variant that the others are compared with.
    seed_paths : `Sequence[str]`, optional (default = `()`)
        See `Plan`.

    # Raises

    `ConfigurationError` that names the option, if a variant cannot be made or told apart from
    another, or the baseline is none.
    """
    # Jsonnet takes its time, so that each file is evaluated once, and not for each variant.
    read_base = functools.lru_cache(functools.partial(read_base_config, overrides=overrides))
    variants = {
        name: make_variant(name, choices, base, read_base) for name, choices in combinations(axes)
    }
    if len(set(seeds)) < len(seeds):
        raise ConfigurationError(f"--seeds {' '.join(map(str, seeds))}: a seed is named twice.")
    first = next(iter(variants.values()))
    runs = run_ids(list(variants), seeds)
    plan = Plan(base, variants, runs, test_data, seed_paths=list(seed_paths))
    for run_id in runs:
        plan.config_of(run_id)  # has every `--seed-paths` checked before anything is written
    return plan.reporting(
        list(metrics) or [validation_metric(first.config)], baseline or first.name
    )


def make_variant(
    name: str, choices: Sequence[Choice], base: str, read_base: Callable[[str], BaseConfig]
) -> Variant:
    """
    Reads the base config, that of a choice or else `base`, and changes it by each choice in turn.

    # Raises

    `ConfigurationError` if a file cannot be read, an override has no place, or two choices bring a
    base config of their own.
    """
    configs = [choice.config for choice in choices if choice.config]
    if len(configs) > 1:
        raise ConfigurationError(
            f"The variant '{name}' would have two base configs: {' and '.join(configs)}."
        )
    changes: Dict[str, Any] = {"config": configs[0]} if configs else {}
    config, variables = read_base(configs[0] if configs else base)
    for choice in choices:
        config = apply_overrides(config, choice.overrides, choice.origin)
        changes.update(choice.overrides)
    variables.check(config)
    return Variant(name, made_resumable(config), changes)


def read_base_config(file: str, overrides: str) -> BaseConfig:
    """
    Evaluates a config, and puts the overrides of all variants in.

    # Raises

    `ConfigurationError` if the file or the overrides cannot be read, or an override has no place.
    """
    with collected_variables(ConfigurationError) as variables:
        try:
            config = Params.from_file(file).as_dict(quiet=True)
        except (OSError, RuntimeError, ConfigurationError) as error:
            raise ConfigurationError(f"The config {file} cannot be read: {error}") from error
        try:
            changes = parse_overrides(overrides)
        except (RuntimeError, ConfigurationError) as error:
            raise ConfigurationError(f"--overrides is no Jsonnet: {error}") from error
    return BaseConfig(apply_overrides(config, changes, "--overrides"), variables)


def made_resumable(config: Dict[str, Any]) -> Dict[str, Any]:
    """
    Returns the config with the callback "resumable", without which a run that was interrupted would
    have other results than one that was not. A trainer that is not AllenNLP's is left alone.
    """
    config = copy.deepcopy(config)
    trainer = config.get("trainer", {})
    callbacks: List[Any] = trainer.get("callbacks") or []
    types = [entry.get("type") if isinstance(entry, dict) else entry for entry in callbacks]
    if trainer.get("type", "gradient_descent") == "gradient_descent" and "resumable" not in types:
        trainer["callbacks"] = [*callbacks, RESUMABLE]
    return config


def validation_metric(config: Dict[str, Any]) -> str:
    """
    Returns the metric by which the trainer chooses the best epoch, the first of several, without
    its sign; by AllenNLP's default that is the loss.
    """
    metric = config.get("trainer", {}).get("validation_metric", "-loss")
    return (metric if isinstance(metric, str) else metric[0]).lstrip("+-")
