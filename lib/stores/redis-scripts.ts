import { createHash } from 'node:crypto';

/** Lua that runs in Redis, as one step that nothing comes in between. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

/**
 * At the head of every script, so that no change is acknowledged by a server that came back with other settings. The
 * first value says what is asked: 0 nothing, 1 that it is append-only, 2 that it evicts nothing either. INFO takes 6 us
 * for persistence and 25 us for all three sections; unlike CONFIG it is seldom forbidden.
 */
const PRELUDE = `
local function section(name)
  local text = redis.pcall('INFO', name)
  return type(text) == 'string' and text or ''
end
local function problem()
  if ARGV[1] == '0' then return nil end
  local aof = string.match(section('persistence'), 'aof_enabled:(%d)')
  if not aof then return 'unknown' end
  if aof ~= '1' then return 'volatile' end
  if ARGV[1] == '1' then return nil end
  local memory = section('memory')
  local policy = string.match(memory, 'maxmemory_policy:([%w-]+)')
  if not policy then return 'unknown' end
  if string.sub(policy, 1, 8) ~= 'allkeys-' or string.match(memory, 'maxmemory:(%d+)') == '0' then return nil end
  return 'evicting'
end
local found = problem()
if found then return { found } end
`;

function script(text: string): RedisScript {
  const whole = `${PRELUDE}${text}`;
  return { text: whole, sha: createHash('sha1').update(whole).digest('hex') };
}

/** KEYS: the start of the names of records, then indexes of digests. */
export const FIND_BY_DIGEST: RedisScript = script(`
local id
for i = 2, #KEYS do
  local holder = redis.call('GET', KEYS[i])
  if holder then
    if id and id ~= holder then return { 'two' } end
    id = holder
  end
end
if not id then return { 'none' } end
local text = redis.call('GET', KEYS[1] .. id)
if not text then return { 'gone' } end
return { 'ok', text }
`);

/** KEYS: the record. */
export const FIND_BY_ID: RedisScript = script(`
local text = redis.call('GET', KEYS[1])
if not text then return { 'none' } end
return { 'ok', text }
`);

/** KEYS: the start of the names of records, an index of ids. ARGV: demand, order, where to go on, how many. */
export const PAGE: RedisScript = script(`
local ids
if ARGV[2] == 'newest' then
  ids = redis.call('ZREVRANGEBYLEX', KEYS[2], ARGV[3], '-', 'LIMIT', 0, ARGV[4])
else
  ids = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[3], '+', 'LIMIT', 0, ARGV[4])
end
local answer = { 'ok' }
for i, id in ipairs(ids) do
  local text = redis.call('GET', KEYS[1] .. id)
  if not text then return { 'gone' } end
  answer[i + 1] = text
end
return answer
`);

/**
 * KEYS: record, digest, previous digest (the record where there is none), indexes of ids. ARGV: demand, id, text.
 * The record itself is written last: a script that fails half-way, as at a foreign value, undoes nothing.
 */
export const INSERT: RedisScript = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then return { 'id' } end
if redis.call('EXISTS', KEYS[2]) == 1 then return { 'digest' } end
if redis.call('EXISTS', KEYS[3]) == 1 then return { 'digest' } end
for i = 4, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[2]) end
redis.call('SET', KEYS[2], ARGV[2])
if KEYS[3] ~= KEYS[1] then redis.call('SET', KEYS[3], ARGV[2]) end
redis.call('SET', KEYS[1], ARGV[3])
return { 'ok' }
`);

/** Tells those who watch: into their log, and with the bell, which may be lost. */
const TELL = `
local function log(change)
  if change ~= '' then redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'c', change) end
end
local function ring(change, channel)
  if change ~= '' then redis.pcall('PUBLISH', channel, '1') end
end
`;

/**
 * KEYS: record, log, old and new digest, old and new previous digest; the record stands for one that there is not.
 * ARGV: demand, id, the version expected, text, whether the two last uses stay, the change to tell, the channel.
 * Last uses may have moved since the caller read, and are taken from the record as it is.
 */
export const UPDATE: RedisScript = script(`${TELL}
local head = redis.call('GETRANGE', KEYS[1], 0, 51)
if string.sub(head, 2, 17) ~= ARGV[3] then return { 'none' } end
local function taken(key)
  if key == KEYS[1] then return false end
  local holder = redis.call('GET', key)
  return holder and holder ~= ARGV[2]
end
if taken(KEYS[4]) or taken(KEYS[6]) then return { 'digest' } end
local text = ARGV[4]
if ARGV[5] == '1' then text = string.sub(text, 1, 18) .. string.sub(head, 19, 35) .. string.sub(text, 36) end
if ARGV[6] == '1' then text = string.sub(text, 1, 35) .. string.sub(head, 36, 52) .. string.sub(text, 53) end
log(ARGV[7])
for i = 4, 6, 2 do
  if KEYS[i] ~= KEYS[1] then redis.call('SET', KEYS[i], ARGV[2]) end
  local old = KEYS[i - 1]
  if old ~= KEYS[i] and old ~= KEYS[1] then redis.call('DEL', old) end
end
redis.call('SET', KEYS[1], text)
ring(ARGV[7], ARGV[8])
return { 'ok', string.sub(text, 1, 52) }
`);

/**
 * KEYS: record, log, digest, previous digest (the record where there is none), indexes of ids.
 * ARGV: demand, id, the version expected, the change to tell, the channel.
 */
export const DELETE: RedisScript = script(`${TELL}
local version = redis.call('GETRANGE', KEYS[1], 1, 16)
if version == '' then return { 'none' } end
if version ~= ARGV[3] then return { 'changed' } end
log(ARGV[4])
redis.call('DEL', KEYS[1], KEYS[3], KEYS[4])
for i = 5, #KEYS do redis.call('ZREM', KEYS[i], ARGV[2]) end
ring(ARGV[4], ARGV[5])
return { 'ok' }
`);

/** KEYS: records. ARGV: demand, then for each the last use of the key and of the one before it, or ''. */
export const RECORD_USE: RedisScript = script(`
local function forward(key, head, at, use)
  local last = string.sub(head, at + 1, at + 17)
  if use == '' or string.sub(last, 1, 1) == '.' then return end
  if string.sub(last, 1, 1) == ' ' or tonumber(last) < tonumber(use) then
    redis.call('SETRANGE', key, at, use)
  end
end
for i, key in ipairs(KEYS) do
  local head = redis.call('GETRANGE', key, 0, 51)
  if #head == 52 and string.sub(head, 1, 1) == '1' and string.sub(head, 18, 18) == '0' then
    forward(key, head, 18, ARGV[2 * i])
    forward(key, head, 35, ARGV[2 * i + 1])
  end
end
return { 'ok' }
`);

/** KEYS: the log. Answers who the server is, and the last entry, which an empty log is given. */
export const WATCH: RedisScript = script(`
local server = string.match(section('server'), 'run_id:(%w+)') or ''
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if last then return { 'ok', server, last[1], last[2][2] } end
return { 'ok', server, redis.call('XADD', KEYS[1], '*', 'c', 'start'), 'start' }
`);

/** KEYS: the log. ARGV: demand, from which entry, how many. Answers who the server is, then the entries. */
export const NEWS: RedisScript = script(`
local answer = { 'ok', string.match(section('server'), 'run_id:(%w+)') or '' }
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', ARGV[3])) do
  answer[#answer + 1] = entry[1]
  answer[#answer + 1] = entry[2][2]
end
return answer
`);
