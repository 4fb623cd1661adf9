"""Users that the server has authenticated already, as by Kerberos, client certificates or a login page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_kit.authentication.base import MAX_CREDENTIALS, Authentication, challenge, misnamed
from rest_kit.authentication.origins import origin_problems, refuse_foreign_writes
from rest_kit.authentication.users import Users
from rest_kit.errors import AuthenticationFailed
from rest_kit.request import Request
from rest_kit.store import refuse
from rest_kit.users import User


class RemoteUserAuthentication(Authentication):
    """The name in the server's variable `REMOTE_USER`, which no client can set.

    `users` are looked up by it; without, the user is known by that name alone. `variable` is another variable of the
    server's. `header` names a header in its place, for a proxy that always sets or removes it: whoever can reach the
    application without that proxy is whoever they say. A name with a comma is refused there, as servers make one of
    two headers so. `realm` is what the 401 names. What pages of other sites send is refused where it writes, unless
    they are of `trusted_origins`.
    """

    guessable = False

    varies_by: tuple[str, ...] = ()

    def __init__(
        self,
        users: Users | None = None,
        *,
        variable: str = "REMOTE_USER",
        header: str | None = None,
        realm: str = "api",
        trusted_origins: Sequence[str] = (),
    ) -> None:
        problems = origin_problems(trusted_origins)
        problems += misnamed(variable=variable, realm=realm, **({} if header is None else {"header": header}))
        if users is not None and not isinstance(users, Users):
            problems.append(f"takes Users(...), not {users!r}")
        if str(variable).upper().startswith("HTTP_"):
            problems.append(
                f"variable={variable!r} is a header that any client can send; if a proxy sets it, say header="
            )
        refuse(problems, type(self).__name__)
        self.users = users
        self._trusted = frozenset(trusted_origins)
        self._variable = variable
        self._is_header = header is not None
        if header is not None:
            self._variable = "HTTP_" + header.upper().replace("-", "_")
            self.varies_by = (header,)
        self.challenge = challenge("RemoteUser", realm)

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        said: str = request.environ.get(self._variable, "")
        if not said:
            return None
        refuse_foreign_writes(request, self._trusted)
        if self._is_header and "," in said:
            raise AuthenticationFailed("this user is not known here")
        name = _decoded(said)
        if self.users is None:
            return User(name, name=name), self
        record = self.users.named_active(name)
        if record is None:
            raise AuthenticationFailed("this user is not known here")
        return self.users.user(record), self


def _decoded(said: str) -> str:
    """A name out of a WSGI environment, where every byte is a character (PEP 3333)."""
    if len(said) > MAX_CREDENTIALS:
        raise AuthenticationFailed("this user is not known here")
    try:
        return said.encode("latin-1").decode()
    except UnicodeError as exc:
        raise AuthenticationFailed("this user is not known here") from exc
