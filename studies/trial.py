"""
Trials: ways to train a model, all tuned the same way, then compared over many seeds in several
regimes.

A trial is a folder `studies/<name>` with a `__main__` that calls `run`. Every run is a run of
`allennlp ablate`, so an interrupted trial continues where it stopped. All scores are collected in
one file, by seed. Other folders, also on other machines, can add seeds to it.
"""

import argparse
import hashlib
import json
import math
import os
import statistics
import subprocess
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Container,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy

from spigot_allennlp.ablation.report.comparison import (
    detectable_difference,
    holm,
    t_test_over_seeds,
)
from spigot_allennlp.compat.atomic_io import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TUNING_SEEDS = (101, 102)
Variant = Dict[str, Any]
#: A setting of an arm: a number, or a name for several settings that are chosen together.
Setting = Union[float, str]
#: The scores of an arm, or of a setting in its tuning: for each metric, a map from seed to score.
Scores = Dict[str, Dict[str, float]]


class Arm(NamedTuple):
    """
    A way of training.

    # Parameters

    tuned : `str`
        The name of what is tuned, such as "rate". It is part of the names of variants.
    settings : `Sequence[Setting]`
        The settings to try. All arms of a trial have the same number.
    variant : `Callable[[Setting], Variant]`
        Makes the ablation variant for a setting.
    """

    tuned: str
    settings: Sequence[Setting]
    variant: Callable[[Any], Variant]


def rated(path: str, rates: Sequence[float], estimator: str, **options: Any) -> Arm:
    """Returns an arm with an estimator, and a learning rate to tune at a place in the config."""
    return Arm(
        "rate",
        rates,
        lambda rate: {"model.argmax.estimator": {"type": estimator, **options}, path: rate},
    )


def changed(arm: Arm, overrides: Variant) -> Arm:
    """Returns an arm with further overrides."""
    return arm._replace(variant=lambda setting: {**arm.variant(setting), **overrides})


def capped(caps: Sequence[float], estimator: str, **options: Any) -> Arm:
    """Returns an arm with an estimator. The norm cap of its gradient is tuned."""

    def variant(cap: float) -> Variant:
        return {"model.argmax.estimator": {"type": estimator, **options, "max_step_norm": cap}}

    return Arm("cap", caps, variant)


def alone(config: str, rates: Sequence[float]) -> Arm:
    """Returns an arm with its own config. Its learning rate is tuned."""
    return Arm(
        "rate",
        rates,
        lambda rate: {"config": config, "overrides": {"trainer.optimizer.lr": rate}},
    )


class Trial(NamedTuple):
    """
    What is compared, and on which data.

    # Parameters

    name : `str`
        The name of the package in `studies`.
    base : `str`
        The base config of the variants.
    arms : `Mapping[str, Arm]`
    baseline : `str`
        The arm that the others are compared with.
    metrics : `Sequence[str]`
        The first one selects the settings and compares the arms.
    regimes : `Mapping[str, Any]`
        The regimes by name. Each is a `NamedTuple` that describes the training data.
    environment : `Callable[[Path, str], Dict[str, str]]`
        Returns the variables for the configs, from a folder with data and the name of a regime.
    tested_on : `Callable[[Path, str, str], Any]`
        Returns the `test_data_path` of the comparison, from a folder with data and the names of a
        regime and an arm. The settings are chosen on the validation data.
    regimes_are_a_sample : `bool`, optional (default = `False`)
        Whether the regimes are a sample, for example folds of one experiment. Then the tables end
        with a comparison over all regimes that treats these, not seeds, as the sample.
    out_of_scale : `Sequence[str]`, optional (default = `()`)
        Arms that the picture leaves out, for example those that are given what others predict.
    superseded : `Sequence[str]`, optional (default = `()`)
        Regimes that another has replaced: the picture and the table of all regimes leave them out.
    """

    name: str
    base: str
    arms: Mapping[str, Arm]
    baseline: str
    metrics: Sequence[str]
    regimes: Mapping[str, Any]
    environment: Callable[[Path, str], Dict[str, str]]
    tested_on: Callable[[Path, str, str], Any]
    regimes_are_a_sample: bool = False
    out_of_scale: Sequence[str] = ()
    superseded: Sequence[str] = ()


