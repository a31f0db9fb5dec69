"""The steps that Redis takes at once: each is one Lua script, one round trip.

All keys are in one slot. The epoch says since when Redis has remembered everything: it is replaced, and all else
deleted with it, when any of it is missing or when the server is another than the one that made it (a restart, a
failover, a restored snapshot). Time is the server's, in milliseconds.
"""

from __future__ import annotations

import hashlib

KEYS = ("epoch", "members", "pending", "stamps")

# ARGV: 1 prefix, 2 id for a new epoch, 3 lease + margin, 4 life of the keys; the script's own begin at 5.
_PRELUDE = r"""
local EPOCH, MEMBERS, PENDING, STAMPS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if not run then return redis.error_reply('INFO shows no run_id') end
local known = redis.call('HMGET', EPOCH, 'id', 'run', 'since', 'term', 'number')
local epoch, since, term, number = known[1], tonumber(known[3]), tonumber(known[4]), tonumber(known[5])
if not epoch or known[2] ~= run or not redis.call('ZSCORE', MEMBERS, epoch)
    or redis.call('HGET', PENDING, '') ~= epoch then
  redis.call('UNLINK', EPOCH, MEMBERS, PENDING, STAMPS)
  epoch, since, term, number = ARGV[2], now, tonumber(ARGV[3]), 0
  redis.call('HSET', EPOCH, 'id', epoch, 'run', run, 'since', since, 'term', term, 'number', number)
  redis.call('ZADD', MEMBERS, '-inf', epoch)
  redis.call('HSET', PENDING, '', epoch)
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[4]) end
end
if since > now then
  since = now
  redis.call('HSET', EPOCH, 'since', since)
end
local grace = math.max(0, since + term - now)
local function u64(n) return '\207' .. struct.pack('>I8', n) end
local function bin(s) return '\196' .. string.char(#s) .. s end
local function frame(body) return '\149\161f' .. bin(epoch) .. u64(number) .. u64(grace) .. body end
local function tell(body)
  number = redis.call('HINCRBY', EPOCH, 'number', 1)
  redis.call('PUBLISH', ARGV[1] .. 'w', frame(body))
end
local function tell_one(who, body) redis.call('PUBLISH', ARGV[1] .. 'a:' .. who, frame(body)) end
local function tell_ended(ids)
  if #ids == 0 then return end
  local parts = {'\146\161e\220', struct.pack('>I2', #ids)}
  for _, id in ipairs(ids) do parts[#parts + 1] = bin(id) end
  tell(table.concat(parts))
end
local function tell_left(who) tell('\146\161l' .. bin(who)) end
local function hold(id)
  local said = redis.call('HGET', PENDING, id)
  if said then redis.call('HSET', PENDING, id, struct.pack('>I8', now) .. string.sub(said, 9)) end
end
"""


class Script:
    """A script's text and the name under which the server keeps it."""

    def __init__(self, text: str) -> None:
        self.text = _PRELUDE + text
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


# 5 mark, 6 announcement, 7.. fields
ANNOUNCE = Script(r"""
for i = 7, #ARGV do redis.call('HSET', STAMPS, ARGV[i], ARGV[5]) end
redis.call('HSET', PENDING, ARGV[5], struct.pack('>I8', now) .. ARGV[6])
tell(ARGV[6])
local live = redis.call('ZRANGEBYSCORE', MEMBERS, '(' .. now, '+inf', 'WITHSCORES')
for i = 2, #live, 2 do live[i] = math.min(tonumber(live[i]) - now, term) end
return {now, grace, live}
""")

# 5.. marks
RELEASE = Script(r"""
local ended = {}
for i = 5, #ARGV do
  if redis.call('HDEL', PENDING, ARGV[i]) == 1 then ended[#ended + 1] = ARGV[i] end
end
tell_ended(ended)
return {now}
""")

# 5.. marks: their outcome is open from now on
HOLD = Script(r"""
for i = 5, #ARGV do hold(ARGV[i]) end
return {now}
""")

# 5 member, 6.. its marks whose outcome is open
LEAVE = Script(r"""
for i = 6, #ARGV do hold(ARGV[i]) end
if redis.call('ZREM', MEMBERS, ARGV[5]) == 1 then tell_left(ARGV[5]) end
return {now}
""")

# 5 member, 6 its lease + margin, 7 unknown_outcome, 8 pulse, 9 former id: a join, or '-': a heartbeat
PULSE = Script(r"""
local me, unknown = ARGV[5], tonumber(ARGV[7])
if ARGV[9] ~= '-' and redis.call('ZREM', MEMBERS, ARGV[9]) == 1 then tell_left(ARGV[9]) end
-- Nobody's lease is longer than the term, unless the clock was set back.
for _, member in ipairs(redis.call('ZRANGEBYSCORE', MEMBERS, '(' .. (now + term), '+inf')) do
  redis.call('ZADD', MEMBERS, now + term, member)
end
redis.call('ZADD', MEMBERS, now + math.min(tonumber(ARGV[6]), term), me)
-- A writer that has been gone for long enough cannot be committing any more.
local mine, ended, leases = {}, {}, {}
for _, mark in ipairs(redis.call('HKEYS', PENDING)) do
  local writer = string.sub(mark, 1, 6)
  if writer == me then
    mine[#mine + 1] = mark
  elseif mark ~= '' then
    if not leases[writer] then leases[writer] = tonumber(redis.call('ZSCORE', MEMBERS, writer) or 0) end
    if leases[writer] < now then
      local said = struct.unpack('>I8', redis.call('HGET', PENDING, mark))
      if said > now then
        hold(mark)
      elseif math.max(leases[writer], said) + unknown < now then
        redis.call('HDEL', PENDING, mark)
        ended[#ended + 1] = mark
      end
    end
  end
end
tell_ended(ended)
redis.call('ZREMRANGEBYSCORE', MEMBERS, '(-inf', '(' .. (now - unknown))
if ARGV[9] ~= '-' then
  for _, mark in ipairs(redis.call('HKEYS', PENDING)) do
    if mark ~= '' then tell_one(me, string.sub(redis.call('HGET', PENDING, mark), 9)) end
  end
end
tell_one(me, ARGV[8])
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[4]) end
return {now, term, redis.call('ZCOUNT', MEMBERS, now, '+inf'), mine}
""")

# 5 member, 6 head of the answer, 7 a fresh stamp, 8.. fields
STAMPS = Script(r"""
local found = {}
for i = 8, #ARGV do
  local stamp = redis.call('HGET', STAMPS, ARGV[i])
  if not stamp then
    stamp = ARGV[7]
    redis.call('HSET', STAMPS, ARGV[i], stamp)
  end
  found[#found + 1] = stamp
end
local all = table.concat(found)
tell_one(ARGV[5], ARGV[6] .. '\197' .. struct.pack('>I2', #all) .. all)
return {now}
""")
