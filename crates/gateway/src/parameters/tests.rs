#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use bytes::{Bytes, BytesMut};
use claimgate_functions::Fields;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, COOKIE};
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::form::{Form, FormError, FormKind};
use super::multipart::{Multipart, MultipartError};
use super::*;

#[test]
fn spellings_of_a_name() {
    for spelling in ["uid", "uid[]", "uid[0]", "uid[a][b]", " uid", "uid ", "uid\0x", "uid []", "\tuid"] {
        assert!(names_parameter(spelling.as_bytes(), "uid"), "{spelling:?}");
    }
    for spelling in ["user_id", "user.id", "user id", "user[id", "user[id[]", "user.id[]"] {
        assert!(names_parameter(spelling.as_bytes(), "user_id"), "{spelling:?}");
    }
    assert!(names_parameter(b"user ", "user_"));
    for other in ["userid", "user-id", "user__id", "user_i"] {
        assert!(!names_parameter(other.as_bytes(), "user_id"), "{other:?}");
    }
    for other in ["", "ui", "uidx", "xuid", "UID", "u[id]", "uid.x", "user[uid]", "[uid]"] {
        assert!(!names_parameter(other.as_bytes(), "uid"), "{other:?}");
    }
}

#[test]
fn header_names_that_a_function_cannot_tell_apart() {
    let mut headers = Fields::default();
    for name in ["x-user-id", "x_user_id", "x.user.id", "x-user_id", "x-user-ids", "x-user", "xuser-id"] {
        headers.append(&HeaderName::from_static(name), &HeaderValue::from_static("evil"));
        headers.append(&HeaderName::from_static(name), &HeaderValue::from_static("twice"));
    }
    header::remove(&mut headers, &HeaderName::from_static("x-user-id"));
    let left: Vec<&[u8]> = headers.names().collect();
    assert_eq!(left, [&b"x-user-ids"[..], b"x-user-ids", b"x-user", b"x-user", b"xuser-id", b"xuser-id"]);
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
        ("+uid=evil&%20uid=evil", ""),
        ("a=1;uid=evil;b=2", "a=1;b=2"),
        ("a=1&&b=&=c&d", "a=1&&b=&=c&d"),
        ("a=uid&uidx=1&UID=2", "a=uid&uidx=1&UID=2"),
        ("&uid=1&", "&"),
        ("a=%zz&uid=%", "a=%zz"),
    ];
    for (before, after) in cases {
        assert_eq!(&*urlencoded::remove(before.as_bytes(), "uid"), after.as_bytes(), "{before}");
    }
    let values: Vec<_> = urlencoded::values(b"t=1&u=2&%74=a%2Bb+c;t", "t").collect();
    assert_eq!(values, [&b"1"[..], b"a+b c", b""]);
    let mut query = b"a=1".to_vec();
    urlencoded::append(&mut query, "uid", "J&=;+ %\u{e9}");
    assert_eq!(query, b"a=1&uid=J%26%3D%3B%2B%20%25%C3%A9");
}

fn cookie_fields(headers: &Fields) -> Vec<String> {
    headers.get_all(&COOKIE).map(|field| String::from_utf8_lossy(field).into_owned()).collect()
}

