//! JSON (RFC 8259) as tokens and key sets need it: duplicate names refused, numbers kept exactly.
//!
//! Upstream parsers differ in which of two equal names they believe, and in how they round large
//! numbers. What is read here can be read in one way only, and is written as it was read.
mod number;
mod parse;
mod print;
#[cfg(test)]
mod tests;

pub use number::Number;
pub use parse::{JsonError, MAX_DEPTH};

/// A JSON value.
// The discriminant is as wide as the rest is aligned, so that a value is moved in whole words: moves of odd
// bytes, one just after the other, would take half the time of parsing.
#[derive(Debug, Clone, PartialEq)]
#[repr(usize)]
#[allow(missing_docs)]
pub enum Value {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Value>),
    Object(Object),
}

impl Value {
    /// Parses one JSON text, strictly by RFC 8259.
    ///
    /// Refused beyond the grammar: a byte order mark, two members of one name in an object, lone
    /// surrogates, and arrays and objects nested deeper than [`MAX_DEPTH`].
    pub fn parse(text: &[u8]) -> Result<Self, JsonError> {
        parse::parse(text)
    }

    /// The characters of a string; `None` for other values.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The value of a boolean; `None` for other values.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number; `None` for other values.
    pub fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// The items of an array; `None` for other values.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The object; `None` for other values.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }
}

/// An object: unique names in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// An object without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a member; gives back the value that it replaces.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.0.push((name, value));
                None
            }
        }
    }

    /// Removes a member; gives back its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let position = self.0.iter().position(|(known, _)| is_same_name(known, name))?;
        Some(self.0.remove(position).1)
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| is_same_name(known, name)).map(|(_, value)| value)
    }

    /// The value of a member, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|(known, _)| is_same_name(known, name)).map(|(_, value)| value)
    }

    /// The object with other values; a member without one is removed. Names and order stay.
    #[must_use]
    pub fn filter_map(self, mut value_of: impl FnMut(&str, Value) -> Option<Value>) -> Self {
        let members = self.0.into_iter();
        let members = members.filter_map(|(name, value)| value_of(&name, value).map(|value| (name, value)));
        Self(members.collect())
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Compares a byte at a time: names are short, and most differ in one of the first.
#[inline]
fn is_same_name(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().eq(other.bytes())
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Number(value.into())
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::Array(value)
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Self::Object(value)
    }
}
