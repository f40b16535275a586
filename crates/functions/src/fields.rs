//! The fields of a message's header.
//!
//! A gateway reads most fields once and writes them again. So they stay what they are on the wire, lines of
//! text, with a list of where each is: looking for one of a dozen names in turn takes less time than making a
//! table of them, and lines that nobody touched are written in one piece.

use std::fmt;

use bytes::BufMut;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The fields of a header in the order in which they came (RFC 9110, 5). Names are in lower case.
#[derive(Clone, Default)]
pub struct Fields {
    /// Lines as HTTP/1.1 writes them, those that were removed among them.
    text: Vec<u8>,
    places: Vec<Place>,
}

/// Where a line is, in bytes.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    name: usize,
    value: usize,
}

const COLON: &[u8] = b": ";
const LINE_END: &[u8] = b"\r\n";

impl Place {
    fn end(self) -> usize {
        self.start + self.name + COLON.len() + self.value + LINE_END.len()
    }

    fn name(self, text: &[u8]) -> &[u8] {
        text.get(self.start..self.start + self.name).unwrap_or_default()
    }

    fn is_named(self, text: &[u8], name: &[u8]) -> bool {
        // By length first: most are no other way.
        self.name == name.len() && self.name(text) == name
    }

    fn value(self, text: &[u8]) -> &[u8] {
        let start = self.start + self.name + COLON.len();
        text.get(start..start + self.value).unwrap_or_default()
    }
}

impl Fields {
    /// No fields, with room for so many of so many bytes.
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), places: Vec::with_capacity(fields) }
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Names and values. A name that occurs twice is there twice.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.places.iter().map(|place| (place.name(&self.text), place.value(&self.text)))
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|place| place.name(&self.text))
    }

    /// The first value of a field.
    pub fn get(&self, name: &HeaderName) -> Option<&[u8]> {
        let name = name.as_str().as_bytes();
        let found = self.places.iter().find(|place| place.is_named(&self.text, name))?;
        Some(found.value(&self.text))
    }

    /// All values of a field.
    pub fn get_all(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let name = name.as_str().as_bytes();
        let found = self.places.iter().filter(move |place| place.is_named(&self.text, name));
        found.map(|place| place.value(&self.text))
    }

    /// Whether a field is there.
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// Adds a field behind all others.
    pub fn append(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.append_line(name.as_str().as_bytes(), value.as_bytes());
    }

    /// Adds a field that a reader has judged: its name is a token, and its value has no control characters
    /// but tabs (RFC 9110, 5.1 and 5.5). Whatever else is in them would be part of the line, and end it.
    pub fn append_judged(&mut self, name: &[u8], value: &[u8]) {
        let start = self.text.len();
        self.append_line(name, value);
        self.text.get_mut(start..start + name.len()).unwrap_or_default().make_ascii_lowercase();
    }

    /// Adds a field with the first value of another one, if that is there.
    pub fn append_copy(&mut self, name: &HeaderName, other: &HeaderName) {
        let other = other.as_str().as_bytes();
        let Some(&copied) = self.places.iter().find(|place| place.is_named(&self.text, other)) else {
            return;
        };
        let (start, name) = (self.text.len(), name.as_str().as_bytes());
        self.text.extend_from_slice(name);
        self.text.extend_from_within(copied.start + copied.name..copied.end());
        self.places.push(Place { start, name: name.len(), value: copied.value });
    }

    fn append_line(&mut self, name: &[u8], value: &[u8]) {
        let start = self.text.len();
        self.text.reserve(name.len() + COLON.len() + value.len() + LINE_END.len());
        self.text.extend_from_slice(name);
        self.text.extend_from_slice(COLON);
        self.text.extend_from_slice(value);
        self.text.extend_from_slice(LINE_END);
        self.places.push(Place { start, name: name.len(), value: value.len() });
    }

    /// Sets a field to one value.
    pub fn insert(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.remove(name);
        self.append(name, value);
    }

    /// Removes all values of a field and tells whether there was any.
    pub fn remove(&mut self, name: &HeaderName) -> bool {
        let name = name.as_str().as_bytes();
        let before = self.places.len();
        self.places.retain(|place| !place.is_named(&self.text, name));
        self.places.len() < before
    }

    /// Removes the fields whose names a test picks and tells whether there was any.
    pub fn remove_where(&mut self, picked: impl Fn(&[u8]) -> bool) -> bool {
        let Self { text, places } = self;
        // Most messages hold none of them.
        if !places.iter().any(|place| picked(place.name(text))) {
            return false;
        }
        places.retain(|place| !picked(place.name(text)));
        true
    }

    /// Length of all lines, in bytes.
    pub fn lines_length(&self) -> usize {
        self.places.iter().map(|place| place.end() - place.start).sum()
    }

    /// Writes the lines.
    pub fn write(&self, out: &mut impl BufMut) {
        self.write_where(out, |_| true);
    }

    /// Writes the lines of fields whose names a test picks.
    pub fn write_where(&self, out: &mut impl BufMut, picked: impl Fn(&[u8]) -> bool) {
        let mut run = 0..0;
        let mut put =
            |run: &std::ops::Range<usize>| out.put_slice(self.text.get(run.clone()).unwrap_or_default());
        for place in &self.places {
            if !picked(place.name(&self.text)) {
                continue;
            }
            if place.start != run.end {
                put(&run);
                run.start = place.start;
            }
            run.end = place.end();
        }
        put(&run);
    }
}

