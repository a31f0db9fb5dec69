"""Random statements on the tables of test_rows_oracle.py."""

from __future__ import annotations

import random
import uuid
from typing import Any

EDGE = 2**53
"""As doubles, this and the next integer are equal."""
WHOLE = "int2 int4 int8 float8"
COLUMNS = {
    "customer": {"id": "int4", "city": "text", "nick": "varchar"},
    "project": {"id": "int8", "customer_id": "int4", "name": "text", "kind": "varchar", "size": "int4"},
    "part": {"id": "int4", "project_id": "int8", "size": "int2", "price": "float8", "twice": "int4"},
    "tag": {
        "id": "uuid",
        "part_id": "int4",
        "label": "text",
        "pad": "bpchar",
        "big": "int8",
        "rate": "float8",
        "serial": "int4",
    },
    "node": {"id": "int4", "up": "int4", "size": "int4"},
}
LANES = {
    "customer": ["id", "city", "nick"],
    "project": ["id", "customer_id", "name", "kind"],
    "part": ["id", "project_id", "size", "twice"],
    "tag": ["id", "part_id", "label", "big", "serial"],
    "node": ["id", "up"],
}


def family(kind: str) -> str:
    return "number" if kind in WHOLE.split() else "uuid" if kind == "uuid" else "text"


class Dice(random.Random):
    """Random values, conditions and statements."""

    def value(self, kind: str) -> Any:
        match kind:
            case "int8":
                return self.choice((1, 2, 3, 4, 5, EDGE, EDGE + 1))
            case "float8":
                return self.choice((1, 2, EDGE, EDGE + 1))  # the driver takes an int for a double
            case "int2" | "int4" | "numeric":
                return self.randrange(1, 6)
            case "uuid":
                return uuid.UUID(int=self.randrange(1, 6))
            case "bool":
                return self.random() < 0.5
            case _:
                return self.choice(("x", "x ", "y", "abc", "abc "))

    def values(self, kinds: list[str]) -> list[Any]:
        return [None if self.often(0.02) else self.value(kind) for kind in kinds]

    def literal(self, kind: str) -> str:
        value = self.value(kind)
        if kind == "uuid" or (isinstance(value, str) and self.random() < 0.95):
            return f"'{value}'"
        return str(value) if not isinstance(value, str) else f"'{value}'"

    def often(self, chance: float) -> bool:
        return self.random() < chance


