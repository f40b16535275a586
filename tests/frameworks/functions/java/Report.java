// The servlet of Tomcat and, with `javax` for `jakarta`, of Jetty. With PATHS=1 it is a secret under /admin/*.
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.Part;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

public class Report extends HttpServlet {
    private final boolean secret;

    /** A servlet for /admin/* when `secret`, else for everything. */
    public Report(boolean secret) {
        this.secret = secret;
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Object content;
        try {
            content = System.getenv("PATHS") == null ? report(request) : path(request);
        } catch (Exception refused) {
            response.sendError(400, String.valueOf(refused.getMessage()));
            return;
        }
        response.setContentType("application/json");
        response.getOutputStream().write(json(content).getBytes(StandardCharsets.UTF_8));
    }

    private Map<String, Object> path(HttpServletRequest request) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("secret", secret);
        result.put("path", request.getServletPath() + (request.getPathInfo() == null ? "" : request.getPathInfo()));
        return result;
    }

    private Map<String, Object> report(HttpServletRequest request) throws Exception {
        // As Spring does where a client names no character set.
        if (request.getCharacterEncoding() == null) request.setCharacterEncoding("UTF-8");
        String type = String.valueOf(request.getContentType()).toLowerCase();
        boolean multipart = type.startsWith("multipart/");
        List<Object> accessors = new ArrayList<>();
        List<Object> files = new ArrayList<>();
        List<Object> parts = new ArrayList<>();
        if (multipart) {
            for (Part part : request.getParts()) {
                byte[] data = part.getInputStream().readAllBytes();
                if (part.getSubmittedFileName() != null) files.add(file(part, data));
                if (part.getName().equals("fuid")) parts.add(new String(data, StandardCharsets.UTF_8));
            }
            accessors.add(accessor("getPart(fuid)", "form", "fuid", parts));
        }
        Map<String, String[]> parameters = request.getParameterMap();
        Map<String, List<String>> query = query(request.getQueryString());
        boolean form = multipart || type.startsWith("application/x-www-form-urlencoded");
        for (String name : List.of("uid", "fuid")) {
            // Without a form getParameter reads the query alone.
            String position = form || name.equals("fuid") ? "any" : "query";
            accessors.add(accessor("getParameter(" + name + ")", position, name, request.getParameter(name)));
            String[] values = request.getParameterValues(name);
            accessors.add(accessor("getParameterValues(" + name + ")", position, name,
                values == null ? null : Arrays.asList(values)));
        }
        accessors.add(accessor("getHeader(X-Uid)", "header", "x-uid", request.getHeader("X-Uid")));
        Map<String, Object> cookies = new LinkedHashMap<>();
        for (Cookie cookie : request.getCookies() == null ? new Cookie[0] : request.getCookies()) {
            cookies.put(cookie.getName(), cookie.getValue());
        }
        accessors.add(accessor("getCookies()", "cookie", "cuid", cookies.get("cuid")));

        Map<String, Object> headers = new LinkedHashMap<>();
        for (String name : Collections.list(request.getHeaderNames())) {
            headers.put(name.toLowerCase(), String.join(", ", Collections.list(request.getHeaders(name))));
        }
        // A servlet does not tell parameters of the query from those of a form, which come behind them.
        Map<String, Object> fields = new LinkedHashMap<>();
        parameters.forEach((name, values) -> {
            int first = query.getOrDefault(name, List.of()).size();
            if (first < values.length) fields.put(name, Arrays.asList(values).subList(first, values.length));
        });
        byte[] body = multipart ? new byte[0] : request.getInputStream().readAllBytes();

        Map<String, Object> all = new LinkedHashMap<>();
        all.put("query", query);
        all.put("form", fields);
        all.put("files", files);
        all.put("cookies", cookies);
        all.put("headers", headers);
        all.put("body_sha256", body.length == 0 ? null : hash(body));
        all.put("path", request.getServletPath());
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("accessors", accessors);
        result.put("all", all);
        return result;
    }

    private static Map<String, List<String>> query(String text) {
        Map<String, List<String>> result = new LinkedHashMap<>();
        for (String pair : text == null ? new String[0] : text.split("&")) {
            if (pair.isEmpty()) continue;
            String[] words = pair.split("=", 2);
            String value = words.length == 1 ? "" : decoded(words[1]);
            result.computeIfAbsent(decoded(words[0]), name -> new ArrayList<>()).add(value);
        }
        return result;
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException malformed) {
            return text;
        }
    }

    private static Map<String, Object> accessor(String accessor, String position, String name, Object value) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("accessor", accessor);
        result.put("position", position);
        result.put("name", name);
        result.put("value", value);
        return result;
    }

    private static Map<String, Object> file(Part part, byte[] data) throws Exception {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("name", part.getName());
        result.put("filename", part.getSubmittedFileName());
        result.put("size", data.length);
        result.put("sha256", hash(data));
        return result;
    }

    private static String hash(byte[] data) throws Exception {
        StringBuilder hex = new StringBuilder();
        for (byte one : MessageDigest.getInstance("SHA-256").digest(data)) hex.append(String.format("%02x", one));
        return hex.toString();
    }

    private static String json(Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) return String.valueOf(value);
        if (value instanceof Map<?, ?> map) {
            List<String> members = new ArrayList<>();
            map.forEach((name, member) -> members.add(json(name) + ":" + json(member)));
            return "{" + String.join(",", members) + "}";
        }
        if (value instanceof Collection<?> list) {
            return "[" + String.join(",", list.stream().map(Report::json).toList()) + "]";
        }
        StringBuilder text = new StringBuilder("\"");
        for (char one : value.toString().toCharArray()) {
            if (one == '"' || one == '\\') text.append('\\').append(one);
            else if (one < 32 || one > 126) text.append(String.format("\\u%04x", (int) one));
            else text.append(one);
        }
        return text.append('"').toString();
    }
}
