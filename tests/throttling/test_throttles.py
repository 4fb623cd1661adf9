"""Who is counted, for what, and how often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rest_kit.controllers import WSGIDispatcher
from rest_kit.errors import ConfigurationError
from rest_kit.models import Model, PkField, StringField
from rest_kit.request import Request
from rest_kit.routes import Route
from rest_kit.storage import MemoryStorage, Window
from rest_kit.throttling import (
    AddressRateThrottle,
    AnonRateThrottle,
    RateLimit,
    RateThrottle,
    ScopedRateThrottle,
    ScopeRateThrottle,
    Throttle,
    UserRateThrottle,
)
from tests.http.support import Client, make_controller, over_list, problem, serve
from tests.throttling.support import ROWS, Passwords, Site

ADA, BOB = {"Authorization": "ada:secret"}, {"Authorization": "bob:secret"}


def test_so_many_and_then_429_with_when_to_come_again() -> None:
    site = Site(AnonRateThrottle("3/min"))
    assert site.statuses(3) == [200] * 3
    site.wait(20.5)
    reply = site.client.get("/things/1/", environ={"REMOTE_ADDR": "192.0.2.1"})
    assert problem(reply, 429, "throttled")["detail"] == "'anon' allows 3 in 60 s; try again in 40 s"
    assert reply.headers["Retry-After"] == "40"
    site.wait(39)
    assert site.statuses(1) == [429]
    site.wait(1)
    assert site.statuses(4) == [200, 200, 200, 429]


def test_anonymous_callers_are_counted_by_address_and_users_not_at_all() -> None:
    site = Site(AnonRateThrottle("2/day"), authentication=Passwords())
    assert site.statuses(3) == [200, 200, 429]
    assert site.statuses(3, address="192.0.2.2") == [200, 200, 429]
    assert site.statuses(5, **ADA) == [200] * 5


def test_users_are_counted_wherever_they_are_and_others_by_address() -> None:
    site = Site(UserRateThrottle("2/hour"), authentication=Passwords())
    assert site.statuses(1, **ADA) + site.statuses(2, address="192.0.2.2", **ADA) == [200, 200, 429]
    assert site.statuses(3, **BOB) == [200, 200, 429]
    assert site.statuses(3) == [200, 200, 429]


def test_everybody_at_an_address_is_counted_together() -> None:
    site = Site(AddressRateThrottle("2/min"), authentication=Passwords())
    assert site.statuses(1, **ADA) + site.statuses(1, **BOB) + site.statuses(1) == [200, 200, 429]
    assert site.statuses(1, address="192.0.2.2") == [200]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("not:an:address", "not:an:other", False),
        ("", "", True),
    ],
)
def test_an_ipv6_network_is_one_caller(one: str, other: str, together: bool) -> None:
    site = Site(AnonRateThrottle("1/min"))
    assert site.statuses(1, address=one) == [200]
    assert site.statuses(1, address=other) == [429 if together else 200]


def test_several_rates_all_hold() -> None:
    site = Site(UserRateThrottle("2/s", "3/min"))
    assert site.statuses(3) == [200, 200, 429]
    site.wait(1)
    assert site.statuses(2) == [200, 429]
    site.wait(1)
    reply = site.client.get("/things/1/", environ={"REMOTE_ADDR": "192.0.2.1"})
    assert reply.headers["Retry-After"] == "58"
    assert reply.headers["RateLimit-Policy"] == '"user-1s";q=2;w=1, "user-60s";q=3;w=60'
    assert reply.headers["RateLimit"] == '"user-1s";r=2;t=0, "user-60s";r=0;t=58'


def test_verbs_and_actions() -> None:
    class Note(Model):
        fields = (PkField(name="id"), StringField(name="name", required=True))

    throttles = [AnonRateThrottle("1/min", methods=["GET"]), AnonRateThrottle("2/min", actions=["create", "destroy"])]
    client = serve(over_list([dict(row) for row in ROWS], model=Note, controller={"options": {"throttle": throttles}}))
    assert [client.post("/things/", {"name": "x"}).status_int for _ in range(3)] == [201, 201, 429]
    assert client.delete("/things/1/").status_int == 429
    assert [client.put("/things/1/", {"name": "x"}).status_int for _ in range(3)] == [200] * 3
    assert client.head("/things/1/").status_int == 200
    assert client.get("/things/1/").status_int == 429, "HEAD is a GET"
    assert client.options("/things/").status_int == 204


def test_a_scope_is_counted_over_all_of_its_endpoints() -> None:
    rates = {"uploads": "2/day", "contacts": ["10/min", "100/day"]}

    def named(name: str, scope: str | None) -> Any:
        resource = {"resource_name": name}
        cls = over_list(ROWS, resource=resource, controller={"options": {"throttle": ScopedRateThrottle(rates)}})
        return type("Scoped", (cls,), {"throttle_scope": scope})

    client = serve(named("files", "uploads"), named("images", "uploads"), named("others", None))
    paths = ["/files/1/", "/images/1/", "/files/1/", "/others/1/"]
    assert [client.get(path).status_int for path in paths] == [200, 200, 429, 200]
    assert "RateLimit" not in client.get("/others/1/").headers
    assert ScopeRateThrottle is ScopedRateThrottle
    with pytest.raises(ConfigurationError, match="throttle_scope 'upload' has no rate; did you mean 'uploads'"):
        serve(named("files", "upload"))


def test_throttles_of_one_scope_and_rate_count_together_and_others_apart() -> None:
    def named(name: str, throttle: Throttle) -> Any:
        return over_list(ROWS, resource={"resource_name": name}, controller={"options": {"throttle": throttle}})

    client = serve(
        named("one", AnonRateThrottle("1/min")),
        named("same", AnonRateThrottle("1/min")),
        named("apart", AnonRateThrottle("1/min", scope="apart")),
        named("other", AnonRateThrottle("2/min")),
    )
    assert [client.get(f"/{name}/1/").status_int for name in ("one", "same", "apart", "other")] == [200, 429, 200, 200]


def test_a_rate_limit_is_for_users() -> None:
    site = Site(RateLimit(interval=timedelta(minutes=5), quota=2), authentication=Passwords())
    assert site.statuses(3, **ADA) == [200, 200, 429]
    assert site.statuses(1, **BOB) == [200]
    site.wait(300)
    assert site.statuses(1, **ADA) == [200]


def test_a_rate_limit_without_authentication_is_refused_when_the_application_is_made() -> None:
    cls = over_list(ROWS, controller={"options": {"throttle": RateLimit(interval=60, quota=5)}})
    with pytest.raises(ConfigurationError, match=r"RateLimit\(interval=60, quota=5\) counts by user"):
        serve(cls)
    assert serve(cls, authentication=Passwords()).get("/things/1/").status_int == 200
    own = over_list(ROWS, controller={"options": {"authentication": Passwords()}})
    assert serve(own, throttle=RateLimit(interval=60, quota=5)).get("/things/1/").status_int == 200
    with pytest.raises(ConfigurationError, match="counts by user"):
        WSGIDispatcher([], routes=[Route("/here", lambda request: {}, throttle=RateLimit(interval=60, quota=5))])
    with pytest.raises(ConfigurationError, match="use AnonRateThrottle"):
        WSGIDispatcher([], routes=[Route("/here", lambda request: {})], throttle=RateLimit(interval=60, quota=5))


def test_the_dispatchers_throttles_hold_for_all_that_have_none() -> None:
    def named(name: str, **options: Any) -> Any:
        return over_list(ROWS, resource={"resource_name": name}, controller={"options": options})

    routes = [Route("/hello", lambda request: {"hello": "there"})]
    client = serve(
        named("first"), named("second"), named("free", throttle=[]), throttle=AnonRateThrottle("3/min"), routes=routes
    )
    assert [client.get(path).status_int for path in ("/first/", "/second/", "/hello", "/first/1/")] == [200] * 3 + [429]
    assert [client.get("/free/").status_int for _ in range(4)] == [200] * 4


def test_a_throttle_of_ones_own() -> None:
    class PerName(Throttle):
        """At most two requests a minute for each item."""

        def windows(self, request: Request, view: Any) -> tuple[Window, ...]:
            return (Window(request.environ["PATH_INFO"], 2, 60, 'the "name"'),)

    class PerTenant(RateThrottle):
        """Counts by a header."""

        def caller(self, request: Request) -> str | None:
            return request.header("X_TENANT")

    site = Site(PerName(), PerTenant("3/min", scope="tenant"))
    assert site.statuses(3, "/things/1/") == [200, 200, 429]
    reply = site.client.get("/things/2/")
    assert reply.headers["RateLimit-Policy"] == '"the \\"name\\"";q=2;w=60'
    assert site.statuses(1, "/things/2/", X_Tenant="a") == [200]
    assert site.statuses(3, "/things/", X_Tenant="b") == [200, 200, 429]


def test_a_controller_that_is_mounted_alone_counts_too() -> None:
    cls = over_list(ROWS, controller={"options": {"throttle": AnonRateThrottle("1/min")}})
    client = Client(cls(storage="memory://"))
    assert [client.get("/").status_int for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AnonRateThrottle(), "there must be a rate"),
        (lambda: AnonRateThrottle("often"), "'often' is not a rate; a rate is such as '100/min'"),
        (lambda: AnonRateThrottle("5/mins"), "has no unit 'mins'; did you mean 'min'"),
        (lambda: AnonRateThrottle("0/min"), "must allow a number from 1"),
        (lambda: AnonRateThrottle("5/0s"), "must have an interval"),
        (lambda: AnonRateThrottle("5/400d"), "at most 366 days"),
        (lambda: AnonRateThrottle(5), "5 is not a rate"),  # type: ignore[arg-type]
        (lambda: AnonRateThrottle("1/s", methods=["post"]), "methods has 'post'; did you mean 'POST'"),
        (lambda: AnonRateThrottle("1/s", methods="POST"), "methods must be a list of names"),
        (lambda: AnonRateThrottle("1/s", actions=[]), "actions must be a list of names"),
        (lambda: AnonRateThrottle("1/s", scope='"'), "a scope's name must be"),
        (lambda: AnonRateThrottle("1/s", storage="reddis://host"), "did you mean 'redis'"),
        (lambda: AnonRateThrottle("1/s", on_failure="opened"), "did you mean 'open'"),
        (lambda: RateLimit(interval=0, quota=5), "must have an interval"),
        (lambda: RateLimit(interval=60, quota=True), "must allow a number"),
        (lambda: ScopedRateThrottle("1/s"), "rates must be by scope"),
        (lambda: ScopedRateThrottle({"a": "1/s", "b": "1/x"}), "has no unit 'x'"),
        (lambda: ScopedRateThrottle({"uploads": "1/s"}, scope="upload"), "did you mean 'uploads'"),
    ],
)
def test_mistakes(make: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make()


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        UserRateThrottle("5/mins", "x", methods="POST", on_failure="never", storage="memory")
    assert len(caught.value.problems) == 5


def test_a_class_is_no_throttle() -> None:
    with pytest.raises(ConfigurationError, match="it must be an instance"):
        over_list(ROWS, controller={"options": {"throttle": AnonRateThrottle}})


def test_throttles_show_what_they_are() -> None:
    assert repr(UserRateThrottle("10/s", "100/min")) == "UserRateThrottle('10/s', '100/min')"
    assert repr(ScopedRateThrottle("5/30s", scope="login")) == "ScopedRateThrottle('5/30s', scope='login')"


def test_an_application_counts_for_itself() -> None:
    cls = make_controller(over_list(ROWS).resource, {"options": {"throttle": AnonRateThrottle("1/min")}})
    assert [serve(cls).get("/things/").status_int for _ in range(2)] == [200, 200]
    shared = MemoryStorage()
    assert [serve(cls, storage=shared).get("/things/").status_int for _ in range(2)] == [200, 429]
