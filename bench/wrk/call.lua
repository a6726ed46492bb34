-- One request over and over. Its argument is a file that sets `call`.
function init(args)
  dofile(args[1])
  prepared = wrk.format(call.method, call.path, call.headers, call.body)
end

function request()
  return prepared
end
