"""Chaos: runs that are disturbed at random moments, run again, and held against an undisturbed one."""
