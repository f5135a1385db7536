"""
Trains many variants of one experiment with many seeds, resumes them, compares them, and writes the
report.

A *plan* has variants and seeds; a *run* is a variant with a seed. The way of an ablation, in the
order to read it:

1. `commands/ablate.py`: the command line, and the three steps that follow.
2. `plan/design.py`: from options to a plan, each variant with its whole config (`plan/axes.py`
   reads the options themselves).
3. `plan/plan.py`: what a plan holds, how it is stored, and how it joins one that is there.
4. `run/ablation.py`: which runs of the plan have still to be trained (`plan/validation.py`: which
   cannot be), in which order.
5. `run/executors.py`: where they are trained: the loop that local processes and Ray share.
6. `run/single_run.py`: what happens in a run: training or resuming, testing, and its record
   (`run/run_record.py`; `run/instance_evaluation.py`: what is kept of each test instance).
7. `report/report.py`: from the records alone, all files of the report.
8. `report/summary.py`: what the report says: a row for each variant (`report/comparison.py`: the
   statistics).

The rest is about how it looks: `report/formatting.py`, `markdown_report.py`, `html_report.py` and
`plots.py`, and `run/progress.py`, which prints.

Every step reads files and writes files, so that any of them may be killed: the plan is in
`plan.json`, a run in `<variant>/seed-<n>/`, the report beside the plan. Names in these files are
older than the code (a run is a "cell" there, and its metrics are "figures"); they stay, so that
ablations that have begun can be finished.
"""
