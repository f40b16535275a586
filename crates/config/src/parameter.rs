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
    let name = match parameter {
        Parameter::Header(name) => name,
        Parameter::Query(name) => return refusal_of_name(name, Position::Query),
        Parameter::Form(name) => return refusal_of_name(name, Position::Form),
        Parameter::Cookie(_) => return None,
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
        | "x-forwarded-prefix" | "x-forwarded" | "forwarded" | "x-real-ip" | "traceparent" => {
            "the gateway sets it itself"
        }
        "proxy" | "x-original-url" | "x-rewrite-url" => "some servers act on it themselves",
        _ if folded.starts_with("proxy-") => "it governs the connection",
        _ if folded.starts_with("x-fc-") => "the gateway sets headers that begin with x-fc- itself",
        _ => return None,
    };
    Some(format!("a claim cannot be forwarded as the header {name}: {reason}"))
}

/// Functions read such names in so many ways that a client's could not be told apart.
fn refusal_of_name(name: &str, position: Position) -> Option<String> {
    let reason = if name.contains(['[', ']']) {
        "many functions read brackets as a list or an object"
    } else if name.contains(['=', '&', ';']) {
        "to some functions the name ends there"
    } else if !name.is_ascii() {
        "functions read characters beyond ASCII in more than one encoding"
    } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
        "some functions read a number as a position in a list"
    } else {
        return None;
    };
    Some(format!("a claim cannot be forwarded as the {position} parameter {}: {reason}", quoted(name)))
}

/// A header name with `-` for whatever is between letters and digits.
pub(crate) fn folded(name: &HeaderName) -> String {
    let mut folded = String::new();
    for char in name.as_str().chars() {
        if char.is_ascii_alphanumeric() {
            folded.push(char);
        } else if !folded.ends_with('-') {
            folded.push('-');
        }
    }
    folded
}

/// RFC 9110 section 5.6.2.
fn is_token(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_text(name: &str) -> bool {
    name.trim() == name && !name.contains(char::is_control)
}
