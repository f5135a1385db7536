"""`allennlp ablate`: trains variants of an experiment with many seeds, and compares them."""

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from allennlp.commands.subcommand import Subcommand

if TYPE_CHECKING:
    from spigot_allennlp.ablation.plan.plan import Plan
    from spigot_allennlp.ablation.run.executors import Executor

DESCRIPTION = """Train every variant of an experiment with every seed, test each, and compare
them. In a folder that has an ablation, what is done is skipped, what was interrupted is resumed."""

EXAMPLES = """examples:
  allennlp ablate training_config/latent_classifier/three_clusters.jsonnet -s runs/ablation \\
    --vary model.argmax.estimator=pipeline,spigot --seeds 1 2 3 --jobs 2
  allennlp ablate -s runs/ablation --report-only  # write the report anew
  allennlp ablate -s runs/ablation --report-only --drop spigto  # leave a variant out of it"""


@Subcommand.register("ablate")
class Ablate(Subcommand):
    """
    Reads the command line, and calls `ablate`. Registered as a `Subcommand` with name "ablate".
    """

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        subparser = parser.add_parser(
            self.name,
            description=DESCRIPTION,
            help="Train and compare variants of an experiment.",
            epilog=EXAMPLES,
        )
        subparser.add_argument("config", nargs="?", help="the base config")
        subparser.add_argument(
            "-s", "--serialization-dir", required=True, help="where everything is written"
        )
        _add_variants(subparser)
        _add_seeds(subparser)
        _add_execution(subparser)
        _add_report(subparser)
        subparser.set_defaults(func=ablate_from_args)
        return subparser


def _add_variants(subparser: argparse.ArgumentParser) -> None:
    group = subparser.add_argument_group("what is trained")
    group.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="PATH=VALUE,VALUE,...",
        help="an axis: a dotted path into the config, and its values (names, JSON or Jsonnet; in "
        "quotes with commas of their own); several axes are multiplied",
    )
    group.add_argument(
        "--variants",
        metavar="FILE",
        help="Jsonnet: a map from the names of variants to their overrides, or to {config: FILE, "
        "overrides: {...}}; or a list of such maps, which are multiplied",
    )
    group.add_argument(
        "-o", "--overrides", default="", help="of the base config, as for allennlp train"
    )
    group.add_argument(
        "--test-data",
        metavar="PATH",
        help="what each run is tested on (default: the config's test_data_path, or else its "
        "validation data)",
    )


def _add_seeds(subparser: argparse.ArgumentParser) -> None:
    group = subparser.add_argument_group("how often it is trained")
    group.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="one run for each")
    group.add_argument(
        "--seed-paths",
        nargs="+",
        default=[],
        metavar="PATH",
        help="dotted paths into the config, besides AllenNLP's three, whose value is the seed "
        "(dataset_reader.seed, if data are sampled)",
    )


def _add_execution(subparser: argparse.ArgumentParser) -> None:
    group = subparser.add_argument_group("how it is trained")
    group.add_argument(
        "--jobs",
        type=_positive,
        help="how many runs at a time (default: 1; with --ray, all that the cluster has room for)",
    )
    group.add_argument("--threads", type=_positive, default=1, help="CPU threads of each run")
    group.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="run through Ray: on this machine, or on the cluster of that address (auto, "
        "host:port, ray://host:port), all of whose nodes must see the folder and the data",
    )
    group.add_argument(
        "--gpus", type=_share, default=0.0, help="with --ray: how many GPUs each run takes"
    )
    group.add_argument("--retry-failed", action="store_true", help="resume runs that failed, too")


def _add_report(subparser: argparse.ArgumentParser) -> None:
    group = subparser.add_argument_group("what is reported")
    group.add_argument(
        "--metric",
        nargs="+",
        default=[],
        help="metrics to report; the first is tested for significance (default: the trainer's "
        "validation_metric)",
    )
    group.add_argument(
        "--baseline", default="", help="the variant to compare with (default: the first)"
    )
    group.add_argument(
        "--drop",
        nargs="+",
        default=[],
        metavar="NAME",
        help="variants that the report leaves out, and says so; their runs stay in the folder, and "
        "a report without this option has them again",
    )
    group.add_argument(
        "--resamples",
        type=_positive,
        default=2000,
        help="how many samples the significance test and the confidence intervals are made of",
    )
    group.add_argument(
        "--report-only", action="store_true", help="train nothing, write the report anew"
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return int(text)


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of GPUs")
    return number


def ablate_from_args(args: argparse.Namespace) -> None:
    """Calls `ablate`, and exits with status 0 if every run is done, otherwise with 1."""
    from allennlp.common.checks import ConfigurationError
    from allennlp.common.util import SigTermReceived

    try:
        sys.exit(0 if ablate(args) else 1)
    except ConfigurationError as error:
        sys.exit(f"allennlp ablate: {error}")
    except (KeyboardInterrupt, SigTermReceived):
        sys.exit("Interrupted. The same command goes on from the last checkpoints.")


def ablate(args: argparse.Namespace) -> bool:
    """
    Makes the plan, trains the runs that are not trained yet, and writes the report. Returns whether
    every run is done.
    """
    from allennlp.common.checks import ConfigurationError

    from spigot_allennlp.ablation.plan.plan import Plan, save_joined_plan
    from spigot_allennlp.ablation.report.report import write_report
    from spigot_allennlp.ablation.run.ablation import (
        check_trained_configs,
        check_trained_files,
        run_ablation,
    )
    from spigot_allennlp.compat.folder_lock import locked

    folder = Path(args.serialization_dir)
    if args.report_only:
        plan = Plan.load(folder).with_report_options(args.metric, args.baseline)
        return write_report(plan.without(args.drop), folder, args.resamples, args.drop)
    if args.gpus and not args.ray:
        raise ConfigurationError(
            "--gpus is for --ray, which places runs by the GPUs that they need. Without it, choose "
            "the device in the config, trainer.cuda_device, and how many runs share it by --jobs."
        )
    if not args.config:
        raise ConfigurationError("The command line names no base config to train.")
    plan = _plan_from_args(args)
    with locked(folder):
        check_trained_configs(plan, folder)
        check_trained_files(plan, folder)
        reported = save_joined_plan(plan, folder).without(args.drop)
        run_ablation(
            plan,
            folder,
            executor=_executor_from_args(args),
            threads=args.threads,
            packages=args.include_package,
            retry_failed=args.retry_failed,
        )
        return write_report(reported, folder, args.resamples, args.drop)


def _plan_from_args(args: argparse.Namespace) -> "Plan":
    """
    Makes the plan that the arguments ask for. The plan holds the command line of this process.
    """
    from spigot_allennlp.ablation.plan.make_plan import make_plan, read_axes, read_value

    plan = make_plan(
        base=args.config,
        axes=read_axes(args.vary, args.variants),
        seeds=args.seeds,
        overrides=args.overrides,
        test_data=read_value(args.test_data, "--test-data") if args.test_data else None,
        metrics=args.metric,
        baseline=args.baseline,
        seed_paths=args.seed_paths,
    )
    return replace(plan, commands=[shlex.join(["allennlp", *sys.argv[1:]])])


def _executor_from_args(args: argparse.Namespace) -> "Executor":
    from spigot_allennlp.ablation.run.executors import LocalProcesses, RayCluster

    if args.ray:
        return RayCluster(args.ray, args.jobs, args.threads, args.gpus)
    return LocalProcesses(args.jobs or 1)
