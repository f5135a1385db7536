"""Writes the whole report, from the records alone, as often as one likes."""

from pathlib import Path
from typing import Dict, Sequence

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation import figures, record, tables, wording
from spigot_allennlp.ablation.analysis import analyse
from spigot_allennlp.ablation.markdown import as_markdown, variants_table
from spigot_allennlp.ablation.page import as_page
from spigot_allennlp.ablation.plan import Plan
from spigot_allennlp.ablation.results import Results
from spigot_allennlp.ablation.summary import Row, summarise
from spigot_allennlp.compat import whole_files


def write_report(plan: Plan, folder: Path, draws: int) -> bool:
    """
    Writes `report.md`, `report.html`, `report.json`, `report.csv` (one row a cell), `summary.csv`
    (one row a variant) and the plots into the folder, and prints the table of variants.

    # Parameters

    draws : `int`
        Of each kind of resampling.

    # Returns

    `bool`
        Whether every cell is done.

    # Raises

    `ConfigurationError` if no cell that is done has a metric of that name.
    """
    results = Results.collect(plan, folder)
    check_metrics(results)
    analysis = analyse(results, draws)
    rows = summarise(results, analysis)
    notes = wording.notes(results, rows, analysis.is_exact, draws)
    plots = write_plots(results, rows)
    for name, text in {
        "report.md": as_markdown(results, rows, notes, plots),
        "report.html": as_page(results, rows, notes, plots),
        "report.csv": tables.cells_as_csv(results),
        "summary.csv": tables.variants_as_csv(rows),
    }.items():
        whole_files.write(folder / name, text)
    whole_files.write_json(folder / "report.json", tables.as_json(results, rows))
    print(f"\n{variants_table(results, rows)}\n\nReport: {folder / 'report.html'}", flush=True)
    return all(cell.record.state == record.DONE for cell in results.cells)


def write_plots(results: Results, rows: Sequence[Row]) -> Dict[str, bytes]:
    """As PNG and SVG. Returns the SVG of each, by the name of its file."""
    import matplotlib

    written = {}
    drawings = {
        "scores": lambda: figures.scores_figure(results, rows),
        "curves": lambda: figures.curves_figure(results),
    }
    for name, draw in drawings.items():
        with matplotlib.rc_context({**figures.STYLE, "svg.hashsalt": name}):
            figure = draw()
            if figure is not None:
                written[name] = figures.drawn(figure, "svg")
                whole_files.write(results.folder / f"{name}.svg", written[name])
                whole_files.write(results.folder / f"{name}.png", figures.drawn(figure, "png"))
    return written


def check_metrics(results: Results) -> None:
    """
    # Raises

    `ConfigurationError` if the models report no figure of a name that is asked for.
    """
    known = results.known_figures()
    unknown = [metric for metric in results.plan.metrics if metric not in known]
    if known and unknown:
        raise ConfigurationError(
            f"--metric {' '.join(unknown)}: the models report no such figure. They report "
            f"{', '.join(known)}. What was trained is there: the same command with other metrics "
            "trains nothing anew."
        )
