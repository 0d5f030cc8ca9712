-- Lets a stream of an account play, or not. One sorted set per account holds its streams
-- with the moment at which each lapses.
--
-- KEYS[1]  the account
-- ARGV[1]  the stream
-- ARGV[2]  how many may play at once
-- ARGV[3]  how long a stream lives without a request, in seconds
--
-- Returns 1 if it may play, 0 if not.
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
