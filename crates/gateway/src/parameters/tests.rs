#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use bytes::BytesMut;
use claimgate_config::readings::MappedNames;
use claimgate_functions::Fields;
use http::header::COOKIE;
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

#[test]
fn header_names_that_a_function_cannot_tell_apart() {
    let mut headers = Fields::default();
    for name in ["x-user-id", "x_user_id", "x.user~id", "x-user-ids", "x-user", "xuser-id"] {
        headers.append(&HeaderName::from_static(name), &HeaderValue::from_static("evil"));
        headers.append(&HeaderName::from_static(name), &HeaderValue::from_static("twice"));
    }
    header::remove(&mut headers, &HeaderName::from_static("x-user-id"));
    let left: Vec<&[u8]> = headers.names().collect();
    assert_eq!(left, [&b"x-user-ids"[..], b"x-user-ids", b"x-user", b"x-user", b"xuser-id", b"xuser-id"]);
}

#[test]
fn a_header_name_may_begin_with_what_is_between() {
    let mut headers = Fields::default();
    for name in ["-", "~", "--", "_x", "-x", "x"] {
        headers.append(&HeaderName::from_static(name), &HeaderValue::from_static("evil"));
    }
    header::remove(&mut headers, &HeaderName::from_static("_"));
    assert_eq!(headers.names().collect::<Vec<_>>(), [&b"_x"[..], b"-x", b"x"]);
    header::remove(&mut headers, &HeaderName::from_static("~x"));
    assert_eq!(headers.names().collect::<Vec<_>>(), [&b"x"[..]]);
}

#[test]
fn header_values_that_cannot_be_carried() {
    for text in ["a\r\nx: y", "a\nb", "a\0", "a\tb", " a", "a ", "\u{7f}", "a\u{85}b"] {
        assert_eq!(header::value(text, &mut BytesMut::new()), None, "{text:?}");
    }
    for text in ["", "a", "John Snow", "Jörg", "雪", "a,b;c=\"d\"", "100%"] {
        assert_eq!(header::value(text, &mut BytesMut::new()).unwrap().as_bytes(), text.as_bytes());
    }
}

fn uid() -> MappedNames {
    MappedNames::new(["uid"])
}

/// A query without `uid`, behind what is set.
fn replaced(query: &[u8], set: &str) -> Vec<u8> {
    urlencoded::replace(query, &uid(), set.into(), |_| ()).into_owned()
}

#[test]
fn query_parameters() {
    let cases = [
        // before, after the removal of uid
        ("", ""),
        ("a=1", "a=1"),
        ("uid=evil", ""),
        ("uid", ""),
        ("a=1&uid=evil", "a=1"),
        ("uid=evil&a=1", "a=1"),
        ("a=1&uid=evil&b=2", "a=1&b=2"),
        ("uid=1&uid=2&a=%20+&uid=3", "a=%20+"),
        ("%75id=evil&%75%69%64=evil", ""),
        ("uid[]=1&uid%5B%5D=2&uid[x]=3", ""),
        ("[uid]=1&[uid][]=2&my[uid]=3", "my[uid]=3"),
        ("+uid=evil&%20uid=evil", ""),
        ("a=1;uid=evil;b=2", "a=1;b=2"),
        ("a=1&&b=&=c&d", "a=1&&b=&=c&d"),
        ("a=uid&uidx=1&UID=2&uid.x=3", "a=uid&uidx=1&UID=2&uid.x=3"),
        ("&uid=1&", "&"),
        ("a=%zz&uid=%", "a=%zz"),
    ];
    for (before, after) in cases {
        assert_eq!(replaced(before.as_bytes(), ""), after.as_bytes(), "{before}");
        let behind = if after.is_empty() { "uid=ann".to_owned() } else { format!("uid=ann&{after}") };
        assert_eq!(replaced(before.as_bytes(), "uid=ann"), behind.as_bytes(), "{before}");
    }
    let values: Vec<_> = urlencoded::values(b"t=1&u=2&%74=a%2Bb+c;t", "t").collect();
    assert_eq!(values, [&b"1"[..], b"a+b c", b""]);
    let mut query = b"a=1".to_vec();
    urlencoded::push_pair(&mut query, "uid", "J&=;+ %\u{e9}");
    assert_eq!(query, b"a=1&uid=J%26%3D%3B%2B%20%25%C3%A9");
}

