"""A plug-in for Pulse: a store of variables in an archive of numpy arrays, and a forecaster."""
