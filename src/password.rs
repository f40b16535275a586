//! Passwords that a command is given.

use std::io::{self, IsTerminal, Read};

use claimgate_login::password::Password;

use crate::failure::Failure;

/// Nobody takes a longer one.
const MAX_PASSWORD_BYTES: usize = 64 * 1024;

/// Asks for a password twice where somebody types, and reads standard input otherwise; without the end of its
/// line.
pub fn read() -> Result<Password, Failure> {
    let mut text = if io::stdin().is_terminal() { ask()? } else { read_standard_input()? };
    if text.last() == Some(&b'\n') {
        text.pop();
        if text.last() == Some(&b'\r') {
            text.pop();
        }
    }
    let refused = |why: &str| Err(Failure::Refused(format!("the password {why}")));
    if text.is_empty() {
        return refused("is empty");
    }
    if text.len() > MAX_PASSWORD_BYTES {
        return refused("is longer than 64 KiB");
    }
    if text.contains(&b'\n') || text.contains(&b'\r') {
        return refused("has more than one line");
    }
    if std::str::from_utf8(&text).is_err() {
        return refused("is not UTF-8, which is the only way that clients can send one");
    }
    Ok(Password::new(text))
}

fn ask() -> Result<Vec<u8>, Failure> {
    let ask = |prompt| {
        rpassword::prompt_password(prompt)
            .map_err(|error| Failure::Unusable(format!("cannot read the password: {error}")))
    };
    let password = ask("Password: ")?;
    if ask("Once more: ")? != password {
        return Err(Failure::Refused("the two passwords differ".to_owned()));
    }
    Ok(password.into_bytes())
}

fn read_standard_input() -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    // Some bytes more than allowed are enough to see that there are too many.
    let read = io::stdin().lock().take(MAX_PASSWORD_BYTES as u64 + 3).read_to_end(&mut text);
    read.map_err(|error| Failure::Unusable(format!("cannot read the password: {error}")))?;
    Ok(text)
}
