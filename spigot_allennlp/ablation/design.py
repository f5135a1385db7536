"""From what the user asks for to a plan."""

import copy
from typing import Any, Dict, List, Optional, Sequence, Tuple

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.params import parse_overrides

from spigot_allennlp.ablation.axes import Axis, Choice, axes_of_file, axis_of_option, combinations
from spigot_allennlp.ablation.overrides import overridden
from spigot_allennlp.ablation.plan import Plan, Variant, cells_of
from spigot_allennlp.compat.config_variables import collected_variables

RESUMABLE = {"type": "resumable"}


def read_axes(vary: Sequence[str], variants: Optional[str]) -> List[Axis]:
    """
    Those of `--variants`, then those of `--vary`.

    # Raises

    `ConfigurationError` if there is none.
    """
    axes = axes_of_file(variants) if variants else []
    axes += [axis_of_option(option) for option in vary]
    if not axes:
        raise ConfigurationError(
            "Nothing is varied. Add --vary PATH=VALUE,VALUE,... (as in "
            "model.argmax.estimator=pipeline,spigot) or --variants FILE."
        )
    return axes


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
    The plan of all combinations of the axes' choices with all seeds.

    # Parameters

    base : `str`
        The file of the base config.
    axes : `Sequence[Axis]`
    seeds : `Sequence[int]`
    overrides : `str`, optional (default = `""`)
        Of every base config, as for `allennlp train`.
    test_data : `Any`, optional (default = `None`)
    metrics : `Sequence[str]`, optional (default = `validation_metric` of the trainer)
    baseline : `str`, optional (default = the first variant)
    seed_paths : `Sequence[str]`, optional (default = `()`)
        See `Plan`.

    # Raises

    `ConfigurationError` that names the option, if a variant cannot be made or told apart from
    another, or the baseline is none.
    """
    variants = {
        name: make_variant(name, choices, base, overrides) for name, choices in combinations(axes)
    }
    if len(set(seeds)) < len(seeds):
        raise ConfigurationError(f"--seeds {' '.join(map(str, seeds))}: a seed is named twice.")
    first, config = next(iter(variants)), next(iter(variants.values())).config
    cells = cells_of(list(variants), seeds)
    plan = Plan(base, variants, cells, test_data, seed_paths=list(seed_paths))
    for name, seed in cells:
        plan.cell_config(name, seed)
    return plan.looked_at(list(metrics) or [validation_metric(config)], baseline or first)


def make_variant(name: str, choices: Sequence[Choice], base: str, overrides: str) -> Variant:
    """A base config, changed by the overrides of all, then by those of each choice in turn."""
    own = [choice.config for choice in choices if choice.config]
    if len(own) > 1:
        raise ConfigurationError(
            f"The variant '{name}' would have two base configs: {' and '.join(own)}."
        )
    changes: Dict[str, Any] = {"config": own[0]} if own else {}
    with collected_variables(ConfigurationError) as variables:
        config = overridden(read_config(own[0] if own else base), *read_overrides(overrides))
    for choice in choices:
        config = overridden(config, choice.overrides, choice.origin)
        changes.update(choice.overrides)
    variables.check(config)
    return Variant(name, made_resumable(config), changes)


def read_config(file: str) -> Dict[str, Any]:
    try:
        return Params.from_file(file).as_dict(quiet=True)
    except (OSError, RuntimeError, ConfigurationError) as error:
        raise ConfigurationError(f"The config {file} cannot be read: {error}") from error


def read_overrides(text: str) -> Tuple[Dict[str, Any], str]:
    """With the name of the option."""
    try:
        return parse_overrides(text), "--overrides"
    except (RuntimeError, ConfigurationError) as error:
        raise ConfigurationError(f"--overrides is no Jsonnet: {error}") from error


def made_resumable(config: Dict[str, Any]) -> Dict[str, Any]:
    """
    With the callback "resumable", without which a cell that was interrupted would be another than
    one that was not.
    """
    config = copy.deepcopy(config)
    trainer = config.get("trainer", {})
    callbacks = trainer.get("callbacks") or []
    kinds = [one.get("type") if isinstance(one, dict) else one for one in callbacks]
    if trainer.get("type", "gradient_descent") == "gradient_descent" and "resumable" not in kinds:
        trainer["callbacks"] = [*callbacks, RESUMABLE]
    return config


def validation_metric(config: Dict[str, Any]) -> str:
    """The trainer's, or the first of several, without its sign; by AllenNLP's default the loss."""
    metric = config.get("trainer", {}).get("validation_metric", "-loss")
    return (metric if isinstance(metric, str) else metric[0]).lstrip("+-")
