"""The host: control groups, cores, causes of death, versions."""
