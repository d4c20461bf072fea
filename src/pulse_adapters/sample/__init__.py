"""Real series that come with Pulse, for `--data sample`; PROVENANCE.md says where they are from."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
"""The folder of their files, which `stores.filesystem.FolderStore` reads."""
