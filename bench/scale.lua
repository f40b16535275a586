-- Sends requests of a file in turn, each line a host and a token, and prints what was measured as the last
-- line, in JSON. Arguments: the file, and how many milliseconds a connection waits on average before each
-- request; 0 is as fast as it goes.

local requests, current = {}, 0

function init(args)
    for line in io.lines(args[1]) do
        local host, token = line:match("^(%S+) (%S+)$")
        requests[#requests + 1] = wrk.format("GET", nil, {
            ["Host"] = host,
            ["User-Agent"] = "wrk",
            ["Accept"] = "application/json",
            ["Authorization"] = "Bearer " .. token,
        })
    end
    local pause = tonumber(args[2])
    if pause > 0 then
        -- Uneven, so that the connections do not send all at once.
        delay = function() return math.floor(math.random() * 2 * pause + 0.5) end
    end
end

function request()
    current = current % #requests + 1
    return requests[current]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
        summary.requests, summary.duration / 1e6, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