#[test]
fn cookies() {
    let cases: [(&[&str], &[&str]); 15] = [
        (&[], &[]),
        (&["a=1"], &["a=1"]),
        (&["uid=evil"], &[]),
        (&["a=1; uid=evil; b=2"], &["a=1; b=2"]),
        (&["uid=evil; a=1"], &["a=1"]),
        (&["a=1; uid=evil"], &["a=1"]),
        (&["a=1", "uid=evil", "b=2"], &["a=1", "b=2"]),
        (&["a=1;uid=1;uid=2;b=2"], &["a=1;b=2"]),
        (&["%75id=evil; a=1"], &["a=1"]),
        (&["\"uid\"=evil; a=1"], &["a=1"]),
        (&["a=1, uid=evil"], &["a=1"]),
        (&["a=\"x; uid=evil\"; b=2"], &["a=\"x; b=2"]),
        (&["a=b=c; uids=1; xuid=2; UID=3"], &["a=b=c; uids=1; xuid=2; UID=3"]),
        (&["uid[]=evil; uid; a=1"], &["a=1"]),
        // No-break spaces, in UTF-8 and as an escape.
        (&["\u{a0}uid\u{a0}=evil; %C2%A0\"uid\"=evil; a=1"], &["a=1"]),
    ];
    for (before, after) in cases {
        let mut headers = Fields::default();
        for field in before {
            headers.append(&COOKIE, &HeaderValue::from_bytes(field.as_bytes()).unwrap());
        }
        cookie::remove(&mut headers, "uid");
        assert_eq!(cookie_fields(&headers), after, "{before:?}");
    }
    let mut headers = Fields::default();
    headers.append(&COOKIE, &HeaderValue::from_bytes(b"a=1; \xa0uid=evil").unwrap());
    cookie::remove(&mut headers, "uid");
    assert_eq!(cookie_fields(&headers), ["a=1"]);
    // A name that holds a `%` means itself.
    headers.append(&COOKIE, &HeaderValue::from_static("u%69d=evil; b=2"));
    cookie::remove(&mut headers, "u%69d");
    assert_eq!(cookie_fields(&headers), ["a=1", "b=2"]);
}

#[test]
fn a_set_cookie_comes_first_and_is_encoded() {
    let mut headers = Fields::default();
    cookie::prepend(&mut headers, "uid", "a b;c,\"\\%\u{e9}\r\n");
    assert_eq!(cookie_fields(&headers), ["uid=a%20b%3Bc%2C%22%5C%25%C3%A9%0D%0A"]);
    let mut headers = Fields::default();
    headers.append(&COOKIE, &HeaderValue::from_static("a=\"x"));
    headers.append(&COOKIE, &HeaderValue::from_static("b=2"));
    cookie::prepend(&mut headers, "uid", "1");
    assert_eq!(cookie_fields(&headers), ["uid=1; a=\"x", "b=2"]);
    cookie::join_fields(&mut headers);
    assert_eq!(cookie_fields(&headers), ["uid=1; a=\"x; b=2"]);
}

#[test]
fn cookie_values() {
    let mut headers = Fields::default();
    headers.append(&COOKIE, &HeaderValue::from_static("a=1; t=x=y;t = z; T=no; tt=no"));
    headers.append(&COOKIE, &HeaderValue::from_static("t=\"q\""));
    let values: Vec<&[u8]> = cookie::values(&headers, "t").collect();
    assert_eq!(values, [&b"x=y"[..], b"z", b"\"q\""]);
}

fn kind(content_type: &str) -> Result<Option<FormKind>, FormError> {
    let mut headers = Fields::default();
    headers.append(&CONTENT_TYPE, &HeaderValue::from_str(content_type).unwrap());
    FormKind::of(&headers)
}

