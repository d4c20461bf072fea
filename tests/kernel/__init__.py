"""The kernel compiled anew, under sanitizers and with faults put into it: `make test-kernel`. Needs a C compiler."""
