"""Result sinks: records, tables and documents of runs, over a storage or in memory."""
