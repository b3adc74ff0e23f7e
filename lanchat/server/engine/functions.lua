#!lua name=lanchat1
-- What has to happen in one step where several hosts write one room. Everything in here is a number or an opaque text:
-- the rules of a room are Python (lanchat/room/), and are not repeated.
--
-- The keys of a room, in this order:
--   log      stream: an entry's id is SEQ-SUB. An event has the next SEQ and SUB 0, all else the next SUB. Events of
--            kind e that one call appends stand together, a line for each, under the id of the last of them. The fields
--            of an entry: its kind and what it says, and under i its key, which is the same when it is proposed again;
--            of kind e a JSON list of the keys, because members choose a part of them, and may choose any text
--   private  hash: the last state of each private message, by its key
--   meta     hash: seq, sub, base, rules (id of the last entry that changed who is here or what they may), and facts
--   hosts    hash: lease number and facts of each host
--   leases   sorted set: when the lease of each host ends, in ms by this server's clock
--   state    hash: what a host needs that enters, by names that mean nothing here; each entry may change some of it

local LEASE = 5000  -- ms; a pause of a busy machine is shorter, and four beats may get lost
local SILENCE = 2000  -- ms; if no host beats for so long, none could: the server was away, and no lease ends for it

-- A whole number up to 2^53, which is all that a seq may be.
local function whole(number)
  return string.format('%.0f', number)
end

-- A host reads on before it appends, if it has not read so many entries of the log.
local BEHIND = 1000

local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Why this host may not speak, as an error; false: it may. Another host with its name makes its lease void for good.
-- One whose lease is over may enter again.
-- `read` is the last seq that it has read: what was read must never get another meaning.
local function refused(keys, host, lease, read)
  local seq = redis.call('HGET', keys[3], 'seq')
  if not seq or tonumber(seq) < tonumber(read) then
    return redis.error_reply('LOST ' .. (seq or '0'))
  end
  local own = redis.call('HGET', keys[4], host .. ' lease')
  if not own then
    return redis.error_reply('OVER it was not renewed in time')
  elseif own ~= lease then
    return redis.error_reply('FENCED another lease')
  end
  return false
end

-- changes: a JSON list of a name, its value, a name ...; an empty value: there is none. '': nothing changes.
local function change(keys, changes)
  if changes ~= '' then
    local list = cjson.decode(changes)
    for i = 1, #list, 2 do
      if list[i + 1] == '' then
        redis.call('HDEL', keys[6], list[i])
      else
        redis.call('HSET', keys[6], list[i], list[i + 1])
      end
    end
  end
end

-- Notes in the log that the lease of this host is over.
local function finish(keys, host)
  local lease = redis.call('HGET', keys[4], host .. ' lease')
  redis.call('HDEL', keys[4], host .. ' lease', host .. ' facts')
  redis.call('ZREM', keys[5], host)
  if lease then
    local meta = redis.call('HMGET', keys[3], 'seq', 'sub')
    local sub = whole(tonumber(meta[2]) + 1)
    local id = meta[1] .. '-' .. sub
    redis.call('XADD', keys[1], id, 'x', lease, 'i', 'x' .. lease)
    redis.call('HSET', keys[3], 'sub', sub, 'rules', id)
  end
end

-- Renews the lease of this host, and ends those that were not renewed in time.
local function renew(keys, host, facts)
  local time = clock()
  local meta = redis.call('HMGET', keys[3], 'beat', 'spared')
  redis.call('HSET', keys[4], host .. ' facts', facts)
  redis.call('ZADD', keys[5], time + LEASE, host)
  redis.call('HSET', keys[3], 'beat', whole(time))
  if time - (tonumber(meta[1]) or 0) > SILENCE then
    redis.call('HSET', keys[3], 'spared', whole(time + LEASE))
  elseif time > (tonumber(meta[2]) or 0) then
    for _, other in ipairs(redis.call('ZRANGEBYSCORE', keys[5], '-inf', whole(time))) do
      finish(keys, other)
    end
  end
  return time
