"""Adapters: each package joins one port of the core to one technology."""
