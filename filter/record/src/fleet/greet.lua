local since = redis.call('GET', KEYS[1])
if since then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  since = ARGV[1]
  redis.call('SET', KEYS[1], since, 'PX', ARGV[2])
end
local place = ARGV[3]
if place == '' then return since end
local subjects = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. place, '+', 'COUNT', 512)) do
  place = entry[1]
  subjects[#subjects + 1] = entry[2][2]
end
return since .. string.char(#place) .. place .. table.concat(subjects)