end

-- host, owner, table, floor, known, facts, changes -> lease, seq, sub, rules, base, clock, is new, leases of all, state
-- `floor` is the last seq that the host has. `known` is 1 if that came from here; else the host begins again above it.
-- `changes` make the state of a room that begins here. `base`: entries up to this seq are not here.
local function enter(keys, args)
  local host, floor = args[1], tonumber(args[4])
  local kept = redis.call('HMGET', keys[3], 'table', 'owner', 'seq')
  local is_new = '0'
  if kept[1] and kept[1] ~= args[3] then
    return redis.error_reply('TABLE another table of nicks')
  elseif kept[2] and kept[2] ~= args[2] then
    return redis.error_reply('OWNER another owner')
  elseif not kept[3] or tonumber(kept[3]) < floor then
    if args[5] == '1' then
      return redis.error_reply('LOST ' .. (kept[3] or '0'))
    elseif args[1] ~= args[2] then
      return redis.error_reply('ABSENT only its owner may begin a room')
    end
    redis.call('DEL', keys[1], keys[2], keys[4], keys[5], keys[6])
    redis.call('HSET', keys[3], 'table', args[3], 'owner', args[2], 'seq', args[4], 'sub', '0', 'rules', '',
      'base', args[4])
    change(keys, args[7])
    is_new = '1'
  end
  finish(keys, host)
  local lease = whole(redis.call('HINCRBY', keys[3], 'lease', 1))
  redis.call('HSET', keys[4], host .. ' lease', lease)
  local time = renew(keys, host, args[6])
  local leases = {}
  for _, other in ipairs(redis.call('ZRANGEBYSCORE', keys[5], '-inf', '+inf')) do
    leases[#leases + 1] = redis.call('HGET', keys[4], other .. ' lease')
  end
  local now = redis.call('HMGET', keys[3], 'seq', 'sub', 'rules', 'base')
  return {lease, now[1], now[2], now[3], now[4], whole(time), is_new, leases, redis.call('HGETALL', keys[6])}
end

-- host, lease, read, facts -> clock, number of entries, base, and for each host: name, lease, ms that it has left, facts
local function beat(keys, args)
  local error = refused(keys, args[1], args[2], args[3])
  if error then
    return error
  end
  local time = renew(keys, args[1], args[4])
  local meta = redis.call('HMGET', keys[3], 'seq', 'base')
  local entries = math.max(redis.call('XLEN', keys[1]), tonumber(meta[1]) - tonumber(meta[2]))
  local found = {whole(time), whole(entries), meta[2]}
  local ends = redis.call('ZRANGEBYSCORE', keys[5], '-inf', '+inf', 'WITHSCORES')
  for i = 1, #ends, 2 do
    local about = redis.call('HMGET', keys[4], ends[i] .. ' lease', ends[i] .. ' facts')
    found[#found + 1] = ends[i]
    found[#found + 1] = about[1] or '0'
    found[#found + 1] = whole(tonumber(ends[i + 1]) - time)
    found[#found + 1] = about[2] or ''
  end
  return found
end

-- The keys of an entry.
local function keys_of(kind, key)
  return kind == 'e' and cjson.decode(key) or {key}
end

-- Which keys of this list, as `append` has it, these entries have: their places among all keys. And whether there are
-- other keys.
local function repeated(entries, list)
  if #entries == 0 then
    return {}, true
  end
  local there = {}
  for _, entry in ipairs(entries) do
    for _, key in ipairs(keys_of(entry[2][1], entry[2][4])) do
      there[key] = true
    end
  end
  local known, place = {}, 0
  for i = 1, #list, 4 do
    for _, key in ipairs(keys_of(list[i], list[i + 3])) do
      place = place + 1
      if there[key] then
        known[#known + 1] = place
      end
    end
  end
  return known, place > #known
end

-- host, lease, read, known, rules, list, and for each entry its body
-- -> the id of the last entry that the host knows now. Or, if entries with some of the keys are here already: a list of
-- the places of these keys among all of the call, from 1 on, and nothing was appended.
-- `known` is the id of the last entry that the host knows: neither it nor any entry before it has one of the keys.
-- `rules` is the id of the last change of the rules that the host knows; '': it does not matter for these entries.
-- `list` is a MessagePack list, because each argument of a call costs the server as much as the rest of an entry: for
-- each entry its kind, how many events it has, its changes, and its key, or keys, as they stand in the log.
--   e  events, a line each          r  an event that changes the rules      k  another change of the rules
--   p  a private message            g  the same, delivered or dropped       x  a lease is over (only `finish` says so)
local function append(keys, args)
  local error = refused(keys, args[1], args[2], args[3])
  if error then
    return error
  end
  local list, known = cmsgpack.unpack(args[6]), args[4]
  local others = redis.call('XRANGE', keys[1], '(' .. known, '+', 'COUNT', BEHIND + 1)  -- mostly there are none
  if #others > BEHIND then
    return redis.error_reply('BEHIND it has not read enough')
  end
  local places, fresh = repeated(others, list)
  local meta = redis.call('HMGET', keys[3], 'seq', 'sub', 'rules')
  local seq, sub, rules = tonumber(meta[1]), tonumber(meta[2]), meta[3]
  if fresh and args[5] ~= '' and args[5] ~= '-' .. rules then
    return redis.error_reply('STALE the rules have changed')
  elseif #places > 0 then
    return places
  end
  local argument = 6
  for i = 1, #list, 4 do
    local kind, changes, key = list[i], list[i + 2], list[i + 3]
    argument = argument + 1
    if kind == 'e' or kind == 'r' then
      seq, sub = seq + list[i + 1], 0
    else
      sub = sub + 1
    end
    local id = whole(seq) .. '-' .. whole(sub)
    redis.call('XADD', keys[1], id, kind, args[argument], 'i', key)
    if kind == 'r' or kind == 'k' then
      rules = id
    elseif kind ~= 'e' then
      redis.call('HSET', keys[2], string.sub(key, 2), args[argument])
    end
    change(keys, changes)
  end
  redis.call('HSET', keys[3], 'seq', whole(seq), 'sub', whole(sub), 'rules', rules)
  return #others == 0 and whole(seq) .. '-' .. whole(sub) or known
end

-- host, lease, read, base, sub, and for each entry: id, kind, key, body -> number of entries
-- What was there before the room began here, before anything is appended. `sub` is that of the last entry.
local function fill(keys, args)
  local error = refused(keys, args[1], args[2], args[3])
  if error then
    return error
  end
  for i = 6, #args, 4 do
    local kind, key = args[i + 1], args[i + 2]
    redis.call('XADD', keys[1], args[i], kind, args[i + 3], 'i', key)
    if kind == 'p' then
      redis.call('HSET', keys[2], string.sub(key, 2), args[i + 3])
    end
  end
  redis.call('HSET', keys[3], 'base', args[4], 'sub', args[5])
  return redis.call('XLEN', keys[1])
end

-- host, lease, seq, and keys of private messages that are finished -> nothing
-- Takes out every entry up to this event.
local function trim(keys, args)
  local error = refused(keys, args[1], args[2], args[3])
  if error then
    return error
  end
  for i = 4, #args do
    redis.call('HDEL', keys[2], args[i])
  end
  redis.call('HSET', keys[3], 'base', args[3])
  return redis.call('XTRIM', keys[1], 'MINID', '=', args[3] .. '-1')
end

redis.register_function('lanchat1_enter', enter)
redis.register_function('lanchat1_beat', beat)
redis.register_function('lanchat1_append', append)
redis.register_function('lanchat1_fill', fill)
redis.register_function('lanchat1_trim', trim)
