"""Accounts change, and end."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from galvo_engraving.accounts import passwords, throttle, tokens
from galvo_engraving.accounts.throttle import Throttle
from galvo_engraving.problems import Strange
from tests.plugins.engraving.http.stand import PASSWORD, Api

pytestmark = pytest.mark.anyio
OTHER = "another horse battery"
PICTURE = """
insert into engraving.image (user_id, name, media_type, width, height, size, digest, contents)
values ($1, 'dot', 'image/png', 1, 1, 1, $2, 'x')"""
DOTS = """
insert into engraving.dots (key, digest, width, height, burned, png, made_at) values ($1, $2, 1, 1, 0, 'x', now())"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """New passwords are hashed in no time; their parameters are in their hash."""
    monkeypatch.setattr(passwords, "N", 2)
    monkeypatch.setattr(passwords, "NOBODY", passwords.NOBODY.replace("16384", "2"))


async def registered(api: Api, email: str) -> httpx.AsyncClient:
    client = api.stranger()
    person = {"email": email, "name": "Ada", "studio": "Loft", "password": PASSWORD}
    assert (await client.post("/api/users", json=person)).status_code == 201
    return await signed_in(api, email)


async def signed_in(api: Api, email: str, password: str = PASSWORD) -> httpx.AsyncClient:
    client = api.stranger()
    told = await client.post("/api/sessions", json={"email": email, "password": password})
    assert told.status_code == 201, told.text
    return client


async def test_a_name_changes_and_the_rest_stays(api: Api) -> None:
    client = await registered(api, "rename@example.com")
    before = (await client.get("/api/me")).json()
    told = await client.patch("/api/me", json={"name": "Countess"})
    assert told.json() == before | {"name": "Countess"}
    assert (await client.get("/api/me")).json() == told.json()


async def test_a_new_password_ends_all_other_sessions(api: Api) -> None:
    client = await registered(api, "secret@example.com")
    other = await signed_in(api, "secret@example.com")
    assert (await other.get("/api/me")).status_code == 200
    told = await client.patch("/api/me", json={"password": OTHER, "old_password": PASSWORD})
    assert told.status_code == 200
    assert "password" not in told.text
    assert (await other.get("/api/me")).status_code == 401
    assert (await client.get("/api/me")).status_code == 200
    old = await other.post("/api/sessions", json={"email": "secret@example.com", "password": PASSWORD})
    assert old.status_code == 401
    await signed_in(api, "secret@example.com", OTHER)


async def test_who_signs_in_while_the_password_changes_gets_nothing_for_the_old_one(api: Api) -> None:
    client = await registered(api, "race@example.com")
    row: Any = await api.shop.db.fetchrow(
        "select id, password from engraving.user_account where email = 'race@example.com'"
    )  # read, and found right
    await client.patch("/api/me", json={"password": OTHER, "old_password": PASSWORD})
    with pytest.raises(Strange):
        await tokens.give(api.shop.db, row["id"], 1, row["password"])


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_of_two_who_know_the_password_the_first_one_changes_it(
    api: Api, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await registered(api, f"first.{method}@example.com".lower())
    thief = await signed_in(api, f"first.{method}@example.com".lower())
    real, looked, changed = passwords.matches, asyncio.Event(), asyncio.Event()

    async def slow(password: str, kept: str | None) -> bool:
        found = await real(password, kept)
        looked.set()
        await changed.wait()
        return found

    monkeypatch.setattr(passwords, "matches", slow)
    body = {"password": PASSWORD} if method == "DELETE" else {"password": "thief" * 3, "old_password": PASSWORD}
    late = asyncio.create_task(thief.request(method, "/api/me", json=body))
    await looked.wait()
    monkeypatch.setattr(passwords, "matches", real)
    told = await owner.patch("/api/me", json={"password": OTHER, "old_password": PASSWORD})
    assert told.status_code == 200
    changed.set()
    assert (await late).status_code == 401
    assert (await owner.get("/api/me")).status_code == 200
    await signed_in(api, told.json()["email"], OTHER)


async def test_the_same_session_changes_a_password_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await registered(api, "twice.changed@example.com")
    real, both = passwords.hashed, asyncio.Barrier(2)

    async def together(password: str) -> str:
        await both.wait()  # both have shown the old one
        return await real(password)

    monkeypatch.setattr(passwords, "hashed", together)
    bodies = [{"password": f"{name} horse battery", "old_password": PASSWORD} for name in ("one", "two")]
    told = await asyncio.gather(*(client.patch("/api/me", json=body) for body in bodies))
    assert sorted(one.status_code for one in told) == [200, 403]
    won = next(body for body, one in zip(bodies, told, strict=True) if one.status_code == 200)
    await signed_in(api, "twice.changed@example.com", won["password"])


@pytest.mark.parametrize(
    "change, status, problem",
    [
        ({"password": OTHER, "old_password": "wrong"}, 403, "this is not the account's password"),
        ({"password": OTHER}, 422, "body: password, old_password: give both"),
        ({"old_password": PASSWORD, "name": "x"}, 422, "body: password, old_password: give both"),
        ({"password": "short", "old_password": PASSWORD}, 422, "password"),
        ({"old_password": ""}, 422, "nothing would change: give at least one of name, studio, password"),
        ({}, 422, "nothing would change"), ({"name": None}, 422, "name"), ({"role": "staff"}, 422, "role"),
        ({"email": "x@example.com"}, 422, "email"), ({"name": "a\x00b"}, 422, "name"),
    ],
)  # fmt: skip
async def test_what_may_not_change_stays(api: Api, change: dict[str, Any], status: int, problem: str) -> None:
    client = await api.customer()
    before = (await client.get("/api/me")).json()
    told = await client.patch("/api/me", json=change)
    assert told.status_code == status, told.text
    assert told.json()["problem"].startswith(problem)
    assert (await client.get("/api/me")).json() == before


async def test_an_account_ends_with_its_password_and_takes_all_it_had_along(api: Api) -> None:
    client = await registered(api, "leaving@example.com")
    other = await signed_in(api, "leaving@example.com")
    number = (await other.get("/api/me")).json()["id"]
    assert (await client.request("DELETE", "/api/me", json={"password": "wrong"})).status_code == 403
    assert (await client.request("DELETE", "/api/me")).status_code == 422
    assert (await other.get("/api/me")).status_code == 200
    told = await client.request("DELETE", "/api/me", json={"password": PASSWORD})
    assert told.status_code == 204
    for left in (client, other):
        assert (await left.get("/api/me")).status_code == 401
    for table in ("access_token", "project", "image"):
        assert await api.shop.db.fetchval(f"select count(*) from engraving.{table} where user_id = $1", number) == 0
    assert (
        await client.post("/api/sessions", json={"email": "leaving@example.com", "password": PASSWORD})
    ).status_code == 401


async def test_dots_of_an_accounts_pictures_go_with_it_unless_another_has_them(api: Api) -> None:
    leaving, stays = await api.customer(), await api.customer()
    for client, digests in ((leaving, ("only", "both")), (stays, ("both",))):
        number = (await client.get("/api/me")).json()["id"]
        for digest in digests:
            await api.shop.db.execute(PICTURE, number, digest)
    for digest in ("only", "both"):
        await api.shop.db.execute(DOTS, f"dots of {digest}", digest)
    assert (await leaving.request("DELETE", "/api/me", json={"password": PASSWORD})).status_code == 204
    left = await api.shop.db.fetch("select digest from engraving.dots where digest in ('only', 'both')")
    assert [row["digest"] for row in left] == ["both"]


@pytest.mark.parametrize("path, method", [("/api/sessions", "POST"), ("/api/me", "DELETE")])
async def test_wrong_passwords_are_slowed(api: Api, path: str, method: str) -> None:
    api.shop.throttle = Throttle(lambda: 1000.0)
    email = f"slowed.{method}@example.com".lower()
    client = await registered(api, email)
    body = {"password": "wrong"} | ({"email": email} if method == "POST" else {})
    told = await asyncio.gather(*(client.request(method, path, json=body) for _ in range(throttle.FREE_EMAIL + 3)))
    assert sorted(one.status_code for one in told)[-3:] == [429] * 3
    late = next(one for one in told if one.status_code == 429)
    assert late.headers["retry-after"] == "1"
    assert late.json()["problem"] == "too many wrong passwords: try again in 1 s"
    right = await client.post("/api/sessions", json={"email": email, "password": PASSWORD})
    assert right.status_code == 429  # whoever guesses does not learn that it was right
    somebody = {"email": "somebody@example.com", "password": "wrong"}
    assert (await client.post("/api/sessions", json=somebody)).status_code == 401
    api.shop.throttle = Throttle()


async def test_many_new_accounts_from_one_address_are_slowed(api: Api) -> None:
    api.shop.throttle = Throttle(lambda: 1000.0)
    client = api.stranger()
    person = {"name": "Ada", "studio": "Loft", "password": PASSWORD}
    for number in range(throttle.FREE_ACCOUNTS):
        told = await client.post("/api/users", json=person | {"email": f"many{number}@example.com"})
        assert told.status_code == 201
    told = await client.post("/api/users", json=person | {"email": "more@example.com"})
    assert (told.status_code, told.headers["retry-after"]) == (429, "1")
    await signed_in(api, "many1@example.com")
    api.shop.throttle = Throttle()
