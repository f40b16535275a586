#![allow(clippy::unwrap_used, clippy::panic)]
use std::convert::Infallible;
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Node {
    let mut report = Report::default();
    let tree = parse::<Infallible>(text, None, &mut report).map(|parsed| parsed.root);
    assert!(!report.has_errors(), "{text}: {}", report.into_problems(Path::new("test.yaml")));
    tree.unwrap()
}

/// Every scalar as `line:column value`, keys too.
fn places(node: &Node) -> Vec<String> {
    let at = |location: Location, text: &str| format!("{}:{} {text}", location.line, location.column);
    match &node.value {
        Value::Null => vec![at(node.location, "null")],
        Value::Bool(value) => vec![at(node.location, &value.to_string())],
        Value::Number(text) => vec![at(node.location, text)],
        Value::String(text) => vec![at(node.location, &format!("{text:?}"))],
        Value::List(items) => items.iter().flat_map(places).collect(),
        Value::Map(entries) => entries
            .iter()
            .flat_map(|entry| {
                let mut found = vec![at(entry.key_location, &entry.key)];
                found.extend(places(&entry.value));
                found
            })
            .collect(),
    }
}

#[test]
fn every_value_knows_its_line_and_column_in_characters() {
    for (text, right) in [
        ("a: 1\nb:\n  - x\n  -   true\n", "1:1 a, 1:4 1, 2:1 b, 3:5 \"x\", 4:7 true"),
        ("\u{feff}a: 1\r\nb: 2\r\n", "1:1 a, 1:4 1, 2:1 b, 2:4 2"),
        ("{\"ä\": \"ö\", \"ü\":~}", "1:2 ä, 1:7 \"ö\", 1:12 ü, 1:16 null"),
        (
            "# c\na: 'x' # c\nb: |\n  l1\n  l2\nc: >-\n  f1\n  f2\n",
            "2:1 a, 2:4 \"x\", 3:1 b, 4:3 \"l1\\nl2\\n\", 6:1 c, 7:3 \"f1 f2\"",
        ),
        ("a: &x {k: v}\nb: *x\n", "1:1 a, 1:8 k, 1:11 \"v\", 2:1 b, 1:8 k, 1:11 \"v\""),
    ] {
        assert_eq!(places(&parsed(text)).join(", "), right, "{text}");
    }
}

#[test]
fn a_key_without_value_is_null() {
    for text in ["a:", "a: \nb: 1", "{a: , b: 1}", "{a}", "a: null", "a: ~"] {
        let Value::Map(entries) = parsed(text).value else { panic!("{text}") };
        assert_eq!(entries.first().unwrap().value.value, Value::Null, "{text}");
    }
}

#[test]
fn escapes_of_json_are_understood() {
    let text = r#"{"a": "\/ \b\f\n\r\t \" \\ \u00e4 \ud83d\ude00 \\ud83d\\ude00", "b": 1}"#;
    let right = "/ \u{8}\u{c}\n\r\t \" \\ ä 😀 \\ud83d\\ude00";
    let Value::Map(entries) = parsed(text).value else { panic!("no map") };
    let found: Vec<&Node> = entries.iter().map(|entry| &entry.value).collect();
    assert_eq!(found.first().unwrap().value, Value::String(right.to_owned()));
    assert_eq!(found.last().unwrap().location.column, text.find("1}").unwrap() + 1);
}

#[test]
fn deep_and_wide_texts_end_in_an_answer() {
    let deep_flow = "[".repeat(100_000);
    let deep_block = "- ".repeat(100_000);
    let deep_maps = "{a: ".repeat(100_000);
    let questions = "? ".repeat(100_000);
    for text in [deep_flow, deep_block, deep_maps, questions] {
        let mut report = Report::default();
        assert!(parse::<Infallible>(&text, None, &mut report).is_none());
        assert!(report.has_errors());
    }
    let many_keys: String = (0..100_000).map(|index| format!("k{index}: 1\n")).collect();
    let Value::Map(entries) = parsed(&many_keys).value else { panic!("no map") };
    assert_eq!(entries.len(), 100_000);
    let one_key = "k: 1\n".repeat(100_000);
    let mut report = Report::default();
    parse::<Infallible>(&one_key, None, &mut report);
    assert_eq!(report.into_problems(Path::new("test.yaml")).list.len(), 99_999);
}

