"""Storage: bytes under names, atomic, in a folder or in a bucket."""