fn cookie_fields(headers: &Fields) -> Vec<String> {
    headers.get_all(&COOKIE).map(|field| String::from_utf8_lossy(field).into_owned()).collect()
}

fn cookies(fields: &[&[u8]]) -> Fields {
    let mut headers = Fields::default();
    for field in fields {
        headers.append(&COOKIE, &HeaderValue::from_bytes(field).unwrap());
    }
    headers
}

#[test]
fn mapped_cookies_are_removed() {
    let cases: [(&[&[u8]], &str); 38] = [
        (&[], ""),
        (&[b"a=1"], "a=1"),
        (&[b"uid=evil"], ""),
        (&[b"a=1; uid=evil; b=2"], "a=1; b=2"),
        (&[b"uid=evil; a=1"], "a=1"),
        (&[b"a=1; uid=evil"], "a=1"),
        (&[b"a=1", b"uid=evil", b"b=2"], "a=1; b=2"),
        (&[b"a=1;uid=1;uid=2;b=2"], "a=1;b=2"),
        (&[b"%75id=evil; a=1"], "a=1"),
        (&[b"\"uid\"=evil; a=1"], "a=1"),
        (&[b"a=1, uid=evil; b=2"], "b=2"),
        (&[b"a=1,uid=evil; b=2"], "b=2"),
        (&[b"a=\"x; uid=evil\"; b=2"], "b=2"),
        (&[b"a=\"x; b=\"y z\"; c=\"q\\\"; d=\"r\\\"s\""], "b=\"y z\"; d=\"r\\\"s\""),
        (&[b"a=b=c; uids=1; xuid=2; UID=3"], "a=b=c; uids=1; xuid=2; UID=3"),
        (&[b"uid[]=evil; uid; a=1"], "a=1"),
        (&[b"\xc2\xa0uid\xc2\xa0=evil; %C2%A0\"uid\"=evil; a=1"], "a=1"),
        (&[b"a=1; \xa0uid=evil"], "a=1"),
        (&[b"a=1; \x85uid=evil; \xffuid=evil"], "a=1"),
        (&[b"a=\"b\"uid=evil; c=1"], "c=1"),
        (&[b"\\uid=evil; a=\\uid=evil; c=1"], "c=1"),
        (&[b"__Host-uid=evil; __Secure-uid=evil; __Host-a=1"], "__Host-a=1"),
        (&[b"uid =evil; uid= evil; uid = evil; a=1"], "a=1"),
        (&[b"=uid=evil; a=1"], "a=1"),
        (&[b"a b; c=1"], "c=1"),
        (&[b"=; x=1"], "x=1"),
        (&[b"a; b=1"], "b=1"),
        (&[b"; ;a=1;;"], "; ;a=1;;"),
        (&[b"a=x y; b=1"], "b=1"),
        (
            &[b"a=\"x y\"; b=%20%7e; d==; e={\"j\":1}; f=\xc3\xa9"],
            "a=\"x y\"; b=%20%7e; d==; e={\"j\":1}; f=\u{e9}",
        ),
        (&[b"a=uid; b=x/uid; c=\"uid\""], "a=uid; b=x/uid; c=\"uid\""),
        (&[b"a=[uid=evil; a=1]uid=evil; b=2"], "b=2"),
        (&[b"[uid]=evil; uid[a]=evil; a=[1]"], "a=[1]"),
        (&[b"a=[\"uid\"]; b={\"uid\":1}"], "a=[\"uid\"]; b={\"uid\":1}"),
        (&[b"x=\"a\" b c\"; b=2"], "b=2"),
        (&[b"(a)=1; b=2"], "b=2"),
        (&[b"a=x uid =evil; b=2"], "b=2"),
        (&[b"a=\"x uid=evil y\"; b=2"], "b=2"),
    ];
    for (before, after) in cases {
        let mut headers = cookies(before);
        cookie::remove(&mut headers, &uid(), |_| ());
        assert_eq!(
            cookie_fields(&headers).concat(),
            after,
            "{:?}",
            before.concat().escape_ascii().to_string()
        );
    }
    // A name that holds a `%` means itself.
    let mut headers = cookies(&[b"a=1; u%69d=evil; b=2"]);
    cookie::remove(&mut headers, &MappedNames::new(["u%69d"]), |_| ());
    assert_eq!(cookie_fields(&headers), ["a=1; b=2"]);
}

