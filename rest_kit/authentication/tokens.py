"""Tokens and API keys: random texts of which only digests are kept, each belonging to a user.

The digest is the record's primary key, so that to recognise a token is to get one record, and no comparison of
secrets is left whose time could tell anything.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from rest_kit import models
from rest_kit.authentication import logins
from rest_kit.authentication.base import (
    EXPIRED_TOKEN,
    INVALID_TOKEN,
    MAX_CREDENTIALS,
    Authentication,
    authorization,
    challenge,
    misnamed,
)
from rest_kit.authentication.sources import store_of
from rest_kit.authentication.users import Users, scopes_in
from rest_kit.errors import AuthenticationFailed, RecordNotFound
from rest_kit.models import Model
from rest_kit.processes import refuse_unshared
from rest_kit.query import Filter, Page, Query
from rest_kit.request import Request
from rest_kit.response import Response
from rest_kit.store import Tx, refuse
from rest_kit.types import Pk
from rest_kit.users import User

if TYPE_CHECKING:
    from rest_kit.routes import Route

KEY_BYTES: Final = 20
"""How much chance is in a key: 160 bits, written as 40 hexadecimal digits."""
_BATCH: Final = 100


class TokenModel(Model):
    """A token as it is kept: whose it is, until when it holds, and what it grants (null: all that the user has)."""

    fields = (
        models.StringPkField("digest", max_length=64),
        models.StringField("user", required=True, max_length=255),
        models.StringField("scopes", max_length=1000),
        models.DateTimeField("expires"),
        models.DateTimeField("created", auto_now_add=True),
    )


class Token:
    """A new token: `key` is what its owner sends, and can be seen here alone; `expires` is None, or a datetime."""

    __slots__ = ("expires", "key")

    def __init__(self, key: str, expires: datetime.datetime | None) -> None:
        self.key = key
        self.expires = expires

    def __repr__(self) -> str:
        return f"<Token {self.key[:4]}…>"


class Tokens:
    """The tokens, or API keys, of an application: `source` is a Controller class, or a datastore.

    `users` are whom they belong to; without, a token's user is known by nothing but the text that it was created with.
    `model` is for a datastore that has none yet. Raises ConfigurationError.
    """

    def __init__(self, source: Any, users: Users | None = None, *, model: type[Model] = TokenModel) -> None:
        self.store = store_of(source, model, type(self).__name__)
        self.users = users
        problems = [] if users is None or isinstance(users, Users) else [f"users must be Users(...), not {users!r}"]
        bound = self.store.bound_model
        if bound is not None:
            wanted = [name for name in TokenModel().names if name != "created" and name not in bound.by_name]
            problems += [f"tokens need a field {name!r}, as in TokenModel" for name in wanted]
            if bound.pk is None or bound.pk.name != "digest":
                problems.append("the primary key of tokens must be 'digest', as in TokenModel")
        refuse(problems, type(self).__name__)

    def owner(self, key: str) -> User:
        """Whose a token is (AuthenticationFailed, StoreUnavailable)."""
        # PERF: TokenAuthentication: two look-ups, one digest, and nothing else
        try:
            row = self.store.get(digest_of(key))
        except RecordNotFound as exc:
            raise AuthenticationFailed(INVALID_TOKEN) from exc
        expires = row["expires"]
        if expires is not None and expires <= datetime.datetime.now(datetime.UTC):
            raise AuthenticationFailed(EXPIRED_TOKEN)
        scopes = None if row["scopes"] is None else scopes_in(row["scopes"])
        if self.users is None:
            return User(row["user"], name=row["user"], scopes=scopes or frozenset())
        record = self.users.find(row["user"])
        if record is None:
            raise AuthenticationFailed(INVALID_TOKEN)
        return self.users.user(record, scopes)

    def create(self, user: User | Pk, *, expires_in: float | None = None, scopes: Iterable[str] | None = None) -> Token:
        """A new token, for so many seconds if it is said; `scopes` narrow what the user may do with it.

        ValueError for a time that no calendar has.
        """
        key = secrets.token_hex(KEY_BYTES)
        now = datetime.datetime.now(datetime.UTC)
        expires = None if expires_in is None else _after(now, expires_in)
        record = {
            "digest": digest_of(key),
            "user": self._text(user),
            "scopes": None if scopes is None else " ".join(scopes),
            "expires": expires,
            "created": now,
        }
        kept = {name: value for name, value in record.items() if name in self.store.model.by_name}
        self.store.atomic(lambda tx: tx.insert([kept]))
        return Token(key, expires)

    def revoke(self, key: str) -> bool:
        """End a token at once; False where there is none."""
        try:
            self.store.atomic(lambda tx: tx.delete(digest_of(key)))
        except RecordNotFound:
            return False
        return True

    def revoke_all(self, user: User | Pk) -> int:
        """End every token of a user at once; how many there were."""
        query = Query(Filter("user", "eq", self._text(user)), fields=("digest",), page=Page(_BATCH))

        def work(tx: Tx) -> int:
            found = tx.find(query).records
            for record in found:
                tx.delete(record["digest"])
            return len(found)

        count = 0
        while ended := self.store.atomic(work):
            count += ended
        return count

    def _text(self, user: User | Pk) -> str:
        if self.users is not None:
            return self.users.key_of(user)
        return str(user.pk if isinstance(user, User) else user)


def _after(now: datetime.datetime, seconds: float) -> datetime.datetime:
    """A time so many seconds from now (ValueError)."""
    try:
        return now + datetime.timedelta(seconds=seconds)
    except (OverflowError, TypeError, ValueError) as exc:
        raise ValueError(
            f"expires_in must be a number of seconds that ends before the year 10000, not {seconds!r}"
        ) from exc


def digest_of(key: str) -> str:
    """What is kept of a key: as the key is all chance, one plain SHA-256 is as good as a slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


