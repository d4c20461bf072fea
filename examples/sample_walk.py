# %% [markdown]
# # A walk through the sample
#
# Open this file in an editor that knows cells (`# %%`), or run it whole: `python examples/sample_walk.py`. It needs the
# extra `frames`.

# %%
from datetime import date

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.sample import FOLDER
from pulse_adapters.sinks.memory import MemorySink
from pulse_adapters.stores.folder import FolderStore
from pulse_core import RetrodictionTraining, RunSpec

# %% [markdown]
# ## What is there
#
# A store knows its variables and reads each as observations: timestamps, values and, where the data say so, when each
# row became known.

# %%
store = FolderStore(FOLDER)
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
# Skill is the share of the benchmark's error that a forecaster saves; trust is the probability that its mean error over
# the next twelve months is lower. Against `naive` consumer prices look easy, for they do little but rise: Pulse says
# that the benchmark trends, and what the best simple forecaster is.

# %%
frame = result.to_frame()
ahead = frame[frame["horizon"] == 1]
print(ahead[["variable", "forecaster", "mae", "skill_mae", "trust", "log10_e"]].round(3).to_string(index=False))
for summary in result.variables:
    print(summary.variable, "trends" if summary.trends.any() else "does not trend", summary.best_simple(1))

# %% [markdown]
# ## What survives all comparisons
#
# Two variables, six forecasters and three horizons make many comparisons: `discovery` marks what is better than the
# benchmark beyond chance when all are counted.

# %%
found = frame[frame["discovery"] == True]  # noqa: E712 - the benchmark has neither True nor False
print(found.groupby("variable")["forecaster"].unique().to_string())

# %% [markdown]
# ## Train again
#
# The same sink recalls what it recorded. Nothing is computed, and the digest is the same.

# %%
again = training.execute(spec)
print(again.units, again.digest == result.digest)
