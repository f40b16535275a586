#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use claimgate_functions::Fields;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::BodyExt;
use proptest::prelude::*;

use super::*;
use crate::parameters::content_type::BodyType;
use crate::parameters::multipart::Boundary;

fn body_type(content_type: &str) -> Result<BodyType, FormError> {
    let mut headers = Fields::default();
    headers.append(&CONTENT_TYPE, &HeaderValue::from_bytes(content_type.as_bytes()).unwrap());
    BodyType::of(&headers)
}

fn urlencoded() -> Result<BodyType, FormError> {
    Ok(BodyType::Form(FormKind::Urlencoded))
}

#[test]
fn content_types() {
    for form in [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-URLencoded; charset=utf-8",
        " application/x-www-form-urlencoded ;",
        "application/x-www-form-urlencoded; ;x=y",
    ] {
        assert_eq!(body_type(form), urlencoded(), "{form}");
    }
    for disguised in [
        "application/x-www-form-urlencoded, text/plain",
        "application/json, application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded x",
        "application/x-www-form-urlencodedX",
        "application/x-url-encoded",
        "xmultipart/form-data; boundary=b",
        "application/multipart; boundary=b",
        "multipart/form-datax; boundary=b",
        "multipart/ form-data; boundary=b",
        "text/plain; x=application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; x=multipart/form-data",
        "multipart/form-data; boundary=urlencoded",
        "multipart/form-data; boundary=b; x=json",
    ] {
        assert_eq!(body_type(disguised), Ok(BodyType::Disguised), "{disguised}");
    }
    for maybe in [
        "",
        " ",
        "multipart/mixed; boundary=b",
        "Multipart/Related",
        "x",
        "form",
        "/",
        "a/b/c",
        "text/plain; x",
        "text/plain; x=\"y",
        "text/pl\u{e4}in",
        "text/plain, application/json",
    ] {
        assert_eq!(body_type(maybe), Ok(BodyType::MaybeForm), "{maybe}");
    }
    for other in ["application/json", "text/plain;charset=utf-8", "image/svg+xml; x=\"a;b\"", "*/*"] {
        assert_eq!(body_type(other), Ok(BodyType::Other), "{other}");
    }
    assert_eq!(BodyType::of(&Fields::default()), Ok(BodyType::MaybeForm));
}

