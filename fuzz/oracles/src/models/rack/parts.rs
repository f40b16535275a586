//! What both versions make of a part's head.

use crate::models::text::{find, find_ignoring_case, is_space, percent_decoded, replaced};

/// Where a head ends: behind the line before the first empty one. There is always such a line, so that a
/// part without a head takes the first lines of its content for one.
pub fn head_end(text: &[u8]) -> Option<usize> {
    Some(find(text, b"\r\n\r\n")? + b"\r\n".len())
}

/// Names for a part that has none: its file name, or its type with `[]`.
pub fn substitutes(head: &[u8], content_type: Option<&[u8]>) -> Vec<Vec<u8>> {
    let mut names = vec![[content_type.unwrap_or(b"text/plain"), b"[]"].concat()];
    names.extend(file_names(head));
    names
}

/// All that could be taken for a file name, which is more than a version takes.
fn file_names(head: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    let mut rest = head;
    while let Some(at) = find_ignoring_case(rest, b"filename") {
        rest = &rest[at + b"filename".len()..];
        let value = match rest {
            [b'=', b'"', value @ ..] => value.split(|byte| b"\"\r".contains(byte)).next(),
            [b'=', value @ ..] => value.split(|byte| b";\r".contains(byte)).next(),
            [b'*', b'=', value @ ..] => value.splitn(3, |&byte| byte == b'\'').nth(2),
            _ => None,
        };
        for name in value.iter().flat_map(|value| [value.to_vec(), percent_decoded(value)]) {
            let last = name.rsplit(|byte| b"/\\".contains(byte)).next().unwrap_or_default().to_vec();
            let token = name.split(|byte| is_space(*byte) || b"()<>,;:\\\"/[]?=".contains(byte)).next();
            names.extend([replaced(&name, b"\\", b""), token.unwrap_or_default().to_vec(), last, name]);
        }
    }
    names
}
