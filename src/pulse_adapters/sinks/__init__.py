"""Result sinks: where records are kept and runs are published."""
