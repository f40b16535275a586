#![allow(clippy::unwrap_used, clippy::expect_used)]
use proptest::prelude::*;

use super::*;

fn lookup(position: Position, name: &str, prefix: Option<&str>) -> TokenLookup {
    TokenLookup { position, name: name.to_owned(), prefix: prefix.map(str::to_owned) }
}

#[test]
fn token_lookup_in_every_accepted_spelling() {
    let bearer = lookup(Position::Header, "Authorization", Some("Bearer"));
    let cookie = lookup(Position::Cookie, "sid", None);
    for (text, right) in [
        ("", vec![]),
        ("header:Authorization:Bearer", vec![bearer.clone()]),
        ("header:Authorization:Bearer ", vec![bearer.clone()]),
        ("header:Authorization:Bearer ,cookie:sid", vec![bearer.clone(), cookie.clone()]),
        (" header:Authorization:Bearer , cookie:sid: ", vec![bearer, cookie]),
        (
            "query:token,form:token:",
            vec![lookup(Position::Query, "token", None), lookup(Position::Form, "token", None)],
        ),
    ] {
        assert_eq!(TokenLookup::parse_all(text), Ok(right), "{text}");
    }
}

#[test]
fn claim_pass_by_in_every_accepted_spelling() {
    let mapping =
        ClaimPassBy { position: Position::Header, claim: "name".to_owned(), parameter: "x-name".to_owned() };
    for (text, right) in [
        ("", vec![]),
        ("query::", vec![]),
        ("header:name:x-name", vec![mapping.clone()]),
        ("query::, header:name:x-name", vec![mapping]),
    ] {
        assert_eq!(ClaimPassBy::parse_all(text), Ok(right), "{text}");
    }
}

#[test]
fn every_wrong_entry_is_told() {
    let errors = TokenLookup::parse_all("headr:a,cookie:b,,query,header:a:b:c").unwrap_err();
    assert_eq!(errors.iter().map(|error| error.number).collect::<Vec<_>>(), [1, 3, 4, 5]);
    let errors = ClaimPassBy::parse_all("header:a,body:a:b,query:a:b:c").unwrap_err();
    assert_eq!(errors.iter().map(|error| error.number).collect::<Vec<_>>(), [1, 2, 3]);
}

fn position() -> impl Strategy<Value = Position> {
    prop::sample::select(Position::ALL.map(|(_, position)| position).to_vec())
}

/// What the notation can carry: no comma, no colon, no space at either end.
fn name() -> impl Strategy<Value = String> {
    "[^,: \\p{White_Space}]{1,3}([^,:]{0,8}[^,:\\p{White_Space}])?"
}

fn print<T: ToString>(entries: &[T]) -> String {
    entries.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

proptest! {
    #[test]
    fn token_lookup_survives_printing(
        entries in prop::collection::vec((position(), name(), prop::option::of(name())), 1..5)
    ) {
        let entries: Vec<TokenLookup> = entries
            .into_iter()
            .map(|(position, name, prefix)| TokenLookup { position, name, prefix })
            .collect();
        prop_assert_eq!(TokenLookup::parse_all(&print(&entries)), Ok(entries));
    }

    #[test]
    fn claim_pass_by_survives_printing(
        entries in prop::collection::vec((position(), name(), name()), 1..5)
    ) {
        let entries: Vec<ClaimPassBy> = entries
            .into_iter()
            .map(|(position, claim, parameter)| ClaimPassBy { position, claim, parameter })
            .collect();
        prop_assert_eq!(ClaimPassBy::parse_all(&print(&entries)), Ok(entries));
    }

    #[test]
    fn what_was_parsed_prints_to_the_same(text in "((header|query|cookie)(:[a-z ]{0,3}){0,3},?){0,4}") {
        if let Ok(entries) = TokenLookup::parse_all(&text) {
            prop_assert_eq!(TokenLookup::parse_all(&print(&entries)), Ok(entries));
        }
        if let Ok(entries) = ClaimPassBy::parse_all(&text) {
            prop_assert_eq!(ClaimPassBy::parse_all(&print(&entries)), Ok(entries));
        }
    }
}