class _ByToken(Authentication):
    """What the classes have in common that look tokens up."""

    guessable = False

    tokens: Tokens

    def _take(self, tokens: Tokens, problems: list[str]) -> None:
        if not isinstance(tokens, Tokens):
            problems.append(f"takes Tokens(...), not {tokens!r}")
        refuse(problems, type(self).__name__)
        self.tokens = tokens
        self.users = tokens.users


class TokenAuthentication(_ByToken):
    """`Authorization: Token <key>`, of keys that `Tokens` has created; `keyword` is the word before it."""

    def __init__(self, tokens: Tokens, *, keyword: str = "Token", realm: str = "api") -> None:
        self._take(tokens, misnamed(keyword=keyword, realm=realm))
        self._scheme = keyword.lower()
        self.challenge = challenge(keyword, realm)

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        key = authorization(request, self._scheme)
        return None if key is None else (self.tokens.owner(key), self)

    def routes(self, prefix: str = "/token", *, expires_in: float | None = None, throttle: Any = None) -> list[Route]:
        """A route for logging in: POST of `username` and `password` answers `{"token": ...}`.

        The tokens hold for `expires_in` seconds, or until they are revoked; `throttle` limits the route.
        """

        def obtain_token(request: Request) -> Response:
            users = self._users()
            if self.tokens.store.capabilities.in_process:
                refuse_unshared(request, "the tokens live", "run one worker, or keep them in SQLite")
            user = users.user(logins.checked(users, request))
            return logins.secret_reply({"token": self.tokens.create(user, expires_in=expires_in).key})

        problems = self._users().check()
        if expires_in is not None:
            try:
                _after(datetime.datetime.now(datetime.UTC), expires_in)
            except ValueError as exc:
                problems.append(str(exc))
        refuse(problems, type(self).__name__)
        return [logins.route(prefix, obtain_token, self, throttle=throttle)]

    def _users(self) -> Users:
        if self.tokens.users is None:
            refuse(["logging in needs users: Tokens(source, users)"], type(self).__name__)
        assert self.tokens.users is not None
        return self.tokens.users


class ApiKeyAuthentication(_ByToken):
    """A key that `Tokens` has created, in a header, and in a query parameter only where its name is given.

    URLs end up in logs and histories, so the parameter is for callers that cannot set headers. It is taken out of the
    query string: no filter, link or reply repeats it.
    """

    def __init__(
        self, tokens: Tokens, *, header: str = "X-API-Key", query_parameter: str | None = None, realm: str = "api"
    ) -> None:
        problems = misnamed(header=header, realm=realm)
        if query_parameter is not None:
            problems += misnamed(query_parameter=query_parameter)
        self._take(tokens, problems)
        self._variable = "HTTP_" + header.upper().replace("-", "_")
        self._parameter = query_parameter
        self.parameters = () if query_parameter is None else (query_parameter,)
        self.varies_by = (header,)
        self.challenge = challenge("ApiKey", realm)

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        key: str | None = request.environ.get(self._variable)
        if self._parameter is not None:
            sent = request.withdraw(self._parameter)
            key = sent if key is None else key
        if key is None:
            return None
        if not key or len(key) > MAX_CREDENTIALS:
            raise AuthenticationFailed(INVALID_TOKEN)
        return self.tokens.owner(key), self
