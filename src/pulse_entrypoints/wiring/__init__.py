"""Wiring: from settings to adapters, by name."""
