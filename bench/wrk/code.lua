-- A code, then its exchange, in turn. One connection a thread, so that an answer belongs to the request before it.
local threads = {}

function setup(thread)
  thread:set("unexpected", 0)
  table.insert(threads, thread)
end

function init(args)
  dofile(args[1])
end

function request()
  if code == nil then return wrk.format(authorize.method, authorize.path, authorize.headers, authorize.body) end
  local body = exchange.body:gsub("CODE", function() return code end)
  return wrk.format(exchange.method, exchange.path, exchange.headers, body)
end

function response(status, headers, body)
  if code == nil then
    for name, value in pairs(headers) do
      if name:lower() == "location" then code = value:match("[?&]code=([^&]+)") end
    end
    if code == nil then unexpected = unexpected + 1 end
  else
    code = nil
    if not body:find('"access_token"', 1, true) then unexpected = unexpected + 1 end
  end
end

function unexpectedAnswers()
  local sum = 0
  for _, thread in ipairs(threads) do sum = sum + thread:get("unexpected") end
  return sum
end
