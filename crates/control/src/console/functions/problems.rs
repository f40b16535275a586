//! Which field of a function's form a problem is about.

use claimgate_config::place::quoted;
use claimgate_jose::json::{Object, Value};

use super::form::NUMBERS;
use crate::console::documents::problems::authentication_field;

/// The name of the form's field for the path of a field of this document; empty when there is none.
pub fn field_of(path: &str, message: &str, document: &Object) -> String {
    if path == "functionName" || path.is_empty() && message.contains("functionName") {
        return "function-name".to_owned();
    }
    if path == "url" || path.is_empty() && message.contains("where the function is") {
        let url = document.get("url").and_then(Value::as_str).unwrap_or_default();
        return if url.starts_with("unix:") { "socket" } else { "url" }.to_owned();
    }
    if let Some(rest) = path.strip_prefix("process") {
        return process_field(rest.trim_start_matches('.'), message, document);
    }
    if let Some(rest) = path.strip_prefix("httpTrigger") {
        let rest = rest.trim_start_matches('.').to_ascii_lowercase();
        if rest.starts_with("methods") {
            return "methods".to_owned();
        }
        return authentication_field(&rest, "authconfig", message).unwrap_or_default();
    }
    String::new()
}

fn process_field(path: &str, message: &str, document: &Object) -> String {
    if path.starts_with("command") || path.is_empty() && message.contains("command") {
        return "command".to_owned();
    }
    if path == "cwd" || path == "user" {
        return path.to_owned();
    }
    if let Some(number) = NUMBERS.iter().find(|number| number.member == path) {
        return number.field.to_owned();
    }
    let environment = document.get("process").and_then(Value::as_object);
    let environment = environment.and_then(|process| process.get("env")).and_then(Value::as_object);
    let names = environment.into_iter().flat_map(Object::iter).map(|(name, _)| name);
    let is_it = |name: &str| path == format!("env.{name}") || path == format!("env[{}]", quoted(name));
    names
        .enumerate()
        .find(|(_, name)| is_it(name))
        .map_or_else(String::new, |(row, _)| format!("variable-name-{row}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::documents::object;

    #[test]
    fn problems_stand_at_the_field_that_they_are_about() {
        let document = object(r#"{"process": {"env": {"A": "1", "B=": "2", "": "3"}}}"#);
        for (path, message, field) in [
            ("functionName", "", "function-name"),
            ("", "the field functionName is missing", "function-name"),
            ("url", "", "url"),
            ("process", "the field command is missing", "command"),
            ("process.command[1]", "", "command"),
            ("process.cwd", "", "cwd"),
            ("process.idleTimeoutSeconds", "", "idle-timeout"),
            ("process.env.A", "", "variable-name-0"),
            (r#"process.env["B="]"#, "", "variable-name-1"),
            (r#"process.env[""]"#, "", "variable-name-2"),
            ("httpTrigger.authType", "", "auth-type"),
            ("httpTrigger.methods[0]", "", "methods"),
            ("httpTrigger.authConfig.tokenLookup", "entry 2: the name is empty", "token-name-1"),
            ("httpTrigger.authConfig.jwks.keys[0].n", "", "jwks"),
            ("httpTrigger.corsConfig.maxAge", "", ""),
        ] {
            assert_eq!(field_of(path, message, &document), field, "{path}");
        }
        let socket = object(r#"{"url": "unix:relative"}"#);
        assert_eq!(field_of("url", "", &socket), "socket");
    }
}
