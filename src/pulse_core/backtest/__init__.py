"""The backtest of one variable: hindcasts, learners, outcomes, as they stood at each origin."""
