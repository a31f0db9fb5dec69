"""Accounts: made, signed in, signed out."""

from __future__ import annotations

import httpx
import pytest

from tests.plugins.engraving.http.stand import PASSWORD, Api

pytestmark = pytest.mark.anyio
PERSON = {"email": "Ada@Example.com ", "name": "Ada", "studio": "Loft", "password": PASSWORD}


async def test_who_signs_in_sees_himself_until_he_signs_out(api: Api) -> None:
    client = api.stranger()
    told = await client.post("/api/users", json=PERSON)
    assert told.status_code == 201, told.text
    assert "password" not in told.text
    assert told.json()["email"] == "ada@example.com"
    session = await client.post("/api/sessions", json={"email": "ada@example.com", "password": PASSWORD})
    assert session.status_code == 201
    assert "HttpOnly" in session.headers["set-cookie"]
    assert "SameSite=strict" in session.headers["set-cookie"]
    assert (await client.get("/api/me")).json() == told.json()  # by the cookie
    program = api.stranger()
    program.headers["authorization"] = f"Bearer {session.json()['token']}"
    assert (await program.get("/api/me")).json() == told.json()
    assert (await program.delete("/api/sessions/current")).status_code == 204
    for left in (client, program):
        assert_strange(await left.get("/api/me"))


async def test_a_second_account_with_the_same_email_is_refused(api: Api) -> None:
    client = api.stranger()
    person = PERSON | {"email": "twice@example.com"}
    assert (await client.post("/api/users", json=person)).status_code == 201
    told = await client.post("/api/users", json=person | {"email": "TWICE@example.com"})
    assert told.status_code == 409
    assert told.json()["problem"].startswith("there is an account with this email already")


@pytest.mark.parametrize(
    "email, password", [("generated@example.com", "x" * 12), ("nobody@example.com", PASSWORD)], ids=["other", "nobody"]
)
async def test_wrong_words_admit_nobody_and_do_not_tell_which(api: Api, email: str, password: str) -> None:
    told = await api.stranger().post("/api/sessions", json={"email": email, "password": password})
    assert told.status_code == 401
    assert told.json() == {"problem": "email or password are wrong"}


async def test_another_sites_page_cannot_write_with_the_cookie(api: Api) -> None:
    client = api.stranger()
    await client.post("/api/users", json=PERSON | {"email": "site@example.com"})
    await client.post("/api/sessions", json={"email": "site@example.com", "password": PASSWORD})
    forged = await client.delete("/api/sessions/current", headers={"sec-fetch-site": "cross-site"})
    assert_strange(forged)
    assert (await client.get("/api/me")).status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic eDp4", "Bearer " + "x" * 5000])
async def test_what_is_no_token_admits_nobody(api: Api, header: str) -> None:
    assert_strange(await api.stranger().get("/api/me", headers={"authorization": header}))


@pytest.mark.parametrize(
    "change", [{"password": "short"}, {"email": "nobody"}, {"name": ""}, {"name": "a\x00b"}, {"role": "staff"}]
)
async def test_an_account_that_cannot_be_is_refused_without_repeating_it(api: Api, change: dict[str, str]) -> None:
    told = await api.stranger().post("/api/users", json=PERSON | {"email": "new@example.com"} | change)
    assert told.status_code == 422
    assert told.json()["problem"].startswith(next(iter(change)))
    assert "short" not in told.text.replace("shorter", "")


def assert_strange(told: httpx.Response) -> None:
    assert told.status_code == 401
    assert told.json()["problem"].startswith("nobody has signed in")
