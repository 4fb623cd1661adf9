"""Media types: what a file says that it is, held against how it begins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

HEAD: Final = 1024
"""How many bytes of a file are looked at to tell its kind."""

_SIGNATURES: Final[tuple[tuple[int, bytes, tuple[str, ...]], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", ("image/png", "image/apng")),
    (0, b"\xff\xd8\xff", ("image/jpeg",)),
    (0, b"GIF87a", ("image/gif",)),
    (0, b"GIF89a", ("image/gif",)),
    (8, b"WEBP", ("image/webp",)),
    (0, b"II*\0", ("image/tiff",)),
    (0, b"MM\0*", ("image/tiff",)),
    (0, b"II+\0", ("image/tiff",)),
    (0, b"MM\0+", ("image/tiff",)),
    (4, b"ftypavif", ("image/avif",)),
    (4, b"ftypavis", ("image/avif",)),
    (4, b"ftyphei", ("image/heic", "image/heif")),
    (4, b"ftypmif1", ("image/heif", "image/heic", "image/avif")),
    (4, b"ftypM4A", ("audio/mp4", "video/mp4")),
    (4, b"ftypqt", ("video/quicktime",)),
    (4, b"ftyp", ("video/mp4", "audio/mp4", "video/quicktime", "video/3gpp")),
    (4, b"moov", ("video/quicktime", "video/mp4")),
    (4, b"mdat", ("video/quicktime", "video/mp4")),
    (4, b"wide", ("video/quicktime",)),
    (8, b"WAVE", ("audio/wav", "audio/x-wav", "audio/vnd.wave")),
    (0, b"ID3", ("audio/mpeg",)),
    (0, b"\xff\xfb", ("audio/mpeg",)),
    (0, b"\xff\xf3", ("audio/mpeg",)),
    (0, b"\xff\xf2", ("audio/mpeg",)),
    (0, b"OggS", ("audio/ogg", "video/ogg", "application/ogg")),
    (0, b"fLaC", ("audio/flac",)),
    (0, b"\x1aE\xdf\xa3", ("video/webm", "audio/webm", "video/x-matroska")),
    (0, b"%PDF-", ("application/pdf",)),
    (0, b"PK\x03\x04", ("application/zip",)),
    (0, b"PK\x05\x06", ("application/zip",)),
    (0, b"\x1f\x8b\x08", ("application/gzip", "application/x-gzip")),
    (0, b"7z\xbc\xaf\x27\x1c", ("application/x-7z-compressed",)),
    (0, b"\x28\xb5\x2f\xfd", ("application/zstd",)),
    (0, b"\x7fELF", ("application/x-executable",)),
)
"""By place and bytes, the types that begin so; the first entry that fits counts."""

_MEDIA: Final = ("image/", "audio/", "video/")
_TEXT: Final = frozenset({"application/json", "application/xml", "application/javascript", "image/svg+xml"})
_KNOWN: Final = frozenset(one for _, _, types in _SIGNATURES for one in types)
UNKNOWN: Final = "application/octet-stream"


def sniffed(head: bytes, shortest: int = 1) -> tuple[str, ...]:
    """The types that a file which begins like this can be, by signatures of so many bytes; none where none fits."""
    fitting = (types for at, start, types in _SIGNATURES if head.startswith(start, at) and len(start) >= shortest)
    return next(fitting, ())


def is_text(media_type: str) -> bool:
    """Whether files of a type are text, in which no NUL stands."""
    return media_type.startswith("text/") or media_type in _TEXT or media_type.endswith(("+json", "+xml"))


def contradicts(media_type: str, head: bytes) -> bool:
    """Whether a file that begins like this is surely none of the type.

    A type with a signature must have it. Any other may begin as it likes, but for text, which begins as no other
    known type does, and for pictures, sound and film, which are not each other, nor an archive or a program.
    """
    if media_type in _KNOWN:
        return media_type not in sniffed(head)
    if is_text(media_type):
        return bool(sniffed(head, shortest=4))  # a sentence may well begin with "ID3"
    return media_type.startswith(_MEDIA) and bool(sniffed(head))


def settled_type(declared: str, head: bytes) -> str:
    """The type that a file has: the declared one, or where that says nothing, the one that it begins like."""
    if declared not in ("", UNKNOWN):
        return declared
    return next(iter(sniffed(head)), UNKNOWN)


def is_taken(media_type: str, types: Iterable[str] | None) -> bool:
    """Whether a type is among those that are taken, `image/*` standing for all images; None takes all."""
    return types is None or any(
        media_type == one or (one.endswith("/*") and media_type.startswith(one[:-1])) for one in types
    )