#[test]
fn content_types_that_functions_take_for_a_form() {
    let urlencoded = Ok(Some(FormKind::Urlencoded));
    for content_type in [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-URLencoded; charset=utf-8",
        "application/x-www-form-urlencoded, text/plain",
        " application/x-www-form-urlencoded x",
        "application/x-www-form-urlencodedX",
    ] {
        assert_eq!(kind(content_type), urlencoded, "{content_type}");
    }
    assert_eq!(kind("multipart/form-data;boundary=x"), Ok(Some(FormKind::Multipart(";boundary=x".into()))));
    let two = kind("multipart/form-databoundary=; boundary=x").unwrap().unwrap();
    assert!(matches!(Form::parse(&two, Bytes::new()), Err(FormError::Multipart(MultipartError::Boundary))));
    for content_type in ["application/json", "text/plain", "multipart/mixed; boundary=x", "x"] {
        assert_eq!(kind(content_type), Ok(None), "{content_type}");
    }
    for charset in ["utf-16", "UTF-7", "ibm037", "\"utf-16le\"", "", "utf-8; charset=ibm037"] {
        for form in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let content_type = format!("{form}; charset={charset}");
            assert_eq!(kind(&content_type), Err(FormError::Charset), "{content_type}");
        }
    }
    for charset in ["UTF-8", "\"utf-8\"", "iso-8859-1", "us-ascii"] {
        assert_eq!(
            kind(&format!("application/x-www-form-urlencoded;Charset = {charset}")),
            urlencoded,
            "{charset}"
        );
    }
    let mut headers = Fields::default();
    headers.append(&CONTENT_TYPE, &HeaderValue::from_static("text/plain"));
    headers.append(&CONTENT_TYPE, &HeaderValue::from_static("application/x-www-form-urlencoded"));
    assert_eq!(FormKind::of(&headers), Err(FormError::ContentType));
    headers.insert(&CONTENT_TYPE, &HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.append(&CONTENT_ENCODING, &HeaderValue::from_static("identity"));
    assert_eq!(FormKind::of(&headers), urlencoded);
    headers.append(&CONTENT_ENCODING, &HeaderValue::from_static("gzip"));
    assert_eq!(FormKind::of(&headers), Err(FormError::Encoded));
}

fn multipart(body: &str) -> Result<Multipart, MultipartError> {
    // Written with plain line ends for legibility.
    Multipart::parse("; boundary=b", Bytes::from(body.replace('\n', "\r\n")))
}

fn part(name: &str, content: &str) -> String {
    format!("--b\nContent-Disposition: form-data; name=\"{name}\"\n\n{content}\n")
}

#[test]
fn multipart_parts_are_removed_and_added() {
    let (a, file) =
        (part("a", "1"), part("f\"; filename=\"x.bin", "\0\u{1}--\n\nb--b").replace("b--b", "b-b"));
    for spelling in ["uid", "uid[]", "%75id", " uid"] {
        let body = format!("{a}{}{file}{}--b--\n", part(spelling, "evil"), part("uid", ""));
        let mut kept = multipart(&body).unwrap();
        assert!(kept.remove("uid") && !kept.remove("uid"));
        assert_eq!(kept.values("uid").count(), 0);
        let expected = format!("{a}{file}--b--\n").replace('\n', "\r\n");
        assert_eq!(kept.clone().into_body(), expected);
        let mut set = kept;
        assert!(set.append("uid", "1\u{e9}"));
        assert_eq!(set.values("uid").collect::<Vec<_>>(), ["1\u{e9}".as_bytes()]);
        let expected = format!("{a}{file}{}--b--\n", part("uid", "1\u{e9}")).replace('\n', "\r\n");
        assert_eq!(set.into_body(), expected);
    }
    let form = multipart(&format!("{a}--b--")).unwrap();
    for (name, value) in [
        ("uid", "x\r\n--b--\r\n"),
        ("x--bc", "1"),
        ("u\\id", "1"),
        ("=?utf-8?Q?uid?=", "1"),
        ("a; name=b", "1"),
    ] {
        let mut unchanged = form.clone();
        assert!(!unchanged.append(name, value), "{name}");
        assert_eq!(unchanged, form, "{name}");
    }
}

#[test]
fn file_names_with_quotes_and_backslashes_are_no_names() {
    for filename in ["b\\\"i n.bin", "C:\\dir\\x.txt", "a;b=c.txt", "my names.txt"] {
        let body = part(&format!("f\"; filename=\"{filename}"), "x") + "--b--";
        assert_eq!(multipart(&body).unwrap().values("f").count(), 1, "{body}");
    }
}

