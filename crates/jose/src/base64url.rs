//! base64url without padding (RFC 7515 section 2), strict.
