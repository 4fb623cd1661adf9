"""Sessions of browsers: a cookie, a token against other sites' pages, and an end at once."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from webtest import TestResponse

from rest_kit.authentication import SessionAuthentication, SignedTokenAuthentication
from rest_kit.errors import ConfigurationError
from rest_kit.request import Request
from rest_kit.response import Response
from rest_kit.routes import Route
from rest_kit.signing import Keys
from tests.auth.support import SECRET, Home, ada
from tests.http.support import Client, problem

NEW = {"text": "new"}


class Browser:
    """Somebody's browser: it sends its cookie with everything, whoever asked for that."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.cookie = ""
        self.token = ""

    def ask(self, method: str, path: str, *args: Any, **headers: Any) -> TestResponse:
        if self.cookie:
            headers.setdefault("Cookie", f"session={self.cookie}")
        self.client._app.reset()
        reply = self.client.ask(method, path, *args, **headers)
        for header in reply.headers.getall("Set-Cookie"):
            self.cookie = SimpleCookie(header)["session"].value
        return reply

    def log_in(self, **changes: str) -> TestResponse:
        reply = self.ask("POST", "/session/login/", ada(**changes))
        self.token = reply.json.get("csrf_token", "")
        return reply

    def post(self, **headers: Any) -> TestResponse:
        return self.ask("POST", "/things/", NEW, **{"X_CSRF_Token": self.token, **headers})

    def status(self) -> int:
        found: int = self.ask("GET", "/things/").status_int
        return found


def served(home: Home, *, app: Any = (), **options: Any) -> Browser:
    """A browser at an application with sessions."""
    session = SessionAuthentication(home.users, **options)
    return Browser(home.client(session, routes=session.routes(), **dict(app)))


@pytest.fixture
def browser(home: Home) -> Browser:
    """A browser in which Ada is logged in."""
    browser = served(home)
    assert browser.log_in().status_int == 200
    return browser


def test_a_login_sets_a_cookie_that_scripts_and_other_sites_do_not_get(home: Home) -> None:
    reply = served(home).log_in()
    cookie = reply.headers["Set-Cookie"]
    for attribute in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=43200"):
        assert f"; {attribute}" in cookie
    assert reply.headers["Cache-Control"] == "no-store"
    plain = served(home, secure=False, same_site="Strict", path="/api", max_age=60).log_in().headers["Set-Cookie"]
    assert "Secure" not in plain
    assert "SameSite=Strict" in plain
    assert "Path=/api" in plain
    assert "Max-Age=60" in plain


def test_reading_takes_the_cookie_and_writing_the_token_too(browser: Browser) -> None:
    reply = browser.ask("GET", "/whoami")
    assert reply.json["name"] == "ada"
    assert reply.headers["Vary"] == "Cookie"
    assert browser.post().status_int == 201
    assert browser.ask("GET", "/session/csrf/").json == {"csrf_token": browser.token}


@pytest.mark.parametrize("token", ["", "wrong", "\xff", "0" * 64, "0" * 5000])
def test_a_write_without_the_sessions_token_is_refused(browser: Browser, token: str) -> None:
    reply = browser.post(X_CSRF_Token=token)
    assert "X-CSRF-Token" in problem(reply, 403, "permission-denied")["detail"]
    for method, path in (("PUT", "/things/1/"), ("PATCH", "/things/1/"), ("DELETE", "/things/1/"), ("POST", "/whoami")):
        assert browser.ask(method, path, NEW).status_int == 403


def test_a_token_is_good_for_its_own_session_alone(home: Home, browser: Browser) -> None:
    others = Browser(browser.client)
    others.log_in(username="bob")
    assert browser.post(X_CSRF_Token=others.token).status_int == 403
    assert browser.post().status_int == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost:80.evil.example"},
        {"Origin": "http://evil.example/localhost"},
        {"Origin": "ftp://localhost:80"},
        {"Referer": "https://evil.example/localhost"},
        {"Referer": "about:blank"},
        {"Referer": "http://[broken"},
        {"Origin": "https://evil.example", "Referer": "http://localhost:80/"},
    ],
)
def test_what_comes_from_another_sites_page_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    assert "another site" in problem(browser.post(**headers), 403, "permission-denied")["detail"]
    browser.cookie = ""
    assert browser.ask("POST", "/session/login", ada(), **headers).status_int == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost:80"},
        {"Origin": "https://localhost:80"},
        {"Origin": "http://LOCALHOST"},
        {"Referer": "http://localhost/login?next=/"},
        {"Origin": "https://app.example"},
    ],
)
def test_what_comes_from_our_own_pages_or_trusted_ones_is_not(home: Home, headers: dict[str, str]) -> None:
    browser = served(home, trusted_origins=["https://app.example"])
    assert browser.ask("POST", "/session/login", ada(), **headers).status_int == 200
    token = browser.ask("GET", "/session/csrf").json["csrf_token"]
    assert browser.post(X_CSRF_Token=token, **headers).status_int == 201


def test_a_login_takes_no_form_as_any_site_could_send_one(home: Home) -> None:
    body = b"username=ada&password=correct+horse"
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        reply = served(home).client.ask("POST", "/session/login", body=body, type=kind)
        assert reply.status_int == 415
        assert "Set-Cookie" not in reply.headers


def test_a_wrong_password_begins_no_session(home: Home) -> None:
    reply = served(home).log_in(password="wrong")
    assert problem(reply, 401, "authentication-failed")["detail"] == "Invalid credentials"
    assert reply.headers["WWW-Authenticate"] == 'Session realm="api"'
    assert "Set-Cookie" not in reply.headers


