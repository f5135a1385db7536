"""What an ablation consists of: variants with their configs, cells, and what is looked at."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.axes import folder_name
from spigot_allennlp.ablation.overrides import overridden
from spigot_allennlp.compat.whole_files import read_json, write_json

FILE = "plan.json"
FORMAT = 1
SEEDS = ("random_seed", "numpy_seed", "pytorch_seed")


@dataclass(frozen=True)
class Variant:
    """
    One way to do the experiment.

    # Parameters

    name : `str`
    config : `Dict[str, Any]`
        The whole config, without seeds.
    changes : `Dict[str, Any]`
        What distinguishes it: its overrides, and `config` if it has a base config of its own.
    """

    name: str
    config: Dict[str, Any]
    changes: Dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """
    # Parameters

    base : `str`
        The file of the base config.
    variants : `Dict[str, Variant]`
        By name, in the order in which they are reported.
    cells : `List[Tuple[str, int]]`
        Name of variant and seed, in the order in which they are trained.
    test_data : `Any`, optional (default = `None`)
        What every cell is tested on; `None` for the `test_data_path` of its config, or else its
        validation data.
    metrics : `List[str]`
        What is reported. The first is tested for significance.
    baseline : `str`
        The variant that the others are compared with.
    seed_paths : `List[str]`
        Dotted paths into the config that are given the seed of the cell, besides AllenNLP's three:
        that of the data, say, if they are drawn.
    """

    base: str
    variants: Dict[str, Variant]
    cells: List[Tuple[str, int]]
    test_data: Any = None
    metrics: List[str] = field(default_factory=list)
    baseline: str = ""
    seed_paths: List[str] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        variants = {
            name: {"changes": variant.changes, "config": variant.config}
            for name, variant in self.variants.items()
        }
        content = {"format": FORMAT, **vars(self), "variants": variants}
        write_json(folder / FILE, content)

    @classmethod
    def load(cls, folder: Path) -> "Plan":
        """
        # Raises

        `ConfigurationError` if there is none, it was cut off or damaged, or another version of the
        program wrote it.
        """
        if not (folder / FILE).exists():
            raise ConfigurationError(f"There is no ablation in {folder}: it has no {FILE}.")
        try:
            content = read_json(folder / FILE)
        except ValueError as error:
            raise ConfigurationError(
                f"{folder / FILE} is no JSON ({error}): it was cut off, or damaged. The command "
                "that trained the cells, without --report-only, writes it anew, and trains none "
                "that is done."
            ) from error
        if content.pop("format") != FORMAT:
            raise ConfigurationError(f"{folder / FILE} is of another version of spigot_allennlp.")
        content["cells"] = [(name, seed) for name, seed in content["cells"]]
        content["variants"] = {
            name: Variant(name, entry["config"], entry["changes"])
            for name, entry in content["variants"].items()
        }
        return cls(**content)

    def joined_to(self, earlier: "Plan", folder: Path) -> "Plan":
        """
        This plan with the variants and cells that an earlier one has besides.

        # Raises

        `ConfigurationError` if a variant of the same name has another config, or the test data are
        others: what has been trained would not be what the report says.
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
                "The cells that are already there have their seed in other places: --seed-paths "
                f"was {earlier.seed_paths} and is now {self.seed_paths}. {way_out}"
            )
        if self.test_data != earlier.test_data:
            raise ConfigurationError(
                "The cells that are already there are tested on other data: --test-data was "
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
        cells = list(dict.fromkeys([*earlier.cells, *self.cells]))
        return replace(self, variants=variants, cells=cells)

    def looked_at(self, metrics: Sequence[str], baseline: str) -> "Plan":
        """
        The same plan with other metrics, another baseline, where they are given.

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

    def cell_folder(self, folder: Path, name: str, seed: int) -> Path:
        """`<folder>/<variant>/seed-<n>`"""
        return folder / folder_name(name) / f"seed-{seed}"

    def cell_config(self, name: str, seed: int) -> Dict[str, Any]:
        """
        The config of the variant with the seed.

        # Raises

        `ConfigurationError` if there is no place in it for the seed.
        """
        seeded = {**self.variants[name].config, **dict.fromkeys(SEEDS, seed)}
        return overridden(seeded, dict.fromkeys(self.seed_paths, seed), "--seed-paths")


def cells_of(names: Sequence[str], seeds: Sequence[int]) -> List[Tuple[str, int]]:
    """Seed by seed, so that every variant has been tried before any is tried again."""
    return [(name, seed) for seed in seeds for name in names]


def digest(config: Dict[str, Any]) -> str:
    """Equal for equal configs, whatever the order of their keys."""
    text = json.dumps(config, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def first_difference(before: Any, after: Any, path: str = "") -> Optional[str]:
    """In words, or `None`: "trainer.num_epochs was 8 and is now 4"."""
    if before == after:
        return None
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            if before.get(key) != after.get(key):
                place = f"{path}.{key}" if path else key
                return first_difference(before.get(key), after.get(key), place)
    return f"{path} was {before!r} and is now {after!r}"
