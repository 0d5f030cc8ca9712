local found = redis.pcall('GET', KEYS[1])
local known = type(found) == 'string' and string.sub(found, 1, 8) or ''
-- What no edge can have written is as good as absent, and written over.
if #known < 8 or known == string.rep('\0', 8) then
  found, known = '', redis.call('GET', KEYS[2]) or ''
end
if known ~= ARGV[1] then return found end
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  if ARGV[4] ~= '' then
    redis.call('XADD', KEYS[3], 'MAXLEN', '~', 4096, '*', 's', ARGV[4])
    redis.call('PEXPIRE', KEYS[3], 600000)
  end
end
return 1
