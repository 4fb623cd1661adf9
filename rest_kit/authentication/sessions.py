"""Sessions for people with a browser: a signed cookie that the storage keeps alive, safe from other sites' pages.

Whatever a browser sends by itself can be made to be sent by another site. So every unsafe request of a session must
bring a token that only the application's own pages know, and must not come from elsewhere by its own account.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from itsdangerous import BadData
from werkzeug.http import dump_cookie
from werkzeug.sansio.http import parse_cookie

from rest_kit.authentication import logins
from rest_kit.authentication.base import INVALID_TOKEN, MAX_CREDENTIALS, Signing, challenge, misnamed
from rest_kit.authentication.origins import origin_problems, refuse_foreign
from rest_kit.authentication.users import Users
from rest_kit.errors import AuthenticationFailed, PermissionDenied
from rest_kit.permissions import SAFE_METHODS, IsAuthenticated
from rest_kit.request import Request
from rest_kit.response import Response
from rest_kit.signing import Keys
from rest_kit.store import refuse
from rest_kit.types import Record
from rest_kit.users import User

if TYPE_CHECKING:
    from rest_kit.routes import Route

PURPOSE: Final = "rest_kit.session"
CSRF_PURPOSE: Final = "rest_kit.csrf"
CSRF_VARIABLE: Final = "HTTP_X_CSRF_TOKEN"
SAME_SITE: Final = ("Lax", "Strict", "None")


class Session(NamedTuple):
    """A login that a cookie speaks of: `id` is its key in the storage."""

    id: str
    user: str
    stamp: str


class SessionAuthentication(Signing):
    """A signed cookie, for at most `max_age` seconds; requests other than GET and HEAD must bring `X-CSRF-Token` too.

    Signed with `secret` (a list for rotation, newest first), or the application's own. `cookie`, `path`, `same_site`
    (`Lax`, `Strict`, `None`) and `secure` are the cookie's; it is never for scripts. `trusted_origins`, such as
    `https://app.example`, may send requests beside the application's own. For people's browsers, not for programs.
    """

    varies_by: tuple[str, ...] = ("Cookie",)
    users: Users

    def __init__(
        self,
        users: Users,
        *,
        secret: str | Sequence[str] | None = None,
        max_age: int = 12 * 60 * 60,
        cookie: str = "session",
        path: str = "/",
        secure: bool = True,
        same_site: str = "Lax",
        trusted_origins: Sequence[str] = (),
        realm: str = "api",
    ) -> None:
        problems = misnamed(cookie=cookie, realm=realm)
        problems += users.check() if isinstance(users, Users) else [f"takes Users(...), not {users!r}"]
        if type(max_age) is not int or max_age <= 0:
            problems.append(f"max_age must be a number of seconds, not {max_age!r}: no session holds for ever")
        problems += _cookie_problems(path, secure, same_site) + origin_problems(trusted_origins)
        refuse(problems, type(self).__name__)
        super().__init__(secret)
        self.users = users
        self.max_age = max_age
        self._cookie = cookie
        self._attributes: dict[str, Any] = {"path": path, "secure": secure, "samesite": same_site}
        self._trusted = frozenset(trusted_origins)
        self.challenge = challenge("Session", realm)

    # --- reading ------------------------------------------------------------------------------------------------------

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        sent = self._sent(request)
        if sent is None:
            return None
        session = self._opened(request, sent)
        record = None if session is None else self._record(request, session)
        if session is None or record is None:
            self._set_cookie(request, "", 0)
            raise AuthenticationFailed(INVALID_TOKEN)
        if request.method not in SAFE_METHODS:
            refuse_foreign(request, self._trusted)
            self._check_csrf(request, session)
        return self.users.user(record), session

    def _sent(self, request: Request) -> str | None:
        """The cookie's value; None where there is none. Others of whatever bytes may stand beside it."""
        cookies = request.environ.get("HTTP_COOKIE")
        return None if not cookies or self._cookie not in cookies else parse_cookie(cookies).get(self._cookie)

    def _opened(self, request: Request, sent: str) -> Session | None:
        """The session that a cookie speaks of, if it is ours and not too old."""
        if len(sent) > MAX_CREDENTIALS:
            return None
        try:
            return Session(*self.keys(request).timed(PURPOSE).loads(sent, max_age=self.max_age))
        except (BadData, ValueError, TypeError):
            return None

    def _record(self, request: Request, session: Session) -> Record | None:
        """The record of a session's user, if nobody has logged out of it, and the password is the same."""
        if logins.shared_storage(request).get(_key(session.id)) is None:
            return None
        record = self.users.find(session.user)
        return record if record is not None and self.users.stamp(record) == session.stamp else None

    # --- requests from elsewhere --------------------------------------------------------------------------------------

    def _check_csrf(self, request: Request, session: Session) -> None:
        sent = request.environ.get(CSRF_VARIABLE, "").encode("latin-1")
        good = [hmac.compare_digest(sent, token.encode()) for token in self._csrf_tokens(request, session.id)]
        if not any(good):
            raise PermissionDenied("the header X-CSRF-Token is missing, or is not this session's")

    def csrf_token(self, request: Request, session: Session) -> str:
        """What unsafe requests of a session must send as `X-CSRF-Token`."""
        return self._csrf_tokens(request, session.id)[0]

    def _csrf_tokens(self, request: Request, session_id: str) -> list[str]:
        keys: Keys = self.keys(request)
        return [hmac.new(key, session_id.encode(), hashlib.sha256).hexdigest() for key in keys.derive(CSRF_PURPOSE)]

    # --- logging in and out -------------------------------------------------------------------------------------------

    def log_in(self, request: Request, user: User) -> Session:
        """Begin a session for a user, in place of the one that the request may come with; the reply sets its cookie.

        For login pages of your own, which must check that the request comes from their own form.
        """
        self.refuse_mixed_up(request)
        key = self.users.key_of(user)
        record = self.users.find(key)
        if record is None:
            raise AuthenticationFailed(INVALID_TOKEN)
        self.log_out(request)
        session = Session(secrets.token_urlsafe(16), key, self.users.stamp(record))
        logins.shared_storage(request).swap(_key(session.id), None, b"1", self.max_age)
        signed = self.keys(request).timed(PURPOSE).dumps(list(session))
        self._set_cookie(request, signed if isinstance(signed, str) else signed.decode(), self.max_age)
        return session

    def log_out(self, request: Request) -> None:
        """End the session that a request comes with, wherever its cookie has been copied to."""
        sent = self._sent(request)
        session = None if sent is None else self._opened(request, sent)
        if session is not None:
            logins.shared_storage(request).swap(_key(session.id), b"1", None, 0)

    def _set_cookie(self, request: Request, value: str, seconds: int) -> None:
        text = dump_cookie(self._cookie, value, max_age=seconds, httponly=True, **self._attributes)
        request.add_headers(("Set-Cookie", text))

    def routes(self, prefix: str = "/session", *, throttle: Any = None) -> list[Route]:
        """The routes for `WSGIDispatcher`: POST `/login`, POST `/logout` and GET `/csrf` below the prefix.

        Logging in takes JSON, which no other site's form can send; `throttle` limits it.
        """
        known = {"authentication": self, "permissions": IsAuthenticated()}
        return [
            logins.route(f"{prefix}/login", self._login, self, throttle=throttle),
            logins.route(f"{prefix}/logout", self._logout, self, **known),
            logins.route(f"{prefix}/csrf", self._csrf, self, methods=["GET"], **known),
        ]

    def _login(self, request: Request) -> Response:
        refuse_foreign(request, self._trusted)
        record = logins.checked(self.users, request)
        session = self.log_in(request, self.users.user(record))
        return logins.secret_reply({"csrf_token": self.csrf_token(request, session)})

    def _logout(self, request: Request) -> None:
        self.log_out(request)
        self._set_cookie(request, "", 0)

    def _csrf(self, request: Request) -> Response:
        return logins.secret_reply({"csrf_token": self.csrf_token(request, request.auth)})


def _cookie_problems(path: Any, secure: Any, same_site: Any) -> list[str]:
    problems = []
    if not isinstance(path, str) or not path.startswith("/") or ";" in path or not path.isprintable():
        problems.append(f"path must be a URL path, not {path!r}")
    if not isinstance(secure, bool):
        problems.append(f"secure must be True or False, not {secure!r}")
    if same_site not in SAME_SITE:
        problems.append(f"same_site must be one of {', '.join(SAME_SITE)}, not {same_site!r}")
    elif same_site == "None" and secure is False:
        problems.append("same_site='None' needs secure=True: browsers drop the cookie otherwise")
    return problems


def _key(session_id: str) -> str:
    return f"rest_kit.session.{session_id}"
