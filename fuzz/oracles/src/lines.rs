//! Inputs of several texts: the first ones are a line each, so that a corpus can be read and written
//! by hand.

/// The first lines, and what is left.
pub fn split<const COUNT: usize>(data: &[u8]) -> Option<([&str; COUNT], &[u8])> {
    let mut rest = data;
    let mut lines = [""; COUNT];
    for line in &mut lines {
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        *line = std::str::from_utf8(&rest[..end]).ok()?;
        rest = &rest[end + 1..];
    }
    Some((lines, rest))
}
