"""What a session's settings and temporary tables are: they decide what a text means and what it answers.

A session begins in the state in which queries without a session run. A statement that may change it makes the state
unknown; the next read asks for it on the session's own connection, and shares its answers with all sessions in the
same state. In a state that cannot be known nothing is kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b

from galvo import ForCaller, Query, Session, is_open
from galvo_cache.allowed import SESSION_SETTINGS
from galvo_cache.effects import ANY_SETTING, Control, Effect, Everything, Read, Write
from galvo_cache.knowledge import Knowledge

NOTE = "cache.session"
RENAMING = frozenset({ANY_SETTING, "search_path", "role", "session_authorization", "standard_conforming_strings"})
"""After a change of one of these a name, or the whole text, may mean something else."""

SETTING = frozenset({"mixed_control", "do", "call", "execute", "session_function", "unparsable", "too_long"})
"""Reasons of `Everything` that may well stand for a SET. A user's function rarely does; `Sessions.state` finds out."""

# Qualified, as the session's search_path may hide anything. Most sessions have no temporary schema to look into.
# Of types that asyncpg knows, or it would ask for them first.
ASK = """
with temp as materialized (select pg_catalog.pg_my_temp_schema() as oid),
  rel as materialized (
    select c.relkind operator(pg_catalog.=) 'v' or c.relhasrules or c.relrowsecurity as risky
    from temp, pg_catalog.pg_class c
    where temp.oid operator(pg_catalog.<>) 0 and c.relnamespace operator(pg_catalog.=) temp.oid),
  typ as materialized (
    select t.typtype operator(pg_catalog.<>) 'c' and t.typelem operator(pg_catalog.=) 0 as risky
    from temp, pg_catalog.pg_type t
    where temp.oid operator(pg_catalog.<>) 0 and t.typnamespace operator(pg_catalog.=) temp.oid)
select pg_catalog.current_schemas(true)::pg_catalog.text[],
  exists (select from rel) or exists (select from typ),
  pg_catalog.current_setting('standard_conforming_strings') operator(pg_catalog.<>) 'on'
    or exists (select from rel where risky) or exists (select from typ where risky),
  current_user, session_user,
  array(select pg_catalog.current_setting(name, true) from pg_catalog.unnest($1::pg_catalog.text[]) name)
"""


class State:
    """One state of sessions. `prefix` stands before the texts of its plans; `path` None is the catalog's own."""

    __slots__ = ("epoch", "path", "prefix")

    def __init__(self, prefix: str = "", path: tuple[str, ...] | None = None, epoch: int | None = None) -> None:
        self.prefix = prefix
        self.path = path
        self.epoch = epoch
        """Of the catalog: with another one its schemas may have come or gone. None: that does not matter."""

    def place(self, sql: str) -> Hashable:
        """Where the plan of `sql` is kept. No text of anybody's is another state's place."""
        return (self.prefix, sql) if self.prefix else sql


PLAIN = State()
"""Nothing has been changed."""
LOST = State("\0", ("pg_temp_?",))
"""An unqualified name may mean anything."""


class Note:
    """What one cache knows of one session."""

    __slots__ = ("age", "barren", "busy", "custom", "dirty", "names", "owner", "read_as", "risky", "state", "turn")

    def __init__(self, owner: object, age: int, state: State | None) -> None:
        self.owner = owner
        self.age = age
        self.state = state
        """None: unknown."""
        self.names = state
        """The last state known whose search_path, role and so on still hold; None: names may mean anything."""
        self.barren = False
        """It was asked for, and nothing may be kept in it."""
        self.read_as = state
        """The state in which all that is prepared on the connection was; None: in several."""
        self.dirty = state is None
        """What is prepared on the connection is to be forgotten."""
        self.custom = state is None
        """Settings may have been changed that are no part of a state; functions may ask for them."""
        self.risky = False
        """The text says little: names may mean temporary views, and a backslash may end a string."""
        self.turn = 0
        """Counts statements that may change what the session reads, when they begin and when they end."""
        self.busy = 0
        """Of these run now: another task uses the session, too."""

    def serves(self, effect: Effect) -> bool:
        """Whether the answer of a read may be kept, and one that was kept be served."""
        known = self.state is not None and not self.busy
        return known and not (self.custom and isinstance(effect, Read) and effect.declared)


