"""Makes the report as a self-contained HTML file from the template `html_report.html`."""

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple
from urllib.parse import quote

from spigot_allennlp.ablation.report import formatting
from spigot_allennlp.ablation.report.plots import ACCENT, INK, PLOTS, DrawnPlot
from spigot_allennlp.ablation.report.summary import RunResult, Summary
from spigot_allennlp.ablation.run.run_record import FAILED, REFUSED, format_duration
from spigot_allennlp.ablation.run.single_run import LOG_FILE

if TYPE_CHECKING:
    from markupsafe import Markup

LOG_LINES = 20  # the number of lines shown from the log of a failed run


class InlinePlot(NamedTuple):
    """A plot for the template, with SVG for wide and for narrow screens."""

    heading: str
    caption: str
    wide: str
    narrow: str


def html_report(summary: Summary, plots: Dict[str, DrawnPlot]) -> str:
    """
    Makes the report as HTML.

    # Parameters

    summary : `Summary`
    plots : `Dict[str, DrawnPlot]`
        The SVG of each plot, by name (see `PLOTS`).
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(breakable=breakable, unbroken=unbroken)
    folder = files("spigot_allennlp.ablation.report")
    template = folder.joinpath("html_report.html").read_text(encoding="utf-8")
    table = formatting.variants_table(summary)
    return environment.from_string(template).render(
        base=summary.plan.base,
        description=formatting.describe_ablation(summary),
        warnings=formatting.list_warnings(summary),
        header=table.header,
        lines=table.lines,
        seconds=[row.seconds for row in summary.rows],
        notes=formatting.explain_table(summary),
        plots=[
            InlinePlot(PLOTS[name].heading, PLOTS[name].caption, *map(inline_svg, drawn))
            for name, drawn in plots.items()
        ],
        refused=formatting.list_messages(summary, REFUSED),
        failed=[
            describe_failed_run(summary, result)
            for result in summary.results
            if result.record.state == FAILED
        ],
        metrics=summary.plan.metrics,
        runs=[describe_run(summary, result) for result in summary.results],
        variants=[(row.variant, row.changes) for row in summary.rows],
        versions=list_versions(summary),
        commands=summary.plan.commands,
    )


def describe_run(summary: Summary, result: RunResult) -> Dict[str, Any]:
    """Returns what the table of runs shows for a run, under the names that the template uses."""
    record, log = result.record, result.run.folder / LOG_FILE
    return {
        "variant": record.variant,
        "seed": record.seed,
        "state": record.shown_state,
        "scores": [
            formatting.format_number(result.score(metric)) for metric in summary.plan.metrics
        ],
        "time": format_duration(record.seconds or None),
        "seconds": record.seconds,
        "memory": formatting.format_memory(record.peak_memory_mb),
        "attempts": len(record.attempts),
        "log": quote(str(log.relative_to(summary.folder))) if log.exists() else None,
    }


def describe_failed_run(summary: Summary, result: RunResult) -> Dict[str, Any]:
    """Returns what is shown for a failed run: its message, and the end of its log."""
    log = result.run.folder / LOG_FILE
    lines: List[str] = []
    if log.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    end_of_log = "\n".join(lines)
    run = describe_run(summary, result)
    return {"end_of_log": end_of_log, "message": result.record.message, **run}


def list_versions(summary: Summary) -> List[str]:
    """Lists each set of versions that runs were made with; usually there is only one."""
    versions = [
        ", ".join(f"{name} {version}" for name, version in result.record.versions.items())
        for result in summary.results
    ]
    return [text for text in dict.fromkeys(versions) if text]


def breakable(name: str) -> "Markup":
    """Escapes a name, and allows line breaks after commas, plus signs, slashes and underscores."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([,+/_])", r"\1<wbr>", str(escape(name))))


def unbroken(entry: str) -> str:
    """Allows line breaks only before the deviation, the interval and the remark."""
    return re.sub(r" (?![±\[(])", "\u00a0", entry)


def inline_svg(svg: bytes) -> str:
    """Fits a plot into the page: removes its prologue, and uses the page's width and colours."""
    text = svg[svg.index(b"<svg") :].decode("utf-8").replace(INK, "currentColor")
    text = text.replace(ACCENT, "var(--accent)").replace("fill: #ffffff", "fill: none")
    return re.sub(r'<svg ([^>]*?)width="([\d.]+)pt" height="[\d.]+pt"', _svg_tag, text, count=1)


def _svg_tag(match: "re.Match[str]") -> str:
    width = float(match[2]) * 4 / 3  # pixels
    return f'<svg style="width:100%;max-width:{1.3 * width:.0f}px;height:auto" {match[1]}'
