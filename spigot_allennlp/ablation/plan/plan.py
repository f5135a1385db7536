"""
The plan of an ablation: variants with their configs, runs, and what to report; how it is stored,
and how it is merged with a plan that is already in the folder.
"""

import difflib
import logging
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from allennlp.common.checks import ConfigurationError
from allennlp.common.params import with_overrides

from spigot_allennlp.compat.atomic_io import read_json, remove_unfinished, write_json
from spigot_allennlp.compat.configs import first_difference

logger = logging.getLogger(__name__)

PLAN_FILE = "plan.json"
FORMAT = 1
# The base name of the files in the folder of an ablation: the plan, the report and its parts.
FILES = re.compile(r"(?i)(plan|report|summary|scores|curves)\.(json|md|html|csv|svg|png)")
SEEDS = ("random_seed", "numpy_seed", "pytorch_seed")


@dataclass(frozen=True)
class Variant:
    """
    One version of the experiment.

    # Parameters

    name : `str`
    config : `Dict[str, Any]`
        The full config, without seeds.
    changes : `Dict[str, Any]`, optional (default = `{}`)
        What distinguishes the variant from others: its overrides, and `config` if it has its own
        base config.
    """

    name: str
    config: Dict[str, Any]
    changes: Dict[str, Any] = field(default_factory=dict)


class RunId(NamedTuple):
    """Identifies a run: the name of a variant, and a seed."""

    variant: str
    seed: int


class DamagedPlan(ConfigurationError):
    """A plan file is truncated or damaged."""


