"""Forms as browsers send them, small files of several kinds, and a resource that has files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from rest_kit import models
from rest_kit.uploads import DirectoryStorage
from tests.http.support import Client, Storage

BOUNDARY = "----a-boundary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 100
PDF = b"%PDF-1.7\n" + b"x" * 100


class File(NamedTuple):
    """A file in a form: its name, media type and bytes."""

    name: str
    type: str
    data: bytes


COVER = File("cover of it.png", "image/png", PNG)


class Album(models.Model):
    """An object with a picture that may be missing."""

    fields = [
        models.PkField("id"),
        models.StringField("title", required=True, max_length=20),
        models.IntegerField("year"),
        models.BooleanField("sold", default=False),
        models.DateField("released"),
        models.ListField("tags", item=models.StringField()),
        models.FileField("cover", types=["image/png", "image/jpeg", "text/plain"], max_size=100_000),
    ]


def form(*parts: tuple[str, str | bytes | File], end: bytes = b"--\r\n") -> bytes:
    """The body of a form with these parts, in order."""
    return b"".join(_part(name, value) for name, value in parts) + f"--{BOUNDARY}".encode() + end


def _part(name: str, value: str | bytes | File) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
    if isinstance(value, File):
        head += f'; filename="{value.name}"' + (f"\r\nContent-Type: {value.type}" if value.type else "")
        value = value.data
    data = value.encode() if isinstance(value, str) else value
    return f"{head}\r\n\r\n".encode() + data + b"\r\n"


def kept(folder: Path) -> list[bytes]:
    """What the files in a folder hold, unfinished ones too."""
    return sorted(path.read_bytes() for path in folder.iterdir()) if folder.exists() else []


def albums(storage: Storage, *, model: type[models.Model] = Album, **dicts: Any) -> Client:
    """A client of a resource with files, which lie in `files` beside the store's data."""
    files = DirectoryStorage(storage.folder / "files")
    return storage.client(model, name="albums", options={"files": files}, **dicts)


def send(
    client: Client,
    *parts: tuple[str, str | bytes | File],
    method: str = "POST",
    path: str = "/albums/",
    **headers: str,
) -> Any:
    """One form sent."""
    return client.ask(method, path, body=form(*parts), type=FORM, environ=None, **headers)
