"""Sample data: real series that come with Pulse, for `--data sample`; PROVENANCE.md names their sources."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
"""The folder of the files, for `stores.folder.FolderStore`."""
