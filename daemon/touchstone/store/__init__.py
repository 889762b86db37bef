"""SQLite: scans, feedback, settings."""

from .database import Page, Store, StoredScan
from .migrations import NewerStore
from .thread import StoreThread

__all__ = ["NewerStore", "Page", "Store", "StoreThread", "StoredScan"]
