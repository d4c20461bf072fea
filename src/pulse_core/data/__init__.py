"""Data of one variable: observations, vintages, and what was known when."""