class Text:
    """One statement in the making: which names it may use, and its parameters."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.items: list[tuple[str, str]] = []  # alias, table
        self.params: list[str] = []  # the family of each

    def param(self, kind: str) -> str:
        same = [number for number, found in enumerate(self.params, 1) if found == family(kind)]
        if same and self.dice.often(0.3):
            return f"${self.dice.choice(same)}"
        self.params.append(family(kind))
        return f"${len(self.params)}"

    def item(self, table: str = "") -> str:
        table = table or self.dice.choice(sorted(COLUMNS))
        alias = f"t{len(self.items)}"
        self.items.append((alias, table))
        return f"{table} {alias}"

    def column(self, among: list[tuple[str, str]] | None = None, family_of: str = "") -> tuple[str, str] | None:
        lanes = self.dice.often(0.7)
        found = [
            (f"{alias}.{name}", kind)
            for alias, table in among or self.items
            for name, kind in COLUMNS[table].items()
            if (not family_of or family(kind) == family_of) and (not lanes or name in LANES[table])
        ]
        if not found:
            return None
        name, kind = self.dice.choice(found)
        return (name.partition(".")[2] if self.dice.often(0.04) else name), kind

    def condition(self, among: list[tuple[str, str]]) -> str:
        dice = self.dice
        column = self.column(among)
        assert column is not None
        name, kind = column
        roll = dice.random()
        if roll < 0.38:
            cast = f"::{kind}" if dice.often(0.1) and kind not in ("bpchar", "varchar") else ""
            sides = [name, self.param(kind) + cast]
            if dice.often(0.2):
                sides.reverse()
            return " = ".join(sides)
        if roll < 0.48:
            return f"{name} = {dice.literal(kind)}"
        if roll < 0.85 and (other := self.column(among, family(kind))):
            return f"{name} = {other[0]}"
        match dice.randrange(6):
            case 0:
                return f"{name} > {dice.literal(kind)}"
            case 1:
                return f"({name} = {self.param(kind)} or {self.condition(among)})"
            case 2:
                return f"{name} is null"
            case 3:
                return f"not ({self.condition(among)})"
            case 4:
                return f"({self.condition(among)} and {self.condition(among)})"
            case _:
                return f"{name} is not distinct from {self.param(kind)}"

    def conditions(self, among: list[tuple[str, str]], most: int) -> str:
        return " and ".join(self.condition(among) for _ in range(self.dice.randint(1, most)))

    def join(self, depth: int) -> tuple[str, list[tuple[str, str]]]:
        if depth == 0 or self.dice.often(0.25):
            text = self.item()
            return text, self.items[-1:]
        (left, ours), (right, theirs) = self.join(depth - 1), self.join(depth - 1 if self.dice.often(0.5) else 0)
        both = ours + theirs
        kind = self.dice.choice(("join", "join", "left join", "left join", "right join", "full join", "cross join"))
        if kind == "cross join":
            return f"({left} cross join {right})", both
        return f"({left} {kind} {right} on {self.conditions(both, 2)})", both

    def where(self, most: int = 3) -> str:
        clauses = [self.conditions(self.items, most)] if self.dice.often(0.9) else []
        if self.dice.often(0.12):
            inner = self.dice.choice(sorted(COLUMNS))
            clauses.append(f"exists (select from {inner} s where {self.conditions([*self.items, ('s', inner)], 2)})")
        return " where " + " and ".join(clauses) if clauses else ""


def simple_read(dice: Dice) -> str:
    """Rows by a lane, and what belongs to them: what applications ask."""
    text = Text(dice)
    source = text.item()
    for _ in range(dice.choice((0, 0, 1, 1, 2))):
        alias, table = text.items[-1]
        near = dice.choice([name for name, kind in COLUMNS[table].items() if family(kind) == "number"])
        joined, far = text.item(), text.items[-1]
        lane = dice.choice([name for name in LANES[far[1]] if family(COLUMNS[far[1]][name]) == "number"])
        how = dice.choice(("join", "join", "left join", "right join"))
        source += f" {how} {joined} on {far[0]}.{lane} = {alias}.{near}"
        if dice.often(0.2):
            source += f" and {text.condition(text.items)}"
    table = text.items[0][1]
    lane = dice.choice([*LANES[table], "id", "id"])
    where = f"t0.{lane} = {text.param(COLUMNS[table][lane])}"
    if table == "tag" and dice.often(0.4):  # one parameter of two minds
        where = dice.choice(("t0.rate {} $1 and t0.big = $1", "t0.pad {} $1 and t0.label = $1")).format(
            dice.choice(("=", ">="))
        )
    elif dice.often(0.2):
        where += f" and {text.condition(text.items)}"
    columns = ", ".join(f"{alias}.*" for alias, _ in text.items) if dice.often(0.7) else "count(*), min(t0.id::text)"
    return f"select {columns} from {source} where {where}"


def read(dice: Dice) -> str:
    if dice.often(0.5):
        return simple_read(dice)
    text = Text(dice)
    sources = [text.join(dice.choice((0, 0, 1, 1, 2)))[0] for _ in range(dice.choice((1, 1, 1, 2)))]
    prefix = ""
    if dice.often(0.06):
        prefix = f"with w as (select * from {dice.choice(sorted(COLUMNS))}) "
        sources.append("w")
    where = text.where()
    roll = dice.random()
    if roll < 0.1:
        return f"{prefix}select count(*) from {', '.join(sources)}{where}"
    names = [column[0] for _ in range(dice.randint(1, 4)) if (column := text.column())]
    if roll < 0.2:
        groups = ", ".join(names)
        how = dice.choice(("{}", "{}", "{}, ()", "rollup ({})")).format(groups)
        return f"{prefix}select {groups}, count(*) from {', '.join(sources)}{where} group by {how}"
    if roll < 0.35:
        names.insert(dice.randrange(len(names) + 1), f"{dice.choice(text.items)[0]}.*")
    elif roll < 0.45:
        names = ["*"]
    elif roll < 0.5:
        order = ", ".join(map(str, range(1, len(names) + 1)))
        return f"{prefix}select {', '.join(names)} from {', '.join(sources)}{where} order by {order} limit 2"
    distinct = "distinct " * dice.often(0.1)
    return f"{prefix}select {distinct}{', '.join(names)} from {', '.join(sources)}{where}"


def write(dice: Dice) -> str:
    text = Text(dice)
    table = dice.choice([*COLUMNS, "project", "part", "part", "tag", "tag"])
    columns = {name: kind for name, kind in COLUMNS[table].items() if name != "twice"}

    def given(kind: str) -> str:
        return text.param(kind) if dice.often(0.6) else dice.literal(kind)

    if dice.often(0.45):
        names = [name for name in columns if name == "id" or dice.often(0.85)]
        count = dice.choice((1, 1, 1, 2))
        values = ", ".join(f"({', '.join(given(columns[name]) for name in names)})" for _ in range(count))
        override = "overriding user value " * dice.often(0.35) if table == "tag" else ""
        setting = dice.choice(names)
        end = dice.choice(("", "", " on conflict do nothing", " on conflict do nothing"))
        if dice.often(0.25):
            end = f" on conflict (id) do update set {setting} = excluded.{setting}"
        sort = " order by 1" * dice.often(0.05)
        return f"insert into {table} ({', '.join(names)}) {override}values {values}{sort}{end}"
    target = text.item(table)
    others = [text.item()] if dice.often(0.2) else []
    where = text.where(2)
    if dice.often(0.6):
        lane = dice.choice(LANES[table])
        pin = f"t0.{lane} = {given(COLUMNS[table][lane])}"
        where = f"{where} and {pin}" if where and dice.often(0.4) else f" where {pin}"
    if dice.often(0.3 if table in ("part", "tag") else 0.1):
        return f"delete from {target}{' using ' * bool(others)}{', '.join(others)}{where}"
    chosen = dice.sample(sorted(columns), dice.choice((1, 1, 2)))
    if table == "part" and dice.often(0.1):
        return f"update part t0 set size = {given('int2')} where t0.twice = {given('int4')}"
    sets = []
    for name in chosen:
        if columns[name] in WHOLE.split() and dice.often(0.1):
            sets.append(f"{name} = {text.items[0][0]}.{name} % 4 + 1" if columns[name] != "float8" else f"{name} = 2")
        else:
            sets.append(f"{name} = {given(columns[name])}")
    return f"update {target} set {', '.join(sets)}{' from ' * bool(others)}{', '.join(others)}{where}"
