# Rack alone.
require_relative "report"

use Careful
run(lambda do |env|
  request = Rack::Request.new(env)
  content = JSON.generate({ accessors: Report.of_rack(request), all: Report.all(request) })
  [200, { "content-type" => "application/json" }, [content]]
end)
