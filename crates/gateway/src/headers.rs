//! The headers that the gateway itself is responsible for: hop-by-hop fields, `X-Forwarded-*`
//! ([`Origin`]), `x-fc-*` and `traceparent`.

use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};

use crate::authority::Authority;
use crate::client::Origin;
use crate::parameters::header;
use crate::request_id::{RequestId, new_traceparent};

/// Names the request in answers, in requests to functions and in the log.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-fc-request-id");

/// W3C Trace Context, 3.2.
pub static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// W3C Trace Context, 3.3.
pub static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Fields that concern one connection (RFC 9110, 7.6.1), whether Connection lists them or not.
/// Each side of the gateway frames its messages anew, so Transfer-Encoding is one of them.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Fields of a client's request that a function must not see: those that only a gateway may set, and
/// those that it has acted on. `expect` was answered by reading the body; `trailer` announces trailers,
/// which a client could hide a mapped header in, and which are dropped.
fn is_for_gateway(name: &str) -> bool {
    if !name.starts_with('x') {
        return matches!(name, "forwarded" | "expect" | "trailer");
    }
    header::begins_with(name, "x-fc-")
        || header::begins_with(name, "x-forwarded-")
        || header::same_name(name, "x-real-ip")
}

/// Whether a request asks for a WebSocket, the only protocol that a connection is upgraded to.
pub fn asks_for_websocket(request: &Parts) -> bool {
    let lists = |name: HeaderName, token: &str| {
        let fields = request.headers.get_all(name).iter();
        fields.filter_map(|value| value.to_str().ok()).any(|value| is_listed(value, token))
    };
    if !request.headers.contains_key(UPGRADE) {
        return false;
    }
    let protocols = request.headers.get_all(UPGRADE).iter().count();
    request.version == Version::HTTP_11
        && request.method == Method::GET
        && protocols == 1
        && lists(CONNECTION, "upgrade")
        && request
            .headers
            .get(UPGRADE)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

fn is_listed(list: &str, token: &str) -> bool {
    list.split(',').any(|element| element.trim().eq_ignore_ascii_case(token))
}

/// Removes what concerns the client's connection. This runs before anything is looked up or set, so
/// that a Connection header can remove the client's own fields and none of the gateway's.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // Most messages hold none of them, or Connection alone, with nothing in it but what is removed anyway.
    if !headers.keys().any(|name| is_hop_by_hop(name.as_str())) {
        return;
    }
    let says_more = |value: &HeaderValue| !matches!(value.as_bytes(), b"keep-alive" | b"close");
    if headers.get_all(CONNECTION).iter().any(says_more) {
        let listed: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(',').map(str::trim))
            // No field is meant by it.
            .filter(|token| !token.eq_ignore_ascii_case("close"))
            .filter_map(|name| name.parse().ok())
            .collect();
        for name in listed {
            headers.remove(name);
        }
    }
    headers.remove(CONNECTION);
    header::remove_where(headers, is_hop_by_hop);
}

/// Removes what a client may not tell a function: what only a gateway may set, and a trace without a valid
/// `traceparent`. Whoever sets a claim behind this has fewer fields to look through than behind
/// [`set_for_function`].
pub fn remove_for_gateway(headers: &mut HeaderMap) {
    header::remove_where(headers, is_for_gateway);
    // Looking through the names takes less time than looking up one.
    let is_traced = headers.keys().any(|name| *name == TRACEPARENT || *name == TRACESTATE);
    if is_traced && valid_traceparent(headers).is_none() {
        headers.remove(&TRACEPARENT);
        headers.remove(&TRACESTATE);
    }
}

/// Adds what only the gateway may tell a function. None of it is there any more, and no claim is mapped to it.
pub fn set_for_function(
    headers: &mut HeaderMap,
    authority: &Authority,
    origin: &Origin<'_>,
    id: &RequestId,
    websocket: bool,
) {
    let (mut has_host, mut is_traced, mut is_grpc) = (false, false, false);
    for (name, value) in &*headers {
        has_host |= *name == HOST && *value == authority.written;
        is_traced |= *name == TRACEPARENT;
        is_grpc |= *name == CONTENT_TYPE && value.as_bytes().starts_with(b"application/grpc");
    }
    if !has_host {
        headers.insert(HOST, authority.written.clone());
    }
    origin.set(headers, authority);
    headers.insert(REQUEST_ID.clone(), id.to_header_value());
    if !is_traced {
        headers.insert(TRACEPARENT.clone(), new_traceparent());
    }
    if websocket {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    if is_grpc {
        // gRPC servers refuse requests without it, and it says nothing of the client's connection.
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Prepares the headers that the client receives from a function.
pub fn set_for_client(headers: &mut HeaderMap, id: &RequestId, websocket: bool) {
    remove_hop_by_hop(headers);
    header::remove_where(headers, |name| name.starts_with("x-fc-"));
    headers.insert(REQUEST_ID.clone(), id.to_header_value());
    if websocket {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
}

/// Whether the length of a request's body is given twice. In HTTP/1.1 this was judged with the rest of the
/// framing; HTTP/2 frames the body itself and carries the field along.
pub fn has_ambiguous_length(request: &Parts) -> bool {
    request.version >= Version::HTTP_2 && request.headers.get_all(CONTENT_LENGTH).iter().count() > 1
}

/// The one `traceparent`, when it is valid (W3C Trace Context, 3.2).
pub fn valid_traceparent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(&TRACEPARENT).iter();
    let (Some(text), None) = (values.next(), values.next()) else {
        return None;
    };
    let value = text.as_bytes();
    let mut fields = value.split(|&byte| byte == b'-');
    let mut is_hex = |length: usize, may_be_zero: bool| {
        fields.next().is_some_and(|field| {
            field.len() == length
                && field.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                && (may_be_zero || field.iter().any(|&byte| byte != b'0'))
        })
    };
    let is_valid = is_hex(2, true)
        && is_hex(32, false)
        && is_hex(16, false)
        && is_hex(2, true)
        && value.len() == 55
        && !value.starts_with(b"ff");
    if is_valid { text.to_str().ok() } else { None }
}
