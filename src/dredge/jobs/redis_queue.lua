-- Every change of the queue on Redis: each is one script, so that nothing comes between its steps.
-- Times are Redis's own, so that clocks of workers need not agree.
--
-- Keys as RQ names them, NAME being one of the lists in a.names, highest priority first:
--   rq:queues           set of the lists
--   rq:queue:NAME       list of the ids that wait
--   rq:scheduled:NAME   ids that wait for a retry -> when they may run
--   rq:wip:NAME         "id:owner" -> when its lease runs out
--   rq:finished:NAME, rq:failed:NAME, rq:canceled:NAME   ids that ended -> when they are forgotten
--   rq:job:ID           hash: RQ's fields, exc_info holding the reason, and ours, dredge_*:
--                       number, priority, retries, attempts, losses, time_limit, trace, owner, cancel, progress,
--                       created, started, finished
-- Keys of our own:
--   dredge:jobs         ids -> number, in order of submission
--   dredge:waiting      ids that wait -> when they were submitted
--   dredge:number       the last number
--   dredge:pulse        hash: beat, when a worker was last heard; calm, since when that never broke off

local a = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local function text(seconds) return string.format('%.6f', seconds) end

local function key(kind, name) return a.prefix .. ':' .. kind .. ':' .. name end
local function get(id, ...) return unpack(redis.call('HMGET', key('job', id), ...)) end
local function set(id, ...) redis.call('HSET', key('job', id), ...) end

local function finish(id, status, reason, result)
  set(id, 'status', status, 'dredge_finished', text(now), 'ended_at', a.date, 'dredge_owner', '')
  if reason then set(id, 'exc_info', reason) end
  if result then set(id, 'result', result) end
  redis.call('ZREM', 'dredge:waiting', id)
  redis.call('ZADD', key(status, get(id, 'origin')), text(now + a.kept), id)
  redis.call('EXPIRE', key('job', id), a.kept)
end

local function wait(id, front)
  local name, created = get(id, 'origin', 'dredge_created')
  set(id, 'status', 'queued', 'dredge_owner', '')
  redis.call('ZADD', 'dredge:waiting', created, id)
  redis.call(front and 'LPUSH' or 'RPUSH', key('queue', name), id)
end

local function wait_until(id, moment)
  local name, created = get(id, 'origin', 'dredge_created')
  set(id, 'status', 'scheduled', 'dredge_owner', '')
  redis.call('ZADD', 'dredge:waiting', created, id)
  redis.call('ZADD', key('scheduled', name), text(moment), id)
end

local function holds(id)
  local status, owner = get(id, 'status', 'dredge_owner')
  return status == 'started' and owner == a.owner
end

local function let_go(id) redis.call('ZREM', key('wip', get(id, 'origin')), id .. ':' .. a.owner) end

-- Seconds since when workers could renew their leases. It begins anew when none was heard for half a lease, because then
-- Redis was away, and leases ran out although their holders work.
local function calm()
  local beat, since = unpack(redis.call('HMGET', 'dredge:pulse', 'beat', 'calm'))
  if not beat or now - beat > a.lease / 2 then
    redis.call('HSET', 'dredge:pulse', 'beat', text(now), 'calm', text(now))
    return 0
  end
  if now - beat > a.lease / 10 then redis.call('HSET', 'dredge:pulse', 'beat', text(now)) end
  return now - since
end

local function reclaim(name)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', key('wip', name), 0, text(now), 'LIMIT', 0, 100)) do
    redis.call('ZREM', key('wip', name), member)
    local id, holder = string.match(member, '^(.*):([^:]*)$')
    local status, owner, cancel, attempts, retries = get(
      id, 'status', 'dredge_owner', 'dredge_cancel', 'dredge_attempts', 'dredge_retries')
    if status == 'started' and owner == holder then
      local losses = redis.call('HINCRBY', key('job', id), 'dredge_losses', 1)
      if cancel then
        finish(id, 'canceled', 'cancelled')
      elseif tonumber(attempts) > tonumber(retries) then
        finish(id, 'failed', 'its worker died ' .. losses .. ' times')
      else
        wait(id, true)
      end
    end
  end
end

local function end_waits(name)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('scheduled', name), 0, text(now), 'LIMIT', 0, 100)) do
    redis.call('ZREM', key('scheduled', name), id)
    if get(id, 'status') == 'scheduled' then wait(id, false) end
  end
