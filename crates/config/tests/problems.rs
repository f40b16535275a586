//! Golden tests: each `tests/problems/NAME.yaml` gives exactly the text of `NAME.expected` beside
//! it. With `UPDATE_EXPECTED=1` the texts are written anew, to be read before they are committed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use claimgate_config::{Severity, load_text};

#[test]
fn every_mistake_is_told_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut failures = Vec::new();
    let mut cases = 0;
    for file in files_in("tests/problems") {
        if file.extension().is_some_and(|extension| extension == "expected") {
            continue;
        }
        cases += 1;
        let told = told(&file);
        let expected_file = file.with_extension("expected");
        if update {
            fs::write(&expected_file, &told).unwrap();
            continue;
        }
        let expected = fs::read_to_string(&expected_file).unwrap_or_default();
        if told != expected {
            failures.push(format!("{}:\n--- expected\n{expected}--- told\n{told}", file.display()));
        }
    }
    assert!(cases > 50, "only {cases} cases were found");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_file_with_ten_mistakes_tells_all_ten() {
    let text = fs::read_to_string("tests/problems/ten-mistakes.yaml").unwrap();
    let problems = load_text(&text, Path::new("ten-mistakes.yaml")).unwrap_err();
    assert_eq!(problems.list.iter().filter(|problem| problem.severity == Severity::Error).count(), 10);
    assert!(problems.list.is_sorted_by_key(|problem| (problem.line, problem.column)));
}

#[test]
fn key_material_is_never_told() {
    for file in files_in("tests/problems") {
        if file.extension().is_some_and(|extension| extension == "expected") {
            let told = fs::read_to_string(&file).unwrap();
            // Every secret of these files holds this word, as base64url or as it is.
            for secret in ["SECRET", "c2VjcmV0", "U0VDUkVU"] {
                assert!(!told.contains(secret), "{}", file.display());
            }
        }
    }
}

fn told(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let name = Path::new(file.file_name().unwrap());
    let problems = match load_text(&text, name) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    format!("{problems}\n")
}

fn files_in(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
