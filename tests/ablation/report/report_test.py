"""What is written for readers: HTML, Markdown and the plots, of made-up results."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy
import pytest

from spigot_allennlp.ablation.plan.plan import Plan, RunId, Variant
from spigot_allennlp.ablation.report.html_report import breakable
from spigot_allennlp.ablation.report.plots import wrap_name
from spigot_allennlp.ablation.report.report import write_report
from spigot_allennlp.ablation.run.instance_evaluation import InstanceEvaluation
from spigot_allennlp.ablation.run.run_record import RunRecord
from spigot_allennlp.ablation.run.single_run import INSTANCES_FILE
from spigot_allennlp.compat.atomic_io import write_json

VOID = {"meta", "br", "link", "img", "input", "hr", "wbr"}


class Outline(HTMLParser):
    """The links, the text of the tables' cells, and whether every tag is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.cells, self.tags = [], [], [], set()
        self.labels = []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.addresses += [value for name, value in attributes if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)
        self.labels += [value for name, value in attributes if name == "aria-label"]

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "td":
            self.cells.append(data)


def add_run(folder, variant, seed, state, **more):
    run_folder = folder / variant.replace("<", "_") / f"seed-{seed}"
    done = {"figures": {"f1": 0.5 + seed / 10}, "sources": {}, "instances": 9, "data": "t.txt"}
    test = {**done, "key": more.pop("key", "test_data_path")} if state == "done" else {}
    attempts = [{"host": "h", "process": 1, "started": 0.0, "seconds": 75.0}]
    RunRecord(variant, seed, "x", state, attempts, test=test, **more).save(run_folder)
    (run_folder / "log.txt").write_text("line\n" * 30 + "the <last> line\n")
    for epoch in range(3):
        write_json(
            run_folder / "run" / f"metrics_epoch_{epoch}.json", {"validation_f1": epoch / 10}
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An ablation with its report, for tests that only look at it."""
    folder = tmp_path_factory.mktemp("ablation")
    variants = {name: Variant(name, {"model": {}}, {"k": name}) for name in ("base", "a<b", "c")}
    runs = [RunId(name, seed) for name in variants for seed in (1, 2)]
    plan = Plan("configs/base.jsonnet", variants, runs, None, ["f1"], "base")
    plan.save(folder)
    for name in ("base", "a<b"):
        add_run(folder, name, 1, "done")
    add_run(folder, "base", 2, "done")
    add_run(folder, "a<b", 2, "failed", message="ValueError: nan <loss>")
    for seed in (1, 2):
        add_run(folder, "c", seed, "refused", message="model.argmax: Spigot needs a step.")
    assert not write_report(plan, folder, 20)
    return folder


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of the ablation, to write into."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


@pytest.fixture
def outline(folder):
    parser = Outline()
    parser.feed((folder / "report.html").read_text())
    assert not parser.open
    return parser


def test_the_page_needs_nothing_from_outside(folder, outline):
    logs = {f"{name}/seed-{seed}/log.txt" for name in ("base", "a_b", "c") for seed in (1, 2)}
    assert {address for address in outline.addresses if not address.startswith("#")} == logs
    assert all((folder / log).exists() for log in logs)
    text = (folder / "report.html").read_text()
    assert not re.search(r"url\((?!#)|@import", text)
    assert {"svg", "style", "script"} <= outline.tags and "link" not in outline.tags


def test_the_page_shows_every_run_and_the_end_of_a_failed_ones_log(folder, outline):
    assert outline.cells.count("refused") == 2 and outline.cells.count("failed") == 1
    assert {"0.6000", "0.7000"} <= set(outline.cells)
    text = (folder / "report.html").read_text()
    assert "ValueError: nan &lt;loss&gt;" in text and "the &lt;last&gt; line" in text
    assert text.count("line\n") < 30
    assert "Spigot needs a step." in text


def test_pictures_and_what_scrolls_have_names(outline):
    names = ["Scores of the variants", "All runs"]
    for heading in "Scores", "Learning curves":
        pictures = [label for label in outline.labels if label.startswith(f"{heading}. ")]
        assert len(pictures) == 2  # for a wide and for a narrow screen
        names += pictures
    assert sorted(names) == sorted(outline.labels)


def test_text_in_the_plots_has_at_least_11_pixels_on_any_screen(folder):
    # The least widths that the page gives to a plot: of two columns, and of a screen of 320 pixels.
    least = {"broad": 544, "narrow": 288}
    text = (folder / "report.html").read_text()
    for kind, width in least.items():
        pictures = re.findall(rf'class="{kind}" role="img".*?(<svg.*?)</svg>', text, re.DOTALL)
        assert len(pictures) == 2
        for picture in pictures:
            in_points = float(re.search(r'viewBox="0 0 ([\d.]+)', picture)[1])
            sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", picture)]
            assert sizes and min(sizes) * width / in_points >= 11


def test_the_two_widths_of_a_plot_share_no_ids_that_they_refer_to(folder):
    text = (folder / "report.html").read_text()
    ids = [set(re.findall(r"url\(#(\w+)\)", picture)) for picture in text.split("<svg")[1:]]
    assert len(ids) == 4 and all(ids)
    assert not any(left & right for place, left in enumerate(ids) for right in ids[:place])


def test_a_name_may_be_broken_after_commas_and_is_escaped():
    assert breakable("a,b<c/d") == "a,<wbr>b&lt;c/<wbr>d"


def test_text_in_the_plots_takes_the_colour_of_the_page(folder):
    text = (folder / "report.html").read_text()
    assert "#ffffff" not in text[text.index("<svg") :]
    assert "#1a1a1a" not in text[text.index("<svg") :] and "currentColor" in text
    assert "#1a1a1a" in (folder / "scores.svg").read_text()


def test_markdown_says_what_was_tested_and_what_went_wrong(folder):
    text = (folder / "report.md").read_text()
    assert "3 variants, 2 seeds (1, 2); 3 of 6 runs done. The others: 1 failed, 2 refused." in text
    assert "tested on t.txt (9 instances)" in text
    assert "- a<b, seed 2: ValueError: nan <loss>" in text
    assert "- c, seeds 1, 2: model.argmax: Spigot needs a step." in text
    assert "| base    | 0.6500 ± 0.0707 | 0.6500 |" in text
    assert "[log](<a_b/seed-2/log.txt>)" in text


@pytest.mark.parametrize("name", ["scores", "curves"])
def test_each_plot_is_written_twice_and_the_same_each_time(copy, name):
    before = [(copy / f"{name}.{kind}").read_bytes() for kind in ("png", "svg")]
    assert before[0].startswith(b"\x89PNG") and b"<svg" in before[1]
    write_report(Plan.load(copy), copy, 20)
    assert before == [(copy / f"{name}.{kind}").read_bytes() for kind in ("png", "svg")]


def test_validation_data_in_the_place_of_test_data_are_called_by_their_name(copy):
    add_run(copy, "base", 1, "done", key="validation_data_path")
    write_report(Plan.load(copy), copy, 20)
    for name in ("report.md", "report.html"):
        assert "These are the validation data" in (copy / name).read_text()


def add_tested_run(folder, variant, seed, accuracy, loss=0.0):
    """A run that was right on so many of 100 instances, and had the loss on each of them."""
    right = numpy.random.default_rng(seed).permutation(numpy.arange(100) < 100 * accuracy)
    values = {"accuracy": right.astype(float), "loss": numpy.full(100, loss)}
    run_folder = folder / variant / f"seed-{seed}"
    run_folder.mkdir(parents=True)
    InstanceEvaluation(values=values).save(run_folder / INSTANCES_FILE)
    test = {"figures": {name: value.mean() for name, value in values.items()}, "sources": {}}
    test |= {"data": "t.txt", "key": "test_data_path", "instances": 100}
    RunRecord(variant, seed, "x", "done", test=test).save(run_folder)


def make_ablation(folder, accuracies, losses):
    """The runs of variants whose accuracy and loss are those of each seed from 1 on."""
    for name, by_seed in accuracies.items():
        for seed, (accuracy, loss) in enumerate(zip(by_seed, losses[name], strict=True), start=1):
            add_tested_run(folder, name, seed, accuracy, loss)
    runs = [RunId(name, n + 1) for name, seeds in accuracies.items() for n in range(len(seeds))]
    variants = {name: Variant(name, {}) for name in accuracies}
    plan = Plan("b", variants, runs, None, ["accuracy", "loss"], "base")
    plan.save(folder)
    return plan


def test_the_best_is_marked_with_all_that_cannot_be_told_apart_from_it(tmp_path):
    accuracies = {
        "base": [0.80, 0.82, 0.81, 0.83],
        "best": [0.82, 0.83, 0.80, 0.84],
        "worse": [0.40, 0.41, 0.42, 0.40],
        "lonely": [0.99],
    }
    losses = {
        "base": [0.5] * 4,
        "best": [0.9] * 4,
        "worse": [0.2, 0.21, 0.19, 0.2],
        "lonely": [0.1],
    }
    plan = make_ablation(tmp_path, accuracies, losses)
    assert write_report(plan, tmp_path, 400)
    best = json.loads((tmp_path / "report.json").read_text())["best"]
    assert (best["accuracy"]["variant"], best["accuracy"]["ties"]) == ("best", ["base"])
    assert (best["loss"]["variant"], best["loss"]["ties"]) == ("worse", [])
    for name in "report.md", "report.html":
        text = (tmp_path / name).read_text().replace("\u00a0", " ")
        assert text.count("0.8225 ± 0.0171 (best)") == 1
        assert text.count("0.8150 ± 0.0129 (≈ best)") == 1
        assert text.count("0.2000 ± 0.0082 (best)") == 1 and text.count("best)") == 3
        assert "of accuracy more, of loss less is better" in text
        # Differences of 0.02, 0.01, -0.01, 0.01: a deviation of 0.01258, times 4.2559 / sqrt(4),
        # where 4.2559 is the noncentrality of t with 3 degrees that exceeds 3.1824 in 80 %.
        assert "0.0268 (4 seeds)" in text


def test_of_one_seed_nothing_is_marked_and_the_report_says_why(tmp_path):
    plan = make_ablation(
        tmp_path, {"base": [0.8], "better": [0.9]}, {"base": [0.5], "better": [0.4]}
    )
    write_report(plan, tmp_path, 100)
    for name in "report.md", "report.html":
        text = (tmp_path / name).read_text()
        assert "best)" not in text and "There is one seed of each variant." in text
        assert "by accuracy and loss: fewer than two variants have more than one seed." in text
    header = (tmp_path / "report.md").read_text().split("\n| ")[1]
    assert "detectable" not in header and "p over seeds" not in header


def test_the_best_is_chosen_and_compared_over_the_seeds_that_all_have(tmp_path):
    # Over its three seeds "lucky" has the better mean; over the first two, which both have, less.
    accuracies = {"base": [0.80, 0.82], "lucky": [0.79, 0.81, 0.99], "lonely": [0.99]}
    losses = {"base": [0.5] * 2, "lucky": [0.4] * 3, "lonely": [0.1]}
    write_report(make_ablation(tmp_path, accuracies, losses), tmp_path, 400)
    best = json.loads((tmp_path / "report.json").read_text())["best"]["accuracy"]
    assert (best["variant"], best["ties"], best["reason"]) == ("base", ["lucky"], "")


def test_variants_with_disjoint_seeds_have_no_best(tmp_path):
    plan = make_ablation(
        tmp_path, {"base": [0.8] * 4, "other": [0.9] * 4}, {"base": [0.5] * 4, "other": [0.4] * 4}
    )
    runs = [run for run in plan.run_ids if (run.seed < 3) == (run.variant == "base")]
    write_report(replace(plan, run_ids=runs), tmp_path, 100)
    text = (tmp_path / "report.md").read_text()
    assert "best)" not in text
    assert "variants with more than one seed have fewer than two in common" in text


def test_variants_without_scores_of_instances_are_not_marked_but_named(tmp_path):
    accuracies = {"base": [0.80, 0.82], "best": [0.81, 0.83], "bare": [0.79, 0.81]}
    plan = make_ablation(tmp_path, accuracies, {name: [0.5] * 2 for name in accuracies})
    for seed in (1, 2):
        (tmp_path / "bare" / f"seed-{seed}" / INSTANCES_FILE).unlink()
    write_report(plan, tmp_path, 400)
    best = json.loads((tmp_path / "report.json").read_text())["best"]["accuracy"]
    assert (best["variant"], best["ties"]) == ("best", ["base"])
    text = (tmp_path / "report.md").read_text()
    assert "Not every variant is compared with the best by accuracy: bare could not be" in text


def test_the_report_says_how_many_samples_it_takes_to_show_a_variant_to_be_worse(tmp_path):
    accuracies = {"base": [0.80, 0.82], "good": [0.81, 0.83], "bad": [0.1, 0.13]}
    plan = make_ablation(tmp_path, accuracies, {name: [0.5] * 2 for name in accuracies})
    marks = {}
    for resamples in (59, 60):  # 3 pairs: 3 / 60 is not below 0.05, 3 / 61 is
        write_report(plan, tmp_path, resamples)
        marks[resamples] = json.loads((tmp_path / "report.json").read_text())["best"]["accuracy"]
        text = (tmp_path / "report.md").read_text()
        assert "all pairs of these variants (3)" in text
        assert ("take --resamples 60 or more" in text) == (resamples == 59)
    assert marks[59]["ties"] == ["base", "bad"] and marks[60]["ties"] == ["base"]


def test_variants_with_other_test_data_have_no_best(tmp_path):
    plan = make_ablation(
        tmp_path, {"base": [0.8, 0.8], "easy": [0.9, 0.9]}, {"base": [0.5] * 2, "easy": [0.4] * 2}
    )
    for seed in (1, 2):
        record = RunRecord.load(tmp_path / "easy" / f"seed-{seed}")
        record.test["data"] = "easy.txt"
        record.save(tmp_path / "easy" / f"seed-{seed}")
    write_report(plan, tmp_path, 100)
    text = (tmp_path / "report.md").read_text()
    assert "best)" not in text and "variants were tested on different data" in text


def test_a_plan_of_before_commands_were_stored_has_a_report(copy):
    content = json.loads((copy / "plan.json").read_text())
    del content["commands"]
    write_json(copy / "plan.json", content)
    before = (copy / "report.md").read_text()
    write_report(Plan.load(copy), copy, 20)
    assert (copy / "report.md").read_text() == before and "Commands" not in before


def test_a_long_name_in_a_plot_is_wrapped_after_commas():
    assert wrap_name("spigot,step_size=1.0,max=2", 20) == "spigot,\nstep_size=1.0,max=2"
    assert wrap_name("short", 2) == "short"
    assert wrap_name("identity_with_projection 0.01", 26) == "identity_with_projection\n0.01"
    assert wrap_name("identity_with_projection 0.01", 15) == "identity_with_\nprojection\n0.01"


def test_an_ablation_of_which_nothing_is_done_has_a_report(tmp_path):
    plan = Plan("b", {"a": Variant("a", {})}, [RunId("a", 1)], None, ["f1"], "a")
    assert not write_report(plan, tmp_path, 20)
    assert "0 of 1 run done" in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "scores.svg").exists()


@pytest.mark.parametrize("loss", [numpy.nan, numpy.inf])
@pytest.mark.parametrize("where", ["base", "other"])
def test_a_score_that_is_no_number_is_shown_and_compared_with_nothing(tmp_path, loss, where):
    losses = {name: [0.5, 0.6, 0.5] for name in ("base", "other", "third")}
    losses["third"] = [0.1, 0.2, 0.1]
    losses[where] = [0.5, loss, 0.4]
    plan = make_ablation(tmp_path, dict.fromkeys(losses, [0.8] * 3), losses)
    assert write_report(replace(plan, metrics=["loss"]), tmp_path, 200)
    report = json.loads((tmp_path / "report.json").read_text())
    rows = {row["variant"]: row for row in report["variants"]}
    text = (tmp_path / "report.md").read_text()
    assert f"| {loss} ± nan" in text and not numpy.isfinite(rows[where]["spreads"]["loss"]["mean"])
    without = {"other"} if where == "other" else {"other", "third"}
    for name in ("other", "third"):
        assert (rows[name]["comparison"] is None) == (name in without)
        said = f"{name} was not compared: loss of {where} with seed 2 is {loss}."
        assert (said in text) == (name in without)
    if where == "other":  # one comparison is left, and adjusted for no other
        comparison = rows["third"]["comparison"]
        assert comparison["p_adjusted"] == comparison["p"] < 0.05
    assert report["best"]["loss"]["variant"] == "third"


def test_a_report_does_without_scores_of_instances_that_were_cut_off(tmp_path, caplog):
    losses = {"base": [0.5, 0.6], "other": [0.4, 0.5]}
    plan = make_ablation(tmp_path, dict.fromkeys(losses, [0.8] * 2), losses)
    file = tmp_path / "other" / "seed-1" / INSTANCES_FILE
    file.write_bytes(file.read_bytes()[:100])
    assert write_report(plan, tmp_path, 100)
    assert f"{file} is damaged: the report does without it." in caplog.text
    rows = json.loads((tmp_path / "report.json").read_text())["variants"]
    assert rows[1]["comparison"]["seeds"] == 1 and rows[1]["spreads"]["accuracy"]["number"] == 2


def test_all_learning_curves_are_of_the_metric_that_the_axis_names(copy):
    for file in copy.glob("base/*/run/metrics_epoch_*.json"):
        write_json(file, {"training_loss": 7.0})
    assert not write_report(Plan.load(copy), copy, 20)
    text = (copy / "curves.svg").read_text()
    assert "validation_f1" in text and ">a&lt;b<" in text and ">base<" not in text
    for file in copy.glob("*/*/run/metrics_epoch_*.json"):
        write_json(file, {"training_loss": 7.0})
    write_report(Plan.load(copy), copy, 20)
    text = (copy / "curves.svg").read_text()
    assert "training_loss" in text and ">a&lt;b<" in text and ">base<" in text