def run(
    trial: Trial,
    add_prepare: Callable[[argparse.ArgumentParser], None],
    arguments: Optional[Sequence[str]] = None,
) -> int:
    """
    Runs the step that the command line names, and returns its exit status.

    # Parameters

    trial : `Trial`
    add_prepare : `Callable[[argparse.ArgumentParser], None]`
        Adds the options of the step `prepare` to its parser, and sets the default `prepare` to a
        function of a folder and the options.
    arguments : `Sequence[str]`, optional (default = `None`)
        By default, those of this process.
    """
    options = _parser(trial, add_prepare).parse_args(arguments)
    return options.step(trial, options) or 0


def _parser(
    trial: Trial, add_prepare: Callable[[argparse.ArgumentParser], None]
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m studies.{trial.name}")
    folder = Path("runs") / trial.name
    parser.add_argument("--folder", type=Path, default=folder, help="of all that is made")
    scores = Path(f"docs/trial_of_{trial.name}.json")
    parser.add_argument("--scores", type=Path, default=scores, help="of all folders so far")
    steps = parser.add_subparsers(required=True)
    prepare = steps.add_parser("prepare", help="write the data of all regimes")
    add_prepare(prepare)
    prepare.set_defaults(step=_prepare)
    for name, step, seeds, description in (
        ("tune", _tune, _TUNING_SEEDS, "train every arm with every setting; test on dev"),
        ("compare", _compare, range(1, 9), "train the tuned arms with many seeds; test"),
    ):
        command = steps.add_parser(name, help=f"{description}; again: goes on")
        command.add_argument("regime", choices=trial.regimes)
        command.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
        command.add_argument("--jobs", default="1")
        command.add_argument(
            "--arms",
            nargs="+",
            choices=trial.arms,
            default=list(trial.arms),
            metavar="ARM",
            help=f"some of {', '.join(trial.arms)}; more may be added later",
        )
        command.set_defaults(step=step)
    tables = steps.add_parser("tables", help="add the scores of all that has a report to --scores")
    tables.set_defaults(step=_tables)
    return parser


def _prepare(trial: Trial, options: argparse.Namespace) -> None:
    options.prepare(_data(options), options)


def _data(options: argparse.Namespace) -> Path:
    return options.folder / "data"


def _tune(trial: Trial, options: argparse.Namespace) -> int:
    variants = {
        _trial_name(name, arm, setting): arm.variant(setting)
        for name, arm in _chosen_arms(trial, options).items()
        for setting in arm.settings
    }
    arm = trial.arms[trial.baseline]
    baseline = _trial_name(trial.baseline, arm, arm.settings[0])
    return _ablate(trial, options, "tuning", variants, baseline)


def _compare(trial: Trial, options: argparse.Namespace) -> int:
    collected = collect(trial, options.folder, options.scores).get(options.regime)
    if collected is None:
        tuning = options.folder / options.regime / "tuning"
        raise SystemExit(f"{tuning} has no report yet: run the step 'tune' to its end first.")
    variants = {}
    for name, arm in _chosen_arms(trial, options).items():
        setting = _best_setting(trial, options.regime, name, collected["tuning"])
        variants[name] = arm.variant(setting)
        overrides = variants[name].get("overrides", variants[name])
        overrides["test_data_path"] = trial.tested_on(_data(options), options.regime, name)
    return _ablate(trial, options, "comparison", variants, trial.baseline)


def _trial_name(name: str, arm: Arm, setting: Setting) -> str:
    return f"{name}, {arm.tuned} {setting}"


def _chosen_arms(trial: Trial, options: argparse.Namespace) -> Dict[str, Arm]:
    """
    Returns the arms named on the command line, in the trial's order.

    # Raises

    `SystemExit` if the baseline is not among them.
    """
    if trial.baseline not in options.arms:
        raise SystemExit(
            f"--arms: '{trial.baseline}' is what the others are compared with. Add it."
        )
    return {name: arm for name, arm in trial.arms.items() if name in options.arms}


def _best_setting(trial: Trial, regime: str, name: str, tuning: Dict[str, Scores]) -> Setting:
    """
    Returns the setting of an arm with the highest mean score, among those with a score for every
    tuning seed. A failed run thus rules its setting out.

    # Raises

    `SystemExit` if there is none.
    """
    arm = trial.arms[name]
    scores = {
        setting: tuning.get(_trial_name(name, arm, setting), {}).get(trial.metrics[0], {})
        for setting in arm.settings
    }
    seeds = set().union(*scores.values())
    means = {
        setting: statistics.mean(of.values())
        for setting, of in scores.items()
        if of and of.keys() == seeds and math.isfinite(statistics.mean(of.values()))
    }
    if not means:
        raise SystemExit(f"{regime}/tuning: no run of '{name}' has a score. See its logs.")
    return max(means, key=lambda setting: means[setting])


def _report(folder: Path) -> Dict[str, Any]:
    file = folder / "report.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def _ablate(
    trial: Trial,
    options: argparse.Namespace,
    kind: str,
    variants: Dict[str, Variant],
    baseline: str,
) -> int:
    """Runs `allennlp ablate`, which continues where it stopped, and returns its exit status."""
    folder = options.folder / options.regime
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{kind}.json"
    with replacing(file) as new:
        Path(new).write_text(json.dumps(variants, indent=1), "utf-8")
    command: List[Any] = ["allennlp", "ablate", trial.base, "-s", folder / kind]
    command += ["--variants", file, "--seeds", *options.seeds]
    command += ["--jobs", options.jobs, "--threads", 1]
    command += ["--metric", *trial.metrics, "--baseline", baseline]
    environment = {**os.environ, **trial.environment(_data(options), options.regime)}
    return subprocess.run([str(part) for part in command], env=environment).returncode


