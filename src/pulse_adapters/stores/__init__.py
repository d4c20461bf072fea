"""Data stores: variables in files, in buckets, and in memory."""
