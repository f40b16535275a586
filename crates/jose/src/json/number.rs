//! Numbers of JSON, kept as they were written.
use std::borrow::Cow;
use std::fmt;

/// No exponent is written out to more digits than this: `1e999999999` stays as it is.
const MAX_PLAIN_DIGITS: i64 = 400;

/// A number as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Box<str>);

impl Number {
    /// Takes a literal that follows the grammar of RFC 8259 section 6.
    pub(super) fn from_literal(literal: &str) -> Self {
        Self(literal.into())
    }

    /// The literal as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest double; `None` when it is not finite.
    pub fn as_f64(&self) -> Option<f64> {
        self.0.parse::<f64>().ok().filter(|value| value.is_finite())
    }

    /// An integer in plain decimal even when it was written with an exponent, anything else as it
    /// was written.
    ///
    /// Also left as they were written: integers of more than 400 digits, and the negative zero.
    pub fn to_plain_decimal(&self) -> Cow<'_, str> {
        plain_decimal(&self.0).map_or(Cow::Borrowed(&self.0), Cow::Owned)
    }
}

fn plain_decimal(literal: &str) -> Option<String> {
    let (mantissa, exponent) = literal.split_once(['e', 'E'])?;
    let (sign, magnitude) = match mantissa.strip_prefix('-') {
        Some(magnitude) => ("-", magnitude),
        None => ("", mantissa),
    };
    let (integer, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));

    let all_digits = format!("{integer}{fraction}");
    let digits = all_digits.trim_start_matches('0');
    if digits.is_empty() {
        return sign.is_empty().then(|| "0".to_owned());
    }
    // The value is 0.DIGITS times ten to the power of `point`.
    let leading_zeros = i64::try_from(all_digits.len() - digits.len()).ok()?;
    let integer_digits = i64::try_from(integer.len()).ok()?;
    let point = integer_digits.checked_sub(leading_zeros)?.checked_add(exponent.parse().ok()?)?;

    let digits = digits.trim_end_matches('0');
    if point > MAX_PLAIN_DIGITS {
        return None;
    }
    // Negative when digits stand behind the decimal point, so the value is no integer.
    let zeros = point.checked_sub(i64::try_from(digits.len()).ok()?)?;
    let zeros = "0".repeat(usize::try_from(zeros).ok()?);
    Some(format!("{sign}{digits}{zeros}"))
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(value.to_string().into())
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(value.to_string().into())
    }
}