#[test]
fn multipart_that_two_readers_could_take_differently_is_refused() {
    use MultipartError::*;
    let cases = [
        ("".to_owned(), Preamble),
        ("x".to_owned(), Preamble),
        (format!("preamble\n{}--b--\n", part("a", "1")), Preamble),
        (part("a", "1"), NotClosed),
        ("--b\n\n--b".to_owned(), PartHeaders),
        (format!("{}--b--\n--b--", part("a", "1")), StrayBoundary),
        (format!("{}--b --\n", part("a", "1")), StrayBoundary),
        (format!("{}--bb\n", part("a", "1")), StrayBoundary),
        (format!("{}--b--", part("a", "x--b\nContent-Disposition")), StrayBoundary),
        ("--b\nContent-Disposition: form-data; name=\"a\"\n--b--".to_owned(), PartHeaders),
        ("--b\n\ncontent\n--b--".to_owned(), PartHeaders),
        ("--b\nContent-Type: text/plain\n\nx\n--b--".to_owned(), PartName),
        ("--b\nContent-Disposition: form-data\n\nx\n--b--".to_owned(), PartName),
        ("--b\nContent-Disposition: attachment; name=\"a\"\n\nx\n--b--".to_owned(), PartName),
        ("--b\nContent-Disposition : form-data; name=\"a\"\n\nx\n--b--".to_owned(), PartHeaders),
        ("--b\nContent-Disposition: form-data;\n name=\"a\"\n\nx\n--b--".to_owned(), PartHeaders),
        (part("a\"; name=\"uid", "x") + "--b--", PartName),
        (part("a\"; name*=\"utf-8''uid", "x") + "--b--", PartName),
        (part("a\\\"; name=\"uid", "x") + "--b--", PartName),
        (part("a\"; filename=\"b\\\"; name=\\\"uid\\\"", "x") + "--b--", PartName),
        (part("u\\id", "x") + "--b--", PartName),
        (part("=?utf-8?Q?uid?=", "x") + "--b--", PartName),
        ("--b\nContent-Disposition: form-data; name='uid'\n\nx\n--b--".to_owned(), PartName),
        ("--b\nContent-Disposition: form-data; name=uid x\n\nx\n--b--".to_owned(), PartName),
        ("--b\nContent-Disposition: form-data; name=\"a\"\nContent-Disposition: form-data; name=\"uid\"\n\nx\n--b--".into(), PartName),
    ];
    for (body, error) in cases {
        assert_eq!(multipart(&body).map(|_| ()), Err(error), "{body}");
    }
    // A part that begins after a bare line feed.
    let smuggled = format!("{}--b--\r\n", part("a", "1").replace('\n', "\r\n"))
        .replace("1\r\n", "1\n--b\nContent-Disposition: form-data; name=\"uid\"\n\nevil\r\n");
    assert_eq!(Multipart::parse("; boundary=b", smuggled.into()).map(|_| ()), Err(StrayBoundary));
    for parameters in [
        "",
        "; boundary=",
        "; boundary=\"b",
        "; boundary=b; boundary=c",
        "; xboundary=c; boundary=b",
        "; boundary=b; boundary*=c",
        "; boundary=b,c",
        "; boundary=\"b,c\"",
        "; boundary=a b",
        "; boundary=b\"",
    ] {
        assert_eq!(Multipart::parse(parameters, Bytes::new()).map(|_| ()), Err(Boundary), "{parameters}");
    }
}

