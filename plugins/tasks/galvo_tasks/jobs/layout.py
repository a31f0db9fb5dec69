"""What Redis holds of a job: a hash, and a channel of the same name on which each change is told.

The fields are state, done, total, text, and in the end result (JSON), or kind and error; cancel while a running one
has been asked to end; until, when its key does not count any more (seconds since the epoch). What a script writes and
what it tells happen at once.
"""

from __future__ import annotations

import re

from galvo_tasks.jobs.errors import JobProblem

UNFINISHED = 7 * 86_400
"""Seconds that a job may wait or run before it is forgotten."""
TEXT = 300
"""Characters of a progress' text or an error, at most."""
FIELD = 8 * TEXT
"""Bytes of any field but the result, at most."""
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def key(app: str, id: str) -> str:
    """Raises JobProblem for what cannot be an id: it may come from a web request."""
    if not _ID.fullmatch(id):
        raise JobProblem("that is no id of a job: it has letters, digits and _ . : - only, 128 at most")
    return f"galvo:{app}:job:{id}"


def cancels(app: str) -> str:
    """The channel on which workers are told the ids of jobs to be cancelled."""
    return f"galvo:{app}:cancel"


_CLOCK = """
local function clock() return tonumber(redis.call('TIME')[1]) end
local function kept(seconds)
    return math.max(seconds, (tonumber(redis.call('HGET', KEYS[1], 'until')) or 0) - clock())
end
"""

ANNOUNCE = (
    _CLOCK
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if ARGV[2] == '1' and (state == 'done' or state == 'failed') then
    redis.call('DEL', KEYS[1])
    state = false
end
if not state then
    redis.call('HSET', KEYS[1], 'state', 'waiting')
    redis.call('EXPIRE', KEYS[1], ARGV[1])
end
if tonumber(ARGV[3]) > 0 and (not state or state == 'waiting') then
    redis.call('HSET', KEYS[1], 'until', clock() + ARGV[3])
end
return state
"""
)
"""ARGV[2] is 1 for a message of its own: a retry, and one whose key may have been published already, belong to the job
that is known. ARGV[3]: seconds for which its key counts."""

FORGET = """
if redis.call('HGET', KEYS[1], 'state') == 'waiting' then
    redis.call('DEL', KEYS[1])
    redis.call('PUBLISH', KEYS[1], '')
end
"""

BEGIN = (
    _CLOCK
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'done' or state == 'cancelled' then return state end
if redis.call('HEXISTS', KEYS[1], 'cancel') == 1 then state = 'cancelled' else state = 'running' end
local key = redis.call('HGET', KEYS[1], 'until')
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', state)
if key then redis.call('HSET', KEYS[1], 'until', key) end
redis.call('EXPIRE', KEYS[1], state == 'running' and ARGV[1] or kept(ARGV[2]))
redis.call('PUBLISH', KEYS[1], '')
return state
"""
)
"""Also of one that failed: somebody has taken it from the dead-letter list."""

REPORT = """
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], 'done', ARGV[1], 'total', ARGV[2], 'text', ARGV[3])
redis.call('PUBLISH', KEYS[1], '')
return redis.call('HEXISTS', KEYS[1], 'cancel')
"""

LEAVE = (
    _CLOCK
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'done' or state == 'cancelled' then return state end
state = ARGV[2]
if state == 'retrying' and redis.call('HEXISTS', KEYS[1], 'cancel') == 1 then state = 'cancelled' end
redis.call('HSET', KEYS[1], 'state', state, unpack(ARGV, 4))
redis.call('HDEL', KEYS[1], 'cancel')
redis.call('EXPIRE', KEYS[1], state == 'retrying' and ARGV[3] or kept(ARGV[1]))
redis.call('PUBLISH', KEYS[1], '')
return state
"""
)

CANCEL = """
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'waiting' or state == 'retrying' then
    redis.call('HSET', KEYS[1], 'state', 'cancelled')
    redis.call('EXPIRE', KEYS[1], ARGV[2])
    redis.call('PUBLISH', KEYS[1], '')
    return 'cancelled'
elseif state == 'running' then
    redis.call('HSET', KEYS[1], 'cancel', '1')
    redis.call('PUBLISH', ARGV[1], ARGV[3])
end
return state
"""
"""One that waits is kept as long as its message may wait: it says not to begin."""

READ = """
local found = redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
for _, value in ipairs(found) do
    if value and #value > tonumber(ARGV[1]) then return redis.error_reply('galvo: a field is too large') end
end
return found
"""

FOREIGN = ("galvo: a field is too large", "WRONGTYPE")
"""What Redis says of a job that galvo did not write."""
