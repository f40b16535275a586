#![allow(clippy::unwrap_used)]

use super::*;

const FROM: (&str, &str) = ("origin", "https://a.example");
const WISH: (&str, &str) = ("access-control-request-method", "PUT");

fn header(fields: &[(&str, &str)]) -> Fields {
    let mut header = Fields::default();
    for (name, value) in fields {
        header.append(&name.parse().unwrap(), &value.parse().unwrap());
    }
    header
}

#[test]
fn only_a_real_preflight_request_is_one() {
    assert!(Preflight::of(&Method::OPTIONS, &header(&[FROM, WISH]), false).is_some());
    assert!(Preflight::of(&Method::OPTIONS, &header(&[FROM, WISH]), true).is_none());
    for method in [Method::GET, Method::POST, Method::HEAD, "options".parse().unwrap()] {
        assert!(Preflight::of(&method, &header(&[FROM, WISH]), false).is_none(), "{method}");
    }
    for fields in [
        vec![],
        vec![FROM],
        vec![WISH],
        vec![FROM, FROM, WISH],
        vec![FROM, WISH, WISH],
        vec![FROM, ("access-control-request-method", "")],
        vec![FROM, ("access-control-request-method", "P\tUT")],
        vec![FROM, ("access-control-request-method", "\"PUT\"")],
    ] {
        assert!(Preflight::of(&Method::OPTIONS, &header(&fields), false).is_none(), "{fields:?}");
    }
}

#[test]
fn vary_is_added_once() {
    for (before, after) in [
        (vec![], vec!["Origin"]),
        (vec!["Accept-Encoding"], vec!["Accept-Encoding", "Origin"]),
        (vec!["Accept-Encoding, origin"], vec!["Accept-Encoding, origin"]),
        (vec!["a", "ORIGIN"], vec!["a", "ORIGIN"]),
        (vec!["*"], vec!["*"]),
        (vec!["Origin-X"], vec!["Origin-X", "Origin"]),
    ] {
        let mut answer = Fields::default();
        for value in before {
            answer.append(&VARY, &HeaderValue::from_static(value));
        }
        add_to_vary(&mut answer, "Origin");
        let after: Vec<&[u8]> = after.iter().map(|value| value.as_bytes()).collect();
        assert_eq!(answer.get_all(&VARY).collect::<Vec<_>>(), after);
    }
}
