"""The trial of spoken digits: who is heard when, and its arms."""

import json
from pathlib import Path

import pytest

from spigot_allennlp.ablation.plan.make_plan import make_plan, read_axes
from studies.speakers.__main__ import TRIAL
from studies.trial import table_over_regimes

DOCS = Path(__file__).parents[2] / "docs"


def speakers(path):
    return set(path.partition("#")[2].split(","))


@pytest.mark.parametrize("name", TRIAL.regimes)
def test_who_is_tested_on_has_neither_been_learnt_from_nor_chosen_by(name, tmp_path):
    environment = TRIAL.environment(tmp_path, name)
    training = speakers(environment["SPIGOT_SPEECH_TRAIN"])
    development = speakers(environment["SPIGOT_SPEECH_DEV"])
    assert (len(training), len(development)) == (4, 1)
    assert speakers(environment["SPIGOT_SPEECH_TEST"]) == development
    for arm in TRIAL.arms:
        tested = speakers(TRIAL.tested_on(tmp_path, name, arm))
        assert tested == {name} and not tested & (training | development)
        assert not training & development


def test_every_speaker_chooses_for_one_other():
    assert {regime.development for regime in TRIAL.regimes.values()} == set(TRIAL.regimes)


def test_every_arm_has_as_many_trials_with_its_gradient(tmp_path, monkeypatch):
    assert {len(arm.settings) for arm in TRIAL.arms.values()} == {6}
    for variable, value in TRIAL.environment(tmp_path, "theo").items():
        monkeypatch.setenv(variable, value)
    variants = {
        f"{name}, {setting}": arm.variant(setting)
        for name, arm in TRIAL.arms.items()
        for setting in arm.settings
    }
    file = tmp_path / "variants.json"
    file.write_text(json.dumps(variants))
    plan = make_plan(TRIAL.base, read_axes([], str(file)), seeds=[1])
    configs = {name: variant.config for name, variant in plan.variants.items()}
    surrogate, hm2_bp = (
        configs["surrogate, 0.004, slope 3.0"],
        configs["HM2-BP, 0.008, injected_spikes 12"],
    )
    assert surrogate["model"]["network"]["gradient"] == {"type": "surrogate", "slope": 3.0}
    assert hm2_bp["model"]["network"]["gradient"] == {"type": "hm2_bp", "injected_spikes": 12}
    rates = surrogate["trainer"]["optimizer"]["lr"], hm2_bp["trainer"]["optimizer"]["lr"]
    assert rates == (0.004, 0.008)


def test_the_table_of_the_page_is_that_of_the_scores():
    scores = json.loads((DOCS / "trial_of_speakers.json").read_text())
    page = (DOCS / "results" / "spiking.md").read_text().splitlines()
    expected = table_over_regimes(TRIAL, scores)
    start = page.index(expected[0])
    assert page[start : start + len(expected)] == expected
