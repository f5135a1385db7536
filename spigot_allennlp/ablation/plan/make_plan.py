"""
Makes the plan of an ablation from the command line: `read_axes` reads what is varied, `make_plan`
combines every combination of choices with every seed.
"""

import copy
import functools
import hashlib
import itertools
import json
import logging
import os
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.params import parse_overrides

from spigot_allennlp.ablation.plan.plan import (
    Plan,
    RunId,
    Variant,
    apply_overrides,
    folder_name,
    trainer_of,
)
from spigot_allennlp.compat.configs import ConfigVariables, collected_variables
from spigot_allennlp.compat.installed_configs import PREFIX, resolved

logger = logging.getLogger(__name__)

OPENING, CLOSING, QUOTES = "{[(", "}])", "\"'"
RESUMABLE = {"type": "resumable"}
LONGEST_NAME = 80


@dataclass(frozen=True)
class Choice:
    """
    One value of an axis.

    # Parameters

    name : `str`
        The name in the report.
    overrides : `Dict[str, Any]`, optional (default = `{}`)
        The changes to the config, by dotted path, as in `allennlp train --overrides`.
    origin : `str`, optional (default = `""`)
        The option that the choice comes from, for messages.
    config : `str`, optional (default = `None`)
        The file of a base config to use instead.
    """

    name: str
    overrides: Dict[str, Any] = field(default_factory=dict)
    origin: str = ""
    config: Optional[str] = None


Axis = List[Choice]


class Combination(NamedTuple):
    """One choice per axis, and the name of the variant: the names of the choices, joined by "+"."""

    name: str
    choices: Tuple[Choice, ...]


class BaseConfig(NamedTuple):
    """A config after `--overrides`, and the external variables that its Jsonnet asked for."""

    config: Dict[str, Any]
    variables: ConfigVariables


