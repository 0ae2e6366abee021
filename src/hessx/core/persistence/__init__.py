"""A run put down in a file, and taken up again: trees of what is registered, and arrays."""

from hessx.core.persistence._archive import CheckpointError
from hessx.core.persistence._checkpoint import Checkpoint, checkpoint_of
from hessx.core.persistence._encoding import packed
from hessx.core.persistence._save_load import as_checkpoint, load, save

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "as_checkpoint",
    "checkpoint_of",
    "load",
    "packed",
    "save",
]
