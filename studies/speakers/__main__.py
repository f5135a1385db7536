"""The command line: `python -m studies.speakers --help`."""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Dict, NamedTuple, Sequence

from studies.trial import Arm, Trial, run

_BASE = "training_config/spiking/spoken_digits.jsonnet"
_ARCHIVE = "fsdd.tar.xz"
_SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
_RATES = (0.004, 0.008, 0.016)


class Regime(NamedTuple):
    """The test speaker, and the speaker used to select settings and epoch."""

    test: str
    development: str

    @property
    def training(self) -> Sequence[str]:
        return [speaker for speaker in _SPEAKERS if speaker not in self]


_REGIMES = {
    speaker: Regime(speaker, _SPEAKERS[(number + 1) % len(_SPEAKERS)])
    for number, speaker in enumerate(_SPEAKERS)
}


def _recordings(data: Path, *speakers: str) -> str:
    return f"{data / _ARCHIVE}#{','.join(speakers)}"


def _environment(data: Path, name: str) -> Dict[str, str]:
    regime = _REGIMES[name]
    development = _recordings(data, regime.development)
    return {
        "SPIGOT_SPEECH_TRAIN": _recordings(data, *regime.training),
        "SPIGOT_SPEECH_DEV": development,
        "SPIGOT_SPEECH_TEST": development,  # until the settings are chosen
    }


def _gradient(kind: str, option: str, values: Sequence[float]) -> Arm:
    """Returns an arm with a gradient. One of its options is tuned with the learning rate."""
    variants = {
        f"{rate}, {option} {value}": {
            "trainer.optimizer.lr": rate,
            "model.network.gradient": {"type": kind, option: value},
        }
        for rate in _RATES
        for value in values
    }
    return Arm("rate", tuple(variants), lambda setting: dict(variants[setting]))


TRIAL = Trial(
    name="speakers",
    base=_BASE,
    arms={
        "surrogate": _gradient("surrogate", "slope", (3.0, 10.0)),
        "HM2-BP": _gradient("hm2_bp", "injected_spikes", (0, 12)),
    },
    baseline="surrogate",
    metrics=("accuracy",),
    regimes=_REGIMES,
    environment=_environment,
    tested_on=lambda data, regime, arm: _recordings(data, _REGIMES[regime].test),
    regimes_are_a_sample=True,
)


def add_prepare(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the step that copies the recordings."""
    parser.add_argument("archive", type=Path, help=f"the recordings, {_ARCHIVE}")
    parser.set_defaults(prepare=_prepare)


def _prepare(data: Path, options: argparse.Namespace) -> None:
    data.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(options.archive, data / _ARCHIVE)


if __name__ == "__main__":
    sys.exit(run(TRIAL, add_prepare))
