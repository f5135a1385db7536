"""
Trains many variants of one experiment with many seeds, resumes them, compares them, and writes the
report.

A *plan* has variants and seeds. A *run* is a variant with a seed. To follow `allennlp ablate` to
its report, read these files in this order:

1. `commands/ablate.py`: the command line, and the steps that follow.
2. `plan/make_plan.py`: makes a plan from the options, each variant with its full config.
3. `plan/plan.py`: what a plan holds, how it is stored, and how it is merged with an earlier one.
4. `run/ablation.py`: selects and orders the runs that still need training; prints progress.
5. `run/executors.py`: where runs are trained: the loop that local processes and Ray share.
6. `run/single_run.py`: what a run is, how it is trained and tested.
7. `report/report.py`: writes all files of the report from the records.
8. `report/summary.py`: computes what the report says: a row for each variant.

Details, by the step that calls them: `plan/validation.py` (4) explains why a config cannot be
trained; `run/run_record.py` (4, 6, 8) defines the record of a run;
`run/instance_evaluation.py` (6, 8) stores what each test instance adds to the metrics;
`report/comparison.py` (8) has the statistics; `report/best.py` (8) finds the best variant;
`report/formatting.py`, `html_report.py` and `plots.py` (7) produce the look of the report.

Every step reads and writes files, so any step may be killed: the plan is in `plan.json`, a run in
`<variant>/seed-<n>/`, the report beside the plan. Some names in these files are older than the
code: a run is a "cell" there, and its metrics are "figures". They stay, so that ablations that have
started can be finished.
"""