/// Pieces of YAML and of our documents, thrown together.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: [&str; 48] = [
        "a",
        "gateway",
        "http",
        ": ",
        ":",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "|",
        ">",
        "&a ",
        "*a",
        "!!str ",
        "!t ",
        "? ",
        "<<",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "#",
        "~",
        "null",
        "1",
        "true",
        "\\ud83d",
        "\\ude00",
        "\\",
        "ä",
        "\u{feff}",
        "\t",
        "\r\n",
        "\0",
        "functions",
        "functionName",
        "customDomains",
        "authConfig",
        "authInfo",
        "jwks",
        "keys",
        "authType: jwt",
    ];
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_breaks_the_reader(text in soup()) {
        match crate::load_text(&text, Path::new("soup.yaml")) {
            Ok(loaded) => prop_assert!(!loaded.warnings.to_string().contains("error:")),
            Err(problems) => prop_assert!(problems.to_string().contains("error:")),
        }
    }
}

#[test]
fn json_gives_the_tree_that_it_gives_as_yaml() {
    let as_json = |text: &str| build_json::<Infallible>(text, None, &mut Report::default());
    for text in [
        "{}",
        " [ ]\n",
        r#""text""#,
        "-1.50e+2",
        "{\"ä\": \"ö\", \"ü\":null}",
        "{\n  \"a\": [1, 0.5, true, false, null],\r\n  \"b\": {\"c\": [[\"d\"], {}]}\n}\n",
        r#"{"a\n\"\\\/\u00e4": "\t\\\" ", "b": "\\"}"#,
        r#"{"a": 1, "a": 2}"#,
    ] {
        let yaml = build::<Infallible>(text, None, &mut Report::default(), |location| location);
        let (Ok(json), Ok(yaml)) = (as_json(text), yaml) else { panic!("{text}") };
        assert_eq!(json.root, yaml.root, "{text}");
    }
    for text in [
        "",
        "{",
        "}",
        "[1,]",
        "{\"a\"}",
        "{\"a\" 1}",
        "{\"a\": 1,}",
        "{a: 1}",
        "'a'",
        "\"a",
        "\"\\",
        "\"\u{1}\"",
        "01",
        "+1",
        ".5",
        "True",
        "~",
        "[] []",
        "{\"a\": 1} # comment",
        "a: 1",
        "[\"\\ud83d\"]",
        "\"\\x41\"",
        "&a 1",
        "---\n{}",
    ] {
        assert!(matches!(as_json(text), Err(Stopped::NotJson)), "{text}");
    }
}

#[test]
fn items_are_read_as_soon_as_they_are_complete_and_null_takes_their_place() {
    const ITEMS: Items<String> = Items {
        list: "items",
        read: |field, report| {
            report.warning(&field.place, "seen");
            Some(field.text("a string", report)?.value.to_owned())
        },
    };
    let read = |text: &str| {
        let mut report = Report::default();
        let Parsed { root, items } = parse(text, Some(&ITEMS), &mut report).unwrap();
        let told = report.into_problems(Path::new("f")).list;
        let told: Vec<_> = told.iter().map(|problem| format!("{}:{}", problem.line, problem.field)).collect();
        (items, places(&root).join(", "), told.join(", "))
    };
    let strings = |strings: &[&str]| Some(strings.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());

    let (items, tree, told) = read("items:\n- a\n- b\nother:\n- c\n");
    assert_eq!(items, strings(&["a", "b"]));
    assert_eq!(tree, "1:1 items, 2:3 null, 3:3 null, 4:1 other, 5:3 \"c\"");
    assert_eq!(told, "2:items[0], 3:items[1]");

    // What may be repeated stays in the tree; what is no item of this list is none.
    for text in [
        "items: &x [a]\nother: *x",
        "other: &x [a]\nitems: *x",
        "- items: [a]",
        "a: {items: [a]}",
        "items: {a: [b]}",
    ] {
        assert_eq!(read(text).0, None, "{text}");
    }
    // A key that is repeated counts once.
    assert_eq!(read("items: [a]\nitems: [b]").0, strings(&["a"]));
    // Characters beyond U+FFFF, written as JSON does, make the text be parsed anew.
    assert_eq!(read(r#"{"items": ["a", "\ud83d\ude00"]}"#).0, strings(&["a", "😀"]));
}
