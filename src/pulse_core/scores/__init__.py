"""Scores: the formulas, the sums per batch they follow from, and comparisons with the benchmark."""