def turn_of(session: Session | None) -> int:
    """Another one as soon as a statement began or ended that may change what `session` reads."""
    note = session.notes.get(NOTE) if session is not None else None
    return note.turn if isinstance(note, Note) else 0


class Sessions:
    """The states of all sessions."""

    def __init__(self, origin: str, knowledge: Knowledge, inputs: Iterable[str], *, declared: bool) -> None:
        """`inputs`: settings besides SESSION_SETTINGS that answers depend on. `origin`: who asks, for the chain.
        `declared`: writes may run functions of the user, of which is known what tables they change.
        """
        self._origin = origin
        self._knowledge = knowledge
        self._inputs = sorted({*inputs})
        self._asked_for = {name.lower() for name in (*SESSION_SETTINGS, *self._inputs)}
        self._declared = declared
        self._age = 0
        self.asked = 0

    def abandon(self) -> None:
        """The pool is another one: sessions that have a connection have it to another database, perhaps."""
        self._age += 1

    def note(self, session: Session) -> Note:
        """Of a session that had a connection before this cache saw it, nothing is known."""
        note = session.notes.get(NOTE)
        if not isinstance(note, Note) or note.owner is not self:
            note = session.notes[NOTE] = Note(self, self._age, PLAIN if session.pin is None else None)
        elif note.age != self._age:
            if session.pin is None:
                note.age = self._age
            else:
                note.state = note.names = None
        elif session.pin is not None and session.pin.lost:
            note.state = None  # what it asks must fail
        elif note.names is not None and note.names.epoch not in (None, self._knowledge.epoch):
            note.state = note.names = None
        return note

    def changes(self, session: Session, note: Note, effect: Effect) -> None:
        """A statement with this effect is about to run in `session`."""
        settings = effect.settings if isinstance(effect, Control) else frozenset[str]()
        if isinstance(effect, Everything):  # whatever it runs may do it
            note.state = note.names = None
            note.barren = False
            note.custom = True
            note.risky |= effect.reason == "temporary_ddl"
        elif settings or (isinstance(effect, Write) and self._declared):
            note.state = None
            note.barren = False
            note.custom |= not settings <= self._asked_for
            note.risky |= "standard_conforming_strings" in settings
            if not RENAMING.isdisjoint(settings):
                note.names = None
        if settings or (isinstance(effect, Everything) and effect.reason in SETTING):
            note.read_as = None
            note.dirty = True
        if note.dirty and session.pin is not None:
            self._forget_prepared(session, note)

    @staticmethod
    def _forget_prepared(session: Session, note: Note) -> None:
        if session.pin is not None:
            session.pin.forget_prepared()
            note.dirty = False

    @contextmanager
    def changing(self, session: Session | None, effect: Effect) -> Iterator[None]:
        """While a statement with this effect runs, which is no read."""
        if session is None:
            yield
            return
        note = self.note(session)
        note.turn += 1
        note.busy += 1
        try:
            yield
        finally:
            note.turn += 1
            note.busy -= 1
            if isinstance(effect, Everything) and session.pin is not None and session.pin.strayed():
                note.read_as = None
                note.dirty = True

    async def state(self, session: Session, timeout: float | None) -> State | None:
        """The state of a session that is in no transaction, asked for if need be; None: keep nothing."""
        note = self.note(session)
        if note.state is not None or note.barren or note.busy or note.age != self._age:
            return note.state
        epoch, turn = self._knowledge.epoch, note.turn
        self.asked += 1
        query = Query(ASK, ([*SESSION_SETTINGS, *self._inputs],), "rows", 1, timeout, session, self._origin)
        try:
            answer = await session.run(query)
            path, temporary, risky, *found = answer.records[0]
        except Exception as error:  # noqa: BLE001  # whatever it is, the statement that we ask for will say it itself
            if is_open(error):
                raise ForCaller(error) from None  # the connection is lost, and says it only once
            return None
        if (epoch, turn) != (self._knowledge.epoch, note.turn):
            return None
        note.risky = risky
        if temporary or risky or not answer.keep:
            note.barren = True
            return None
        state = PLAIN
        if self._inputs or not self._knowledge.plain(path, found):
            digest = blake2b(repr((path, found)).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()
            state = State(f"\0{digest}\0", tuple(path), epoch)
        if note.dirty or note.read_as is None or note.read_as.prefix != state.prefix:
            self._forget_prepared(session, note)
        note.state = note.names = note.read_as = state
        return state
