"""What a request with an idempotency key is known by, so that it is known when it comes again."""

from __future__ import annotations

import hashlib
import re
from functools import partial
from typing import IO, Final, NamedTuple

from rest_kit.errors import Fault, InvalidInput
from rest_kit.request import CHUNK, Request

HEADER: Final = "Idempotency-Key"

_MOST: Final = 255
_BARE: Final = re.compile(r"[!#-+\--:<-~]+\Z")
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"\Z')
_ASKED: Final = ("CONTENT_TYPE", "QUERY_STRING", "HTTP_ACCEPT", "HTTP_PREFER")
"""What shapes the reply, apart from the body. Conditions do not: they are looked at when the request is carried out."""


class Claim(NamedTuple):
    """What a request with a key is known by: a hash of caller, method, path and key, and one of all the rest."""

    key: str
    digest: bytes


def claim_of(request: Request, given: str, body: IO[bytes]) -> Claim:
    """The claim of a request with this header and this body, which is read, and wound back (InvalidInput)."""
    environ = request.environ
    user = request.user
    caller = f"{user.label} {user.pk!r}" if user.is_authenticated else "anonymous"
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    key = _hash(caller, request.method, path.rstrip("/"), read_key(given))
    # credentials may be good for less than others of the same user; what they are good for shapes the reply
    whole = _hash(*[environ.get(name, "") for name in _ASKED], " ".join(sorted(user.scopes)))
    for chunk in iter(partial(body.read, CHUNK), b""):
        whole.update(chunk)
    body.seek(0)
    return Claim(key.hexdigest(), whole.digest())


def read_key(given: str) -> str:
    """The key that a header holds: a string in double quotes (RFC 8941 §3.3.3), or the same bare (InvalidInput)."""
    text = given.strip(" \t")
    quoted = _QUOTED.match(text)
    key = quoted[1].replace('\\"', '"').replace("\\\\", "\\") if quoted else text
    if not key or len(key) > _MOST or not (quoted or _BARE.match(key)):
        detail = f'must be one string of 1 to {_MOST} characters, such as "8e03978e-40d5-43dd-bc93-6894a57f9324"'
        raise InvalidInput(Fault("invalid", detail, header=HEADER))
    return key


def _hash(*parts: str) -> hashlib.blake2b:
    """A hash that tells the parts and their borders."""
    found = hashlib.blake2b(digest_size=32)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        found.update(b"%d:" % len(data))
        found.update(data)
    return found
