# What the functions of Ruby have in common.
require "digest"
require "json"
require "rack"
require "rack/query_parser"

# Answers 400 to forms that Rack refuses, and closes connections: Puma leaves a malformed request without an answer
# when it follows another one on its connection.
class Careful
  REFUSED = [
    Rack::QueryParser::ParameterTypeError, Rack::QueryParser::InvalidParameterError,
    Rack::Multipart::MultipartPartLimitError, Rack::Multipart::MultipartTotalPartLimitError,
    RangeError, EOFError, ArgumentError
  ].freeze

  def initialize(app)
    @app = app
  end

  def call(env)
    status, headers, body = @app.call(env)
    [status, headers.merge("connection" => "close"), body]
  rescue *REFUSED => e
    [400, { "content-type" => "text/plain", "connection" => "close" }, [e.class.name]]
  end
end

module Report
  module_function

  def accessor(accessor, position, name, value)
    { accessor:, position:, name:, value: readable(value) }
  end

  # A form's values as JSON: an uploaded file is its content.
  def readable(value)
    case value
    when Hash
      file?(value) ? content(value) : value.to_h { |name, inner| [readable(name), readable(inner)] }
    when Array then value.map { |inner| readable(inner) }
    when String then value.dup.force_encoding("UTF-8").scrub
    else value
    end
  end

  def file?(value) = value.is_a?(Hash) && (value[:tempfile] || value["tempfile"]).respond_to?(:read)

  def content(file)
    io = file[:tempfile] || file["tempfile"]
    io.rewind
    readable(io.read)
  end

  def files(form)
    form.flat_map { |name, value| [value].flatten.select { |one| file?(one) }.map { |one| file(name, one) } }
  end

  def file(name, file)
    io = file[:tempfile] || file["tempfile"]
    io.rewind
    data = io.read
    { name: readable(name), filename: readable(file[:filename]), size: data.bytesize,
      sha256: Digest::SHA256.hexdigest(data) }
  end

  # Everything that Rack itself reads.
  def all(request)
    form = request.POST
    headers = request.env.select { |name, _| name.start_with?("HTTP_") }
                     .to_h { |name, value| [name.delete_prefix("HTTP_").downcase.tr("_", "-"), value] }
    headers["content-type"] = request.content_type if request.content_type
    request.body.rewind
    body = request.body.read
    json = begin
      JSON.parse(body) if request.media_type == "application/json"
    rescue JSON::ParserError
      nil
    end
    { query: readable(request.GET), form: readable(form.reject { |_, value| [value].flatten.any? { |one| file?(one) } }),
      files: files(form), cookies: readable(request.cookies), headers: readable(headers), json:,
      body_sha256: request.form_data? || body.empty? ? nil : Digest::SHA256.hexdigest(body) }
  end

  def of_rack(request)
    [
      accessor("env['HTTP_X_UID']", "header", "x-uid", request.env["HTTP_X_UID"]),
      accessor("request.GET['uid']", "query", "uid", request.GET["uid"]),
      accessor("request.POST['fuid']", "form", "fuid", request.POST["fuid"]),
      accessor("request.params['uid']", "any", "uid", request.params["uid"]),
      accessor("request.params['fuid']", "any", "fuid", request.params["fuid"]),
      accessor("request.cookies['cuid']", "cookie", "cuid", request.cookies["cuid"]),
    ]
  end
end
