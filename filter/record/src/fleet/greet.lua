local time = redis.call('TIME')
local ms = time[1] * 1000 + math.floor(time[2] / 1000)
local now, rest = '', ms
for _ = 1, 6 do
  now = string.char(rest % 256) .. now
  rest = math.floor(rest / 256)
end
local since = redis.pcall('GET', KEYS[1])
if type(since) == 'string' and #since == 6 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
else
  since = now
  redis.call('SET', KEYS[1], since, 'PX', ARGV[1])
end
local place = ARGV[2]
if place == '' then return now .. since end
if place == 'new' then place = string.format('%.0f-0', math.max(ms - 60000, 0)) end
local entries = redis.pcall('XRANGE', KEYS[2], '(' .. place, '+', 'COUNT', 512)
if entries.err then
  if not string.find(entries.err, 'WRONGTYPE', 1, true) then return entries end
  -- Something else stands there, and would for good. What is set over it goes at once.
  redis.call('SET', KEYS[2], '', 'PX', 1)
  entries = {}
end
local subjects = {}
for _, entry in ipairs(entries) do
  place = entry[1]
  if #entry[2][2] == 16 then subjects[#subjects + 1] = entry[2][2] end
end
return now .. since .. string.char(#place) .. place .. table.concat(subjects)