impl fmt::Debug for Fields {
    /// Without the values, which may be tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.names().map(String::from_utf8_lossy)).finish()
    }
}

impl From<&HeaderMap> for Fields {
    fn from(map: &HeaderMap) -> Self {
        let mut fields = Self::with_capacity(map.len(), 0);
        for (name, value) in map {
            fields.append(name, value);
        }
        fields
    }
}

impl From<&Fields> for HeaderMap {
    fn from(fields: &Fields) -> Self {
        let mut map = Self::new();
        for (name, value) in fields.iter() {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
                // Some ten thousand fit, which is more than the limits let through.
                let _ = map.try_append(name, value);
            }
        }
        map
    }
}

/// Whether a value that is a comma-separated list has an element, in whatever case (RFC 9110, 5.6.1).
pub fn lists(list: &[u8], element: &[u8]) -> bool {
    list.split(|&byte| byte == b',').any(|found| found.trim_ascii().eq_ignore_ascii_case(element))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::header::{ACCEPT, COOKIE, HOST, TE};
    use proptest::prelude::*;

    use super::*;

    fn written(fields: &Fields) -> String {
        let mut lines = Vec::new();
        fields.write(&mut lines);
        assert_eq!(lines.len(), fields.lines_length());
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn fields_keep_their_order_and_their_values() {
        let mut fields = Fields::default();
        fields.append_judged(b"Host", b"a.example");
        fields.append_judged(b"COOKIE", b"A=1");
        fields.append_judged(b"accept", b"");
        fields.append_judged(b"Cookie", b"B=\xff");
        assert_eq!(fields.names().collect::<Vec<_>>(), [&b"host"[..], b"cookie", b"accept", b"cookie"]);
        assert_eq!(fields.get(&HOST), Some(&b"a.example"[..]));
        assert_eq!(fields.get(&ACCEPT), Some(&b""[..]));
        assert_eq!(fields.get_all(&COOKIE).collect::<Vec<_>>(), [&b"A=1"[..], b"B=\xff"]);
        assert!(!fields.contains(&TE));
        fields.insert(&COOKIE, &HeaderValue::from_static("C=3"));
        assert_eq!(written(&fields), "host: a.example\r\naccept: \r\ncookie: C=3\r\n");
        assert!(fields.remove(&ACCEPT) && !fields.remove(&ACCEPT));
        fields.append_copy(&TE, &ACCEPT);
        fields.append_copy(&ACCEPT, &COOKIE);
        assert_eq!(written(&fields), "host: a.example\r\ncookie: C=3\r\naccept: C=3\r\n");
        fields.remove(&ACCEPT);
        assert_eq!(written(&fields), "host: a.example\r\ncookie: C=3\r\n");
        assert_eq!(format!("{fields:?}"), r#"["host", "cookie"]"#);
    }

    proptest! {
        /// A list of pairs is the model.
        #[test]
        fn what_is_left_is_what_was_not_removed(
            steps in prop::collection::vec((0..4u8, "[a-c]", "[x-z ]{0,3}"), 0..40),
        ) {
            let (mut fields, mut model) = (Fields::default(), Vec::new());
            for (step, name, value) in steps {
                let header = HeaderName::from_bytes(name.as_bytes()).unwrap();
                if step == 0 {
                    let had = model.iter().any(|(known, _)| *known == name);
                    model.retain(|(known, _)| *known != name);
                    prop_assert_eq!(fields.remove(&header), had);
                } else {
                    fields.append(&header, &HeaderValue::from_str(&value).unwrap());
                    model.push((name, value));
                }
            }
            let lines = |model: &[(String, String)]| {
                model.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>()
            };
            prop_assert_eq!(written(&fields), lines(&model));
            prop_assert_eq!(fields.len(), model.len());
            let mut without = Vec::new();
            fields.write_where(&mut without, |name| name != b"b");
            model.retain(|(name, _)| name != "b");
            prop_assert_eq!(String::from_utf8(without).unwrap(), lines(&model));
        }

        #[test]
        fn a_map_and_back(pairs in prop::collection::vec(("[a-z][a-z-]{0,5}", "[!-~]{0,9}"), 0..9)) {
            let mut fields = Fields::default();
            for (name, value) in &pairs {
                fields.append_judged(name.as_bytes(), value.as_bytes());
            }
            let map = HeaderMap::from(&fields);
            prop_assert_eq!(map.len(), fields.len());
            prop_assert_eq!(HeaderMap::from(&Fields::from(&map)), map);
        }
    }
}
