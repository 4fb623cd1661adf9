"""Files that clients send and fetch: where they are kept, how forms are read, how they are sent back."""

from __future__ import annotations

from rest_kit.uploads.directory import DirectoryStorage
from rest_kit.uploads.receiving import Form, UploadedFile, receive
from rest_kit.uploads.storage import FileStorage, OpenedFile

__all__ = ["DirectoryStorage", "FileStorage", "Form", "OpenedFile", "UploadedFile", "receive"]
