#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::forwarded::{Hop, parse};
use http::HeaderMap;

use super::*;

/// `10.0.0.0/8` and `fd00::/8` are trusted; gives the client, and what a function is told.
fn told(peer: &str, fields: &[(&'static str, &str)]) -> (String, HeaderMap) {
    let trusted = ["10.0.0.0/8", "fd00::/8"].map(|range| range.parse().unwrap());
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, value.parse().unwrap());
    }
    let peer = Client::new(peer.parse().unwrap(), Transport::HTTP);
    let origin = Origin::of(&peer, &Fields::from(&headers), &trusted);
    let mut out = Fields::default();
    out.append(&HOST, &HeaderValue::from_static("api.example.com:8080"));
    origin.add(&mut out);
    (origin.client().to_owned(), HeaderMap::from(&out))
}

const FOR: &str = "x-forwarded-for";

#[test]
fn the_last_address_that_is_no_trusted_proxys_is_the_clients() {
    for (peer, list, client) in [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9, 10.0.0.2,10.0.0.3", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, evil\", 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", ",", "10.0.0.1"),
    ] {
        assert_eq!(told(peer, &[(FOR, list)]).0, client, "{peer} {list}");
    }
    let (client, out) = told("10.0.0.1", &[(FOR, "203.0.113.9"), (FOR, "10.0.0.2")]);
    assert_eq!(
        (client.as_str(), &out[FOR]),
        ("203.0.113.9", &"203.0.113.9, 10.0.0.2, 10.0.0.1".parse().unwrap())
    );
}

#[test]
fn what_trusted_proxies_tell_is_taken_over() {
    let fields = [
        (FOR, "203.0.113.9"),
        ("x-forwarded-proto", "http, HTTPS"),
        ("x-forwarded-host", "www.example.com"),
        ("forwarded", "for=1.2.3.4;proto=http"),
    ];
    let (_, out) = told("10.0.0.1", &fields);
    assert_eq!(out["x-forwarded-proto"], "https");
    assert_eq!(out["x-forwarded-host"], "www.example.com");
    assert_eq!(out["x-forwarded-port"], "443");
    assert!(!out.contains_key("forwarded"));
    let (_, out) = told("192.0.2.1", &fields);
    assert_eq!(out[FOR], "192.0.2.1");
    assert_eq!(out["x-forwarded-proto"], "http");
    assert_eq!(out["x-forwarded-host"], "api.example.com:8080");
    assert_eq!(out["x-forwarded-port"], "8080");
    assert!(!out.contains_key("forwarded"));
    let nonsense =
        [("x-forwarded-proto", "gopher"), ("x-forwarded-host", "a b"), ("x-forwarded-port", "99999")];
    let (_, out) = told("10.0.0.1", &nonsense);
    assert_eq!(out["x-forwarded-proto"], "http");
    assert_eq!(out["x-forwarded-host"], "api.example.com:8080");
    assert_eq!(out["x-forwarded-port"], "8080");
}

#[test]
fn forwarded_tells_as_much() {
    let value =
        "for=6.6.6.6;proto=http, For=\"203.0.113.9:99\";proto=https;host=www.example.com, for=10.0.0.2";
    let (client, out) = told("10.0.0.1", &[("forwarded", value)]);
    assert_eq!(client, "203.0.113.9");
    let extended = format!("{value}, for=10.0.0.1;host=\"api.example.com:8080\";proto=http");
    assert_eq!(out["forwarded"], extended);
    assert_eq!(out[FOR], "6.6.6.6, 203.0.113.9, 10.0.0.2, 10.0.0.1");
    assert_eq!(
        (&out["x-forwarded-proto"], &out["x-forwarded-port"]),
        (&"https".parse().unwrap(), &"443".parse().unwrap())
    );
    assert_eq!(out["x-forwarded-host"], "www.example.com");
    // What does not follow the grammar is nobody's word.
    let (client, out) = told("10.0.0.1", &[("forwarded", "for=203.0.113.9;proto=\"https")]);
    assert_eq!((client.as_str(), out.get("forwarded")), ("10.0.0.1", None));
    assert_eq!(out["x-forwarded-proto"], "http");
}

#[test]
fn the_grammar_of_forwarded() {
    let hop = |address: &str| Hop { address: address.parse().ok(), ..Hop::default() };
    for (text, hops) in [
        ("for=192.0.2.60", Some(vec![hop("192.0.2.60")])),
        ("FOR=\"[2001:db8:cafe::17]:4711\"", Some(vec![hop("2001:db8:cafe::17")])),
        ("for=192.0.2.43 , for=unknown", Some(vec![hop("192.0.2.43"), hop("")])),
        ("for=_secret;by=203.0.113.43;x=y", Some(vec![hop("")])),
        ("for=\"192.0.\\2.43\"", Some(vec![hop("192.0.2.43")])),
        ("for=\"a, for=1.2.3.4\"", Some(vec![hop("")])),
        ("", None),
        ("for", None),
        ("for=1.2.3.4,", None),
        ("for=1.2.3.4;", None),
        ("=1.2.3.4", None),
        ("for=1.2.3.4 for=1.2.3.5", None),
        ("for=\"1.2.3.4", None),
        ("for=[::1]", None),
    ] {
        assert_eq!(parse(text), hops, "{text}");
    }
}