# ---- The scores of a trial


def _tables(trial: Trial, options: argparse.Namespace) -> None:
    scores = collect(trial, options.folder, options.scores)
    with replacing(options.scores) as new:
        Path(new).write_text(json.dumps(scores, indent=1) + "\n", "utf-8")
    for regime, of_regime in scores.items():
        print("\n".join(table(trial, regime, of_regime)), end="\n\n")
    if trial.regimes_are_a_sample:
        print("\n".join(table_over_regimes(trial, scores)))
        return
    print("\n".join(overview(trial, scores)))
    if any(of_regime["comparison"] for of_regime in scores.values()):
        draw(trial, scores, options.scores.with_suffix(".png"))


def collect(trial: Trial, folder: Path, file: Path) -> Dict[str, Any]:
    """
    Adds the scores of the regimes that have a report to those in a file, if it exists.

    # Returns

    For each regime: its `sizes` and the checksum of its `data`; in `tuning`, the `Scores` of each
    setting on development data; in `comparison`, for each arm, its `setting`, its `scores` on test
    data, and the median `seconds` of a run in the folder that was added last.

    # Raises

    `SystemExit` if the file has different data, a different setting, or a different score for the
    same seed.
    """
    collected: Dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    for name, regime in trial.regimes.items():
        tuning, comparison = (_report(folder / name / kind) for kind in ("tuning", "comparison"))
        if name not in collected and not tuning:
            continue
        checksum = _checksum(trial, folder / "data", name)
        new = {"sizes": regime._asdict(), "data": checksum, "tuning": {}, "comparison": {}}
        entry = collected.setdefault(name, new)
        where = f"{file}, {name}"
        _check_same(f"{where}: the checksum of the data", entry["data"], checksum or entry["data"])
        for row in tuning.get("variants", []):
            before = entry["tuning"].get(row["variant"], {})
            entry["tuning"][row["variant"]] = _merged(before, _scores(tuning, row), where)
        for row in comparison.get("variants", []):
            setting = _setting(trial.arms[row["variant"]], row["changes"])
            arm = entry["comparison"].setdefault(row["variant"], {"setting": setting, "scores": {}})
            _check_same(f"{where}: the setting of '{row['variant']}'", arm["setting"], setting)
            arm["scores"] = _merged(arm["scores"], _scores(comparison, row), where)
            arm["seconds"] = row["seconds"]
    return collected


