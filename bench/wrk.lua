-- Sends requests of a file in turn and prints what was measured as the last line, in JSON. A line of the file
-- is a token for the host of the command line, or a host and a token. Arguments: the file, how many of its
-- lines (0: all), and how many milliseconds a connection waits on average before each request (0: it goes as
-- fast as it can).

local requests, current = {}, 0

function init(args)
    local most, pause = tonumber(args[2]), tonumber(args[3])
    for line in io.lines(args[1]) do
        if #requests == most and most > 0 then break end
        local host, token = line:match("^(%S+) (%S+)$")
        requests[#requests + 1] = wrk.format("GET", nil, {
            ["Host"] = host or wrk.headers["Host"],
            ["User-Agent"] = "wrk",
            ["Accept"] = "application/json",
            ["Authorization"] = "Bearer " .. (token or line),
        })
    end
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
