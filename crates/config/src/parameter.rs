//! Names of parameters, checked for their position.
use http::HeaderName;

use crate::grammar::Position;
use crate::place::quoted;
use crate::snapshot::Parameter;

/// A parameter of a valid name. The error reads on from what names the parameter.
pub(crate) fn parse(position: Position, name: &str) -> Result<Parameter, String> {
    if name.is_empty() {
        return Err(format!("the name of the {position} parameter is empty"));
    }
    let checked = match position {
        Position::Header => HeaderName::from_bytes(name.as_bytes()).ok().map(Parameter::Header),
        // RFC 6265 section 4.1.1: cookie-name is a token, as header names are.
        Position::Cookie => is_token(name).then(|| Parameter::Cookie(name.to_owned())),
        Position::Query => is_text(name).then(|| Parameter::Query(name.to_owned())),
        Position::Form => is_text(name).then(|| Parameter::Form(name.to_owned())),
    };
    checked.ok_or_else(|| {
        let right = match position {
            Position::Header => "a header name has letters, digits and !#$%&'*+-.^_`|~ only",
            Position::Cookie => "a cookie name has letters, digits and !#$%&'*+-.^_`|~ only",
            Position::Query | Position::Form => {
                "it has a control character, or a space at its beginning or end"
            }
        };
        format!("{} is no name of a {position} parameter; {right}", quoted(name))
    })
}

/// Why a claim may not be set as this parameter; `None` when it may.
pub(crate) fn refusal_as_target(parameter: &Parameter) -> Option<String> {
    let Parameter::Header(name) = parameter else {
        return None;
    };
    // Functions that read headers as CGI variables cannot tell these spellings apart.
    let folded = folded(name);
    let reason = match folded.as_str() {
        "cookie" => "use the position cookie to set one cookie",
        "content-type" | "content-encoding" | "content-length" | "expect" => "it describes the body",
        "host" | "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade" => {
            "it governs the connection"
        }
        "x-forwarded-for" | "x-forwarded-host" | "x-forwarded-proto" | "x-forwarded-port"
        | "x-forwarded-prefix" | "forwarded" | "x-real-ip" | "traceparent" => "the gateway sets it itself",
        _ if folded.starts_with("proxy-") => "it governs the connection",
        _ if folded.starts_with("x-fc-") => "the gateway sets headers that begin with x-fc- itself",
        _ => return None,
    };
    Some(format!("a claim cannot be forwarded as the header {name}: {reason}"))
}

/// A header name with `_` and `.` as `-`.
pub(crate) fn folded(name: &HeaderName) -> String {
    name.as_str().replace(['_', '.'], "-")
}

/// RFC 9110 section 5.6.2.
fn is_token(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_text(name: &str) -> bool {
    name.trim() == name && !name.contains(char::is_control)
}
