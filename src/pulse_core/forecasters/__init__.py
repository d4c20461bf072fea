"""Forecasters: the built-in families, the registry of names, and the adapter of models that are fitted per origin."""
