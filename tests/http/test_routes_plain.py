"""Plain endpoints beside the resources: logging in, pages behind a login, and whatever else is no resource."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from werkzeug.wrappers import Response as WSGIResponse

from rest_kit import models
from rest_kit.authentication import Authentication
from rest_kit.controllers import WSGIDispatcher
from rest_kit.errors import AuthenticationFailed, ConfigurationError
from rest_kit.permissions import AllowAny, IsAuthenticated
from rest_kit.request import Request
from rest_kit.response import Response
from rest_kit.routes import Route
from rest_kit.users import User
from tests.http.support import Client, allowed, faults, over_list, problem, serve


class Login(models.Model):
    """What logging in takes."""

    fields = [
        models.StringField("username", required=True, messages={"required": "Who are you?"}),
        models.StringField("password", required=True),
    ]


class Tokens(Authentication):
    """Takes the one token that `login` gives."""

    challenge = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        given = request.header("AUTHORIZATION")
        if given is None:
            return None
        if given != "Bearer abc":
            raise AuthenticationFailed("Invalid token")
        return User("admin"), given


LOGIN = Login()


def login(request: Request) -> Any:
    """A token for a name and a password."""
    given = LOGIN.load(request.data)
    if (given["username"], given["password"]) != ("admin", "secret"):
        raise AuthenticationFailed("Invalid credentials")
    return {"access_token": "abc", "token_type": "bearer"}


def protected(request: Request) -> Any:
    """Says hello to whoever is logged in."""
    return {"message": f"Hello {request.user.pk}"}


def list_of_pages(request: Request) -> Any:
    """What no endpoint can be, as nothing of it has run when it is called."""
    yield {"page": 1}


def client(*routes: Route, **arguments: Any) -> Client:
    return serve(over_list([{"id": 1}]), prefix="/api", routes=routes, **arguments)


@pytest.fixture
def site() -> Client:
    """An API that asks for a token everywhere but where one is given."""
    return client(
        Route("/login", login, methods=["POST"], permissions=[AllowAny()], authentication=[], max_body=100),
        Route("/protected", protected),
        authentication=Tokens(),
        permissions=[IsAuthenticated()],
    )


def test_one_logs_in_and_comes_back_with_the_token(site: Client) -> None:
    given = site.post("/api/login", {"username": "admin", "password": "secret"}).json
    assert given == {"access_token": "abc", "token_type": "bearer"}
    assert site.get("/api/protected", Authorization=f"Bearer {given['access_token']}").json == {
        "message": "Hello admin"
    }


def test_nobody_else_comes_in(site: Client) -> None:
    reply = site.get("/api/protected")
    problem(reply, 401, "not-authenticated")
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    found = problem(site.get("/api/protected", Authorization="Bearer xyz"), 401, "authentication-failed")
    assert found["detail"] == "Invalid token"
    found = problem(site.post("/api/login", {"username": "x", "password": "y"}), 401, "authentication-failed")
    assert found["detail"] == "Invalid credentials"


def test_a_body_is_held_to_a_model_and_to_its_size(site: Client) -> None:
    reply = site.post("/api/login", {"password": 5})
    assert faults(reply) == [("#/username", "required"), ("#/password", "type")]
    assert reply.json["errors"][0]["detail"] == "Who are you?"
    problem(site.post("/api/login", {"username": "x" * 100}), 413, "body-too-large")
    problem(site.post("/api/login", body=b"a=b", type="text/plain"), 415, "unsupported-media-type")
    problem(site.post("/api/login", body=b"{"), 400, "malformed-body")


def test_verbs_and_slashes_are_as_everywhere(site: Client) -> None:
    assert allowed(site.options("/api/login")) == ["POST", "OPTIONS"]
    assert allowed(site.options("/api/protected/")) == ["GET", "HEAD", "OPTIONS"]
    reply = site.get("/api/login/")
    problem(reply, 405, "method-not-allowed")
    assert allowed(reply) == ["POST", "OPTIONS"]
    assert site.head("/api/protected/", Authorization="Bearer abc").status_int == 200
    problem(site.get("/login"), 404, "not-found")


def test_verbs_may_be_written_in_any_case() -> None:
    assert client(Route("/echo", lambda request: {"a": 1}, methods=["post"])).post("/api/echo").json == {"a": 1}


def test_segments_of_the_path_are_handed_over() -> None:
    def add(request: Request, a: int, name: str) -> Any:
        return {"a": a, "name": name, "query": request.http.args.get("q"), "action": request.action}

    route = Route("/add/<int:a>/<name>", add)
    assert client(route).get("/api/add/7/x%20y/?q=1").json == {"a": 7, "name": "x y", "query": "1", "action": "add"}
    problem(client(route).get("/api/add/seven/x"), 404, "not-found")


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        (None, 204, b""),
        ({"a": 1}, 200, b'{"a":1}'),
        ([], 200, b"[]"),
        (({"a": 1}, 201), 201, b'{"a":1}'),
        (("", 204), 204, b""),
        (Response({"a": 1}, 202), 202, b'{"a":1}'),
        (({"a": 1}, HTTPStatus.CREATED, {"X-Job": "7"}), 201, b'{"a":1}'),
        (("200 OK", [("Content-Type", "text/plain")], b"a"), 200, b"a"),
        (WSGIResponse("<p>", 418, mimetype="text/html"), 418, b"<p>"),
    ],
)
def test_what_is_returned_is_the_reply(result: Any, status: int, body: bytes) -> None:
    async def answer(request: Request) -> Any:
        return result

    for function in (lambda request: result, answer):
        reply = client(Route("/x", function)).get("/api/x")
        assert (reply.status_int, reply.body) == (status, body)


def late(value: str) -> Response:
    """A response whose header was set when it had been looked at already."""
    response = Response({})
    response.headers["X-Name"] = value
    return response


@pytest.mark.parametrize(
    ("result", "complaint"),
    [
        (lambda: (1, 2, 3), "the headers of a reply are a dict, not 3"),
        (lambda: (1, 2), "the status of a reply is a number from 200 to 599, not 2"),
        (lambda: ({}, True), "not True"),
        (lambda: ({}, "200"), "not '200'"),
        (lambda: Response({}, 99999), "not 99999"),
        (lambda: Response({}, 100), "not 100"),
        (lambda: ({}, 200, {}, 1), "what is returned as a tuple is \\(data, status\\) or"),
        (lambda: ({}, 200, {"X": 1}), "the header 'X' must be a line of text in Latin-1, not 1"),
        (lambda: ({}, 200, {"X": "ż"}), "must be a line of text in Latin-1"),
        (lambda: ({}, 200, {"X Y:": "1"}), "'X Y:' cannot be the name of a header"),
        (lambda: ({}, 200, {"Transfer-Encoding": "chunked"}), "is the server's to send"),
        (lambda: ("200 OK", [("X", "a\nb")], b""), "must be a line of text"),
        (lambda: ("200 OK", [], "text"), "the headers of a reply are a dict, not 'text'"),
        (lambda: late("a\r\nSet-Cookie: evil=1"), "must be a line of text"),
        (lambda: {"rows": [{"x": float("nan")}]}, "nan cannot be written as JSON"),
        (lambda: {"x": float("-inf")}, "-inf cannot be written as JSON"),
    ],
)
def test_what_cannot_be_sent_is_an_error_of_ours(
    result: Callable[[], Any], complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = problem(client(Route("/x", lambda request: result())).get("/api/x"), 500, "internal")
    [entry] = caplog.records
    assert found["request_id"] in entry.getMessage()
    assert re.search(complaint, entry.getMessage())


def test_no_header_that_is_added_smuggles_another_one_in(caplog: pytest.LogCaptureFixture) -> None:
    def greet(request: Request) -> Any:
        request.add_headers(("X-Name", request.http.args["name"]))

    both = client(Route("/x", greet))
    assert both.get("/api/x?name=Ada").headers["X-Name"] == "Ada"
    reply = both.get("/api/x?name=a%0D%0ASet-Cookie:%20evil=1")
    problem(reply, 500, "internal")
    assert "X-Name" not in reply.headers
    assert "must be a line of text" in caplog.text


def test_the_length_of_a_reply_is_counted_whatever_is_said_of_it() -> None:
    reply = client(Route("/x", lambda request: ({"a": 1}, 200, {"content-length": "1"}))).get("/api/x")
    assert reply.headers.getall("Content-Length") == ["7"]


def test_a_route_stands_beside_the_resources() -> None:
    both = client(Route("/things/x/y", lambda request: {"route": True}))
    assert both.get("/api/things/x/y").json == {"route": True}
    assert both.get("/api/things/1/").json["id"] == 1


def test_each_verb_of_an_address_may_have_a_route_of_its_own() -> None:
    def list_jobs(request: Request) -> Any:
        return ["a job"]

    def start_job(request: Request) -> Any:
        return {"started": request.data}, 201

    jobs = client(Route("/jobs", list_jobs), Route("/jobs/", start_job, methods=["POST"]))
    assert jobs.get("/api/jobs").json == ["a job"]
    assert jobs.post("/api/jobs", {"n": 1}).json == {"started": {"n": 1}}
    reply = jobs.delete("/api/jobs")
    problem(reply, 405, "method-not-allowed")
    assert allowed(reply) == allowed(jobs.options("/api/jobs")) == ["GET", "HEAD", "POST", "OPTIONS"]


def test_routes_of_one_address_may_name_its_segments_as_they_like() -> None:
    shown = Route("/jobs/<a>", lambda request, a: {"shown": a})
    ended = Route("/jobs/<job>", lambda request, job: {"ended": job}, methods=["DELETE"])
    jobs = client(shown, ended)
    assert jobs.get("/api/jobs/7").json == {"shown": "7"}
    assert jobs.delete("/api/jobs/7").json == {"ended": "7"}
    assert allowed(jobs.put("/api/jobs/7", {})) == ["GET", "HEAD", "DELETE", "OPTIONS"]


def test_an_encoded_slash_ends_no_segment() -> None:
    site = client(Route("/files/<name>/admin", lambda request, name: {"name": name}))
    assert site.get("/api/files/b/admin").json == {"name": "b"}
    encoded = "/api/files/b%2Fadmin"
    problem(site.get("/api/files/b/admin", environ={"RAW_URI": encoded}), 404, "not-found")


@pytest.mark.parametrize(
    "paths",
    [
        ("/jobs", "/jobs"),
        ("/jobs", "/jobs/"),
        ("/jobs/<int:a>", "/jobs/<int:b>"),
        ("/jobs/<a>/x", "/jobs/<b>/x"),
    ],
)
def test_two_routes_cannot_answer_one_verb_at_one_address(paths: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="another route answers GET there"):
        client(*(Route(path, lambda request, **segments: None) for path in paths))


def test_routes_that_differ_in_what_they_take_stand_side_by_side() -> None:
    def say(what: str) -> Any:
        return lambda request, x=None: {"said": [what, x]}

    site = client(
        Route("/jobs/<int:x>", say("number")), Route("/jobs/<x>", say("word")), Route("/jobs/all", say("all"))
    )
    assert [site.get(f"/api/jobs/{x}").json["said"] for x in ("7", "b", "all")] == [
        ["number", 7],
        ["word", "b"],
        ["all", None],
    ]


@pytest.mark.parametrize("path", ["/things", "/things/", "/<name>", "/<path:all>", "/things/<int:pk>", "/<name>/<pk>"])
def test_a_route_cannot_hide_a_resource(path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"would hide the resource at /things/: choose another path"):
        client(Route(path, lambda request, **segments: None))
    versioned = {
        "versions": {"v1": [over_list([{"id": 1}])]},
        "routes": [Route(f"/v1{path}", lambda request, **segments: None)],
    }
    with pytest.raises(ConfigurationError, match="would hide the resource at /v1/things/"):
        WSGIDispatcher([], **versioned)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/", "/thing", "/<int:year>", "/things/latest", "/things/<pk>/more", "/v1/things"])
def test_a_route_may_lie_anywhere_else(path: str) -> None:
    assert client(Route(path, lambda request, **values: {"route": True})).get("/api/things/1/").json["id"] == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"path": "login"}, "a route's path begins with a slash"),
        ({"path": "//login"}, "has no empty segment"),
        ({"function": "login"}, "must be given a function"),
        ({"path": "/x/<int:"}, "a route's segments are words, <name>, <int:name>.* unlike '/x/<int:': malformed"),
        ({"path": "/x/<foo:bar>"}, "the converter 'foo' does not exist"),
        ({"path": "/x/<>"}, "unlike '/x/<>'"),
        ({"path": "/x/<int:a>/<int:a>"}, "each name once"),
        ({"path": "/x/<name>"}, r"Route\('/x/<name>'\) must be a function that takes \(request, name\)"),
        ({"path": "/x/<request>"}, r"must be a function that takes \(request, request\)"),
        ({"function": list_of_pages}, "returns what is to be shown, and does not yield"),
        ({"methods": "POST"}, "methods must be a list of GET, POST"),
        ({"methods": []}, "methods must be a list of GET, POST"),
        ({"max_body": -1}, "max_body must be a positive number of bytes"),
        ({"permissions": [IsAuthenticated]}, "it must be an instance"),
    ],
)
def test_a_route_that_cannot_be_meant_is_refused(arguments: dict[str, Any], complaint: str) -> None:
    given = {"path": "/login", "function": login, **arguments}
    with pytest.raises(ConfigurationError, match=complaint):
        Route(given.pop("path"), given.pop("function"), **given)


def test_segments_may_be_gathered_and_builtins_served() -> None:
    both = client(Route("/all/<a>/<path:b>", lambda request, **given: given), Route("/id", id))
    assert both.get("/api/all/1/2/3").json == {"a": "1", "b": "2/3"}
    assert isinstance(both.get("/api/id").json, int)


def test_only_routes_are_routes() -> None:
    with pytest.raises(ConfigurationError, match="which is not a Route"):
        WSGIDispatcher([], routes=[login])  # type: ignore[list-item]
