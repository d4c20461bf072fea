"""Real series that come with Pulse, for `--data sample`; PROVENANCE.md says where they are from."""
