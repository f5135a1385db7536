"""What is written for readers: HTML, Markdown and the plots, of made-up results."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from spigot_allennlp.ablation.plan.plan import Plan, RunId, Variant
from spigot_allennlp.ablation.report.html_report import breakable
from spigot_allennlp.ablation.report.plots import wrap_name
from spigot_allennlp.ablation.report.report import write_report
from spigot_allennlp.ablation.run.single_run import RunRecord
from spigot_allennlp.compat.atomic_io import write_json

VOID = {"meta", "br", "link", "img", "input", "hr", "wbr"}


class Outline(HTMLParser):
    """The links, the text of the tables' cells, and whether every tag is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.cells, self.tags = [], [], [], set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.addresses += [value for name, value in attributes if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

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


def test_a_name_may_be_broken_after_commas_and_is_escaped():
    assert breakable("a,b<c/d") == "a,<wbr>b&lt;c/<wbr>d"


def test_text_in_the_plots_takes_the_colour_of_the_page(folder):
    text = (folder / "report.html").read_text()
    assert "#ffffff" not in text[text.index("<svg") :]
    assert "#1a1a1a" not in text[text.index("<svg") :] and "currentColor" in text
    assert "#1a1a1a" in (folder / "scores.svg").read_text()


def test_markdown_says_what_was_tested_and_what_went_wrong(folder):
    text = (folder / "report.md").read_text()
    assert "3 variants, 2 seeds (1, 2); 3 of 6 runs done." in text
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


def test_a_long_name_in_a_plot_is_wrapped_after_commas():
    assert wrap_name("spigot,step_size=1.0,max=2", 20) == "spigot,\nstep_size=1.0,max=2"
    assert wrap_name("short", 2) == "short"


def test_an_ablation_of_which_nothing_is_done_has_a_report(tmp_path):
    plan = Plan("b", {"a": Variant("a", {})}, [RunId("a", 1)], None, ["f1"], "a")
    assert not write_report(plan, tmp_path, 20)
    assert "0 of 1 run done" in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "scores.svg").exists()
