"""Entry points: read the settings, wire the adapters, run, report."""
