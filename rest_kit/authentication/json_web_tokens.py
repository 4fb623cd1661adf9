"""JSON Web Tokens (RFC 7519): short-lived ones that are sent along, and long-lived ones that bring new ones."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from rest_kit.authentication import families, logins
from rest_kit.authentication.base import (
    INVALID_TOKEN,
    MAX_CREDENTIALS,
    Authentication,
    authorization,
    challenge,
    misnamed,
    secrets_of,
)
from rest_kit.authentication.jwt_codec import LEAST_BYTES, Claims, Codec, Demands, pyjwt
from rest_kit.authentication.users import Users, scopes_in
from rest_kit.errors import AuthenticationFailed, did_you_mean
from rest_kit.request import Request
from rest_kit.response import Response
from rest_kit.signing import Keys
from rest_kit.store import refuse
from rest_kit.types import Pk, Record
from rest_kit.users import User

if TYPE_CHECKING:
    from rest_kit.routes import Route

PURPOSE: Final = "rest_kit.jwt"
ACCESS: Final = "access"
REFRESH: Final = "refresh"


class JWTAuthentication(Authentication):
    """`Authorization: Bearer <JWT>`, signed with `secret` (a list for rotation, newest first) or the application's own.

    `users` are looked up for every request; without them, a user is what the token says, and there is nobody to log
    in. `algorithm` is HS256, HS384 or HS512, and no token says otherwise. `issuer`, `audience`: what `iss` and `aud`
    must be. `access_lifetime`, `refresh_lifetime`, `leeway`: seconds. `max_size`: characters. Needs the extra `jwt`.
    """

    guessable = False

    def __init__(
        self,
        users: Users | None = None,
        *,
        secret: str | Sequence[str] | None = None,
        algorithm: str = "HS256",
        issuer: str | None = None,
        audience: str | None = None,
        access_lifetime: float = 15 * 60,
        refresh_lifetime: float = 14 * 24 * 60 * 60,
        leeway: float = 0,
        keyword: str = "Bearer",
        realm: str = "api",
        max_size: int = MAX_CREDENTIALS,
    ) -> None:
        problems = misnamed(keyword=keyword, realm=realm)
        problems += _misfits(
            access_lifetime=access_lifetime, refresh_lifetime=refresh_lifetime, leeway=leeway, max_size=max_size
        )
        if users is not None and not isinstance(users, Users):
            problems.append(f"takes Users(...), not {users!r}")
        if algorithm not in LEAST_BYTES:
            hint = did_you_mean(str(algorithm), LEAST_BYTES)
            problems.append(f"algorithm must be one of {', '.join(LEAST_BYTES)}, not {algorithm!r}{hint}")
        several, unfit = secrets_of(secret, LEAST_BYTES.get(algorithm, 32))
        refuse(problems + unfit, type(self).__name__)
        pyjwt()
        self.users = users
        self.access_lifetime = access_lifetime
        self.refresh_lifetime = refresh_lifetime
        self._demands = Demands(algorithm, issuer, audience, leeway, max_size)
        self._own = None if secret is None else Codec([one.encode() for one in several], self._demands)
        self._of_keys = lru_cache(maxsize=8)(self._codec_of)
        self._scheme = keyword.lower()
        self.challenge = challenge(keyword, realm)

    def check(self, keys: Keys) -> list[str]:
        problems = super().check(keys)
        if self._own is not None:
            return problems
        if LEAST_BYTES[self._demands.algorithm] > 32:
            return [*problems, f"{self!r} needs a secret of its own for {self._demands.algorithm}: give secret="]
        return problems + keys.problems(type(self).__name__)

    def _codec_of(self, keys: Keys) -> Codec:
        return Codec(keys.derive(PURPOSE), self._demands)

    def _codec(self, request: Request | None) -> Codec:
        if self._own is not None:
            return self._own
        if request is None:
            raise ValueError("JWTAuthentication signs with the application's secret: give it the request, or a secret=")
        return self._of_keys(request.view.keys)

    # --- reading ------------------------------------------------------------------------------------------------------

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        token = authorization(request, self._scheme)
        if token is None:
            return None
        claims = self._codec(request).decode(token, ACCESS)
        return self._user(claims), claims

    def _user(self, claims: Claims) -> User:
        """Whom claims speak of, if there still is such a user with the same password (AuthenticationFailed)."""
        scopes = scopes_in(claims["scope"]) if "scope" in claims else None
        if self.users is None:
            subject = claims["sub"]
            return User(subject, name=subject, scopes=scopes or frozenset(), record={"claims": claims})
        return self.users.user(self._record(claims), scopes)

    def _record(self, claims: Claims) -> Record:
        users = self._known_users()
        record = users.find(claims["sub"])
        # a token that somebody else has signed knows nothing of stamps
        if record is None or ("stamp" in claims and claims["stamp"] != users.stamp(record)):
            raise AuthenticationFailed(INVALID_TOKEN)
        return record

    def _known_users(self) -> Users:
        if self.users is None:
            refuse(["logging in needs users: JWTAuthentication(users)"], type(self).__name__)
        assert self.users is not None
        return self.users

    # --- making -------------------------------------------------------------------------------------------------------

    def access_token(
        self, user: User | Pk, request: Request | None = None, *, scopes: Iterable[str] | None = None
    ) -> str:
        """A token to send along, for `access_lifetime`; where the application's secret signs, give the request too.

        `scopes` narrow what the user may do with it (AuthenticationFailed where there is no such user any more).
        """
        self.refuse_mixed_up(request)
        claims = self._claims(user, ACCESS, self.access_lifetime)
        if scopes is not None:
            claims["scope"] = " ".join(scopes)
        return self._codec(request).encode(claims)

    def pair(self, user: User | Pk, request: Request) -> dict[str, str]:
        """An access token, and the first refresh token of a new family (AuthenticationFailed, ServiceUnavailable)."""
        family, first = families.begin(logins.shared_storage(request), self.refresh_lifetime)
        return self._pair(user, request, family, first)

    def _pair(self, user: User | Pk, request: Request, family: str, token: str) -> dict[str, str]:
        claims = self._claims(user, REFRESH, self.refresh_lifetime) | {"fam": family, "jti": token}
        return {ACCESS: self.access_token(user, request), REFRESH: self._codec(request).encode(claims)}

    def _claims(self, user: User | Pk, kind: str, seconds: float) -> Claims:
        now = int(time.time())
        claims: Claims = {"iat": now, "exp": now + max(1, int(seconds)), "typ": kind}
        if self.users is None:
            return {"sub": str(user.pk if isinstance(user, User) else user), **claims}
        key = self.users.key_of(user)
        record = self.users.find(key)
        if record is None:
            raise AuthenticationFailed(INVALID_TOKEN)
        return {"sub": key, "stamp": self.users.stamp(record), **claims}

    # --- routes -------------------------------------------------------------------------------------------------------

    def routes(self, prefix: str = "/token", *, throttle: Any = None) -> list[Route]:
        """The routes for `WSGIDispatcher`: obtain at the prefix, and `/refresh`, `/verify` and `/revoke` below it.

        `throttle` limits all four (ConfigurationError where the users cannot log in).
        """
        refuse(self._known_users().check(), type(self).__name__)
        functions = {
            prefix: self._obtain,
            f"{prefix}/refresh": self._refresh,
            f"{prefix}/verify": self._verify,
            f"{prefix}/revoke": self._revoke,
        }
        return [logins.route(path, function, self, throttle=throttle) for path, function in functions.items()]

    def _obtain(self, request: Request) -> Response:
        users = self._known_users()
        user = users.user(logins.checked(users, request))
        return logins.secret_reply(self.pair(user, request))

    def _refresh(self, request: Request) -> Response:
        claims = self._refreshing(request)
        storage, family = logins.shared_storage(request), claims["fam"]
        user = self._user(claims)
        new = families.renew(storage, family, claims["jti"], self.refresh_lifetime)
        if new is None:
            raise AuthenticationFailed(INVALID_TOKEN)
        return logins.secret_reply(self._pair(user, request, family, new))

    def _refreshing(self, request: Request) -> Claims:
        """What the refresh token in a body says (AuthenticationFailed)."""
        (token,) = logins.members(request, REFRESH)
        return self._with_family(self._codec(request).decode(token, REFRESH))

    def _with_family(self, claims: Claims) -> Claims:
        if "fam" not in claims or "jti" not in claims:
            raise AuthenticationFailed(INVALID_TOKEN)
        return claims

    def _verify(self, request: Request) -> Response:
        (token,) = logins.members(request, "token")
        claims = self._codec(request).decode(token, None)
        self._user(claims)
        if claims["typ"] == REFRESH:
            self._with_family(claims)
            if not families.is_youngest(logins.shared_storage(request), claims["fam"], claims["jti"]):
                raise AuthenticationFailed(INVALID_TOKEN)
        return logins.secret_reply({name: claims[name] for name in ("typ", "sub", "exp")})

    def _revoke(self, request: Request) -> Response:
        claims = self._refreshing(request)
        families.end(logins.shared_storage(request), claims["fam"])
        return Response(None, 204)


def _misfits(**seconds: Any) -> list[str]:
    """A sentence for each number that cannot be meant."""
    return [
        f"{name} must be a number above 0, not {value!r}"
        for name, value in seconds.items()
        if type(value) not in (int, float) or value < 0 or (value == 0 and name != "leeway")
    ]