def _checksum(trial: Trial, data: Path, regime: str) -> Optional[str]:
    """
    Returns the checksum of a regime's files, including shared ones; `None` if there are no data.
    """
    if not data.is_dir():
        return None
    checksum = hashlib.sha256()
    for file in sorted(data.iterdir()):
        if file.is_file() and (file.stem == regime or file.stem not in trial.regimes):
            checksum.update(file.name.encode() + b"\0" + file.read_bytes())
    return checksum.hexdigest()


def _setting(arm: Arm, changes: Dict[str, Any]) -> Setting:
    """Returns the setting that produced the `changes` in a report."""
    for setting in arm.settings:
        variant = arm.variant(setting)
        overrides = variant.get("overrides", variant)
        if all(changes.get(key) == value for key, value in overrides.items()):
            return setting
    raise SystemExit(f"No setting of {list(arm.settings)} makes the changes {changes}.")


def _merged(before: Scores, new: Scores, where: str) -> Scores:
    merged = {metric: dict(scores) for metric, scores in before.items()}
    for metric, scores in new.items():
        known = merged.setdefault(metric, {})
        for seed, score in scores.items():
            if seed in known and not math.isnan(known[seed]):
                _check_same(f"{where}: the {metric} of seed {seed}", known[seed], score)
            known[seed] = score
    return merged


def _check_same(what: str, before: Any, now: Any) -> None:
    """
    # Raises

    `SystemExit` if the two differ.
    """
    if before != now:
        raise SystemExit(
            f"{what} was {before}, and is now {now}. Scores of two kinds are not mixed: name "
            "another file by --scores, or put this one out of the way."
        )


def _scores(report: Dict[str, Any], row: Dict[str, Any]) -> Scores:
    done = [
        run
        for run in report["cells"]
        if run["variant"] == row["variant"] and run["state"] == "done"
    ]
    scores: Scores = {metric: {} for metric in report["metrics"]}
    for run in done:
        for metric in scores.keys() & run["test"]["figures"].keys():
            scores[metric][str(run["seed"])] = run["test"]["figures"][metric]
    return scores


def table(trial: Trial, regime: str, scores: Dict[str, Any]) -> List[str]:
    """
    Returns the lines of a Markdown table of the comparison in a regime, in per cent. Differences
    from the baseline are over the common seeds, with the 95 % interval, the smallest detectable
    difference and the p of a paired t-test. Only the p is adjusted for all arms of the regime, by
    Holm's method. All of these are over seeds: other test sentences might give other results.
    """
    first, *others = (metric.replace("_", " ") for metric in trial.metrics)
    against = f"against {trial.baseline}"
    header = [regime, first, against, "detectable", "p"]
    header += [column for other in others for column in (other, f"{other} {against}")] + ["seeds"]
    arms = _arms(trial, scores)
    differences = {metric: _from_baseline(trial, arms, metric) for metric in trial.metrics}
    adjusted = _adjusted(differences[trial.metrics[0]])
    lines = [header, ["---"] * len(header)]
    for name, arm in arms.items():
        line = [name]
        for metric in trial.metrics:
            compared = differences[metric].get(name, numpy.empty(0))
            line += [_spread(arm.get(metric, {})), with_interval(100 * compared)]
            if metric == trial.metrics[0]:
                p = f"{adjusted[name]:.3f}" if name in adjusted else ""
                line += [_detectable(compared), p]
        lines.append([*line, str(len(arm.get(trial.metrics[0], {})))])
    return [f"| {' | '.join(line)} |" for line in lines]


