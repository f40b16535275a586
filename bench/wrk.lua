-- Sends the first tokens of a file in turn and prints what was measured as the last line, in JSON.
-- Arguments: the file, how many of its tokens.

local requests, current = {}, 0

function init(args)
    local most = tonumber(args[2])
    for token in io.lines(args[1]) do
        if #requests == most then break end
        requests[#requests + 1] = wrk.format("GET", nil, {
            ["Host"] = wrk.headers["Host"],
            ["User-Agent"] = "wrk",
            ["Accept"] = "application/json",
            ["Authorization"] = "Bearer " .. token,
        })
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
