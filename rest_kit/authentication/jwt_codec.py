"""JSON Web Tokens read strictly: PyJWT checks signature and times, and before that nothing unexpected gets near it.

size -> three parts -> header of alg, typ and kid alone -> the one algorithm -> signature, times, issuer, audience
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Final

import msgspec

from rest_kit import jsonio
from rest_kit.authentication.base import EXPIRED_TOKEN, INVALID_TOKEN
from rest_kit.errors import AuthenticationFailed, ConfigurationError, MalformedBody

LEAST_BYTES: Final[Mapping[str, int]] = {"HS256": 32, "HS384": 48, "HS512": 64}
"""By algorithm, how long a secret must be (RFC 7518 §3.2)."""
REQUIRED: Final = ("exp", "iat", "sub", "typ")
_HEADER: Final = frozenset({"alg", "typ", "kid"})
_TYPES: Final = frozenset({"JWT", "at+jwt", "jwt"})
_MAX_SUBJECT: Final = 255

Claims = dict[str, Any]


class Demands(msgspec.Struct, frozen=True):
    """What a token must be like: `leeway` in seconds, `max_size` in characters."""

    algorithm: str
    issuer: str | None
    audience: str | None
    leeway: float
    max_size: int


class Codec:
    """Writes and reads the tokens of an application; of the secrets the first signs, and all are accepted."""

    def __init__(self, secrets: Sequence[bytes], demands: Demands) -> None:
        self._jwt = pyjwt()
        self._keys = {key_id(secret): secret for secret in secrets}
        self._demands = demands

    def encode(self, claims: Claims) -> str:
        """A token that says this."""
        kid, secret = next(iter(self._keys.items()))
        demands = self._demands
        named = {"iss": demands.issuer, "aud": demands.audience}
        whole = claims | {name: value for name, value in named.items() if value is not None}
        made: str = self._jwt.encode(whole, secret, algorithm=demands.algorithm, headers={"kid": kid})
        return made

    def decode(self, token: str, kind: str | None) -> Claims:
        """What a token says, if it is of that `typ` (AuthenticationFailed)."""
        try:
            kid = self._kid(*self._parts(token))
            claims = self._verified(token, [self._keys[kid]] if kid is not None else list(self._keys.values()))
        except self._jwt.ExpiredSignatureError as exc:
            raise AuthenticationFailed(EXPIRED_TOKEN) from exc
        except (self._jwt.InvalidTokenError, MalformedBody, KeyError, ValueError, OverflowError) as exc:
            raise AuthenticationFailed(INVALID_TOKEN) from exc
        if kind is not None and claims["typ"] != kind:
            raise AuthenticationFailed(INVALID_TOKEN)
        return claims

    def _parts(self, token: str) -> list[Claims]:
        """What header and claims say, whoever has signed them (ValueError, MalformedBody)."""
        parts = token.split(".")
        if len(token) > self._demands.max_size or len(parts) != 3:
            raise ValueError("not a token")
        found = [jsonio.loads(part) for part in map(decoded, parts[:2])]
        decoded(parts[2])
        if not all(isinstance(part, dict) for part in found):
            raise ValueError("not two objects")
        return found

    def _kid(self, header: Claims, claims: Claims) -> str | None:
        """Which key a token names, its parts being as they must be (ValueError, KeyError)."""
        if not header.keys() <= _HEADER or header.get("alg") != self._demands.algorithm:
            raise ValueError("not a header of ours")
        if not all(type(value) is str for value in header.values()) or header.get("typ", "JWT") not in _TYPES:
            raise ValueError("not a JSON Web Token")
        if not _well_formed(claims):
            raise ValueError("not claims of the right types")
        kid = header.get("kid")
        if kid is not None and kid not in self._keys:
            raise ValueError("not a key of ours")
        return kid

    def _verified(self, token: str, secrets: Sequence[bytes]) -> Claims:
        """The claims of a token that one of the secrets has signed (InvalidTokenError)."""
        demands = self._demands
        for place, secret in enumerate(secrets, 1):
            try:
                found: Claims = self._jwt.decode(
                    token,
                    secret,
                    algorithms=[demands.algorithm],
                    issuer=demands.issuer,
                    audience=demands.audience,
                    leeway=demands.leeway,
                    options={"require": list(REQUIRED)},
                )
            except self._jwt.InvalidSignatureError:
                if place == len(secrets):
                    raise
            else:
                return found
        raise AssertionError("there is at least one secret")


def pyjwt() -> ModuleType:
    """PyJWT (ConfigurationError where it is not installed)."""
    try:
        import jwt
    except ImportError as exc:
        raise ConfigurationError("JWTAuthentication needs PyJWT: pip install 'rest-kit[jwt]'") from exc
    return jwt


def key_id(secret: bytes) -> str:
    """How tokens name the secret that signs them."""
    return hashlib.sha256(b"rest_kit.kid." + secret).hexdigest()[:16]


def decoded(part: str) -> bytes:
    """One part of a token, in the only spelling that it has (ValueError)."""
    try:
        text = base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError) as exc:
        raise ValueError("not base64url") from exc
    if base64.urlsafe_b64encode(text).rstrip(b"=") != part.encode("ascii"):
        raise ValueError("not the canonical base64url")
    return text


def _well_formed(claims: Claims) -> bool:
    """Whether the claims are of the types that they should be; PyJWT takes numbers from texts (KeyError)."""
    times = [claims[name] for name in ("exp", "iat", "nbf") if name in claims]
    texts = [claims[name] for name in ("sub", "typ", "iss", "scope", "jti", "fam", "stamp") if name in claims]
    return (
        all(type(time) in (int, float) for time in times)
        and all(type(text) is str for text in texts)
        and type(claims.get("aud", "")) in (str, list)
        and 0 < len(claims["sub"]) <= _MAX_SUBJECT
    )
