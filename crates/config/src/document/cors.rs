//! `corsConfig` of a domain or a trigger.
use http::{HeaderName, HeaderValue};

use super::check_domain_name;
use super::route::METHODS;
use crate::place::{Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{AllowedOrigins, CorsRules, OriginPattern};

/// A day, the longest time that browsers keep an answer.
const MAX_AGE_SECONDS: u64 = 24 * 3600;

/// Reads the rules; `None` when there are none.
pub(super) fn read(object: &mut Object<'_>, report: &mut Report) -> Option<CorsRules> {
    // The original prints empty fields for a domain without.
    let field = object.field("corsConfig").filter(|field| !field.is_empty())?;
    let mut object = field.object("an object, as {allowOrigins: [https://app.example.com]}", report)?;
    let allow_credentials = object.field("allowCredentials").and_then(|field| field.boolean(report));
    let allow_credentials = allow_credentials.unwrap_or_default();
    let origins = object
        .required("allowOrigins", "a list of origins, as [https://app.example.com]", report)
        .and_then(|field| read_origins(&field, allow_credentials, report));
    let methods = object.field("allowMethods").map(|field| read_methods(&field, report));
    let headers = object.field("allowHeaders").map(|field| read_headers(&field, report));
    let exposed = object.field("exposeHeaders").map(|field| (read_headers(&field, report), field.place));
    let max_age = object
        .field("maxAge")
        .and_then(|field| field.integer(0..=MAX_AGE_SECONDS, " seconds", report))
        .map(HeaderValue::from);
    object.finish(report);
    let exposed_headers = match exposed {
        None => None,
        Some((Names::Any, place)) if allow_credentials => {
            let message = "browsers take * for a name when allowCredentials is true; list the headers";
            report.error(&place, message);
            None
        }
        Some((Names::Any, _)) => Some(HeaderValue::from_static("*")),
        Some((Names::Listed(names), _)) => joined(&names),
    };
    Some(CorsRules {
        origins: origins?,
        allow_credentials,
        methods: methods.and_then(|names| joined(&names)).or_else(|| joined(&all_methods()))?,
        headers: match headers {
            None | Some(Names::Any) => None,
            Some(Names::Listed(names)) => joined(&names),
        },
        exposed_headers,
        max_age,
    })
}

fn read_origins(field: &Field<'_>, allow_credentials: bool, report: &mut Report) -> Option<AllowedOrigins> {
    let texts = field.texts("a list of origins", "an origin, as https://app.example.com", report)?;
    if texts.is_empty() && field.is_empty() {
        report.error(&field.place, "expected at least one origin, as https://app.example.com, or *");
        return None;
    }
    if let Some(any) = texts.iter().find(|text| text.value == "*") {
        if allow_credentials {
            let message = "with allowCredentials: true every page of the internet could act for whoever reads \
                           it; list the origins";
            report.error(&any.place, message);
            return None;
        }
        if texts.len() > 1 {
            report.warning(&any.place, "this allows every origin, so that the others have no effect");
        }
        return Some(AllowedOrigins::Any);
    }
    let mut patterns = Vec::new();
    for Written { value: text, place } in texts {
        match parse_origin(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(why) => report.error(&place, format!("{} is no origin: {why}", quoted(text))),
        }
    }
    Some(AllowedOrigins::Listed(patterns))
}

/// RFC 6454, 6.2: browsers send scheme and host in lower case, and the port unless it is the scheme's.
fn parse_origin(text: &str) -> Result<OriginPattern, String> {
    let right = "write scheme and host, as https://app.example.com";
    if text == "null" {
        return Err(
            "every page in a sandbox or from a file has it, so that it would allow anybody".to_owned()
        );
    }
    let (scheme, authority) = text.split_once("://").ok_or(right)?;
    if authority.contains(['/', '?', '#', '@']) {
        return Err("leave out what follows the host and its port, and every /".to_owned());
    }
    let lower = text.to_ascii_lowercase();
    if lower != text {
        return Err(format!("browsers send it in lower case, as {lower}"));
    }
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme {
        return Err(right.to_owned());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if let Some(port) = port {
        if port.starts_with('0')
            || !port.bytes().all(|byte| byte.is_ascii_digit())
            || port.parse::<u16>().is_err()
        {
            return Err("its port is none".to_owned());
        }
        if matches!((scheme, port), ("http", "80") | ("https", "443")) {
            return Err(format!("browsers leave out the port {port} of {scheme}"));
        }
    }
    if let Some(parent) = host.strip_prefix("*.") {
        if parent.contains('*') {
            return Err("a * stands for the first label alone".to_owned());
        }
        check_domain_name(parent).map_err(str::to_owned)?;
        if !parent.contains('.') && parent != "localhost" {
            return Err(format!("it would allow whoever has a domain under {parent}"));
        }
        let parent = authority.strip_prefix('*').unwrap_or_default().to_owned();
        return Ok(OriginPattern::Wildcard { scheme: format!("{scheme}://"), parent });
    }
    let is_host = |host: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        !host.is_empty() && host.bytes().all(is_allowed)
    };
    let is_address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_address = is_address.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    if !is_host(host) && !is_address {
        return Err(format!("its host {} is none", quoted(host)));
    }
    Ok(OriginPattern::Exact(text.to_owned()))
}

fn read_methods(field: &Field<'_>, report: &mut Report) -> Vec<String> {
    let right = "a method, as GET, or *";
    let texts = field.texts("a list of methods, as [GET, POST]", right, report).unwrap_or_default();
    let mut names = Vec::new();
    for Written { value: text, place } in texts {
        if text == "*" {
            return all_methods();
        }
        let upper = text.to_ascii_uppercase();
        if !METHODS.iter().any(|method| method.as_str() == upper) {
            report.error(&place, format!("expected {right}, found {}", quoted(text)));
        } else if upper != text {
            report
                .error(&place, format!("methods are written in upper case: {upper}, found {}", quoted(text)));
        } else {
            names.push(upper);
        }
    }
    if names.is_empty() { all_methods() } else { names }
}

fn all_methods() -> Vec<String> {
    METHODS.iter().map(ToString::to_string).collect()
}

/// Names of header fields.
enum Names {
    Any,
    Listed(Vec<String>),
}

fn read_headers(field: &Field<'_>, report: &mut Report) -> Names {
    let right = "the name of a header, as Content-Type, or *";
    let texts = field.texts("a list of headers, as [Authorization]", right, report).unwrap_or_default();
    if texts.is_empty() {
        return Names::Any;
    }
    let mut names = Vec::new();
    for Written { value: text, place } in texts {
        if text == "*" {
            return Names::Any;
        }
        match text.parse::<HeaderName>() {
            Ok(_) => names.push(text.to_owned()),
            Err(_) => report.error(&place, format!("expected {right}, found {}", quoted(text))),
        }
    }
    Names::Listed(names)
}

/// `None` for no names. Every name is a token.
fn joined(names: &[String]) -> Option<HeaderValue> {
    if names.is_empty() { None } else { HeaderValue::try_from(names.join(", ")).ok() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::parse_origin;
    use crate::snapshot::AllowedOrigins;

    #[test]
    fn origins_are_compared_as_browsers_send_them() {
        for (allowed, origin, right) in [
            ("https://app.example.com", "https://app.example.com", true),
            ("https://app.example.com", "http://app.example.com", false),
            ("https://app.example.com", "https://app.example.com:8443", false),
            ("https://app.example.com", "https://app.example.com.evil.net", false),
            ("https://app.example.com", "https://evilapp.example.com", false),
            ("https://app.example.com", "https://App.example.com", false),
            ("https://app.example.com", "null", false),
            ("https://app.example.com", "", false),
            ("http://localhost:3000", "http://localhost:3000", true),
            ("http://[::1]:3000", "http://[::1]:3000", true),
            ("http://127.0.0.1", "http://127.0.0.1", true),
            ("capacitor://localhost", "capacitor://localhost", true),
            ("https://*.example.com", "https://a.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "https://.example.com", false),
            ("https://*.example.com", "https://a.b.example.com", false),
            ("https://*.example.com", "https://evil.net/.example.com", false),
            ("https://*.example.com", "https://evil.net#.example.com", false),
            ("https://*.example.com", "https://u@.example.com", false),
            ("https://*.example.com", "https://aexample.com", false),
            ("https://*.example.com", "https://a.example.com:8443", false),
            ("https://*.example.com:8443", "https://a.example.com:8443", true),
            ("https://*.example.com", "http://a.example.com", false),
        ] {
            let origins = AllowedOrigins::Listed(vec![parse_origin(allowed).unwrap()]);
            assert_eq!(origins.allow(origin.as_bytes()), right, "{allowed} and {origin}");
        }
        assert!(AllowedOrigins::Any.allow(b"null"));
    }
}
