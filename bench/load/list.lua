-- For wrk: sends the requests of a file, one after the other and from the start again, and
-- says as JSON what came of it.
--
--   wrk ... -s list.lua <url> -- <file>
--
-- Each line of the file is a method, a path, and maybe an `Authorization`, with blanks
-- between them.
local requests, at = {}, 0

function init(arguments)
  local host = wrk.headers["Host"]
  for line in io.lines(arguments[1]) do
    local method, path, credentials = line:match("^(%S+) (%S+) ?(.*)$")
    local headers = {Host = host, ["User-Agent"] = "streamgate-bench"}
    if credentials ~= "" then headers["Authorization"] = credentials end
    if method == "POST" then headers["Content-Length"] = "0" end
    requests[#requests + 1] = wrk.format(method, path, headers)
  end
end

function request()
  at = at + 1
  if at > #requests then at = 1 end
  return requests[at]
end

function done(summary, _, _)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"bytes":%d,"duration_us":%d,"not_2xx":%d,"broken":%d}\n',
    summary.requests, summary.bytes, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
