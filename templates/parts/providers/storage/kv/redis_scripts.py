"""What runs inside Redis, where a script is one step for everybody.

A namespace is four keys, all of one slot: a hash of its values, a sorted set of its keys (all of one score, so that
Redis orders them by their bytes), a sorted set of when keys end (milliseconds since 1970, by Redis' clock), and its
revision.
"""

from __future__ import annotations

from string import Template

_CLOCK = """
local values, order, ends, revision = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function there(key)
    local till = redis.call('ZSCORE', ends, key)
    return (not till or tonumber(till) > now) and redis.call('HGET', values, key)
end
"""

# The revision is not below the clock: if Redis loses the last writes in a crash, it does not come to a number again
# that stood for something else.
_CHANGE = Template(
    _CLOCK
    + """
local key = ARGV[1]
$change
local last = tonumber(redis.call('GET', revision) or '0')
redis.call('SET', revision, string.format('%.0f', math.max(last + 1, clock[1] * 1000000 + clock[2])))
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 100)) do
    redis.call('HDEL', values, gone)
    redis.call('ZREM', order, gone)
    redis.call('ZREM', ends, gone)
end
return 1
"""
)

_SET = """
redis.call('HSET', values, key, ARGV[2])
redis.call('ZADD', order, 0, key)
if ARGV[3] == '' then redis.call('ZREM', ends, key) else redis.call('ZADD', ends, now + ARGV[3], key) end
"""

PUT = _CHANGE.substitute(change=_SET)
"""ARGV: key, value, milliseconds that it lives or nothing."""

ADD = _CHANGE.substitute(change=f"if there(key) then return 0 end{_SET}")
"""The same; 0 where there was something."""

REPLACE = _CHANGE.substitute(
    change="""
if there(key) ~= ARGV[3] then return 0 end
redis.call('HSET', values, key, ARGV[2])
"""
)
"""ARGV: key, value, what it was; 0 where it was not."""

DELETE = _CHANGE.substitute(
    change="""
local was = there(key)
if not was or (ARGV[2] == '1' and was ~= ARGV[3]) then return 0 end
redis.call('HDEL', values, key)
redis.call('ZREM', order, key)
redis.call('ZREM', ends, key)
"""
)
"""ARGV: key, whether it has to be something (1), what it has to be; 0 where there was nothing to remove."""

GET = f"{_CLOCK}return there(ARGV[1])"
"""ARGV: key."""

SCAN = f"""{_CLOCK}
local found, from, left = {{}}, '[' .. ARGV[1], tonumber(ARGV[3])
while left > 0 do
    local keys = redis.call('ZRANGEBYLEX', order, from, '(' .. ARGV[2], 'LIMIT', 0, left)
    if #keys == 0 then break end
    from = '(' .. keys[#keys]
    for _, key in ipairs(keys) do
        local value = there(key)
        if value then
            found[#found + 1] = key
            found[#found + 1] = value
            left = left - 1
        end
    end
end
return found
"""
"""ARGV: the least key, what all keys are less than, how many pairs. Returns keys and values in turn."""