#[test]
fn charsets_and_encodings_that_hide_names() {
    for charset in
        ["utf-16", "UTF-7", "ibm037", "\"utf-16le\"", "", "utf-8; charset=ibm037", "utf-8; charset*=x"]
    {
        let types =
            ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html", "x"];
        for content_type in types.map(|form| format!("{form}; charset={charset}")) {
            assert_eq!(body_type(&content_type), Err(FormError::Charset), "{content_type}");
        }
    }
    for charset in ["UTF-8", "\"utf-8\"", "iso-8859-1", "us-ascii", "'utf-8'"] {
        assert_eq!(
            body_type(&format!("application/x-www-form-urlencoded;Charset={charset}")),
            urlencoded(),
            "{charset}"
        );
    }
    let mut headers = Fields::default();
    headers.append(&CONTENT_TYPE, &HeaderValue::from_static("text/plain"));
    headers.append(&CONTENT_TYPE, &HeaderValue::from_static("application/x-www-form-urlencoded"));
    assert_eq!(BodyType::of(&headers), Err(FormError::ContentType));
    headers.insert(&CONTENT_TYPE, &HeaderValue::from_static(""));
    headers.append(&CONTENT_TYPE, &HeaderValue::from_static("application/x-www-form-urlencoded"));
    assert_eq!(BodyType::of(&headers), Err(FormError::ContentType));
    headers.insert(&CONTENT_TYPE, &HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.append(&CONTENT_ENCODING, &HeaderValue::from_static("identity"));
    assert_eq!(BodyType::of(&headers), urlencoded());
    headers.append(&CONTENT_ENCODING, &HeaderValue::from_static("gzip"));
    assert_eq!(BodyType::of(&headers), Err(FormError::Encoded));
}

#[test]
fn boundaries() {
    for (parameters, boundary) in [
        ("; boundary=b", "b"),
        (";boundary=\"b\"", "b"),
        ("; boundary=----WebKitFormBoundaryABCdef0123456789", "----WebKitFormBoundaryABCdef0123456789"),
        ("; boundary=----geckoformboundary0123", "----geckoformboundary0123"),
        ("; boundary=X-INSOMNIA-BOUNDARY", "X-INSOMNIA-BOUNDARY"),
        ("; boundary=dart-http-boundary-+_.x", "dart-http-boundary-+_.x"),
        ("; boundary=Boundary-0B2D4D33-0A5B; charset=utf-8", "Boundary-0B2D4D33-0A5B"),
        ("; charset=utf-8; boundary=\"----=_Part_1_2.3\"", "----=_Part_1_2.3"),
        ("; boundary=\"a=b:c/d?e(f)\"", "a=b:c/d?e(f)"),
    ] {
        let kind = FormKind::Multipart(Boundary::from(boundary));
        assert_eq!(
            body_type(&format!("multipart/form-data{parameters}")),
            Ok(BodyType::Form(kind)),
            "{parameters}"
        );
    }
    let long = format!("; boundary={}", "x".repeat(71));
    for parameters in [
        "",
        ";",
        "; boundary",
        "; boundary=",
        "; boundary=\"b",
        "; boundary=b; boundary=c",
        "; xboundary=c; boundary=b",
        "; boundary=b; boundary*=c",
        "; boundary=b; boundary*0=c",
        "; boundary-x=c; boundary=b",
        "; x=\"boundary\"; y=c; boundary=b",
        "; Boundary=b; x=boundary; y=c",
        "; xboundary&=c; boundary=b",
        "; boundary=b,c",
        "; boundary=\"b,c\"",
        "; boundary=a b",
        "; boundary=b\"",
        "; boundary=b=c",
        "; boundary=a:b",
        "; boundary=a/b",
        "; boundary=a?b",
        "; boundary=(b",
        "; boundary=\"b\\c\"",
        "; x=\"boundary=c\"; boundary=b",
        "; boundary='b'",
        ", application/json",
        "boundary=; boundary=x",
        "; boundary=\"a b\"",
        &long,
    ] {
        let content_type = format!("multipart/form-data{parameters}");
        let read = body_type(&content_type);
        let is_refused = matches!(read, Err(FormError::Multipart(MultipartError::Boundary)));
        assert!(is_refused, "{content_type}: {read:?}");
    }
}

fn multipart() -> FormKind {
    FormKind::Multipart(Boundary::from("BB"))
}

/// Filters a form, whole and cut at each of some places: both must come to the same, but for names
/// where the length is to be known.
fn filter(kind: &FormKind, body: &[u8], set: &[(&str, &str)], cuts: &[usize]) -> Result<Vec<u8>, FormError> {
    let filter = || -> Result<FormFilter, FormError> {
        let mut claims = ClaimsOfForm::default();
        for (name, value) in set {
            claims.push(kind, name, value)?;
        }
        let mapped = Arc::new(MappedNames::default().and_in_forms(["uid"]));
        FormFilter::new(kind, mapped, claims, FormMemory::new(usize::MAX))
    };
    let collect = |body: RequestBody| futures(body.collect()).map(|body| body.to_bytes().to_vec());
    let whole = filter()?.filter(Bytes::copy_from_slice(body), |_| ()).map(|body| collect(body).unwrap());
    let mut pieces = VecDeque::new();
    let mut rest = body;
    for &cut in cuts {
        let (piece, behind) = rest.split_at(cut.min(rest.len()));
        pieces.push_back(Bytes::copy_from_slice(piece));
        rest = behind;
    }
    pieces.push_back(Bytes::copy_from_slice(rest));
    let stream = |length: Option<usize>| {
        let rest = RequestBody::stream(Pieces(pieces.clone()));
        filter()?.filter_stream([Bytes::new(), Bytes::new()], rest, length.map(|length| length as u64))
    };
    let error_of = |error: BrokenBody| *error.downcast_ref::<FormError>().unwrap();
    let streamed = collect(stream(None)?).map_err(error_of);
    assert_eq!(streamed, whole, "{} cut at {cuts:?}", body.escape_ascii());

    let mut of_length = match stream(Some(body.len())) {
        Err(error) => {
            assert_eq!(Err(error), whole);
            return whole;
        }
        Ok(of_length) => of_length,
    };
    let length = of_length.size_hint().exact().unwrap();
    let mut renamed = Vec::new();
    let mut error = None;
    while let Some(frame) = futures(of_length.frame()) {
        match frame {
            Ok(data) => renamed.extend_from_slice(&data.into_data().unwrap()),
            Err(broken) => error = Some(error_of(broken)),
        }
    }
    let sent = format!("{} cut at {cuts:?}", body.escape_ascii());
    match (error, &whole) {
        // What breaks off is never taken for whole.
        (Some(error), whole) => {
            assert_eq!(Err(error), *whole, "{sent}");
            assert!((renamed.len() as u64) < length || body.is_empty(), "{sent}");
        }
        // Where nothing is left out, it does not matter where it ends.
        (None, whole) => {
            assert!(!whole.as_ref().is_err_and(|error| *error != FormError::HiddenName), "{sent}: {whole:?}");
            assert_eq!(renamed.len() as u64, length, "{sent}");
            let is_left = |body: &[u8]| body.windows(3).filter(|three| three == b"uid").count() > set.len();
            assert!(!is_left(&renamed) || whole.as_ref().is_ok_and(|whole| is_left(whole)), "{sent}");
        }
    }
    whole
}

/// Drives a future that waits for nothing.
fn futures<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Written with plain line ends for legibility.
fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn part(name: &str, content: &str) -> String {
    format!("--BB\nContent-Disposition: form-data; name=\"{name}\"\n\n{content}\n")
}

#[test]
fn multipart_parts_are_removed_and_set() {
    let (a, file) = (part("a", "1"), part("f\"; filename=\"x.bin", "\0\u{1}--\n\nB--B"));
    let ann = part("uid", "ann\u{e9}");
    for spelling in ["uid", "uid[]", "%75id", " uid", "[uid]", "uid.x", "uid\u{b}", "\u{feff}uid"] {
        let body = crlf(&format!("{a}{}{file}{}--BB--\n", part(spelling, "evil"), part("uid", "")));
        for cuts in [&[][..], &[1; 300], &[7; 60], &[100, 3, 80]] {
            let kept = filter(&multipart(), &body, &[], cuts).unwrap();
            assert_eq!(kept, crlf(&format!("{a}{file}--BB--\n")), "{spelling}");
            let set = filter(&multipart(), &body, &[("uid", "ann\u{e9}")], cuts).unwrap();
            assert_eq!(set, crlf(&format!("{ann}{a}{file}--BB--\n")), "{spelling}");
        }
    }
    let mut claims = ClaimsOfForm::default();
    for name in ["u\\id", "=?utf-8?Q?uid?=", "a; name=b"] {
        assert_eq!(claims.push(&multipart(), name, "1"), Ok(false), "{name}");
    }
    for (name, value) in [("uid", "x\r\n--BB--\r\n"), ("x--BBc", "1"), ("uid", "BB")] {
        let refused = Err(FormError::Multipart(MultipartError::BoundaryInClaim));
        assert_eq!(claims.push(&multipart(), name, value), refused, "{name}");
    }
}

#[test]
fn file_names_of_dotnet_pass() {
    let head = "--BB\nContent-Type: image/png\nContent-Disposition: form-data; name=f; filename=a.png; filename*=utf-8''a%20b.png";
    let body = crlf(&format!("{head}\n\nx\n--BB--\n"));
    assert_eq!(filter(&multipart(), &body, &[], &[5; 9]).unwrap(), body);
    assert_eq!(values(&multipart(), &body.into(), "f").unwrap(), [b"x"]);
}

#[test]
fn file_names_with_quotes_and_backslashes_are_not_names() {
    for filename in ["b\\\"i n.bin", "C:\\dir\\x.txt", "a;b=c.txt", "my names.txt"] {
        let body = crlf(&(part(&format!("f\"; filename=\"{filename}"), "x") + "--BB--"));
        assert_eq!(filter(&multipart(), &body, &[], &[5; 9]).unwrap(), body);
        assert_eq!(values(&multipart(), &body.into(), "f").unwrap(), [b"x"]);
    }
}

#[test]
fn multipart_that_two_readers_could_take_differently_is_refused() {
    use MultipartError::*;
    let other_headers = |lines: &str| format!("--BB\n{lines}\n\nx\n--BB--");
    let uid = "Content-Disposition: form-data; name=\"uid\"";
    let cases = [
        ("".to_owned(), Preamble),
        ("x".to_owned(), Preamble),
        (format!("preamble\n{}--BB--\n", part("a", "1")), Preamble),
        (part("a", "1"), NotClosed),
        ("--BB\n\n--BB".to_owned(), NotClosed),
        ("--BB\nContent-Disposition: form-data; name=\"a\"\n\n".to_owned(), NotClosed),
        (part("a", "1") + "--BB\nContent-Disposition: form-data; name=\"uid\"\n\n", NotClosed),
        (part("a", "1") + "--BB-", NotClosed),
        ("--BB\n\n\n\n--BB--".to_owned(), PartHeaders),
        (format!("{}--BB--\n--BB--", part("a", "1")), Epilogue),
        (format!("{}--BB--x", part("a", "1")), Epilogue),
        (part("a\"; filename*=utf-8''a; name*=\"b", "x") + "--BB--", PartName),
        (other_headers("Content-Disposition: form-data; name=uid,x"), PartName),
        (other_headers("Content-Disposition: form-data; name=\"\"; filename=\"uid\""), PartName),
        (other_headers("Content-Disposition: form-data; name=; filename=\"uid\""), PartName),
        (other_headers("Content-Disposition: form-data; name=\"\u{fffd}uid\""), PartHeaders),
        (other_headers(&format!("{uid}\n(x): y")), PartHeaders),
        (format!("{}--BB --\n", part("a", "1")), StrayBoundary),
        (format!("{}--BBb\n", part("a", "1")), StrayBoundary),
        (part("a", "1\nBB\nContent-Disposition: form-data; name=\"uid\"\n\nevil") + "--BB--", StrayBoundary),
        (part("a", "1BB2") + "--BB--", StrayBoundary),
        (part("a", "1\n-BB") + "--BB--", StrayBoundary),
        (part("aBB", "1") + "--BB--", StrayBoundary),
        (format!("{}--BB--", part("a", "x--BB\nContent-Disposition")), StrayBoundary),
        (other_headers("Content-Type: text/plain"), PartName),
        (other_headers("Content-Disposition: form-data"), PartName),
        (other_headers("Content-Disposition: attachment; name=\"a\""), PartName),
        (other_headers("Content-Disposition : form-data; name=\"a\""), PartHeaders),
        (other_headers("Content-Disposition: form-data;\n name=\"a\""), PartHeaders),
        (other_headers(&format!("X: {uid}\nContent-Disposition: form-data; name=\"a\"")), PartName),
        (other_headers(&format!("Content-Disposition: form-data; name=\"a\"; filename=\"{uid}\"")), PartName),
        (other_headers(&format!("{uid}\nContent-Type: Multipart/mixed; boundary=c")), PartHeaders),
        (part("a\"; name=\"uid", "x") + "--BB--", PartName),
        (part("a\"; name*=\"utf-8''uid", "x") + "--BB--", PartName),
        (part("a\\\"; name=\"uid", "x") + "--BB--", PartName),
        (part("a\"; filename=\"b\\\"; name=\\\"uid\\\"", "x") + "--BB--", PartName),
        (part("u\\id", "x") + "--BB--", PartName),
        (part("uid\"", "x") + "--BB--", PartName),
        (part("=?utf-8?Q?uid?=", "x") + "--BB--", PartName),
        (other_headers("Content-Disposition: form-data; name='uid'"), PartName),
        (other_headers("Content-Disposition: form-data; name=uid x"), PartName),
        (other_headers(&format!("Content-Disposition: form-data; name=\"a\"\n{uid}")), PartName),
        (other_headers(&format!("X: {}", "x".repeat(20_000))), PartHeaders),
    ];
    for (body, error) in cases {
        // No text of Rust has bytes that are not UTF-8.
        let body = crlf(&body.replace("\u{fffd}", "\u{1}"));
        let body: Vec<u8> = body.into_iter().map(|byte| if byte == 1 { 0x80 } else { byte }).collect();
        for cuts in [&[][..], &[1; 40]] {
            assert_eq!(filter(&multipart(), &body, &[], cuts), Err(error.into()), "{}", body.escape_ascii());
        }
    }
    // A part that begins after a bare line feed.
    let smuggled = format!("{}--BB--\r\n", part("a", "1").replace('\n', "\r\n"))
        .replace("1\r\n", "1\n--BB\nContent-Disposition: form-data; name=\"uid\"\n\nevil\r\n");
    assert_eq!(filter(&multipart(), smuggled.as_bytes(), &[], &[9; 9]), Err(StrayBoundary.into()));
}

#[test]
fn pairs_are_removed_and_set() {
    for (before, after) in [
        (&b""[..], &b""[..]),
        (b"a=1", b"a=1"),
        (b"a=1&uid=evil&b=2", b"a=1&b=2"),
        (b"uid=evil&.uid=evil&uid.x=evil&[uid]=evil", b""),
        (b"&uid=1&", b"&"),
        (b"a=1;%75id=2;b;c=", b"a=1;b;c="),
        (b"a=bl\xc3\xa6r \xc3\xbd\xc3\xbb&\xc3\xa6=2", b"a=bl\xc3\xa6r \xc3\xbd\xc3\xbb&\xc3\xa6=2"),
    ] {
        for cuts in [&[][..], &[1; 30], &[3; 9]] {
            assert_eq!(filter(&FormKind::Urlencoded, before, &[], cuts).unwrap(), after);
            let set = filter(&FormKind::Urlencoded, before, &[("uid", "ann"), ("r", "")], cuts).unwrap();
            let joiner = if after.is_empty() { "" } else { "&" };
            assert_eq!(set, [b"uid=ann&r=", joiner.as_bytes(), after].concat(), "{}", before.escape_ascii());
        }
    }
    for (body, error) in [
        (&b"a=1\xa6uid=evil"[..], FormError::NotUtf8),
        (b"\xf5\xe9\xe4=evil&b=2", FormError::NotUtf8),
        (b"a=1&b=\xc3", FormError::NotUtf8),
        (b"\xc1\xb5id=x", FormError::NotUtf8),
        // Without their highest bits these are `C&`, `B;` and `d0=`.
        (b"a=\xc3\xa6uid=evil", FormError::HiddenName),
        (b"a=\xc2\xbbuid", FormError::HiddenName),
        (b"uid=x\xc3\xa6", FormError::HiddenName),
        (b"uid\xc3\xa6=x", FormError::HiddenName),
    ] {
        for cuts in [&[][..], &[1; 30]] {
            let refused = filter(&FormKind::Urlencoded, body, &[("uid", "ann")], cuts);
            assert_eq!(refused, Err(error), "{}", body.escape_ascii());
        }
    }
    let long = "x".repeat(100_000);
    let body = RequestBody::stream(Pieces([Bytes::from(long.clone()), Bytes::from(long)].into()));
    let filter = FormFilter::new(
        &FormKind::Urlencoded,
        Arc::default(),
        ClaimsOfForm::default(),
        FormMemory::new(usize::MAX),
    );
    let streamed = filter.unwrap().filter_stream([Bytes::new(), Bytes::new()], body, None).unwrap();
    let error = futures(streamed.collect()).unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(FormError::LongName { .. })));
}

