"""Writes the whole report, from the records alone, as often as one likes."""

from pathlib import Path

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation import atomic_files, record, tables
from spigot_allennlp.ablation.markdown import as_markdown, variants_table
from spigot_allennlp.ablation.plan import Plan
from spigot_allennlp.ablation.results import Results
from spigot_allennlp.ablation.summary import summarise


def write_report(plan: Plan, folder: Path) -> bool:
    """
    Writes `report.md`, `report.csv` (one row a cell), `summary.csv` (one row a variant) and
    `report.json` into the folder, and prints the table of variants.

    # Returns

    `bool`
        Whether every cell is done.

    # Raises

    `ConfigurationError` if no cell that is done has a metric of that name.
    """
    results = Results.collect(plan, folder)
    check_metrics(results)
    rows = summarise(results, {})
    atomic_files.write(folder / "report.md", as_markdown(results, rows))
    atomic_files.write(folder / "report.csv", tables.cells_as_csv(results))
    atomic_files.write(folder / "summary.csv", tables.variants_as_csv(rows))
    atomic_files.write_json(folder / "report.json", tables.as_json(results, rows))
    print(f"\n{variants_table(results, rows)}\n\nReport: {folder / 'report.md'}", flush=True)
    return all(cell.record.state == record.DONE for cell in results.cells)


def check_metrics(results: Results) -> None:
    known = results.known_figures()
    unknown = [metric for metric in results.plan.metrics if metric not in known]
    if known and unknown:
        raise ConfigurationError(
            f"--metric {' '.join(unknown)}: the models report no such figure. They report "
            f"{', '.join(known)}. What was trained is there; add --report-only."
        )
