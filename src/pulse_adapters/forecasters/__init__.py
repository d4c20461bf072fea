"""Forecasters from outside: a user's own classes, and models of other libraries."""
