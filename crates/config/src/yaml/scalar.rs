//! What a plain scalar means: the core schema (YAML 1.2.2 section 10.3.2).
use super::Value;

/// Resolves a plain, that is unquoted, scalar.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::String(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("0o") {
        return is_all(digits, |byte| matches!(byte, b'0'..=b'7'));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return is_all(digits, |byte| byte.is_ascii_hexdigit());
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => is_digits(mantissa),
    };
    is_mantissa
        && exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)))
}

fn is_digits(text: &str) -> bool {
    is_all(text, |byte| byte.is_ascii_digit())
}

fn is_all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::{Value, resolve};

    #[test]
    fn follows_the_core_schema() {
        for null in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(resolve(null), Value::Null, "{null}");
        }
        for number in [
            "0", "-19", "+7", "007", "0o17", "0xFf", "1.", "0.5", ".5", "-1.5e3", "1E+2", "2e-9", ".inf",
            "-.INF", ".nan",
        ] {
            assert_eq!(resolve(number), Value::Number(number.to_owned()), "{number}");
        }
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "nULL",
            "TrUe",
            "1_000",
            "0o8",
            "0x",
            "0b1",
            "1e",
            ".",
            "-",
            "1.2.3",
            "+.nan",
            "1:30",
            "--1",
            "e3",
            "127.0.0.1:80",
        ] {
            assert_eq!(resolve(text), Value::String(text.to_owned()), "{text}");
        }
        assert_eq!(resolve("True"), Value::Bool(true));
        assert_eq!(resolve("false"), Value::Bool(false));
    }
}