/// Texts made of the pieces that matter to all the grammars.
fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "uid", "%75id", "uid[]", "=", "=", "&", "&", ";", "; ", ",", " ", "a", "b=1", "\"", "%", "%3D", "+",
        "%26", "é", "\t", "uid=evil", "%00", "UID", "\\",
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
    fn a_query_without_the_parameter_stays_byte_for_byte(text in "[a-t=&;%+ -]{0,40}") {
        prop_assume!(!text.contains("uid"));
        let kept = urlencoded::remove(text.as_bytes(), "uid").into_owned();
        prop_assert_eq!(kept, text.as_bytes());
    }

    #[test]
    fn removing_from_a_query_leaves_no_spelling_and_every_other_pair(text in hostile_text()) {
        let kept = urlencoded::remove(text.as_bytes(), "uid").into_owned();
        for pair in pieces(&kept, b"&;") {
            let name = pair.split(|&byte| byte == b'=').next().unwrap();
            let name: Vec<u8> = percent_encoding::percent_decode(name).collect();
            prop_assert!(!names_parameter(&name, "uid"), "{:?}", String::from_utf8_lossy(&kept));
        }
        let (kept, before) = (pieces(&kept, b"&;"), pieces(text.as_bytes(), b"&;"));
        prop_assert!(is_subsequence(&kept, &before));
        let removed = before.len() - kept.len();
        let named = before.iter().filter(|pair| {
            let name = pair.split(|&byte| byte == b'=').next().unwrap();
            let name: Vec<u8> = name.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
            let name: Vec<u8> = percent_encoding::percent_decode(&name).collect();
            names_parameter(&name, "uid")
        });
        prop_assert_eq!(removed, named.count());
    }

    #[test]
    fn a_query_parameter_that_was_set_is_read_as_it_was(text in hostile_text(), value in any::<String>()) {
        let mut query = urlencoded::remove(text.as_bytes(), "uid").into_owned();
        urlencoded::append(&mut query, "uid", &value);
        let read: Vec<String> =
            form_urlencoded::parse(&query).filter(|(name, _)| name == "uid").map(|(_, value)| value.into_owned()).collect();
        prop_assert_eq!(read, [value]);
    }

    #[test]
    fn removing_a_cookie_leaves_no_spelling_and_every_other_cookie(text in hostile_text()) {
        let mut headers = Fields::default();
        headers.append(&COOKIE, &HeaderValue::from_bytes(text.as_bytes()).unwrap());
        cookie::remove(&mut headers, "uid");
        let kept = headers.get(&COOKIE).unwrap_or_default().to_vec();
        const SEPARATORS: &[u8] = b"; ,\t";
        let (kept, before) = (pieces(&kept, SEPARATORS), pieces(text.as_bytes(), SEPARATORS));
        for cookie in &kept {
            let name = cookie.split(|&byte| byte == b'=').next().unwrap();
            let name: Vec<u8> = percent_encoding::percent_decode(name).collect();
            prop_assert!(!names_parameter(&name, "uid"));
        }
        prop_assert!(is_subsequence(&kept, &before));
        if !before.iter().any(|cookie| String::from_utf8_lossy(cookie).contains("id")) {
            prop_assert_eq!(headers.get(&COOKIE), Some(text.as_bytes()));
        }
    }

    #[test]
    fn a_cookie_that_was_set_is_read_as_it_was(text in hostile_text(), value in any::<String>()) {
        let mut headers = Fields::default();
        headers.append(&COOKIE, &HeaderValue::from_bytes(text.as_bytes()).unwrap());
        cookie::remove(&mut headers, "uid");
        cookie::prepend(&mut headers, "uid", &value);
        let read: Vec<Vec<u8>> =
            cookie::values(&headers, "uid").map(|value| percent_encoding::percent_decode(value).collect()).collect();
        prop_assert_eq!(read, [value.into_bytes()]);
    }

    #[test]
    fn a_multipart_form_keeps_what_is_not_mapped(
        parts in prop::collection::vec(("(uid|a|b|uid\\[\\])", prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        value in any::<String>(),
    ) {
        let write = |parts: &[(String, Vec<u8>)]| {
            let mut body = Vec::new();
            for (name, content) in parts {
                body.extend_from_slice(format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--b0undary--\r\n");
            Bytes::from(body)
        };
        let mut form = Form::parse(&FormKind::Multipart("; boundary=b0undary".into()), write(&parts)).unwrap();
        form.remove("uid");
        let kept: Vec<_> = parts.into_iter().filter(|(name, _)| !name.starts_with("uid")).collect();
        let Form::Multipart(form) = form else { unreachable!() };
        prop_assert_eq!(form.clone().into_body(), write(&kept));
        let mut set = Form::Multipart(form);
        prop_assert!(set.append("uid", &value));
        prop_assert_eq!(set.values("uid"), [value.into_bytes()]);
    }

    #[test]
    fn nothing_panics(body in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        let _ = Multipart::parse("; boundary=b", body.clone().into());
        let _ = Multipart::parse(&text, body.into());
    }
}
