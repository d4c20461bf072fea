"""The machine that a worker runs on: control groups, cores, causes of death, installed versions."""