/// A form of a known length, of which so much arrives at once.
fn streamed(kind: &FormKind, body: &[u8], set: &[(&str, &str)], mapped: &[&str], piece: usize) -> Vec<u8> {
    let mut claims = ClaimsOfForm::default();
    set.iter().for_each(|(name, value)| assert_eq!(claims.push(kind, name, value), Ok(true)));
    let mapped = Arc::new(MappedNames::default().and_in_forms(mapped.iter().copied()));
    let filter = FormFilter::new(kind, mapped, claims, FormMemory::new(usize::MAX)).unwrap();
    let rest = RequestBody::stream(Pieces(body.chunks(piece).map(Bytes::copy_from_slice).collect()));
    let streamed = filter.filter_stream([Bytes::new(), Bytes::new()], rest, Some(body.len() as u64)).unwrap();
    let length = streamed.size_hint().exact().unwrap();
    let streamed = futures(streamed.collect()).unwrap().to_bytes();
    assert_eq!(streamed.len() as u64, length);
    streamed.to_vec()
}

#[test]
fn mapped_parameters_are_overwritten_where_the_length_is_known() {
    let (a, file) = (part("a", "1"), part("f\"; filename=\"uid.bin", "\0uid=1"));
    for spelling in ["uid", "uid[]", "%75id", "[uid]"] {
        let overwritten = "z".repeat(spelling.len());
        for piece in [1, 7, 1000] {
            for before in ["", "\n"] {
                let sent = |name: &str, value: &str| {
                    format!("{a}{}{file}{}--BB--\n", part(name, value), part(name, ""))
                };
                let form = crlf(&format!("{before}{}", sent(spelling, "evil")));
                let expected = format!("{before}{}{}", part("uid", "ann"), sent(&overwritten, "zzzz"));
                assert_eq!(
                    streamed(&multipart(), &form, &[("uid", "ann")], &["uid"], piece),
                    crlf(&expected)
                );
            }
            let sent = |name: &str, value: &str| format!("a=1&{name}={value};f=uid=1&{name}&{name}=");
            let form = sent(spelling, "=vil");
            let expected = format!("uid=ann&{}", sent(&overwritten, "zzzz"));
            let kind = FormKind::Urlencoded;
            let streamed = streamed(&kind, form.as_bytes(), &[("uid", "ann")], &["uid"], piece);
            assert_eq!(streamed, expected.as_bytes());
        }
    }
    let kind = FormKind::Urlencoded;
    assert_eq!(streamed(&kind, b"zz=1&y=2&uid=3", &[], &["zz", "uid", "y"], 99), b"xx=x&x=x&xxx=x");
    for body in [&b"a=1&b=2"[..], b"&", b"=", b";a"] {
        assert_eq!(streamed(&kind, body, &[], &["uid"], 1), body);
        assert!(streamed(&kind, body, &[("uid", "ann")], &["uid"], 1).ends_with(body));
    }
}

