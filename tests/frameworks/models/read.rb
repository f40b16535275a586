# Reads inputs with Rack. See libraries.py for what comes in and goes out.
require "json"
require "stringio"
require "rack"

MODEL = Rack.release.start_with?("2") ? "Rack 2" : "Rack 3"

# Under a name such as `a[][]` Rack 2.2 makes an array of what it knows of a file.
def of_file?(element)
  element.is_a?(Array) && element.first.is_a?(Symbol)
end

def leaves(value)
  case value
  when Array then value.flat_map { |element| of_file?(element) ? [] : leaves(element) }
  when Hash then value[:tempfile] ? [value[:tempfile].read] : value.values.flat_map { |element| leaves(element) }
  when nil then []
  else [value.to_s]
  end
end

def hexadecimal(text)
  text.to_s.b.unpack1("H*")
end

$stdin.each_line do |line|
  position, type, text = line.split(" ", -1).map(&:chomp)
  text = [text].pack("H*")
  env = { "REQUEST_METHOD" => "POST", "QUERY_STRING" => "", "rack.input" => StringIO.new("".b) }
  env["CONTENT_TYPE"] = [type].pack("H*") unless type == "-"
  case position
  when "query" then env["QUERY_STRING"] = text
  when "cookies" then env["HTTP_COOKIE"] = text
  else env.merge!("rack.input" => StringIO.new(text), "CONTENT_LENGTH" => text.bytesize.to_s)
  end
  request = Rack::Request.new(env)
  begin
    found = { "query" => :GET, "cookies" => :cookies, "body" => :POST }.fetch(position)
    found = request.public_send(found).map { |name, value| [hexadecimal(name), leaves(value).map { |leaf| hexadecimal(leaf) }] }
  rescue StandardError
    found = nil
  end
  puts JSON.generate({ MODEL => [found] })
end