@dataclass(frozen=True)
class Plan:
    """
    What is trained and reported. Stored as `plan.json` in the folder of an ablation.

    # Parameters

    base : `str`
        The file of the base config.
    variants : `Dict[str, Variant]`
        The variants by name, in the order of the report.
    run_ids : `List[RunId]`
        The runs in the order of training. The file calls them "cells".
    test_data : `Any`, optional (default = `None`)
        The test data of every run; `None` for the `test_data_path` of its config, or else its
        validation data.
    metrics : `List[str]`, optional (default = `[]`)
        The metrics to report. The first is tested for significance. Before anything is trained or
        reported, `with_report_options` sets them and the baseline.
    baseline : `str`, optional (default = `""`)
        The variant that the others are compared with.
    seed_paths : `List[str]`, optional (default = `[]`)
        Dotted paths into the config that are set to the seed of the run, in addition to AllenNLP's
        three seeds: for example, the seed of sampled data.
    commands : `List[str]`, optional (default = `[]`)
        The command lines that made this plan, oldest first; empty in a plan from before they were
        stored.
    """

    base: str
    variants: Dict[str, Variant]
    run_ids: List[RunId]
    test_data: Any = None
    metrics: List[str] = field(default_factory=list)
    baseline: str = ""
    seed_paths: List[str] = field(default_factory=list)
    commands: List[str] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Writes the plan to the folder of its ablation."""
        content = {"format": FORMAT, **vars(self)}
        content["cells"] = content.pop("run_ids")
        content["variants"] = {
            name: {"changes": variant.changes, "config": variant.config}
            for name, variant in self.variants.items()
        }
        write_json(folder / PLAN_FILE, content)

    @classmethod
    def load(cls, folder: Path) -> "Plan":
        """
        Reads the plan of an ablation.

        # Raises

        `ConfigurationError` if there is none, it is truncated or damaged, or another version of the
        program wrote it.
        """
        file = folder / PLAN_FILE
        if not file.exists():
            raise ConfigurationError(f"There is no ablation in {folder}: it has no {PLAN_FILE}.")
        try:
            content = read_json(file)
            if content.pop("format") != FORMAT:
                raise ConfigurationError(f"{file} is of another version of spigot_allennlp.")
            content["run_ids"] = [RunId(*names) for names in content.pop("cells")]
            content["variants"] = {
                name: Variant(name, entry["config"], entry["changes"])
                for name, entry in content["variants"].items()
            }
            return cls(**content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reason = "no JSON" if isinstance(error, ValueError) else "no plan of an ablation"
            raise DamagedPlan(
                f"{file} is {reason} ({error}): it was cut off, or damaged. The command "
                "that trained the runs, without --report-only, writes it anew, and trains none "
                "that is done."
            ) from error

    def join(self, earlier: "Plan", folder: Path) -> "Plan":
        """
        Returns this plan with the additional variants and runs of an earlier plan.

        # Raises

        `ConfigurationError` if a variant of the same name has a different config, or the test data
        differ: the report would not describe what was trained.
        """
        way_out = f"Name another folder than {folder}, or another variant."
        for name in self.variants.keys() & earlier.variants.keys():
            change = first_difference(earlier.variants[name].config, self.variants[name].config)
            if change:
                raise ConfigurationError(
                    f"The variant '{name}' is there already, with another config: {change}. "
                    f"{way_out}"
                )
        if self.seed_paths != earlier.seed_paths:
            raise ConfigurationError(
                "The runs that are already there have their seed in other places: --seed-paths "
                f"was {earlier.seed_paths} and is now {self.seed_paths}. {way_out}"
            )
        if self.test_data != earlier.test_data:
            raise ConfigurationError(
                "The runs that are already there are tested on other data: --test-data was "
                f"{earlier.test_data!r} and is now {self.test_data!r}. {way_out}"
            )
        variants = {**earlier.variants, **self.variants}
        folders = {folder_name(name): name for name in variants}
        for name in variants:
            if folders[folder_name(name)] != name:
                raise ConfigurationError(
                    f"The variants '{name}' and '{folders[folder_name(name)]}' would share a "
                    f"folder. {way_out}"
                )
        run_ids = list(dict.fromkeys([*earlier.run_ids, *self.run_ids]))
        commands = list(dict.fromkeys([*earlier.commands, *self.commands]))
        return replace(self, variants=variants, run_ids=run_ids, commands=commands)

    def without(self, names: Sequence[str]) -> "Plan":
        """
        Returns this plan without some variants and their runs, for a report that omits them.

        # Raises

        `ConfigurationError` if no variant has one of these names, or it is the baseline.
        """
        for name in names:
            if name not in self.variants:
                raise ConfigurationError(
                    f"--drop {name}: there is no such variant; there are "
                    f"{', '.join(self.variants)}."
                )
            if name == self.baseline:
                raise ConfigurationError(
                    f"--drop {name}: this is the baseline; name another by --baseline."
                )
        variants = {name: self.variants[name] for name in self.variants if name not in names}
        run_ids = [run_id for run_id in self.run_ids if run_id.variant in variants]
        return replace(self, variants=variants, run_ids=run_ids)

    def with_report_options(self, metrics: Sequence[str], baseline: str) -> "Plan":
        """
        Returns this plan with new metrics and a new baseline. Empty values change nothing.

        # Raises

        `ConfigurationError` if there is no such variant.
        """
        if baseline and baseline not in self.variants:
            raise ConfigurationError(
                f"--baseline {baseline}: there is no such variant; there are "
                f"{', '.join(self.variants)}."
            )
        return replace(
            self, metrics=list(metrics) or self.metrics, baseline=baseline or self.baseline
        )

    def seeded_config(self, run_id: RunId) -> Dict[str, Any]:
        """
        Returns the config of a run: its variant's config with its seed.

        # Raises

        `ConfigurationError` if the config has no place for the seed.
        """
        variant = self.variants[run_id.variant]
        seeded = {**variant.config, **dict.fromkeys(SEEDS, run_id.seed)}
        return apply_overrides(seeded, dict.fromkeys(self.seed_paths, run_id.seed), "--seed-paths")


def save_joined_plan(plan: Plan, folder: Path) -> Plan:
    """
    Writes the plan to the folder, merged with the plan that was there before. No other process may
    be writing into the folder: unfinished files of killed ablations are removed.

    # Returns

    `Plan`
        The plan to report: this one with the earlier variants and runs.

    # Raises

    `ConfigurationError` if the two plans contradict each other.
    """
    remove_unfinished(folder)
    earlier = stored_plan(folder)
    joined = plan.join(earlier, folder) if earlier else plan
    if earlier is None and (folder / PLAN_FILE).exists():
        logger.warning("%s cannot be read: it is made anew.", folder / PLAN_FILE)
    joined.save(folder)
    return joined


def stored_plan(folder: Path) -> Optional[Plan]:
    """
    Reads the plan in a folder; `None` if there is none, or it is damaged.

    # Raises

    `ConfigurationError` if another version of the program wrote it.
    """
    try:
        return Plan.load(folder) if (folder / PLAN_FILE).exists() else None
    except DamagedPlan:
        return None


def apply_overrides(
    config: Dict[str, Any], overrides: Dict[str, Any], origin: str
) -> Dict[str, Any]:
    """
    Returns the config with the overrides applied, as by `allennlp train --overrides`.

    # Parameters

    config : `Dict[str, Any]`
    overrides : `Dict[str, Any]`
        The new values by dotted path. The last part of a path may be new to the config; the others
        must exist.
    origin : `str`
        The option that the overrides come from.

    # Raises

    `ConfigurationError` that names the option and the path, and what stands where a part is
    missing.
    """
    for path in overrides:
        _check_path(config, path, origin)
    try:
        return with_overrides(config, overrides)
    except ValueError as error:
        raise ConfigurationError(f"{origin}: {error}") from error


def _check_path(config: Any, path: str, origin: str) -> None:
    parts = path.split(".")
    for number, part in enumerate(parts):
        if not isinstance(config, (dict, list)):
            raise ConfigurationError(
                f"{origin}: {path} goes into '{'.'.join(parts[:number])}', which is {config!r} and "
                "has no parts."
            )
        keys = list(config) if isinstance(config, dict) else [str(n) for n in range(len(config))]
        if part not in keys:
            if number == len(parts) - 1 and isinstance(config, dict):
                return
            place = ".".join(parts[:number]) or "the config"
            near = difflib.get_close_matches(part, keys, 1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ConfigurationError(
                f"{origin}: there is no '{part}' in {place}, which has {', '.join(keys)}.{hint}"
            )
        config = config[part] if isinstance(config, dict) else config[int(part)]


def trainer_of(config: Dict[str, Any]) -> Dict[str, Any]:
    """
    Returns the trainer's part of a config. It is empty if there is none, or only a name, which the
    validation refuses or AllenNLP completes.
    """
    trainer = config.get("trainer")
    return trainer if isinstance(trainer, dict) else {}


def folder_name(name: str) -> str:
    """
    Replaces characters that may trouble a file system or a shell by underscores, and adds one to
    names that are taken by files in the same folder.
    """
    safe = re.sub(r"[^\w.=+,-]+", "_", name).strip("_.") or "_"
    return f"{safe}_" if FILES.fullmatch(safe) else safe
