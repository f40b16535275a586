# Sinatra with a secret under /admin, whose routes take a format as those of Rails do.
require "sinatra/base"
require_relative "report"

class Paths < Sinatra::Base
  set :environment, :production
  set :protection, false

  def answer(secret)
    content_type :json
    JSON.generate({ secret:, path: request.path_info.dup.force_encoding("UTF-8").scrub })
  end

  get(%r{/admin(?:\.[^./?]+)?}) { answer(true) }
  get(%r{/admin/[^./?]+(?:\.[^./?]+)?}) { answer(true) }
  get("/*") { answer(false) }
end

use Careful
run Paths
