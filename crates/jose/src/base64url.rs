//! base64url without padding (RFC 7515 section 2), strict: one text for each sequence of bytes.
use base64::Engine as _;

/// Uses the vector instructions that the machine has.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: std::sync::LazyLock<base64::engine::Simd> =
    std::sync::LazyLock::new(|| base64::engine::Simd::url_safe(base64::engine::general_purpose::NO_PAD));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::general_purpose::URL_SAFE_NO_PAD as ENGINE;

/// The text is not base64url as RFC 7515 section 2 wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not base64url: only the characters A-Z a-z 0-9 - _ are allowed, without padding, white space or unused bits"
)]
pub struct Base64urlError;

/// Decodes base64url.
///
/// Padding, white space, the characters `+` and `/`, impossible lengths and bits that are set but
/// belong to no byte are errors, so that no two texts mean the same bytes.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, Base64urlError> {
    ENGINE.decode(text).map_err(|_| Base64urlError)
}

/// Encodes bytes as base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_examples_decode() {
        // RFC 4648 section 10, and RFC 7515 appendix C.
        for (text, bytes) in [
            ("", b"".as_slice()),
            ("Zg", b"f"),
            ("Zm8", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYg", b"foob"),
            ("Zm9vYmE", b"fooba"),
            ("Zm9vYmFy", b"foobar"),
            ("A-z_4ME", &[3, 236, 255, 224, 193]),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), Ok(bytes), "{text}");
            assert_eq!(encode(bytes), text);
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "Zg==",
            "Zg=",
            "Z=g",
            "=Zg",
            "Zm9v====", // padding, also inside
            "A+z/4ME",
            "+",
            "/", // the alphabet of plain base64
            " Zg",
            "Zg ",
            "Z g",
            "Zg\n",
            "\tZg",
            "Zg\0",
            "Zm9v\r\n", // white space, NUL
            "Zh",
            "Zn",
            "Zm9",
            "Zm-",
            "A-z_4MF", // bits that belong to no byte
            "Z",
            "Zm9vY", // impossible lengths
            "Zm9v.",
            "Zm9v,",
            "Zmé",
            "\u{feff}Zg",
        ] {
            assert_eq!(decode(text.as_bytes()), Err(Base64urlError), "{text:?}");
        }
        assert_eq!(decode(&[0xff, 0xfe]), Err(Base64urlError));
    }

    proptest! {
        #[test]
        fn bytes_survive_the_round_trip(bytes: Vec<u8>) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()).unwrap(), bytes);
        }

        #[test]
        fn one_wrong_character_is_found_anywhere(bytes: Vec<u8>, at: usize, wrong: u8) {
            prop_assume!(!wrong.is_ascii_alphanumeric() && !b"-_".contains(&wrong) && !bytes.is_empty());
            let mut text = encode(&bytes).into_bytes();
            let at = at % text.len();
            text[at] = wrong;
            prop_assert_eq!(decode(&text), Err(Base64urlError));
        }

        #[test]
        fn what_decodes_is_spelled_in_the_only_way(text in "[A-Za-z0-9_=+/ -]{0,12}") {
            if let Ok(bytes) = decode(text.as_bytes()) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
