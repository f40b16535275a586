//! The headers that the gateway itself is responsible for: hop-by-hop fields, `X-Forwarded-*`
//! ([`Origin`]), `x-fc-*` and `traceparent`.

use std::collections::HashSet;

use claimgate_config::readings::{header_begins_with, same_header};
use claimgate_functions::{Fields, Request, lists};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, UPGRADE};
use http::{HeaderName, HeaderValue, Method, Version};

use crate::authority::Authority;
use crate::client::Origin;
use crate::request_id::{RequestId, add_new_traceparent};

/// W3C Trace Context, 3.2.
pub static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// W3C Trace Context, 3.3.
pub static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Fields that concern one connection (RFC 9110, 7.6.1), whether Connection lists them or not.
/// Each side of the gateway frames its messages anew, so Transfer-Encoding is one of them.
fn is_hop_by_hop(name: &[u8]) -> bool {
    matches!(
        name,
        b"connection"
            | b"http2-settings"
            | b"keep-alive"
            | b"proxy-authenticate"
            | b"proxy-connection"
            | b"te"
            | b"transfer-encoding"
            | b"upgrade"
    )
}

/// Fields of a client's request that a function must not see, in any spelling that a function might read as
/// theirs: those that only a gateway may set, and those that it has acted on. The proxy that asks for
/// `proxy-authorization` consumes it (RFC 9110, 11.7.2), which may hold the token. `expect` was answered by reading
/// the body; `trailer` announces trailers, which a client could hide a mapped header in, and which are dropped.
/// Some servers take `proxy` for the address of a proxy to use (CVE-2016-5385) and `x-original-url` and
/// `x-rewrite-url` for the path, which was judged by another.
fn is_for_gateway(name: &[u8]) -> bool {
    match name {
        [b'x', ..] => {
            header_begins_with(name, b"x-fc-")
                || header_begins_with(name, b"x-forwarded")
                || [&b"x-real-ip"[..], b"x-original-url", b"x-rewrite-url"]
                    .iter()
                    .any(|known| same_header(name, known))
        }
        [b'c', ..] => is_odd_spelling(name, &[b"content-type", b"content-length", b"content-encoding"]),
        [b't', ..] => name == b"trailer" || is_odd_spelling(name, &[b"transfer-encoding"]),
        [b'p', ..] => {
            name == b"proxy"
                || same_header(name, b"proxy-authorization")
                || is_odd_spelling(name, &[b"proxy-connection"])
        }
        _ => matches!(name, b"forwarded" | b"expect"),
    }
}

/// Whether a name is another spelling of one of these. A function that reads its headers as CGI variables would
/// not know which of both fields it has (`Content_Length`: lighttpd, Werkzeug 2.2).
fn is_odd_spelling(name: &[u8], known: &[&[u8]]) -> bool {
    known.iter().any(|known| name.len() == known.len() && name != *known && same_header(name, known))
}

/// Fields by which a client has a function act as on another method: `Content-Type` and the place of
/// parameters may mean something else with it.
pub fn remove_method_overrides(fields: &mut Fields) {
    fields.remove_where(|name| {
        name.first() == Some(&b'x')
            && [&b"x-http-method-override"[..], b"x-http-method", b"x-method-override"]
                .iter()
                .any(|known| same_header(name, known))
    });
}

/// Whether a request asks for a WebSocket, the only protocol that a connection is upgraded to.
pub fn asks_for_websocket(request: &Request) -> bool {
    let mut protocols = request.fields.get_all(&UPGRADE);
    let (Some(protocol), None) = (protocols.next(), protocols.next()) else { return false };
    request.version == Version::HTTP_11
        && request.method == Method::GET
        && protocol.eq_ignore_ascii_case(b"websocket")
        && request.fields.get_all(&CONNECTION).any(|list| lists(list, b"upgrade"))
}

