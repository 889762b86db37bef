"""SQLite: scans, feedback, settings."""

from pathlib import Path

from ..system.paths import Paths
from .database import Page, Store, StoredScan
from .migrations import NewerStore
from .thread import StoreThread

__all__ = ["NewerStore", "Page", "Store", "StoreThread", "StoredScan", "store_path"]

FILE_NAME = "touchstone.sqlite3"


def store_path(paths: Paths) -> Path:
    """Where the store of an installation is."""
    return paths.data_dir / FILE_NAME
