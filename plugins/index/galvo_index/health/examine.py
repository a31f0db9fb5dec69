"""Follows the rules, one after the other: each sends one query, and what one cannot do stops none of the others."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

from galvo import GalvoError
from galvo_index.finding import Finding
from galvo_index.health.limits import Limits
from galvo_index.health.report import Report, Unknown
from galvo_index.health.rules import RULES
from galvo_index.health.server import Server, looking

SEVERITIES = ("critical", "warning", "info")


async def examine(connection: asyncpg.Connection, only: Collection[str] = (), limits: Limits | None = None) -> Report:
    """Of the database of `connection`, which is in no transaction.

    `only`: names of rules; empty: all. Raises GalvoError for a rule that does not exist and for a connection that is
    lost, and what asyncpg raises when not even the server's settings can be read.
    """
    for name in only:
        if name not in RULES:
            raise GalvoError(f"there is no rule {name}; the rules are: {', '.join(sorted(RULES))}")
    names = [name for name in RULES if not only or name in only]
    try:
        async with looking(connection, limits or Limits()) as server:
            facts = server.facts
            findings, unknown = await _follow(server, names)
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise GalvoError(f"the connection to the database was lost: {error}") from None
    findings.sort(key=lambda finding: (SEVERITIES.index(finding.severity), names.index(finding.rule)))
    return Report(facts.database, facts.version, findings, unknown, names)


async def _follow(server: Server, names: list[str]) -> tuple[list[Finding], list[Unknown]]:
    findings: list[Finding] = []
    unknown: list[Unknown] = []
    for rule in dict.fromkeys(RULES[name] for name in names):
        mine = [name for name in names if RULES[name] is rule]
        try:
            found = await rule(server)
        except asyncpg.PostgresError as error:
            unknown.append(Unknown(mine[0], sentence(error)))
            await server.again()
            continue
        findings += [one for one in found if isinstance(one, Finding) and one.rule in mine]
        unknown += [one for one in found if isinstance(one, Unknown) and one.rule in mine]
    return findings, unknown


def sentence(error: asyncpg.PostgresError) -> str:
    if isinstance(error, asyncpg.LockNotAvailableError):
        return "somebody holds a lock on a table that had to be looked at: ask again later"
    if isinstance(error, asyncpg.QueryCanceledError):
        return "the server took longer than 30 s: ask again when it is less busy"
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return f"this role may not ({error}): grant it pg_monitor"
    return f"the database says: {error}"
