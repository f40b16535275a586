//! Every text becomes a configuration or a list of problems that lead to their places.
//!
//! Input: the text.

use std::path::Path;
use std::time::Duration;

use claimgate_config::snapshot::{Authentication, FunctionTarget};
use claimgate_config::{Problem, Severity, Snapshot, load_text};

/// Checks one input.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let problems = match load_text(text, Path::new("claimgate.yaml")) {
        Ok(loaded) => {
            assert!(loaded.warnings.list.iter().all(|problem| problem.severity == Severity::Warning));
            check_snapshot(&loaded.snapshot);
            loaded.warnings
        }
        Err(problems) => {
            assert!(problems.list.iter().any(|problem| problem.severity == Severity::Error));
            problems
        }
    };
    problems.list.iter().for_each(|problem| check_problem(problem, text));
    assert!(problems.list.is_sorted_by_key(|problem| (problem.line, problem.column)));
    let printed = problems.to_string().lines().count();
    assert_eq!(printed, problems.list.len(), "a problem is one line");
}

fn check_problem(problem: &Problem, text: &str) {
    assert!(!problem.message.is_empty());
    assert!(!problem.to_string().contains(char::is_control), "{problem:?}");
    assert!(problem.line >= 1 && problem.column >= 1, "{problem:?}");
    // A lone CR ends a line in YAML.
    let lines = text.split(['\n', '\r']).count();
    assert!(problem.line <= lines + 1, "{problem:?} in {lines} lines");
}

fn check_snapshot(snapshot: &Snapshot) {
    for (name, function) in snapshot.functions.iter() {
        assert_eq!(*name, function.name);
        if let FunctionTarget::Url { origin, base_path } = &function.target {
            assert!(origin.authority().is_some() && origin.path() == "/");
            assert!(!base_path.ends_with('/'));
        }
    }
    for domain in snapshot.domains.iter() {
        assert_eq!(domain.name, domain.name.to_ascii_lowercase());
        let host = domain.name.replacen('*', "any", 1);
        assert!(snapshot.domains.find(&host).is_some(), "{host} is not found");
        if let Authentication::Jwt(jwt) = &domain.authentication {
            assert!(!jwt.keys.keys().is_empty());
            assert!(!jwt.token_lookup.is_empty());
            assert!(jwt.policy.leeway <= Duration::from_secs(300));
            let mut parameters: Vec<_> =
                jwt.claim_mappings.iter().map(|mapping| &mapping.parameter).collect();
            parameters.dedup();
            assert_eq!(parameters.len(), jwt.claim_mappings.len(), "two claims for one parameter");
        }
    }
}
