//! JSON (RFC 8259) as tokens and key sets need it: duplicate names refused, numbers kept exactly.
use std::borrow::Cow;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Value>),
    Object(Object),
}

/// A number as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Box<str>);

impl Number {
    /// The literal as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The nearest double; `None` when it is not finite.
    pub fn as_f64(&self) -> Option<f64> {
        None
    }
    /// An integer in plain decimal even when it was written with an exponent, anything else as it
    /// was written.
    pub fn to_plain_decimal(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

/// An object: unique names in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// The value of a member.
    pub fn get(&self, _name: &str) -> Option<&Value> {
        None
    }
    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// Compact JSON, numbers as they were written.
impl std::fmt::Display for Value {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