end

local function forget(name)
  for _, kind in ipairs({'finished', 'failed', 'canceled'}) do
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', key(kind, name), 0, text(now), 'LIMIT', 0, 100)) do
      redis.call('ZREM', key(kind, name), id)
      redis.call('ZREM', 'dredge:jobs', id)
    end
  end
end

local commands = {}

-- 1 when it was put into the queue, 0 when it is there already, minus the number that waits when that is too many.
function commands.submit()
  if redis.call('EXISTS', key('job', a.id)) == 1 then return 0 end
  local waiting = 0
  for _, name in ipairs(a.names) do
    waiting = waiting + redis.call('LLEN', key('queue', name)) + redis.call('ZCARD', key('scheduled', name))
  end
  if waiting >= a.most then return -waiting end
  local number = redis.call('INCR', 'dredge:number')
  set(a.id, 'dredge_number', number, 'dredge_created', text(now), unpack(ARGV, 2))
  redis.call('ZADD', 'dredge:jobs', number, a.id)
  redis.call('SADD', a.prefix .. ':queues', key('queue', get(a.id, 'origin')))
  wait(a.id, false)
  return 1
end

-- The id of the next job, which now belongs to a.owner, or nil.
function commands.claim()
  local settled = calm() >= a.lease
  for _, name in ipairs(a.names) do
    if settled then reclaim(name) end
    end_waits(name)
    forget(name)
  end
  for _, name in ipairs(a.names) do
    local id = redis.call('LPOP', key('queue', name))
    while id do
      redis.call('ZREM', 'dredge:waiting', id)
      local status, attempts, retries, started = get(id, 'status', 'dredge_attempts', 'dredge_retries', 'dredge_started')
      if status == 'queued' and attempts then
        -- retries_left is for tools of RQ, which treat a lease that ran out by their own rules.
        set(id, 'status', 'started', 'dredge_owner', a.owner, 'dredge_attempts', attempts + 1, 'started_at', a.date,
            'dredge_started', started or text(now), 'retries_left', math.max(0, retries - attempts))
        redis.call('HDEL', key('job', id), 'exc_info')
        redis.call('ZADD', key('wip', name), text(now + a.lease), id .. ':' .. a.owner)
        return id
      end
      id = redis.call('LPOP', key('queue', name))
    end
  end
  return nil
end

function commands.renew()
  calm()
  if not holds(a.id) then return 'lost' end
  local name, cancel = get(a.id, 'origin', 'dredge_cancel')
  redis.call('ZADD', key('wip', name), text(now + a.lease), a.id .. ':' .. a.owner)
  return cancel and 'cancel' or 'held'
end

function commands.progress()
  if holds(a.id) then set(a.id, 'dredge_progress', a.progress) end
end

function commands.finish()
  if not holds(a.id) then return 0 end
  let_go(a.id)
  if a.status == 'failed' and get(a.id, 'dredge_cancel') then
    finish(a.id, 'canceled', 'cancelled')
  else
    finish(a.id, a.status, a.reason, a.result)
  end
  return 1
end

function commands.give_back()
  if not holds(a.id) then return 0 end
  let_go(a.id)
  if a.lost then redis.call('HINCRBY', key('job', a.id), 'dredge_losses', 1) end
  if not a.counts then redis.call('HINCRBY', key('job', a.id), 'dredge_attempts', -1) end
  set(a.id, 'exc_info', a.reason)
  if get(a.id, 'dredge_cancel') then
    finish(a.id, 'canceled', 'cancelled')
  elseif a.counts then
    wait_until(a.id, now + a.delay)
  else
    wait(a.id, true)
  end
  return 1
end

-- 1 when it will stop or has stopped, 0 when it had ended already.
function commands.cancel()
  local status, name = get(a.id, 'status', 'origin')
  if status == 'started' then
    set(a.id, 'dredge_cancel', 1, 'exc_info', 'cancelled')
    return 1
  elseif status == 'queued' or status == 'scheduled' then
    redis.call('LREM', key('queue', name), 0, a.id)
    redis.call('ZREM', key('scheduled', name), a.id)
    finish(a.id, 'canceled', 'cancelled')
    return 1
  end
  return 0
end

return commands[a.command]()