def overview(trial: Trial, scores: Dict[str, Any]) -> List[str]:
    """
    Returns the lines of a Markdown table of the first metric, in per cent, with a row for each arm
    and a column for each regime. It shows the mean of the baseline, and the difference of each
    other arm from it, with the 95 % interval over seeds. Differences are bold if the adjusted p of
    `table` is below 0.05.
    """
    columns = {regime: _cells(trial, arms) for regime, arms in _current(trial, scores).items()}
    lines = [["", *columns], ["---"] * (1 + len(columns))]
    for name in _in_order(trial, columns):
        lines.append([name, *(cells.get(name, "") for cells in columns.values())])
    return [f"| {' | '.join(line)} |" for line in lines]


def _current(trial: Trial, scores: Dict[str, Any]) -> Dict[str, Dict[str, Scores]]:
    """Returns the arms of each regime that no other has replaced."""
    regimes = {regime: of for regime, of in scores.items() if regime not in trial.superseded}
    return {regime: _arms(trial, of) for regime, of in regimes.items()}


def _cells(trial: Trial, arms: Dict[str, Scores]) -> Dict[str, str]:
    """Returns the cell of each arm in the column that `overview` has for a regime."""
    metric = trial.metrics[0]
    differences = _from_baseline(trial, arms, metric)
    adjusted = _adjusted(differences)
    cells = {name: with_interval(100 * of) for name, of in differences.items()}
    for name, p in adjusted.items():
        mean, _, interval = cells[name].partition(" ")
        if p < 0.05:
            cells[name] = f"**{mean}** {interval}"
    if trial.baseline in arms:
        cells[trial.baseline] = _mean(arms[trial.baseline][metric])
    return cells


def _in_order(trial: Trial, regimes: Mapping[str, Container[str]]) -> List[str]:
    """Returns the arms of any regime, in the trial's order."""
    return [name for name in trial.arms if any(name in arms for arms in regimes.values())]


