//! Takes what gives access out of a trace.

use super::{BodyTrace, Trace};

/// So much of a token is shown, which says what it is and nothing more.
const SHOWN: usize = 8;

/// How every token begins whose header is an object without white space: `{"` in base64url.
const TOKEN_START: &str = "eyJ";

impl Trace {
    /// Shortens tokens and other credentials in the request that the function receives. The token itself
    /// is in a trace without its signature only.
    pub fn redact(&mut self) {
        let found = self.found.take().filter(|token| token.len() > SHOWN);
        let token_headers: Vec<&str> = self
            .token_lookup
            .iter()
            .filter(|place| place.read_position == "header")
            .map(|place| place.parameter_name.as_str())
            .chain(["authorization"])
            .collect();
        let Some(request) = &mut self.request else { return };
        let shorten = |text: &mut String| {
            if let Some(token) = &found {
                *text = text.replace(token.as_str(), &shortened(token));
            }
            *text = without_tokens(text);
        };
        shorten(&mut request.target);
        for (name, value) in &mut request.headers {
            shorten(value);
            if token_headers.contains(&name.as_str()) && !value.ends_with('…') {
                *value = match value.split_once(' ') {
                    Some((scheme, credential)) => format!("{scheme} {}", shortened(credential)),
                    None => shortened(value),
                };
            }
        }
        match &mut request.body {
            BodyTrace::Text(text) => shorten(text),
            BodyTrace::Bytes { base64 } => *base64 = shortened(base64),
        }
    }
}

/// A text without what looks like a token.
fn without_tokens(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(TOKEN_START) {
        let (before, from_token) = rest.split_at(start);
        let end = from_token.find(|character| !belongs_to_token(character)).unwrap_or(from_token.len());
        let (token, behind) = from_token.split_at(end);
        kept.push_str(before);
        if token.contains(['.', '%']) {
            kept.push_str(&shortened(token));
        } else {
            kept.push_str(token);
        }
        rest = behind;
    }
    kept + rest
}

/// Base64url and dots, percent-encoded or not.
fn belongs_to_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '%' | '=')
}

fn shortened(token: &str) -> String {
    let shown: String = token.chars().take(SHOWN.min(token.len() / 2)).collect();
    format!("{shown}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_shortened_wherever_they_are() {
        for (text, kept) in [
            ("", ""),
            ("a=eyJhbGciOiJIUzI1NiJ9.eyJ9.c2ln&b=2", "a=eyJhbGci…&b=2"),
            ("Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "Bearer eyJhbGci…"),
            ("eyJhbGciOiJIUzI1NiJ9%2Ee30%2Ec2ln; x", "eyJhbGci…; x"),
            (
                "\"eyJhbGciOiJIUzI1NiJ9.e30.c2ln\",\"eyJhbGciOiJIUzI1NiJ9.e30.\"",
                "\"eyJhbGci…\",\"eyJhbGci…\"",
            ),
            ("heyJude", "heyJude"),
        ] {
            assert_eq!(without_tokens(text), kept);
        }
    }
}
