//! The four positions of a parameter in a request: header, query, form, cookie. Each module finds the
//! values of a parameter, removes every spelling of it, and sets it, and leaves everything else byte
//! for byte as it was.

pub mod cookie;
pub mod form;
pub mod header;
pub mod multipart;
pub mod urlencoded;

/// Whether a decoded name, as a function's framework would read it, stands for the parameter: the name
/// itself, or the name with brackets behind it, which many frameworks read as the name of a list or an
/// object. White space around it and whatever follows a NUL are not part of a name.
fn names_parameter(decoded: &[u8], parameter: &str) -> bool {
    let decoded = decoded.trim_ascii();
    match decoded.strip_prefix(parameter.as_bytes()) {
        Some(rest) => match rest.trim_ascii_start().first() {
            None | Some(b'[' | b'\0') => true,
            Some(_) => false,
        },
        None => false,
    }
}

#[cfg(test)]
mod tests;