#[test]
fn a_boundary_is_not_written_over_a_parameter() {
    let form = |name: &str, value: &str| {
        let head = format!("Content-Disposition: form-data; name={name}");
        crlf(&format!("--zzyy\n{head}\n\n{value}\n--zzyy--"))
    };
    let kind = FormKind::Multipart(Boundary::from("zzyy"));
    assert_eq!(streamed(&kind, &form("uid", "evil"), &[], &["uid"], 3), form("xxx", "xxxx"));
    let letters: String = ('a'..='z').chain('A'..='Z').collect();
    let kind = FormKind::Multipart(Boundary::from(&*letters));
    let memory = FormMemory::new(usize::MAX);
    let filter = FormFilter::new(&kind, Arc::default(), ClaimsOfForm::default(), memory).unwrap();
    let refused = filter.filter_stream([Bytes::new(), Bytes::new()], RequestBody::empty(), Some(1));
    assert_eq!(refused.err(), Some(FormError::NoName));
}

#[test]
fn names_that_govern_how_others_are_read_are_removed() {
    let form = crlf(&format!("{}{}--BB--\n", part("_charset_", "utf-16"), part(".defaults", "")));
    assert_eq!(filter(&multipart(), &form, &[], &[]).unwrap(), b"--BB--\r\n");
    assert_eq!(filter(&FormKind::Urlencoded, b"_charset_=x&.defaults=", &[], &[]).unwrap(), b"_charset_=x");
}