def make_plan(
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
    Makes the plan with all combinations of the axes' choices and all seeds.

    # Parameters

    base : `str`
        The file of the base config.
    axes : `Sequence[Axis]`
        What is varied, as returned by `read_axes`.
    seeds : `Sequence[int]`
    overrides : `str`, optional (default = `""`)
        The changes to every base config, as for `allennlp train`.
    test_data : `Any`, optional (default = `None`)
        The test data of every run (see `Plan`).
    metrics : `Sequence[str]`, optional (default = `validation_metric` of the trainer)
        The metrics to report.
    baseline : `str`, optional (default = the first variant)
        The variant that the others are compared with.
    seed_paths : `Sequence[str]`, optional (default = `()`)
        Further places in a config that get the seed (see `Plan`).

    # Raises

    `ConfigurationError` that names the option, if a variant cannot be made or has the name of
    another, if the difference between two variants is overwritten, if a seed is repeated or is not
    valid for NumPy, or if no variant has the name of the baseline.
    """
    # Jsonnet is slow, so each file is evaluated once, not once per variant.
    read_base = functools.lru_cache(functools.partial(read_base_config, overrides=overrides))
    combinations = combine(axes)
    variants = {
        name: make_variant(name, choices, base, read_base) for name, choices in combinations
    }
    if not all(0 <= seed < 2**32 for seed in seeds):
        raise ConfigurationError(
            f"--seeds {' '.join(map(str, seeds))}: a seed is a number from 0 to {2**32 - 1}."
        )
    if len(set(seeds)) < len(seeds):
        raise ConfigurationError(f"--seeds {' '.join(map(str, seeds))}: a seed is named twice.")
    first = next(iter(variants.values()))
    # Seed by seed, so that every variant runs once before any runs again.
    run_ids = [RunId(name, seed) for seed in seeds for name in variants]
    plan = Plan(base, variants, run_ids, test_data, seed_paths=list(seed_paths))
    for run_id in run_ids:
        plan.seeded_config(run_id)  # checks every `--seed-paths` before anything is written
    check_differences(plan, combinations)
    return plan.with_report_options(
        list(metrics) or [validation_metric(first.config)], baseline or first.name
    )


def read_axes(vary: Sequence[str], variants: Optional[str]) -> List[Axis]:
    """
    Returns the axes of the `--variants` file, then one axis per `--vary`.

    # Raises

    `ConfigurationError` if there is no axis, or one cannot be read.
    """
    axes = read_variants_file(variants) if variants else []
    axes += [read_vary_option(option) for option in vary]
    if not axes:
        raise ConfigurationError(
            "Nothing is varied. Add --vary PATH=VALUE,VALUE,... (as in "
            "model.argmax.estimator=pipeline,spigot) or --variants FILE."
        )
    return axes


def combine(axes: Sequence[Axis]) -> List[Combination]:
    """
    Returns every combination of one choice per axis.

    # Raises

    `ConfigurationError` if two combinations have the same folder name.
    """
    combinations = [
        Combination(shorten_name("+".join(choice.name for choice in choices)), choices)
        for choices in itertools.product(*axes)
    ]
    names = [combination.name for combination in combinations]
    by_folder: Dict[str, str] = {}
    for name in names:
        other = by_folder.setdefault(folder_name(name), name)
        if names.count(name) > 1 or other != name:
            raise ConfigurationError(
                f"Two variants would share the folder '{folder_name(name)}': {other!r} and "
                f"{name!r}. Give them other names, in a file for --variants."
            )
    return combinations


def check_differences(plan: Plan, combinations: Sequence[Combination]) -> None:
    """
    Checks that the difference between two variants is not overwritten by the seeds, which are
    inserted last, or by another axis. Other variants with equal configs only cause a warning, since
    one may state a default of the other.

    # Raises

    `ConfigurationError` that names the option and the path.
    """
    seed = plan.run_ids[0].seed if plan.run_ids else 0
    by_config: Dict[str, Combination] = {}
    for combination in combinations:
        config = plan.seeded_config(RunId(combination.name, seed))
        other = by_config.setdefault(json.dumps(config, sort_keys=True), combination)
        if other is combination:
            continue
        for choice, same in zip(combination.choices, other.choices, strict=True):
            for path, value in choice.overrides.items():
                if path in same.overrides and same.overrides[path] != value:
                    raise ConfigurationError(
                        f"{choice.origin}: {path} is overwritten by another axis, or by --seeds "
                        f"and --seed-paths: the variants '{other.name}' and '{combination.name}' "
                        "have the same config. Vary it once, and leave seeds to --seeds."
                    )
        logger.warning(
            "The variants '%s' and '%s' have the same config.", other.name, combination.name
        )


def shorten_name(name: str) -> str:
    """Truncates a name that is too long for a folder, and adds a digest of the whole name."""
    if len(name) <= LONGEST_NAME:
        return name
    digest_of_name = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[:LONGEST_NAME]}~{digest_of_name}"


def make_variant(
    name: str, choices: Sequence[Choice], base: str, read_base: Callable[[str], BaseConfig]
) -> Variant:
    """
    Reads the base config, from a choice or else from `base`, and applies each choice in turn.

    # Raises

    `ConfigurationError` if a file cannot be read, an override has no place, or two choices bring
    their own base config.
    """
    files = [choice.config for choice in choices if choice.config]
    if len(files) > 1:
        raise ConfigurationError(
            f"The variant '{name}' would have two base configs: {' and '.join(files)}."
        )
    changes: Dict[str, Any] = {"config": files[0]} if files else {}
    config, variables = read_base(files[0] if files else base)
    for choice in choices:
        config = apply_overrides(config, choice.overrides, choice.origin)
        changes.update(choice.overrides)
    variables.check(config)
    return Variant(name, make_resumable(config), changes)


def read_base_config(file: str, overrides: str) -> BaseConfig:
    """
    Evaluates a config, and applies the overrides for all variants.

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


def make_resumable(config: Dict[str, Any]) -> Dict[str, Any]:
    """
    Returns the config with the callback "resumable". Without it, an interrupted run would have
    different results from an uninterrupted one. Trainers from elsewhere are left alone.
    """
    config = copy.deepcopy(config)
    trainer = trainer_of(config)
    callbacks: List[Any] = trainer.get("callbacks") or []
    types = [entry.get("type") if isinstance(entry, dict) else entry for entry in callbacks]
    known = trainer.get("type", "gradient_descent") in ("gradient_descent", "group_clipping")
    if known and "resumable" not in types:
        trainer["callbacks"] = [*callbacks, RESUMABLE]
    return config


def validation_metric(config: Dict[str, Any]) -> str:
    """
    Returns the metric by which the trainer selects the best epoch, without its sign; the first if
    there are several. AllenNLP's default is the loss.
    """
    metric = trainer_of(config).get("validation_metric", "-loss")
    return (metric if isinstance(metric, str) else metric[0]).lstrip("+-")


def read_vary_option(text: str) -> Axis:
    """
    Reads the axis of one `--vary PATH=VALUE,VALUE,...`. A value is a name, JSON or Jsonnet. Commas
    within brackets and quotes belong to the value.

    # Raises

    `ConfigurationError` if there is no path or no value, or a value cannot be read.
    """
    path, equals, values = text.partition("=")
    path = path.strip()
    option = f"--vary {path}"
    if not path or not equals or not values.strip():
        raise ConfigurationError(
            f"--vary {text!r} is not of the form PATH=VALUE,VALUE,..., as in "
            "model.argmax.estimator=pipeline,spigot."
        )
    parsed = [read_value(value, option) for value in split_at_commas(values, option)]
    key = path.split(".")[-1]
    return [Choice(name_of_value(value, key), {path: value}, option) for value in parsed]


def read_variants_file(file: str) -> List[Axis]:
    """
    Reads the axes of `--variants FILE`: Jsonnet with one map, or a list of maps, from the names of
    choices to their overrides. A choice with its own base config maps to
    `{config: FILE, overrides: {...}}` instead (FILE is relative to the variants file; `overrides`
    may be missing).

    # Raises

    `ConfigurationError` if the file has a different form.
    """
    try:
        file = resolved(file)
        content = parse_overrides(f"import {json.dumps(os.path.abspath(file))}")
    except (OSError, RuntimeError, ConfigurationError) as error:
        raise ConfigurationError(f"--variants {file} cannot be read: {error}") from error
    maps = content if isinstance(content, list) else [content]
    if not maps or not all(isinstance(choices, dict) and choices for choices in maps):
        raise ConfigurationError(
            f"--variants {file}: expected a map from the names of variants to their overrides, or "
            f"a list of such maps, but found {type(content).__name__}."
        )
    return [[_make_choice(file, *entry) for entry in choices.items()] for choices in maps]


def _make_choice(file: str, name: str, entry: Any) -> Choice:
    origin = f"--variants {file}: {name}"
    if not isinstance(entry, dict):
        raise ConfigurationError(f"{origin} should be a map of overrides, but is {entry!r}.")
    if not entry or entry.keys() - {"config", "overrides"}:
        return Choice(name, entry, origin)
    config = entry.get("config")
    if config is not None and not config.startswith(PREFIX):
        config = os.path.join(os.path.dirname(file), config)
    return Choice(name, entry.get("overrides") or {}, origin, config)


def split_at_commas(text: str, option: str) -> List[str]:
    """
    Splits the values of an option at the commas outside of brackets and quotes.

    # Raises

    `ConfigurationError` if a part is empty, or a bracket or quote is left open.
    """
    parts, depth, quote, escaped = [""], 0, "", False
    for letter in text:
        if letter == "," and depth == 0 and not quote:
            parts.append("")
            continue
        parts[-1] += letter
        if quote:
            quote = "" if letter == quote and not escaped else quote
            escaped = letter == "\\" and not escaped
        elif letter in QUOTES:
            quote = letter
        else:
            depth += (letter in OPENING) - (letter in CLOSING)
    parts = [part.strip() for part in parts]
    if depth or quote or not all(parts):
        raise ConfigurationError(
            f"{option}: the values {text!r} have an empty one, or a bracket or a quote without its "
            "partner. Between values stands one comma; a value with a comma of its own goes in "
            "quotes."
        )
    return parts


def read_value(text: str, option: str) -> Any:
    """
    Reads a value as JSON or Jsonnet if it looks like it: a number, true, false, null, or a text
    that starts with a bracket or a quote. Any other text is a name, and is returned as it is.

    # Raises

    `ConfigurationError` that names the option, if the value looks like Jsonnet but is not.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        if text[0] not in OPENING + QUOTES:
            return text
    try:
        return parse_overrides(f"{{ value: {text} }}")["value"]
    except (RuntimeError, ConfigurationError) as error:
        raise ConfigurationError(
            f"{option}: {text} is neither JSON nor Jsonnet: {error}"
        ) from error


def name_of_value(value: Any, key: str) -> str:
    """
    Names a choice after its value: "spigot" for a name, "spigot,step_size=0.5" for a map with
    `type`, "key=0.5" for anything else.
    """
    text = _value_as_text(value)
    return text if _has_type(value) or isinstance(value, str) else f"{key}={text}"


def _value_as_text(value: Any) -> str:
    if not _has_type(value):
        return value if isinstance(value, str) else json.dumps(value)
    options = [
        f"{name}={_value_as_text(option)}" for name, option in value.items() if name != "type"
    ]
    return ",".join([value["type"], *options])


def _has_type(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type"), str)