#[test]
fn a_set_cookie_comes_first_and_is_encoded() {
    let mut headers = Fields::default();
    cookie::prepend(&mut headers, "uid", "a b;c,\"\\%\u{e9}\r\n+&=@[]");
    assert_eq!(cookie_fields(&headers), ["uid=a%20b%3Bc%2C%22%5C%25%C3%A9%0D%0A%2B%26%3D%40%5B%5D"]);
    let mut headers = cookies(&[b"a=\"x", b"b=2"]);
    cookie::prepend(&mut headers, "uid", "Az09-._~");
    assert_eq!(cookie_fields(&headers), ["uid=Az09-._~; a=\"x; b=2"]);
}

#[test]
fn cookie_values() {
    let headers = cookies(&[b"a=1; t=x=y;t = z; T=no; tt=no", b"t=\"q\""]);
    let values: Vec<&[u8]> = cookie::values(&headers, "t").collect();
    assert_eq!(values, [&b"x=y"[..], b"z", b"\"q\""]);
}

/// Texts made of the pieces that matter to all the grammars.
fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "uid", "%75id", "uid[]", "=", "=", "&", "&", ";", "; ", ",", " ", "a", "b=1", "\"", "%", "%3D", "+",
        "%26", "é", "\t", "uid=evil", "%00", "UID", "\\", "[", "]", "?",
    ]);
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

/// The pieces of a text between the separators, in order.
fn pieces<'a>(text: &'a [u8], separators: &'static [u8]) -> Vec<&'a [u8]> {
    text.split(|byte| separators.contains(byte)).filter(|piece| !piece.is_empty()).collect()
}

fn is_subsequence(part: &[&[u8]], whole: &[&[u8]]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|piece| whole.any(|other| other == piece))
}

proptest! {
    #[test]
    fn a_query_without_the_parameter_stays_byte_for_byte(text in "[a-hj-t=&;%+ -]{0,40}") {
        prop_assert_eq!(replaced(text.as_bytes(), ""), text.as_bytes());
    }

    #[test]
    fn removing_from_a_query_leaves_every_other_pair(text in hostile_text()) {
        let kept = replaced(text.as_bytes(), "");
        let (kept, before) = (pieces(&kept, b"&;"), pieces(text.as_bytes(), b"&;"));
        prop_assert!(is_subsequence(&kept, &before));
        prop_assert!(kept.iter().all(|pair| !pair.starts_with(b"uid=")));
        let other = |pair: &&&[u8]| !String::from_utf8_lossy(pair).contains(&['u', '%'][..]);
        prop_assert_eq!(kept.iter().filter(other).count(), before.iter().filter(other).count());
    }

    #[test]
    fn a_query_parameter_that_was_set_is_read_as_it_was(text in hostile_text(), value in any::<String>()) {
        let mut set = Vec::new();
        urlencoded::push_pair(&mut set, "uid", &value);
        let query = urlencoded::replace(text.as_bytes(), &uid(), set, |_| ()).into_owned();
        let read: Vec<String> =
            form_urlencoded::parse(&query).filter(|(name, _)| name == "uid").map(|(_, value)| value.into_owned()).collect();
        prop_assert_eq!(read, [value]);
    }

    #[test]
    fn removing_a_cookie_leaves_every_other_pair(text in hostile_text()) {
        let mut headers = cookies(&[text.as_bytes()]);
        cookie::remove(&mut headers, &uid(), |_| ());
        let kept = headers.get(&COOKIE).unwrap_or_default().to_vec();
        let trimmed = |text: &[u8]| -> Vec<Vec<u8>> {
            text.split(|&byte| byte == b';').map(|pair| pair.trim_ascii().to_vec()).filter(|pair| !pair.is_empty()).collect()
        };
        let (kept, before) = (trimmed(&kept), trimmed(text.as_bytes()));
        let mut whole = before.iter();
        prop_assert!(kept.iter().all(|pair| whole.any(|other| other == pair)));
        prop_assert!(kept.iter().all(|pair| !pair.starts_with(b"uid=")));
    }

    #[test]
    fn a_cookie_that_was_set_is_read_as_it_was(text in hostile_text(), value in any::<String>()) {
        let mut headers = cookies(&[text.as_bytes()]);
        cookie::remove(&mut headers, &uid(), |_| ());
        cookie::prepend(&mut headers, "uid", &value);
        let read: Vec<Vec<u8>> =
            cookie::values(&headers, "uid").map(|value| percent_encoding::percent_decode(value).collect()).collect();
        prop_assert_eq!(read, [value.into_bytes()]);
    }
}
