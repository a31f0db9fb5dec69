"""What a session's settings and temporary tables are: they decide what a text means and what it answers.

A session begins in the state in which queries without a session run. A statement that may change it makes the state
unknown; the next read asks for it on the session's own connection, and shares its answers with all sessions in the
same state. In a state that cannot be known nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from galvo import Query, Session
from galvo_cache.allowed import SESSION_SETTINGS
from galvo_cache.effects import ANY_SETTING, Control, Effect, Everything
from galvo_cache.knowledge import Knowledge

NOTE = "cache.session"
RENAMING = frozenset({ANY_SETTING, "search_path", "role", "session_authorization", "standard_conforming_strings"})
"""After a change of one of these a name, or the whole text, may mean something else."""

SETTING = frozenset({"mixed_control", "do", "call", "execute", "session_function", "unparsable", "too_long"})
"""Reasons of `Everything` that may well stand for a SET. A user's function rarely does; `Sessions.state` finds out."""

# Qualified, as the session's search_path may hide anything.
ASK = """
select pg_catalog.current_schemas(true),
  pg_catalog.current_setting('standard_conforming_strings') operator(pg_catalog.=) 'on'
    and not exists (select from pg_catalog.pg_class
                    where relnamespace operator(pg_catalog.=) pg_catalog.pg_my_temp_schema())
    and not exists (select from pg_catalog.pg_type
                    where typnamespace operator(pg_catalog.=) pg_catalog.pg_my_temp_schema()),
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


PLAIN = State()
"""Nothing has been changed."""


class Note:
    """What one cache knows of one session."""

    __slots__ = ("barren", "names", "owner", "read_as", "state")

    def __init__(self, owner: object, state: State | None) -> None:
        self.owner = owner
        self.state = state
        """None: unknown."""
        self.names = state
        """The last state known whose search_path, role and so on still hold; None: names may mean anything."""
        self.barren = False
        """It was asked for, and nothing may be kept in it."""
        self.read_as = state
        """The state in which all that is prepared on the connection was; None: in several."""


class Sessions:
    """The states of all sessions."""

    def __init__(self, origin: str, knowledge: Knowledge, inputs: Iterable[str]) -> None:
        """`inputs`: settings besides SESSION_SETTINGS that answers depend on. `origin`: who asks, for the chain."""
        self._origin = origin
        self._knowledge = knowledge
        self._inputs = sorted({*inputs})
        self._era: object = object()
        self.asked = 0

    def forget(self) -> None:
        """Nothing that is known of any session holds."""
        self._era = object()

    def note(self, session: Session) -> Note:
        """Of a session that had a connection before this cache saw it, nothing is known."""
        note = session.notes.get(NOTE)
        if not isinstance(note, Note) or note.owner is not self._era:
            note = session.notes[NOTE] = Note(self._era, PLAIN if session.pin is None else None)
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
        elif settings:
            note.state = None
            note.barren = False
            if not RENAMING.isdisjoint(settings):
                note.names = None
        if settings or (isinstance(effect, Everything) and effect.reason in SETTING):
            note.read_as = None
            if session.pin is not None:
                session.pin.forget_prepared()

    async def state(self, session: Session) -> State | None:
        """The state of a session that is in no transaction, asked for if need be; None: keep nothing."""
        note = self.note(session)
        if note.state is not None or note.barren:
            return note.state
        epoch = self._knowledge.epoch
        self.asked += 1
        query = Query(ASK, ([*SESSION_SETTINGS, *self._inputs],), "rows", 1, None, session, self._origin)
        try:
            answer = await session.run(query)
            path, usable, *found = answer.records[0]
        except Exception:  # noqa: BLE001  # the statement that we ask for will say it itself
            return None
        if not usable or not answer.keep:
            note.barren = True
            return None
        if epoch != self._knowledge.epoch:
            return None
        state = PLAIN
        if self._inputs or not self._knowledge.plain(path, found):
            digest = blake2b(repr((path, found)).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()
            state = State(f"\0{digest}\0", tuple(path), epoch)
        if session.pin is not None and (note.read_as is None or note.read_as.prefix != state.prefix):
            session.pin.forget_prepared()
        note.state = note.names = note.read_as = state
        return state
