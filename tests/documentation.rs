//! The documentation names what the code names.
#![allow(clippy::expect_used)]

use std::fs;
use std::path::Path;

const REASONS: &str = "docs/reasons.md";

/// Where the reasons of refusals and failures are defined, and where they are explained.
const SOURCES: [(&str, &str); 7] = [
    ("crates/gateway/src/listen/http1/answer.rs", REASONS),
    ("crates/gateway/src/rejection.rs", REASONS),
    ("crates/gateway/src/refusal.rs", REASONS),
    ("crates/jose/src/verify/error.rs", REASONS),
    ("crates/functions/src/error.rs", REASONS),
    ("crates/authorizer/src/refusal.rs", "docs/authorizer.md"),
    ("crates/remote-keys/src/error.rs", "docs/remote-keys.md"),
];

#[test]
fn every_reason_is_documented() {
    let read = |file: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a file of the project")
    };
    for (source, page) in SOURCES {
        let documentation = read(page);
        let code = read(source).replace("Some(\"", "\"");
        let functions = code.split("fn reason(").skip(1).filter_map(|rest| rest.split("\n    }\n").next());
        let words: Vec<&str> = functions
            .flat_map(|body| body.split("=> \"").skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(!words.is_empty(), "{source} has no reasons");
        for word in words {
            assert!(documentation.contains(&format!("`{word}`")), "{word} of {source} is not documented");
            // The console takes its words from the page's tables.
            let explained = claimgate_gateway::explain(word);
            let is_explained = !explained.what_happened.is_empty() && !explained.what_to_do.is_empty();
            assert!(is_explained || page != REASONS, "{word} of {source} stands in no row of {page}");
        }
    }
}
