"""The report as one HTML file that needs no other."""

import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Sequence
from urllib.parse import quote

from spigot_allennlp.ablation import record, wording
from spigot_allennlp.ablation.cell import LOG
from spigot_allennlp.ablation.figures import ACCENT, INK
from spigot_allennlp.ablation.progress import duration, state_in_words
from spigot_allennlp.ablation.results import CellResult, Results
from spigot_allennlp.ablation.summary import Row

if TYPE_CHECKING:
    from markupsafe import Markup

TAIL = 20  # lines of the log of a failed cell


def as_page(
    results: Results, rows: Sequence[Row], notes: Sequence[str], plots: Dict[str, bytes]
) -> str:
    """
    # Parameters

    plots : `Dict[str, bytes]`
        SVG, by the name of its file.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = breakable
    template = files("spigot_allennlp.ablation").joinpath("page.html").read_text(encoding="utf-8")
    header, lines = wording.variant_columns(results, rows)
    return environment.from_string(template).render(
        base=results.plan.base,
        opening=wording.opening(results),
        warning=wording.warning(results),
        header=header,
        lines=lines,
        notes=notes,
        plots=[(*wording.PLOTS[name], inline(svg)) for name, svg in plots.items()],
        refused=wording.messages(results, record.REFUSED),
        failed=[
            failure(results, cell) for cell in results.cells if cell.record.state == record.FAILED
        ],
        metrics=results.plan.metrics,
        cells=[cell_line(results, cell) for cell in results.cells],
        variants=[(row.variant, row.changes) for row in rows],
        versions=versions(results),
    )


def breakable(name: str) -> "Markup":
    """With a place to break the line after each comma, plus sign and slash."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([,+/])", r"\1<wbr>", str(escape(name))))


def inline(svg: bytes) -> str:
    """For a page: without the prologue, as wide as there is room, in the page's colours."""
    text = svg[svg.index(b"<svg") :].decode("utf-8").replace(INK, "currentColor")
    text = text.replace(ACCENT, "var(--accent)").replace("fill: #ffffff", "fill: none")
    return re.sub(r'<svg ([^>]*?)width="([\d.]+)pt" height="[\d.]+pt"', _sized, text, count=1)


def _sized(found: "re.Match[str]") -> str:
    width = float(found[2]) * 4 / 3  # pixels
    return f'<svg style="width:100%;max-width:{width:.0f}px;height:auto" {found[1]}'


def cell_line(results: Results, cell: CellResult) -> Dict[str, Any]:
    known = cell.record
    log = cell.folder / LOG
    return {
        "variant": known.variant,
        "seed": known.seed,
        "state": state_in_words(known),
        "scores": [wording.number(cell.figure(metric)) for metric in results.plan.metrics],
        "time": duration(known.seconds or None),
        "seconds": known.seconds,
        "memory": wording.memory(known.peak_memory_mb),
        "attempts": len(known.attempts),
        "log": quote(str(relative(results, log))) if log.exists() else None,
    }


def failure(results: Results, cell: CellResult) -> Dict[str, Any]:
    """Its message, and how its log ends."""
    log = cell.folder / LOG
    lines: List[str] = []
    if log.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]
    return {"tail": "\n".join(lines), "message": cell.record.message, **cell_line(results, cell)}


def versions(results: Results) -> List[str]:
    """Each set of versions that a cell was made with; one, as it should be, or more."""
    told = [
        ", ".join(f"{k} {v}" for k, v in cell.record.versions.items()) for cell in results.cells
    ]
    return [one for one in dict.fromkeys(told) if one]


def relative(results: Results, path: Path) -> Path:
    return path.relative_to(results.folder.absolute())
