#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Value, JsonError> {
    Value::parse(text.as_bytes())
}

#[test]
fn texts_are_read_and_written_compactly() {
    for (text, compact) in [
        ("null", "null"),
        (" \t\r\n true ", "true"),
        ("false", "false"),
        ("\"\"", "\"\""),
        (r#""a\"b\\c\/d\b\f\n\r\t""#, r#""a\"b\\c/d\u0008\u000c\n\r\t""#),
        (r#""\u00e9\u20AC\ud83d\uDE00""#, "\"é€😀\""),
        ("\"\u{7f}\u{2028}\u{feff}\"", "\"\u{7f}\u{2028}\u{feff}\""),
        (r#""\u0000""#, r#""\u0000""#),
        ("[ ]", "[]"),
        ("[1 , 2,[ ] ]", "[1,2,[]]"),
        ("{ }", "{}"),
        (r#"{ "b" : 1 , "a":{"b":2}, "":3 }"#, r#"{"b":1,"a":{"b":2},"":3}"#),
        (
            "[0,-0,0.0,-1.50,1E5,1e+5,1.5e-300,123456789012345678901234567890]",
            "[0,-0,0.0,-1.50,1E5,1e+5,1.5e-300,123456789012345678901234567890]",
        ),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), compact, "{text}");
    }
}

#[test]
fn other_texts_are_refused_where_they_go_wrong() {
    for (text, offset, message) in [
        ("", 0, "the text ends where a value is expected"),
        ("  ", 2, "the text ends where a value is expected"),
        ("\u{feff}{}", 0, "a byte order mark is not allowed"),
        ("{} x", 3, "nothing may follow the value"),
        ("{}{}", 2, "nothing may follow the value"),
        ("{}\0", 2, "nothing may follow the value"),
        ("01", 1, "nothing may follow the value"),
        ("1.", 2, "expected a digit"),
        (".5", 0, "expected a value"),
        ("+1", 0, "expected a value"),
        ("-", 1, "expected a digit"),
        ("1e", 2, "expected a digit"),
        ("1e+", 3, "expected a digit"),
        ("0x10", 1, "nothing may follow the value"),
        ("NaN", 0, "expected a value"),
        ("Infinity", 0, "expected a value"),
        ("-Infinity", 1, "expected a digit"),
        ("nul", 0, "expected a value"),
        ("True", 0, "expected a value"),
        ("'a'", 0, "expected a value"),
        ("// c", 0, "expected a value"),
        ("[1,]", 3, "expected a value"),
        ("[1 2]", 3, "expected a comma or a closing bracket"),
        ("[1", 2, "expected a comma or a closing bracket"),
        ("{\"a\":1,}", 7, "expected a member name in double quotes"),
        ("{a:1}", 1, "expected a member name in double quotes"),
        ("{\"a\" 1}", 5, "expected a colon"),
        ("{\"a\":1 \"b\":2}", 7, "expected a comma or a closing brace"),
        ("{\"a\":1,\"a\":2}", 7, "this object has two members of this name"),
        ("{\"a\":1,\"\\u0061\":2}", 7, "this object has two members of this name"),
        ("[{\"x\":{\"a\":1,\"b\":0,\"a\":1}}]", 19, "this object has two members of this name"),
        ("\"a", 2, "the text ends inside a string"),
        ("\"a\nb\"", 2, "a control character in a string must be escaped"),
        ("\"\\x41\"", 1, "unknown escape sequence"),
        ("\"\\u12g4\"", 5, "expected four hexadecimal digits"),
        ("\"\\u+123\"", 3, "expected four hexadecimal digits"),
        ("\"\\ud800\"", 1, "a lone surrogate is no character"),
        ("\"\\udc00\"", 1, "a lone surrogate is no character"),
        ("\"\\ud800\\ud800\"", 1, "a lone surrogate is no character"),
        ("\"\\ud800x\"", 1, "a lone surrogate is no character"),
        ("\u{a0}1", 0, "expected a value"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!((error.offset, error.message), (offset, message), "{text:?}");
    }
}

#[test]
fn invalid_utf_8_is_refused() {
    for bytes in [
        b"\"\xff\"".as_slice(),
        b"\"\xc0\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\"\xe2\x82\"",
        b"{\"\x80\":1}",
        b"\xff\xfe{\0}\0",
    ] {
        assert_eq!(Value::parse(bytes).unwrap_err().message, "invalid UTF-8", "{bytes:?}");
    }
}

#[test]
fn errors_point_to_line_and_column() {
    let error = parse("{\n  \"é€\": 1,\n  \"ü\": x\n}").unwrap_err();
    assert_eq!((error.line, error.column), (3, 8));
    assert_eq!(error.to_string(), "expected a value at line 3, column 8");
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(parse(&nested(MAX_DEPTH + 1)).unwrap_err().message, "nested too deeply");
        assert_eq!(parse(&open.repeat(1_000_000)).unwrap_err().message, "nested too deeply");
    }
    assert!(parse(&format!("[{}]", vec!["[]"; 1000].join(","))).is_ok());
}

#[test]
fn duplicates_are_found_among_many_members() {
    let object = |last: &str| {
        let mut text: String = (0..100_000).map(|number| format!("\"n{number}\":0,")).collect();
        text.push_str(last);
        format!("{{{text}}}")
    };
    assert_eq!(parse(&object("\"m\":0")).unwrap().as_object().unwrap().len(), 100_001);
    for repeated in ["\"n0\":0", "\"n15\":0", "\"n16\":0", "\"n17\":0", "\"n99999\":0"] {
        assert!(parse(&object(repeated)).is_err(), "{repeated}");
    }
}

#[test]
fn integers_become_plain_decimal() {
    for (literal, plain) in [
        ("1", "1"),
        ("-17", "-17"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("1e3", "1000"),
        ("1E+3", "1000"),
        ("-25e1", "-250"),
        ("1.5e3", "1500"),
        ("1.50e1", "15"),
        ("1.2345e3", "1.2345e3"),
        ("100e-2", "1"),
        ("105e-1", "105e-1"),
        ("0.001e3", "1"),
        ("0.0012e3", "0.0012e3"),
        ("9007199254740993e0", "9007199254740993"),
        ("0e5", "0"),
        ("0.000e-999999999999999999999", "0"),
        ("-0", "-0"),
        ("-0e1", "-0e1"),
        ("1.0", "1.0"),
        ("1.5", "1.5"),
        ("1e400", "1e400"),
        ("1e-3", "1e-3"),
        ("1e999999999", "1e999999999"),
        ("1e99999999999999999999999", "1e99999999999999999999999"),
        ("1e9223372036854775807", "1e9223372036854775807"),
        ("1e-9223372036854775808", "1e-9223372036854775808"),
    ] {
        let value = parse(literal).unwrap();
        assert_eq!(value.as_number().unwrap().to_plain_decimal(), plain, "{literal}");
    }
    let value = parse("1e399").unwrap();
    assert_eq!(value.as_number().unwrap().to_plain_decimal().len(), 400);
}

#[test]
fn doubles_are_finite() {
    for (literal, double) in [("1.5", Some(1.5)), ("1e308", Some(1e308)), ("1e309", None), ("-1e999", None)] {
        assert_eq!(parse(literal).unwrap().as_number().unwrap().as_f64(), double, "{literal}");
    }
}

#[test]
fn objects_keep_names_unique() {
    let mut object = Object::new();
    assert_eq!(object.insert("a", 1_i64), None);
    assert_eq!(object.insert("b", "x"), None);
    assert_eq!(object.insert("a", true), Some(Value::from(1_i64)));
    assert_eq!(object.to_string(), r#"{"a":true,"b":"x"}"#);
    assert_eq!(object.remove("a"), Some(Value::Bool(true)));
    assert_eq!(object.remove("a"), None);
    assert_eq!(object.len(), 1);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,4})?"
            .prop_map(|literal| Value::Number(Number::from_literal(&literal))),
    ];
    leaf.prop_recursive(6, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..20).prop_map(|members| {
                let mut object = Object::new();
                for (name, value) in members {
                    object.insert(name, value);
                }
                Value::from(object)
            }),
        ]
    })
}