def draw(trial: Trial, scores: Dict[str, Any], path: Path) -> "Figure":
    """
    Writes a picture of what `overview` says, and returns its figure: a panel for each regime, a
    line for each arm but those of `trial.out_of_scale`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    metric = trial.metrics[0]
    compared = {regime: arms for regime, arms in _current(trial, scores).items() if arms}
    names = [name for name in _in_order(trial, compared) if name not in trial.out_of_scale]
    size = (2.2 + 2.1 * len(compared), 0.9 + 0.24 * len(names))
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(compared), sharey=True, squeeze=False)[0]
    for panel, (regime, arms) in zip(panels, compared.items(), strict=True):
        for name, differences in _from_baseline(trial, arms, metric).items():
            if name in names and len(differences) > 1:
                row, (low, high) = names.index(name), _interval(100 * differences)
                colour = "#2b6cb0" if low > 0 or high < 0 else "#8c8c8c"
                panel.plot([low, high], [row, row], color=colour, linewidth=1.4)
                mean = 100 * differences.mean()
                panel.plot(mean, row, marker="o", color=colour, markersize=4)
        panel.axvline(0, color="black", linewidth=0.6)
        panel.plot(0, names.index(trial.baseline), marker="o", color="black", markersize=4)
        panel.set_title(f"{regime} ({_mean(arms[trial.baseline][metric])})", fontsize=9)
        panel.tick_params(labelsize=8)
        panel.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].invert_yaxis()
    figure.supxlabel(f"{metric.replace('_', ' ')}: points above {trial.baseline}", fontsize=9)
    with replacing(path) as new:
        figure.savefig(new, format=path.suffix[1:], dpi=120)
    return figure


def table_over_regimes(trial: Trial, scores: Dict[str, Any]) -> List[str]:
    """
    Returns the lines of a Markdown table of the first metric, in per cent: a row for each regime
    with the mean of each arm over the seeds, then the mean over the regimes. The last rows show the
    difference of each arm from the baseline, with the 95 % interval and the p of a paired t-test
    over the regimes.
    """
    arms = [name for name in trial.arms if all(name in of["comparison"] for of in scores.values())]
    means = {
        name: {
            regime: statistics.mean(of["comparison"][name]["scores"][trial.metrics[0]].values())
            for regime, of in scores.items()
        }
        for name in arms
    }
    lines = [["", *arms], ["---"] * (1 + len(arms))]
    lines += [[regime, *(f"{100 * means[name][regime]:.1f}" for name in arms)] for regime in scores]
    lines.append(["mean", *(_spread(means[name]) for name in arms)])
    against = {
        name: _differences(means[name], means[trial.baseline])
        for name in arms
        if name != trial.baseline
    }
    adjusted = _adjusted(against)
    lines.append(
        [
            f"against {trial.baseline}",
            *(with_interval(100 * against[name]) if name in against else "" for name in arms),
        ]
    )
    lines.append(["p", *(f"{adjusted[name]:.3f}" if name in adjusted else "" for name in arms)])
    return [f"| {' | '.join(line)} |" for line in lines]


def _arms(trial: Trial, scores: Dict[str, Any]) -> Dict[str, Scores]:
    """Returns the scores of the compared arms in a regime, in the trial's order."""
    compared = scores["comparison"]
    return {name: compared[name]["scores"] for name in trial.arms if name in compared}


def _from_baseline(trial: Trial, arms: Dict[str, Scores], metric: str) -> Dict[str, numpy.ndarray]:
    """Returns the differences of each arm from the baseline, over the common seeds."""
    baseline = arms.get(trial.baseline, {}).get(metric, {})
    return {
        name: _differences(arm.get(metric, {}), baseline)
        for name, arm in arms.items()
        if name != trial.baseline
    }


def _adjusted(differences: Dict[str, numpy.ndarray]) -> Dict[str, float]:
    """Returns the p of each arm's t-test, if it has one, adjusted for all arms by Holm's method."""
    tests = {name: t_test_over_seeds(of) for name, of in differences.items()}
    return holm({name: p for name, p in tests.items() if p is not None})


def _spread(scores: Dict[str, float]) -> str:
    if not scores:
        return ""
    mean = _mean(scores)
    return f"{mean} ± {100 * statistics.stdev(scores.values()):.1f}" if len(scores) > 1 else mean


def _mean(scores: Dict[str, float]) -> str:
    return f"{100 * statistics.mean(scores.values()):.1f}"


def _differences(scores: Dict[str, float], baseline: Dict[str, float]) -> numpy.ndarray:
    return numpy.array([scores[seed] - baseline[seed] for seed in scores if seed in baseline])


def with_interval(differences: numpy.ndarray, digits: int = 1) -> str:
    """Returns the mean with its 95 % interval; empty if there are fewer than two differences."""
    if len(differences) < 2:
        return ""
    ends = (differences.mean(), *_interval(differences))
    mean, low, high = (f"{end:+.{digits}f}" for end in ends)
    return f"{mean} ({low} to {high})"


def _interval(differences: numpy.ndarray) -> Tuple[float, float]:
    from scipy.stats import ttest_1samp

    low, high = ttest_1samp(differences, 0).confidence_interval()
    return float(low), float(high)


def _detectable(differences: numpy.ndarray) -> str:
    detectable = detectable_difference(differences) if len(differences) > 1 else None
    return "" if detectable is None else f"{100 * detectable:.1f}"
