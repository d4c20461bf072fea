"""The texts of help that are longer than a sentence, by command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TRAIN_HELP: Final = """\
Replay history and learn how far each forecaster can be trusted.

Try it on the series that come with Pulse:

    pulse train --data sample

Your own series: my_folder/sales.csv and my_folder/stock.csv, each with the
columns timestamp and value (and known_at, where values are revised):

    pulse train --data my_folder --variables sales stock --start-date 2020-01-01

A forecaster of your own, class Best in my_models.py of this folder:

    pulse train --data sample --forecasters naive ses my_models:Best

Interrupt it at any time: the same command resumes."""

TRAIN_EPILOGUE: Final = (
    "Every option can also be set by an environment variable, PULSE_ and its name (PULSE_BATCH_SIZE_DAYS; "
    "for logs LOG_LEVEL, LOG_FORMAT, LOG_DIR), and in the TOML file of --config (batch_size_days = 30). The "
    "command line beats the environment, the environment the file.\n\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage or settings, 3 finished without some variables, 75 "
    "interrupted (run the same command again)."
)

CHECK_HELP: Final = """\
Check whether a training could begin, without beginning it.

It takes the options of pulse train, and checks the settings, the credentials,
the data, their variables, and every location that results are written to."""

FORECAST_HELP: Final = """\
Forecast the next steps, with the trust that each forecaster has earned.

The learners of a finished run (quantiles, ensemble, trust) are brought to the
newest rows by the same replay, and forecast the next steps:

    pulse train --data sample --end-date 2018-06-30 --run-id half
    pulse forecast half --data sample

Rows that were known by the run's end must be those it was trained on."""

COMPARE_HELP: Final = """\
Compare two runs: what changed, and whether it is more than noise.

Both are scored on what they have in common, origin by origin where both were
trained with --hindcasts, else batch by batch:

    pulse compare last_week this_week --max-loss 0.02

As a check in CI it ends with 4 where a forecaster has lost more skill than
--max-loss, and more surely than --certainty."""

SUBMIT_HELP: Final = """\
Train on AWS Batch, as an array of jobs that share the work and a job that collects.

    pulse batch submit --queue pulse --definition pulse --s3-data-bucket my-data
        --s3-results-bucket my-results --variables sales stock --watch

Every option of pulse train is one of this command too. When some children have
failed, and their cause is corrected, submit these alone again:

    pulse batch submit --failed-only JOB"""

JOB_EPILOGUE: Final = (
    "Exit status: that of the run where the command waits for its end: 0 done, 1 failed, 3 finished without some "
    "variables, 75 interrupted; 2 wrong usage or settings."
)

PRUNE_HELP: Final = """\
Remove old runs, and old records.

    pulse runs prune --older-than 90 --dry-run

A run goes when none of its files was written for so many days, a record when it
was written before then. Nothing is lost but time: a record that is needed again
is computed again. Records set aside because they were damaged always go."""

VERIFY_HELP: Final = """\
Check every file of the results: is it, byte for byte, what was written?

    pulse runs verify
    pulse runs verify nightly --repair

Results, the parts of their tables, records and claims are read and compared
with their checksums. --repair sets damaged records aside, so that the next run
computes them anew, and removes what killed writers left. A damaged result or
part is named with the command that writes it anew."""

REPORT_HELP: Final = """\
Write the results of a run as one HTML file, which needs no network.

    pulse report RUN

The report is written beside the run's result. That of a run trained with
--report shows the forecasts themselves too, their calibration, and the
ensemble's weights."""

GROUP_HELP: Final[Mapping[str, str]] = {
    "runs": "List the runs, show the results of one, check them, and remove old ones.",
    "data": "List the data, check and convert them.",
    "batch": "Train on AWS Batch: submit jobs, watch them, collect their results.",
}
"""What the first of two words stands for: `pulse runs list` needs a line for `runs`."""
