//! Whatever a client sends, how it is cut does not matter.

use proptest::prelude::*;

use super::*;

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = || proptest::collection::vec(any::<u8>(), 1..40);
    let length =
        piece().prop_map(|body| [format!("Content-Length: {}\r\n\r\n", body.len()).into(), body].concat());
    let chunks = (
        proptest::collection::vec((piece(), "(;[a-z]{1,5}(=\"[a-z ]{0,5}\")?)?"), 0..5),
        "(x-[a-z]: [!-~]{0,9}\r\n){0,3}",
    )
        .prop_map(|(chunks, trailers)| {
            let mut body = b"Transfer-Encoding: chunked\r\n\r\n".to_vec();
            for (chunk, extension) in chunks {
                body.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
                body.extend_from_slice(&chunk);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
            body
        });
    prop_oneof![Just(b"\r\n".to_vec()), length, chunks]
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    (
        "(\r\n){0,2}[A-Z]{1,7} /[a-z0-9?=&%.-]{0,20} HTTP/1\\.[01]\r\n",
        "([A-Za-z0-9-]{1,3}:[ \t]?[ -~]{0,20}\r\n){0,5}",
        body(),
    )
        .prop_filter("HTTP/1.0 knows no chunks", |(line, _, body)| {
            line.ends_with("1.1\r\n") || !body.starts_with(b"Transfer")
        })
        .prop_map(|(line, fields, body)| [line.into_bytes(), fields.into_bytes(), body].concat())
}

proptest! {
    #[test]
    fn sound_requests_are_read_to_the_last_one(
        requests in proptest::collection::vec(request(), 1..6),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let bytes = requests.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (seen, end) = runtime.block_on(read(client(&pieces, Limits::default())));
        prop_assert_eq!((seen.len(), &end), (requests.len(), &End::Open));
        let whole = runtime.block_on(read(client(&[&bytes], Limits::default())));
        prop_assert_eq!((seen, end), whole);
    }

    #[test]
    fn whatever_comes_the_cuts_do_not_matter(
        bytes in proptest::collection::vec(prop_oneof![
            Just(b"\r\n".to_vec()), Just(b"\n".to_vec()), Just(b"\r".to_vec()), Just(b"0\r\n\r\n".to_vec()),
            Just(b"GET / HTTP/1.1\r\n".to_vec()), Just(b"Content-Length: 3\r\n".to_vec()),
            Just(b"Transfer-Encoding: chunked\r\n".to_vec()), Just(b"X: y\r\n".to_vec()), Just(b"3\r\nabc\r\n".to_vec()),
            proptest::collection::vec(any::<u8>(), 1..3),
        ], 0..12),
    ) {
        let bytes = [&b"POST / HTTP/1.1\r\n"[..], &bytes.concat()].concat();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let whole = runtime.block_on(read(client(&[&bytes], Limits::default())));
        let cut = runtime.block_on(read(client(&single, Limits::default())));
        prop_assert_eq!(whole, cut);
    }
}
