# %% [markdown]
# # A walk through the sample
#
# Open this file in an editor that knows cells (`# %%`), or run it whole: `python examples/sample_walk.py`. It needs the
# extra `frames`.

# %%
from datetime import date

import numpy as np
import pandas as pd

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.sample import FOLDER
from pulse_adapters.sinks.memory import MemorySink
from pulse_adapters.stores.filesystem import FilesystemStore
from pulse_core import MEASURES, TRUST, RetrodictionTraining, RunSpec

# %% [markdown]
# ## What is there
#
# A store knows its variables and reads each as observations: timestamps, values and, where the data say so, when each
# row became known.

# %%
store = FilesystemStore(FOLDER)
print(*store.names())
prices = store.read("core_cpi")
print(len(prices), "months of consumer prices, from", prices.timestamps[0], "to", prices.timestamps[-1])

# %% [markdown]
# ## Train
#
# Everything stays in memory here. The spec is refused at once, with all of its problems, if it makes no sense.

# %%
sink = MemorySink()
training = RetrodictionTraining(store=store, backend=SerialBackend(), sink=sink)
spec = RunSpec(
    variables=["core_cpi", "baa_yield"],
    start=date(2000, 1, 1),
    end=date(2018, 12, 31),
    horizon=3,
    forecasters=["naive", "drift", "ses", "holt", "ari", "ensemble"],
)
result = training.execute(spec)
print(result.digest)

# %% [markdown]
# ## Whom to believe, one month ahead
#
# Skill is the share of the benchmark's error that a forecaster saves; trust is the probability that it beats the
# benchmark. Nobody predicts the bond yield; consumer prices are another matter.

# %%
rows = []
for summary in result.variables:
    for place, forecaster in enumerate(summary.forecasters):
        scores = dict(zip(MEASURES, summary.scores[place, 0], strict=True))
        trust = dict(zip(TRUST, summary.trust[place, 0], strict=True))
        rows.append((summary.variable, forecaster, scores["mae"], scores["skill_mae"], trust["mean"], trust["log10_e"]))
table = pd.DataFrame(rows, columns=["variable", "forecaster", "mae", "skill", "trust", "log10_e"])
print(table.round(3).to_string(index=False))

# %% [markdown]
# ## What survives all comparisons
#
# Two variables, six forecasters and three horizons make many comparisons: `discoveries` keeps what is beyond chance
# when all are counted.

# %%
for variable, found in result.discoveries().items():
    names = np.array(spec.roster)[found.any(axis=1)]
    print(f"{variable}: {', '.join(names) or 'nobody'}")

# %% [markdown]
# ## Train again
#
# The same sink recalls what it recorded. Nothing is computed, and the digest is the same.

# %%
again = training.execute(spec)
print(again.units, again.digest == result.digest)