/// Texts that look like JSON, right or slightly wrong.
fn nearly_json() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        "[\\[\\]{}:, \\n\\t]",
        "[-+]?[0-9]{0,3}\\.?[0-9]{0,3}([eE][-+]?[0-9]{0,2})?",
        "\"[a-c\\\\\"u0-9dD]{0,8}\"",
        "\"\\\\u[dD][89abcDEF][0-9a-f]{2}(\\\\u[dD][89abcDEF][0-9a-f]{2})?\"",
        "true|false|null|nul|NaN",
        "\\PC",
    ];
    prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
}

/// What serde_json says; `None` where it differs on purpose.
fn accepted_by_serde_json(text: &[u8]) -> Option<Result<serde_json::Value, ()>> {
    match serde_json::from_slice(text) {
        // serde_json turns numbers into doubles while it parses; here they stay text.
        Err(error) if error.to_string().starts_with("number out of range") => None,
        result => Some(result.map_err(drop)),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in any_value()) {
        prop_assert_eq!(Value::parse(value.to_string().as_bytes()), Ok(value));
    }

    #[test]
    fn serde_json_reads_what_is_written(value in any_value()) {
        let text = value.to_string();
        if let Some(theirs) = accepted_by_serde_json(text.as_bytes()) {
            prop_assert!(theirs.is_ok(), "{}", text);
        }
    }

    #[test]
    fn serde_json_accepts_the_same_texts(text in nearly_json()) {
        let ours = parse(&text);
        match accepted_by_serde_json(text.as_bytes()) {
            None => {}
            Some(Ok(theirs)) => match ours {
                Ok(ours) => prop_assert_eq!(
                    serde_json::from_str::<serde_json::Value>(&ours.to_string()).unwrap(), theirs),
                Err(error) => prop_assert!(error.message.contains("two members"), "{}: {}", text, error),
            },
            Some(Err(())) => prop_assert!(ours.is_err(), "{}", text),
        }
    }

    #[test]
    fn the_first_special_character_of_a_string_is_found(text in "[\\x1d-#\\[-\\]aé\u{ff}\u{10ffff}]{0,24}") {
        let plain = text.find(|character| matches!(character, '"' | '\\' | '\0'..='\x1f'));
        let result = parse(&format!("\"{text}"));
        match plain {
            Some(at) if text[at..].starts_with('"') && text[at + 1..].trim().is_empty() => {
                prop_assert_eq!(result, Ok(Value::from(&text[..at])));
            }
            Some(at) if !text[at..].starts_with('\\') => prop_assert!(result.unwrap_err().offset > at),
            Some(_) => {}
            None => prop_assert_eq!(result.unwrap_err().offset, 1 + text.len()),
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        let ours = Value::parse(&bytes);
        if let Some(Err(())) = accepted_by_serde_json(&bytes) {
            prop_assert!(ours.is_err());
        }
    }
}
