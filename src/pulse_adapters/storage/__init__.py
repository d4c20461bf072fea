"""Storage: bytes under names, each file whole or absent, in a folder or in a bucket."""
