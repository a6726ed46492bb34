-- Many requests in an order of chance, the same one each time. Its argument is a file that sets `calls`.
function init(args)
  dofile(args[1])
  math.randomseed(1)
  prepared = {}
  for index, call in ipairs(calls) do
    prepared[index] = wrk.format(call.method, call.path, call.headers, call.body)
  end
end

function request()
  return prepared[math.random(#prepared)]
end
