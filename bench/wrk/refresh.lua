-- Each answer brings the token of the next request. One connection a thread, so that each has a token of its own.
local threads = {}

function setup(thread)
  thread:set("index", #threads + 1)
  thread:set("unexpected", 0)
  table.insert(threads, thread)
end

function init(args)
  dofile(args[1])
  token = tokens[index]
end

function request()
  local body = call.body:gsub("TOKEN", function() return token end)
  return wrk.format(call.method, call.path, call.headers, body)
end

function response(status, headers, body)
  local successor = body:match('"refresh_token":"([^"]+)"')
  if successor and successor ~= token then token = successor else unexpected = unexpected + 1 end
end

function unexpectedAnswers()
  local sum = 0
  for _, thread in ipairs(threads) do sum = sum + thread:get("unexpected") end
  return sum
end
