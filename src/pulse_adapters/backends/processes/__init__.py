"""The processes backend: work units on the cores of this machine."""