/// Removes what concerns the client's connection. This runs before anything is looked up or set, so
/// that a Connection header can remove the client's own fields and none of the gateway's.
pub fn remove_hop_by_hop(fields: &mut Fields) {
    // Most messages hold Connection alone or none of them, with nothing in it but what is removed anyway.
    let says_more = |value: &[u8]| !matches!(value, b"keep-alive" | b"close");
    if fields.get_all(&CONNECTION).any(says_more) {
        let lists = fields.get_all(&CONNECTION).map(<[u8]>::to_ascii_lowercase).collect::<Vec<_>>();
        let listed = lists.iter().flat_map(|list| list.split(|&byte| byte == b','));
        // By `close` no field is meant, and the Host is for all who receive a request.
        let may_go = |token: &&[u8]| !matches!(*token, b"close" | b"host");
        // A set, since a client may list thousands.
        let listed: HashSet<&[u8]> = listed.map(<[u8]>::trim_ascii).filter(may_go).collect();
        fields.remove_where(|name| listed.contains(name));
    }
    fields.remove_where(is_hop_by_hop);
}

/// Removes what a client may not tell a function: what only a gateway may set, and a trace without a valid
/// `traceparent`. Whoever sets a claim behind this has fewer fields to look through than behind
/// [`set_for_function`].
pub fn remove_for_gateway(fields: &mut Fields) {
    fields.remove_where(is_for_gateway);
    if valid_traceparent(fields).is_none() {
        fields.remove_where(|name| matches!(name, b"traceparent" | b"tracestate"));
    }
}

/// Adds what only the gateway may tell a function. None of it is there any more, and no claim is mapped to it.
pub fn set_for_function(
    fields: &mut Fields,
    authority: &Authority,
    origin: &Origin<'_>,
    id: &RequestId,
    websocket: bool,
) {
    if let Some(target) = &authority.target {
        fields.insert(&HOST, target);
    }
    origin.add(fields);
    id.add_to(fields);
    if !fields.contains(&TRACEPARENT) {
        add_new_traceparent(fields);
    }
    if websocket {
        add_upgrade(fields);
    }
    // gRPC servers refuse requests without it, and it says nothing of the client's connection.
    if fields.get(&CONTENT_TYPE).is_some_and(|value| value.starts_with(b"application/grpc")) {
        fields.append(&TE, &HeaderValue::from_static("trailers"));
    }
}

/// Prepares the header that the client receives from a function.
pub fn set_for_client(fields: &mut Fields, id: &RequestId, websocket: bool) {
    remove_hop_by_hop(fields);
    fields.remove_where(|name| name.starts_with(b"x-fc-"));
    id.add_to(fields);
    if websocket {
        add_upgrade(fields);
    }
}

fn add_upgrade(fields: &mut Fields) {
    fields.append(&CONNECTION, &HeaderValue::from_static("upgrade"));
    fields.append(&UPGRADE, &HeaderValue::from_static("websocket"));
}

/// Whether the length of a request's body is given twice. In HTTP/1.1 this was judged with the rest of the
/// framing; HTTP/2 frames the body itself and carries the field along.
pub fn has_ambiguous_length(request: &Request) -> bool {
    request.version >= Version::HTTP_2 && request.fields.get_all(&CONTENT_LENGTH).count() > 1
}

/// The one `traceparent`, when it is valid (W3C Trace Context, 3.2).
pub fn valid_traceparent(fields: &Fields) -> Option<&str> {
    let mut values = fields.get_all(&TRACEPARENT);
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let mut parts = value.split(|&byte| byte == b'-');
    let mut is_hex = |length: usize, may_be_zero: bool| {
        parts.next().is_some_and(|part| {
            part.len() == length
                && part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                && (may_be_zero || part.iter().any(|&byte| byte != b'0'))
        })
    };
    let is_valid = is_hex(2, true)
        && is_hex(32, false)
        && is_hex(16, false)
        && is_hex(2, true)
        && value.len() == 55
        && !value.starts_with(b"ff");
    if is_valid { str::from_utf8(value).ok() } else { None }
}
