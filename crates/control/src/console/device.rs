//! Devices that a user has signed in on before, so that a guesser elsewhere is not in the user's way.
//!
//! After a sign-in the browser keeps a cookie: a random number and a MAC of it and the user's name, under a key that
//! is made of the hash of the user's password. So a gateway knows the devices of all gateways of its store without
//! keeping anything, and another password makes them strangers. The cookie lets no one in: with it, attempts are
//! counted apart from those of others.
//!
//! <https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies>

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::store::StoreError;
use crate::users::User;

const NONCE_BYTES: usize = 16;

/// The value of a new cookie for a device that a user has signed in on.
pub fn cookie(user: &User) -> Result<String, StoreError> {
    let mut nonce = [0; NONCE_BYTES];
    rand::fill(&mut nonce)
        .map_err(|_| StoreError::Failed("the system gives no random numbers".to_owned()))?;
    let mac = hmac::sign(&key(user), &signed(user, &nonce));
    Ok(BASE64_URL_SAFE_NO_PAD.encode([nonce.as_slice(), mac.as_ref()].concat()))
}

/// Whether a cookie is one that this user was given under the password of now.
pub fn is_of(user: &User, cookie: &str) -> bool {
    let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(cookie) else { return false };
    let Some((nonce, mac)) = bytes.split_at_checked(NONCE_BYTES) else { return false };
    hmac::verify(&key(user), &signed(user, nonce), mac).is_ok()
}

fn key(user: &User) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, user.password.as_bytes())
}

fn signed(user: &User, nonce: &[u8]) -> Vec<u8> {
    [b"claimgate device\0", user.name.as_bytes(), b"\0", nonce].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::users::Role;

    fn user(name: &str, password: &str) -> User {
        User::for_test(name, Role::Editor, password)
    }

    #[test]
    fn a_device_is_known_to_its_user_under_the_same_password_alone() {
        let ann = user("ann", "hash");
        let cookie = cookie(&ann).unwrap();
        assert!(is_of(&ann, &cookie));
        assert!(!is_of(&user("bob", "hash"), &cookie));
        assert!(!is_of(&user("ann", "other"), &cookie));
        assert_ne!(cookie, super::cookie(&ann).unwrap());
    }

    #[test]
    fn a_changed_cookie_is_nobodys() {
        let ann = user("ann", "hash");
        let cookie = cookie(&ann).unwrap();
        for at in 0..cookie.len() {
            let mut changed = cookie.clone().into_bytes();
            if let Some(byte) = changed.get_mut(at) {
                *byte = if *byte == b'A' { b'B' } else { b'A' };
            }
            assert!(!is_of(&ann, &String::from_utf8(changed).unwrap()), "{at}");
        }
        for wrong in
            ["", "A", "AAAA", cookie.get(1..).unwrap(), &format!("{cookie}A"), &format!("{cookie}AAAA")]
        {
            assert!(!is_of(&ann, wrong), "{wrong}");
        }
    }
}
