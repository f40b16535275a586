//! The documentation names what the code names.
#![allow(clippy::expect_used)]

use std::fs;
use std::path::Path;

/// Where the reasons of refusals and failures are defined, and where they are explained.
const SOURCES: [(&str, &str); 7] = [
    ("crates/gateway/src/listen/http1/answer.rs", "docs/reasons.md"),
    ("crates/gateway/src/rejection.rs", "docs/reasons.md"),
    ("crates/gateway/src/refusal.rs", "docs/reasons.md"),
    ("crates/jose/src/verify/error.rs", "docs/reasons.md"),
    ("crates/functions/src/error.rs", "docs/reasons.md"),
    ("crates/authorizer/src/refusal.rs", "docs/authorizer.md"),
    ("crates/remote-keys/src/error.rs", "docs/remote-keys.md"),
];

#[test]
fn every_reason_is_documented() {
    let read = |file: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a file of the project")
    };
    for (source, documentation) in SOURCES {
        let documentation = read(documentation);
        let code = read(source).replace("Some(\"", "\"");
        let functions = code.split("fn reason(").skip(1).filter_map(|rest| rest.split("\n    }\n").next());
        let words: Vec<&str> = functions
            .flat_map(|body| body.split("=> \"").skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(!words.is_empty(), "{source} has no reasons");
        for word in words {
            assert!(documentation.contains(&format!("`{word}`")), "{word} of {source} is not documented");
        }
    }
}
