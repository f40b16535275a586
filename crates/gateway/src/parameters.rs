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
    let Some((name, rest)) = decoded.trim_ascii_start().split_at_checked(parameter.len()) else {
        return false;
    };
    let is_same = name.iter().map(fold).eq(parameter.as_bytes().iter().map(fold));
    is_same && matches!(rest.trim_ascii_start().first(), None | Some(b'[' | b'\0'))
}

/// PHP reads all of these as `_` in names.
fn fold(byte: &u8) -> u8 {
    match byte {
        b' ' | b'.' | b'[' => b'_',
        other => *other,
    }
}

#[cfg(test)]
mod tests;
