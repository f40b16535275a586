//! How functions read the names of header fields.

/// Whether two names mean one header to a function: their letters and digits are the same in any case, and
/// whatever is between them counts as one character.
pub fn same_header(one: &[u8], other: &[u8]) -> bool {
    matches!(rest_behind(one, other), Some([]))
}

/// Whether a name begins as another one, compared as by [`same_header`].
pub fn header_begins_with(name: &[u8], prefix: &[u8]) -> bool {
    rest_behind(name, prefix).is_some()
}

/// What follows in a name behind another one.
fn rest_behind<'a>(mut name: &'a [u8], mut prefix: &[u8]) -> Option<&'a [u8]> {
    loop {
        let (first, wanted) = match (name, prefix) {
            (_, []) => return Some(name),
            ([first, ..], [wanted, ..]) => (*first, *wanted),
            ([], _) => return None,
        };
        if first.is_ascii_alphanumeric() && first.eq_ignore_ascii_case(&wanted) {
            name = name.get(1..)?;
            prefix = prefix.get(1..)?;
        } else if first.is_ascii_alphanumeric() || wanted.is_ascii_alphanumeric() {
            return None;
        } else {
            name = behind_separator(name);
            prefix = behind_separator(prefix);
        }
    }
}

fn behind_separator(name: &[u8]) -> &[u8] {
    let end = name.iter().position(u8::is_ascii_alphanumeric).unwrap_or(name.len());
    name.get(end..).unwrap_or_default()
}
