"""Published runs: one writer and one reader for `result.json` and for each table."""
