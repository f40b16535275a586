//! PHP 8.2: `$_GET`, `$_POST` with `$_FILES`, and `$_COOKIE`.
//!
//! A name is read although it is mangled to one with the prefix `__Host-` or `__Secure-`, which PHP 8.2
//! drops, and although its value is replaced or dropped later on. Names of cookies are read with their
//! escapes undone too, as before PHP 7.4.11. A leading `?` of the query is dropped too, as by PHP's own server.

mod multipart;

use super::Parameters;
use super::text::{find, form_decoded, is_space, pair, percent_decoded, trim_start};

/// `max_input_vars`.
const MOST_VARIABLES: usize = 1000;

/// `$_GET`.
pub fn query(text: &[u8]) -> Parameters {
    let without_marks = trim_start(text, |byte| byte == b'?');
    let texts = [text, without_marks].into_iter().take(if without_marks == text { 1 } else { 2 });
    texts
        .flat_map(|text| {
            variables(text.split(|&byte| byte == b'&').filter(|part| !part.is_empty()), MOST_VARIABLES)
        })
        .collect()
}

/// `$_POST` and `$_FILES`.
pub fn body(content_type: Option<&[u8]>, body: &[u8]) -> Parameters {
    let content_type = content_type.unwrap_or_default();
    let media_type = content_type.split(|byte| b";, ".contains(byte)).next().unwrap_or_default();
    match &media_type.to_ascii_lowercase()[..] {
        b"application/x-www-form-urlencoded" => {
            // The variable that is too many is read, and empty ones count.
            variables(body.split(|&byte| byte == b'&'), MOST_VARIABLES + 1)
        }
        b"multipart/form-data" => multipart::boundary(content_type)
            .map(|boundary| multipart::parts(body, boundary))
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(name, value)| Some((top_level(&name)?, value)))
            .collect(),
        _ => Parameters::new(),
    }
}

/// `$_COOKIE`.
pub fn cookies(field: &[u8]) -> Parameters {
    let parts = field.split(|&byte| byte == b';').filter(|part| !part.is_empty());
    let pairs = parts.map(|part| pair(trim_start(part, is_space)));
    let pairs = pairs.filter(|(name, _)| !name.is_empty()).take(MOST_VARIABLES);
    pairs
        .flat_map(|(name, value)| {
            let names = [Some(name.to_vec()), Some(form_decoded(name)).filter(|decoded| decoded != name)];
            let names = names.into_iter().flatten().filter_map(|name| top_level(&name));
            names.map(|name| (name, percent_decoded(value))).collect::<Vec<_>>()
        })
        .collect()
}

fn variables<'a>(parts: impl Iterator<Item = &'a [u8]>, most: usize) -> Parameters {
    let pairs = parts.take(most).map(pair);
    pairs.filter_map(|(name, value)| Some((top_level(&form_decoded(name))?, form_decoded(value)))).collect()
}

/// `php_register_variable_ex`: the name ends at NUL and at the first `[`, or that becomes `_` where no `]`
/// follows.
fn top_level(name: &[u8]) -> Option<Vec<u8>> {
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    let name = trim_start(name, |byte| byte == b' ');
    let open = name.iter().position(|&byte| byte == b'[');
    let (start, behind) = name.split_at(open.unwrap_or(name.len()));
    if start.is_empty() {
        return None;
    }
    let mangled = |byte: &u8| if b" .[".contains(byte) { b'_' } else { *byte };
    let mut top_level: Vec<u8> = start.iter().map(mangled).collect();
    if find(behind, b"]").is_none() {
        top_level.extend(behind.iter().map(mangled));
    }
    Some(top_level)
}
