"""Entity tags and the conditions that requests put on them (RFC 9110 §8.8.3, §13).

A tag is a keyed hash of what the caller may read of the stored record, so that it changes whenever that does and tells
nothing of anything else; a suffix tells variants (fields, media type) of one record apart.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from werkzeug.exceptions import PreconditionFailed, PreconditionRequired

from rest_kit import jsonio
from rest_kit.request import Request
from rest_kit.types import Record

_DIGEST_SIZE: Final = 12
_TAG: Final = re.compile(r'(W/)?"([^"]*)"')
_TAGS: Final = re.compile(r'[ \t,]*(W/)?"[^"]*"([ \t]*,[ \t,]*(W/)?"[^"]*")*[ \t,]*\Z')


class Tagger:
    """Makes the tags of one resource from its key (32 bytes)."""

    __slots__ = ("_seed",)

    def __init__(self, key: bytes) -> None:
        self._seed = hashlib.blake2b(key=key, digest_size=_DIGEST_SIZE)

    def hash(self, record: Record) -> str:
        """The tag's main part, alike for every variant of the record."""
        return self.digest(jsonio.encode(record))

    def digest(self, stored: bytes) -> str:
        """The hash of a record that is encoded already."""
        state = self._seed.copy()
        state.update(stored)
        return state.hexdigest()

    def full_suffix(self, variant: bytes) -> str:
        """The same for a variant whose content may change while the record does not, with all of the hash."""
        return "-" + self.digest(variant)

    def suffix(self, variant: str) -> str:
        """What is put behind the hash for a variant (`fields=name`, `text/csv`); "" for the plain one."""
        if not variant:
            return ""
        state = self._seed.copy()
        state.update(variant.encode())
        return "-" + state.hexdigest()[:8]


def check_match(request: Request, record_hash: str | None, *, required: bool = False) -> None:
    """Refuse a write whose If-Match or If-None-Match does not hold (412), or that must have one and has not (428).

    `record_hash` is that of the record as it is now, None where the target has no tag (a collection).
    """
    wanted = request.environ.get("HTTP_IF_MATCH")
    if wanted is not None:
        if not _is_among(record_hash, named_tags(wanted)):
            raise PreconditionFailed("the item has changed since the version that If-Match names")
    elif required:
        raise PreconditionRequired("send If-Match with the ETag of the version that you have read")
    unwanted = request.environ.get("HTTP_IF_NONE_MATCH")
    if unwanted is not None and _is_among(record_hash, named_tags(unwanted, weak=True)):
        raise PreconditionFailed("If-None-Match names what is there")


def unmodified(request: Request, tag: str) -> bool:
    """Whether a read may be answered 304: If-None-Match holds this tag; If-Match that does not hold it is 412."""
    environ = request.environ
    wanted = environ.get("HTTP_IF_MATCH")
    if wanted is not None and not _is_among(_hash_of(tag), named_tags(wanted)):
        raise PreconditionFailed("the item is not the version that If-Match names")
    unwanted = environ.get("HTTP_IF_NONE_MATCH")
    if unwanted is None:
        return False
    known = named_tags(unwanted, weak=True)
    return known is None or tag in known


def named_tags(header: str, *, weak: bool = False) -> set[str] | None:
    """The entity tags that a header lists, without their quotes, weak ones only if asked for; None for `*`.

    A header that is no such list names none.
    """
    if header.strip() == "*":
        return None
    if not _TAGS.match(header):
        return set()
    return {found[2] for found in _TAG.finditer(header) if weak or not found[1]}


def _hash_of(tag: str) -> str:
    """The main part of a tag, which all variants of a record share."""
    return tag.partition("-")[0]


def _is_among(record_hash: str | None, tags: set[str] | None) -> bool:
    return tags is None or record_hash in {_hash_of(tag) for tag in tags}
