local time = redis.call('TIME')
local ms = time[1] * 1000 + math.floor(time[2] / 1000)
local now, rest = '', ms
for _ = 1, 6 do
  now = string.char(rest % 256) .. now
  rest = math.floor(rest / 256)
end
local since = redis.call('GET', KEYS[1])
if since then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
else
  since = now
  redis.call('SET', KEYS[1], since, 'PX', ARGV[1])
end
local place = ARGV[2]
if place == '' then return now .. since end
if place == 'new' then place = string.format('%.0f-0', math.max(ms - 60000, 0)) end
local subjects = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. place, '+', 'COUNT', 512)) do
  place = entry[1]
  subjects[#subjects + 1] = entry[2][2]
end
return now .. since .. string.char(#place) .. place .. table.concat(subjects)
