"""Credentials that browsers send by themselves, and what pages of other sites make them send."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from webtest import TestResponse

from rest_kit.authentication import BasicAuthentication, DiscouragedWarning, RemoteUserAuthentication
from rest_kit.errors import ConfigurationError
from tests.auth.support import PASSWORD, Home
from tests.auth.test_basic import basic
from tests.http.support import problem

FOREIGN = [
    {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site", "Origin": "http://evil.localhost"},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Referer": "https://evil.example/localhost"},
]
OWN = [
    {},
    {"Origin": "http://localhost:80"},
    {"Referer": "http://localhost/form"},
    {"Origin": "http://behind.a.proxy", "Sec_Fetch_Site": "same-origin"},
    {"Origin": "https://app.example", "Sec_Fetch_Site": "cross-site"},
]


@pytest.fixture(params=["basic", "remote user"])
def ambient(request: pytest.FixtureRequest, home: Home) -> Any:
    """Asks as Ada, by credentials that a browser adds."""

    def asking(*, cors: Any = None, **options: Any) -> Any:
        if request.param == "basic":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DiscouragedWarning)
                client = home.client(BasicAuthentication(home.users, **options), cors=cors)
            always: dict[str, Any] = basic(f"ada:{PASSWORD}")
        else:
            client = home.client(RemoteUserAuthentication(home.users, **options), cors=cors)
            always = {"environ": {"REMOTE_USER": "ada"}}

        def ask(method: str, path: str = "/whoami", **headers: Any) -> TestResponse:
            return client.ask(method, path, **always, **headers)

        return ask

    return asking


@pytest.mark.parametrize("headers", FOREIGN)
def test_what_another_sites_page_sends_is_refused_where_it_writes(ambient: Any, headers: dict[str, str]) -> None:
    ask = ambient()
    reply = ask("POST", **headers, body=b"a=b", type="application/x-www-form-urlencoded")
    assert "another site" in problem(reply, 403, "permission-denied")["detail"]
    assert ask("DELETE", "/things/1/", **headers).status_int == 403
    assert ask("GET", "/things/1/", **headers).status_int == 200


@pytest.mark.parametrize("headers", OWN)
def test_what_our_own_pages_and_programs_send_is_not(ambient: Any, headers: dict[str, str]) -> None:
    ask = ambient(trusted_origins=["https://app.example"])
    assert ask("POST", **headers).json["name"] == "ada"


def test_pages_that_cors_names_may_write_and_those_of_everybody_may_not(ambient: Any) -> None:
    page = {"Origin": "https://app.example", "Sec_Fetch_Site": "cross-site"}
    for cors in ({"allow_origins": ["https://app.example"]}, {"allow_origin_regex": r"https://\w+\.example"}):
        assert ambient(cors=cors)("POST", **page).status_int == 200
        assert ambient(cors=cors)("POST", **{**page, "Origin": "https://evil.invalid"}).status_int == 403
    for cors in ({"allow_origins": ["*"]}, {"allow_origin_regex": ".*"}):
        assert ambient(cors=cors)("POST", **page).status_int == 403
    assert ambient(cors={"allow_origins": ["null"]})("POST", Origin="null").status_int == 403


def test_origins_are_origins(home: Home) -> None:
    with pytest.raises(ConfigurationError, match="which is no origin"):
        RemoteUserAuthentication(trusted_origins=["app.example"])
