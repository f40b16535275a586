//! Names that a configuration may map.

/// A name of a query's or a form's parameter. Numbers are left out, as qs reads the elements of `[]=a&[]=b` under
/// the names 0 and 1, and so are names with `=`, which it reads in brackets: `[a=b]=c`, or with what ends a pair.
pub fn is_text(name: &str) -> bool {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    !is_number && !name.contains(['=', '&', ';']) && name.trim() == name && !name.contains(char::is_control)
}

/// A name of a cookie.
pub fn is_token(name: &str) -> bool {
    !name.is_empty() && http::HeaderName::from_bytes(name.as_bytes()).is_ok()
}
