local found = redis.call('GET', KEYS[1])
local known = found and string.sub(found, 1, 8) or redis.call('GET', KEYS[2]) or ''
if known ~= ARGV[1] then return found or '' end
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  if ARGV[4] ~= '' then
    redis.call('XADD', KEYS[3], 'MAXLEN', '~', 4096, '*', 's', ARGV[4])
    redis.call('PEXPIRE', KEYS[3], 600000)
  end
end
return 1