#[test]
fn memory_is_counted_and_given_back() {
    let memory = FormMemory::new(1 << 40);
    let mut buffer = memory.buffer();
    buffer.extend(&[b'x'; 1000]).unwrap();
    assert_eq!(FormMemory::new(200).buffer().extend(&[0; 101]), Err(NoFormMemory));
    assert_eq!(FormMemory::new(0).buffer().extend(b"x"), Err(NoFormMemory));
    let bytes = buffer.take();
    assert!(buffer.is_empty() && bytes.len() == 1000);
    assert_eq!(FormMemory::new(2000).buffer().extend(b"x"), Err(NoFormMemory));
}

proptest! {
    #[test]
    fn a_multipart_form_keeps_what_is_not_mapped(
        parts in prop::collection::vec(("(uid|a|b|uid\\[\\])", prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        value in any::<String>(),
        cuts in prop::collection::vec(0..60usize, 0..9),
    ) {
        let write = |parts: &[(String, Vec<u8>)]| {
            let mut body = Vec::new();
            for (name, content) in parts {
                body.extend_from_slice(format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--b0undary--\r\n");
            body
        };
        let kind = FormKind::Multipart(Boundary::from("b0undary"));
        let kept = filter(&kind, &write(&parts), &[("uid", &value)], &cuts).unwrap();
        let mut expected = vec![("uid".to_owned(), value.into_bytes())];
        expected.extend(parts.into_iter().filter(|(name, _)| !name.starts_with("uid")));
        prop_assert_eq!(kept, write(&expected));
    }

    #[test]
    fn a_form_comes_to_the_same_in_one_piece_and_in_many(
        body in prop::collection::vec(prop::sample::select(b"&=;uid[]%.\xa6\xbd-\r\nb a".to_vec()), 0..200),
        cuts in prop::collection::vec(0..9usize, 0..40),
    ) {
        let _ = filter(&FormKind::Urlencoded, &body, &[("uid", "ann")], &cuts);
        let begun = [&b"--BB\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"[..], &body].concat();
        let _ = filter(&multipart(), &begun, &[], &cuts);
        let _ = filter(&multipart(), &[&begun[..], b"\r\n--BB--"].concat(), &[("uid", "ann")], &cuts);
    }
}
