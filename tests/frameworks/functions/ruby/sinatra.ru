# Sinatra for every path and method.
require "sinatra/base"
require_relative "report"

class App < Sinatra::Base
  set :environment, :production
  set :show_exceptions, false
  set :raise_errors, true
  set :protection, false
  set :method_override, true

  %w[get post put patch delete options].each do |verb|
    send(verb, "/*") do
      content_type :json
      accessors = Report.of_rack(request) + [
        Report.accessor("params[:uid]", "any", "uid", params[:uid]),
        Report.accessor("params[:fuid]", "any", "fuid", params[:fuid]),
        Report.accessor("request.env['HTTP_X_UID']", "header", "x-uid", request.env["HTTP_X_UID"]),
        Report.accessor("request.cookies['cuid']", "cookie", "cuid", request.cookies["cuid"]),
      ]
      JSON.generate({ accessors:, all: Report.all(request) })
    end
  end
end

use Careful
run App
