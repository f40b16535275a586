//! Signing, for tokens that claimgate issues itself.

/// A private key (or HMAC secret) that signs tokens.
#[derive(Debug)]
pub struct SigningKey {}
