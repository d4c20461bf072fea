"""The compiled kernel: what runs at every origin of every variable, in C, and its typed face in Python."""
