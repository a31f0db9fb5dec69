"""What is done in Redis in one step: each is a Lua script, and costs one round trip.

A message is never decoded or encoded in Lua: cjson would change numbers, empty lists and nulls.
Names of lists are made within the scripts, and queues share `unacked`: this is not for a Redis Cluster.
Where a script enlarges something, a command that frees comes first: a full Redis (maxmemory, noeviction) refuses
only the first command of a script, so tasks are still taken, acknowledged and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import Any

from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, ResponseError

Word = str | bytes | int | float

_CLOCK = """
local function clock() local t = redis.call('TIME') return t[1] + t[2] / 1000000 end
"""
_NOTED = """
local function noted(list, wake, raw) return #list .. ':' .. list .. #wake .. ':' .. wake .. raw end
local function part(text, from)
  local colon = string.find(text, ':', from, true)
  local to = colon + tonumber(string.sub(text, from, colon - 1))
  return string.sub(text, colon + 1, to), to + 1
end
"""
# Tokens matter to workers that wait now: old ones and many are no use.
_WAKE = """
local function awaken(wake)
  if redis.call('LPUSH', wake, 1) > 64 then redis.call('RPOP', wake) end
  redis.call('PEXPIRE', wake, 5000)
end
"""


class Script:
    """One of them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def command(self, keys: Sequence[Word], args: Sequence[Word], *, whole: bool = False) -> list[Word]:
        """The words to send; `whole`: to a Redis that does not know the script yet."""
        return [*(("EVAL", self.text) if whole else ("EVALSHA", self.sha)), len(keys), *keys, *args]

    def run(self, client: Any, keys: Sequence[Word], args: Sequence[Word] = ()) -> Any:
        try:
            try:
                return client.execute_command(*self.command(keys, args))
            except NoScriptError:
                return client.execute_command(*self.command(keys, args, whole=True))
        except ResponseError as error:
            raise plain(error) from error


def plain(error: ResponseError) -> ResponseError:
    """What redis-py makes of the same refusal of a command; until Redis 7 that of a script hides it in its text."""
    for kind, mark in ((ReadOnlyError, "-READONLY "), (OutOfMemoryError, "-OOM ")):
        if mark in str(error):
            return kind(str(error).rpartition(mark)[2])
    return error


# KEYS: queue, and key of the message where it has one. ARGV: suffix of its list, of the delayed ones, of the tokens;
# message; seconds until it is due; milliseconds for which the key counts, what is kept under it.
PUBLISH = Script(
    _CLOCK
    + _WAKE
    + """
if KEYS[2] and not redis.call('SET', KEYS[2], ARGV[7], 'NX', 'PX', ARGV[6]) then return 0 end
local delay = tonumber(ARGV[5])
if delay > 0 then
  redis.call('ZADD', KEYS[1] .. ARGV[2], clock() + delay, #ARGV[1] .. ':' .. ARGV[1] .. ARGV[4])
else
  redis.call('LPUSH', KEYS[1] .. ARGV[1], ARGV[4])
end
awaken(KEYS[1] .. ARGV[3])
return 1
"""
)

# KEYS: unacked, leases, queues in order. ARGV: delivery tag, lease, suffix of delayed ones, of tokens, then those of
# the lists, the most urgent first. Gives {number of the queue, message}, or milliseconds until one is due, or nothing.
TAKE = Script(
    _CLOCK
    + _NOTED
    + """
local now = clock()
for q = 3, #KEYS do
  local delayed = KEYS[q] .. ARGV[3]
  for _, one in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, 100)) do
    redis.call('ZREM', delayed, one)
    local suffix, from = part(one, 1)
    redis.call('LPUSH', KEYS[q] .. suffix, string.sub(one, from))
  end
end
for s = 5, #ARGV do
  for q = 3, #KEYS do
    local list = KEYS[q] .. ARGV[s]
    local raw = redis.call('RPOP', list)
    if raw then
      redis.call('HSET', KEYS[1], ARGV[1], noted(list, KEYS[q] .. ARGV[4], raw))
      redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
      return {q - 3, raw}
    end
  end
end
local due = false
for q = 3, #KEYS do
  redis.call('DEL', KEYS[q] .. ARGV[4])
  local first = redis.call('ZRANGE', KEYS[q] .. ARGV[3], 0, 0, 'WITHSCORES')[2]
  if first and (not due or tonumber(first) < due) then due = tonumber(first) end
end
-- BRPOP's timeout is cut to whole milliseconds by Redis 6.2, and 0.001 may arrive as none, which is for ever.
return due and math.max(2, math.ceil((due - now) * 1000))
"""
)

# KEYS: unacked, leases. ARGV: delivery tag.
ACKNOWLEDGE = Script("""
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
""")

# KEYS: unacked, leases. ARGV: delivery tag, 'RPUSH' (to be the next one) or 'LPUSH' (the last one), '1' for an
# expired lease only, the message where it has changed. Gives -1, and changes nothing, where what is noted of it does
# not say to where.
GIVE_BACK = Script(
    _CLOCK
    + _NOTED
    + _WAKE
    + """
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if not entry then return 0 end
if ARGV[3] == '1' and tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0) > clock() then return 0 end
local function read()
  local list, from = part(entry, 1)
  local wake, from = part(entry, from)
  redis.call('LLEN', list)
  redis.call('LLEN', wake)
  return list, wake, from
end
local fine, list, wake, from = pcall(read)
if not fine then return -1 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call(ARGV[2], list, ARGV[4] or string.sub(entry, from))
awaken(wake)
return 1
"""
)

# KEYS: unacked, leases, list. ARGV: delivery tag, what to keep where that is not the message.
PUT_ASIDE = Script(
    _NOTED
    + """
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if not entry then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] then
  redis.call('LPUSH', KEYS[3], ARGV[2])
  return 1
end
local _, from = part(entry, 1)
_, from = part(entry, from)
redis.call('LPUSH', KEYS[3], string.sub(entry, from))
return 1
"""
)

# KEYS: leases. ARGV: lease, delivery tags. Gives the time, then the tags that have no lease any more.
RENEW = Script(
    _CLOCK
    + """
local now = clock()
local answer = {tostring(now)}
for i = 2, #ARGV do
  if redis.call('ZREM', KEYS[1], ARGV[i]) == 1 then
    redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i])
  else
    answer[#answer + 1] = ARGV[i]
  end
end
return answer
"""
)

# KEYS: unacked, leases. ARGV: how many at most. Gives delivery tags and what is noted of each.
EXPIRED = Script(
    _CLOCK
    + """
local answer = {}
for _, tag in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', clock(), 'LIMIT', 0, ARGV[1])) do
  local entry = redis.call('HGET', KEYS[1], tag)
  if entry then
    answer[#answer + 1] = tag
    answer[#answer + 1] = entry
  else
    redis.call('ZREM', KEYS[2], tag)
  end
end
return answer
"""
)
