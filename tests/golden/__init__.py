"""Golden runs: digests of what the code gave before its numeric core became a compiled kernel."""