def test_a_login_begins_a_new_session_and_ends_the_one_before(browser: Browser) -> None:
    before, token = browser.cookie, browser.token
    browser.log_in()
    assert browser.cookie != before
    assert browser.token != token
    assert browser.status() == 200
    browser.cookie = before
    assert browser.status() == 401


def test_a_logout_ends_the_session_wherever_its_cookie_was_copied_to(browser: Browser) -> None:
    copied = browser.cookie
    assert browser.ask("POST", "/session/logout").status_int == 403
    reply = browser.ask("POST", "/session/logout", X_CSRF_Token=browser.token)
    assert reply.status_int == 204
    assert "Max-Age=0" in reply.headers["Set-Cookie"]
    assert browser.status() == 401
    browser.cookie = copied
    assert browser.status() == 401
    assert browser.ask("GET", "/session/csrf").status_int == 401


def test_whoever_is_disabled_deleted_or_has_another_password_is_out_at_once(home: Home, browser: Browser) -> None:
    bob, root = Browser(browser.client), Browser(browser.client)
    bob.log_in(username="bob")
    root.log_in(username="root")
    home.change(1, is_active=False)
    home.remove(2)
    home.users.set_password(4, "another horse")
    assert [one.status() for one in (browser, bob, root)] == [401, 401, 401]


def test_a_session_ends_by_time(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    later = TimestampSigner("x").get_timestamp() + 12 * 60 * 60 + 1
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: later)
    reply = browser.ask("GET", "/things/")
    problem(reply, 401, "authentication-failed")
    assert "Max-Age=0" in reply.headers["Set-Cookie"]


def test_a_storage_that_has_forgotten_ends_every_session(home: Home, browser: Browser) -> None:
    home.storage._kept.clear()
    assert browser.status() == 401


def test_cookies_of_others_are_none_of_ours(home: Home, browser: Browser) -> None:
    head, at, signature = browser.cookie.split(".")
    signed = SignedTokenAuthentication(home.users, secret=SECRET)
    foreign = Keys("Another secret, of as many bytes").timed("rest_kit.session").dumps(["1", "1", ""])
    strange = [Keys(SECRET).timed("rest_kit.session").dumps(value) for value in ([], ["1"], {}, "x", [1, 2, 3], None)]
    tried = [f"{head}x.{at}.{signature}", f"{head}.{at}.{signature[:-4]}AAAA", f"{head}.{at}", "x", "\xff", "a" * 4050]
    for cookie in [*tried, signed.create(1), str(foreign), *map(str, strange)]:
        reply = browser.client.get("/things/", Cookie=f"session={cookie}")
        problem(reply, 401, "authentication-failed")
    assert browser.client.get("/things/", Cookie=f"sessions={browser.cookie}; other=1").status_int == 401
    assert browser.client.get("/things/", Cookie=f"other=\xff; session={browser.cookie}").status_int == 200


def test_secrets_are_rotated(home: Home) -> None:
    old, new = "Another secret, of as many bytes", SECRET
    browser = served(home, secret=old)
    browser.log_in()
    browser.client = served(home, secret=[new, old]).client
    assert browser.status() == 200
    assert browser.post().status_int == 201
    browser.client = served(home, secret=new).client
    assert browser.status() == 401


def test_the_memory_of_one_of_several_processes_keeps_no_sessions(home: Home, browser: Browser) -> None:
    several = {"wsgi.multiprocess": True}
    for method, path, body in (("POST", "/session/login", ada()), ("GET", "/things/", NEW)):
        for storage in ("memory://", "memory://?multiprocess=allow"):
            alone = served(home, app={"storage": storage})
            reply = alone.client.ask(method, path, body, environ=several, Cookie=f"session={browser.cookie}")
            assert "sqlite:///" in problem(reply, 503, "unavailable")["detail"]


def test_a_login_page_of_ones_own(home: Home) -> None:
    session = SessionAuthentication(home.users)

    def enter(request: Request) -> Response:
        begun = session.log_in(request, home.users.verify("ada", "correct horse"))
        return Response({"csrf_token": session.csrf_token(request, begun)})

    browser = Browser(home.client(session, routes=[Route("/enter", enter, methods=["POST"], authentication=())]))
    browser.token = browser.ask("POST", "/enter").json["csrf_token"]
    assert browser.post().status_int == 201


def test_it_does_not_start_without_a_secret(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REST_KIT_SECRET", raising=False)
    session = SessionAuthentication(home.users)
    for parts in ({"authentication": [session]}, {"routes": session.routes()}):
        with pytest.raises(ConfigurationError, match="SessionAuthentication signs, and so needs a secret") as refused:
            home.app(*parts.get("authentication", []), routes=parts.get("routes", []), secret=None)
        assert len(refused.value.problems) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cookie": "a; b"}, "cookie must be one ASCII word"),
        ({"path": "/x; Domain=evil"}, "path must be a URL path"),
        ({"path": "/x\r\n"}, "path must be a URL path"),
        ({"same_site": "lax"}, "same_site must be one of Lax, Strict, None"),
        ({"same_site": "None", "secure": False}, "needs secure=True"),
        ({"secure": 1}, "secure must be True or False"),
        ({"max_age": 0}, "no session holds for ever"),
        ({"trusted_origins": "https://app.example"}, "must be a list"),
        ({"trusted_origins": ["https://app.example/"]}, "which is no origin"),
        ({"trusted_origins": ["*"]}, "which is no origin"),
        ({"secret": "short"}, "too short"),
    ],
)
def test_what_cannot_be_meant_is_refused(home: Home, options: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SessionAuthentication(home.users, **options)
