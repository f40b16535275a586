//! `ACS3-HMAC-SHA256`, the signature of Alibaba Cloud's OpenAPI.
//!
//! A request names its access key and carries an HMAC of itself under that key's secret. What is checked
//! here depends on the request, the secret and the time alone; whether the request came before is asked
//! elsewhere (`nonces.rs`).

mod authorization;
mod canonical;
mod hex;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use aws_lc_rs::{digest, hmac, rand};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use zeroize::Zeroizing;

use authorization::Authorization;

/// How far a request's date may be from the time here, either way.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-acs-content-sha256");
const DATE: HeaderName = HeaderName::from_static("x-acs-date");
const NONCE: HeaderName = HeaderName::from_static("x-acs-signature-nonce");
const PREFIX: &str = "x-acs-";

/// Longer ones serve no purpose: the original's own have 32 characters.
const MAX_NONCE_BYTES: usize = 256;
const CONDITIONS: [HeaderName; 2] = [header::IF_MATCH, header::IF_NONE_MATCH];

/// The head of a request, as far as its signature covers it. The body is covered by its hash, which the head
/// holds, so that a signature can be checked before the body has come.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The target; its path and query as they were sent.
    pub uri: &'a Uri,
    /// All header fields.
    pub headers: &'a HeaderMap,
}

impl<'a> Request<'a> {
    /// The head of a request.
    pub fn of(parts: &'a Parts) -> Self {
        Self { method: parts.method.as_str(), uri: &parts.uri, headers: &parts.headers }
    }
}

/// The SHA-256 of a body, which a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyHash([u8; 32]);

/// Takes a body's hash while the body comes.
pub struct BodyHasher(digest::Context);

impl BodyHasher {
    /// Of nothing so far.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Adds what follows.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Checks that the body is the one that was signed.
    ///
    /// # Errors
    ///
    /// [`SignatureError::OtherBody`].
    pub fn check(self, signed: BodyHash) -> Result<(), SignatureError> {
        if self.0.finish().as_ref() == signed.0 { Ok(()) } else { Err(SignatureError::OtherBody) }
    }
}

impl Default for BodyHasher {
    fn default() -> Self {
        Self::new()
    }
}

/// What a request says of its signature, which is not checked yet.
#[derive(Debug)]
pub struct Signed<'a> {
    /// The key that it says it was signed with.
    pub access_key_id: &'a str,
    /// What no other request of that key may have.
    pub nonce: &'a str,
    /// What the body has to have.
    pub body: BodyHash,
    date: SystemTime,
    authorization: Authorization<'a>,
}

/// Why a request is not what the holder of an access key has sent. Nothing of a secret is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Without it nothing can be checked.
    #[error("required HTTP header {0} was not specified")]
    MissingHeader(&'static str),
    /// Another scheme, or not its form.
    #[error(
        "the header Authorization is not of the form {ALGORITHM} \
         Credential=<access key ID>,SignedHeaders=<names>,Signature=<64 hexadecimal digits>"
    )]
    MalformedAuthorization,
    /// Two readers could take different ones.
    #[error("the header {0} was specified twice")]
    RepeatedHeader(String),
    /// It could be changed on the way.
    #[error("the header {0} is not signed; SignedHeaders has to name it")]
    NotSigned(String),
    /// The body is not the one that was signed.
    #[error("x-acs-content-sha256 is not the SHA-256 of the body")]
    OtherBody,
    /// Empty, too long, or no text.
    #[error("x-acs-signature-nonce is not 1 to {MAX_NONCE_BYTES} visible ASCII characters")]
    MalformedNonce,
    /// No date.
    #[error("x-acs-date is no time as 2026-11-24T05:43:38Z")]
    MalformedDate,
    /// The request is old, or one of the clocks is wrong.
    #[error("x-acs-date is more than 15 minutes from the time here, which is {now}")]
    Expired {
        /// The time here.
        now: String,
    },
    /// Another secret, or something was changed on the way.
    #[error(
        "The request signature we calculated does not match the signature you provided. \
         Check your access key and signing method"
    )]
    Mismatch,
}

impl<'a> Signed<'a> {
    /// Reads what a request says of its signature, and checks all that needs no secret.
    ///
    /// # Errors
    ///
    /// Why no secret could make it good.
    pub fn read(request: &Request<'a>, now: SystemTime) -> Result<Self, SignatureError> {
        let authorization = single(request.headers, &header::AUTHORIZATION, "Authorization")?;
        let authorization = Authorization::parse(authorization)?;
        let [date, nonce, hash] = [
            single(request.headers, &DATE, "x-acs-date")?,
            single(request.headers, &NONCE, "x-acs-signature-nonce")?,
            single(request.headers, &CONTENT_SHA256, "x-acs-content-sha256")?,
        ];
        check_signed_headers(request, &authorization)?;
        // What is not a hash is not that of any body.
        let body = BodyHash(hex::decode(hash).ok_or(SignatureError::OtherBody)?);
        if !(1..=MAX_NONCE_BYTES).contains(&nonce.len()) {
            return Err(SignatureError::MalformedNonce);
        }
        let date = parse_date(date, now)?;
        Ok(Self { access_key_id: authorization.access_key_id, nonce, body, date, authorization })
    }

    /// Checks the signature in constant time. Whether the body is the one that was signed is checked when it has
    /// come ([`BodyHasher::check`]).
    ///
    /// # Errors
    ///
    /// [`SignatureError::Mismatch`].
    pub fn verify(&self, request: &Request<'_>, secret: &[u8]) -> Result<(), SignatureError> {
        let Authorization { signed_headers, signed_headers_text, signature, .. } = &self.authorization;
        let to_sign = to_sign(request, signed_headers, signed_headers_text, self.body);
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::verify(&key, to_sign.as_bytes(), signature).map_err(|_| SignatureError::Mismatch)
    }

    /// When the request was made, by its sender's clock.
    pub fn date(&self) -> SystemTime {
        self.date
    }
}

/// Signs a request as [`Signed::verify`] checks it: adds the date, a nonce, the body's hash and the signature.
/// `Host` is there already.
///
/// # Errors
///
/// When the system gives no random numbers, or the key's id is no text of a header.
pub fn sign(
    parts: &mut Parts,
    body: &[u8],
    credentials: &Credentials,
    now: SystemTime,
) -> Result<(), SigningError> {
    let mut nonce = [0; 16];
    rand::fill(&mut nonce).map_err(|_| SigningError::NoRandomness)?;
    let now = humantime::format_rfc3339_seconds(now).to_string();
    let mut hash = [0; 32];
    hash.copy_from_slice(sha256(body).as_ref());
    let hash = BodyHash(hash);
    let text = |text: &str| HeaderValue::from_str(text).map_err(|_| SigningError::NotAHeader);
    for (name, value) in [
        (DATE, text(&now)?),
        (NONCE, text(&hex::encode(&nonce))?),
        (CONTENT_SHA256, text(&hex::encode(&hash.0))?),
    ] {
        parts.headers.insert(name, value);
    }
    let signed = |name: &&str| {
        *name == "host" || *name == "content-type" || name.starts_with(PREFIX) || is_condition(name)
    };
    let mut names: Vec<String> =
        parts.headers.keys().map(HeaderName::as_str).filter(signed).map(str::to_owned).collect();
    names.sort_unstable();
    let names_text = names.join(";");
    let to_sign = to_sign(&Request::of(parts), &names, &names_text, hash);
    let key = hmac::Key::new(hmac::HMAC_SHA256, credentials.secret.as_bytes());
    let signature = hex::encode(hmac::sign(&key, to_sign.as_bytes()).as_ref());
    let authorization =
        format!("{ALGORITHM} Credential={},SignedHeaders={names_text},Signature={signature}", credentials.id);
    parts.headers.insert(header::AUTHORIZATION, text(&authorization)?);
    Ok(())
}

/// Who signs.
pub struct Credentials {
    /// The id of an access key.
    pub id: String,
    /// Its secret.
    pub secret: Zeroizing<String>,
}

/// Why nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// Of the system.
    #[error("no random numbers can be had from the system")]
    NoRandomness,
    /// The id of the access key.
    #[error("the access key's id has characters that no header may have")]
    NotAHeader,
}

fn to_sign(
    request: &Request<'_>,
    signed_headers: &[String],
    signed_headers_text: &str,
    body: BodyHash,
) -> String {
    let canonical = canonical::request(request, signed_headers, signed_headers_text, body);
    format!("{ALGORITHM}\n{}", hex::encode(sha256(&canonical).as_ref()))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

fn sha256(data: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, data)
}

fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    shown: &'static str,
) -> Result<&'a str, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(SignatureError::MissingHeader(shown))?;
    if values.next().is_some() {
        return Err(SignatureError::RepeatedHeader(shown.to_owned()));
    }
    // What is no text is none of the values that are expected.
    Ok(value.to_str().unwrap_or_default().trim())
}

/// Node's SDK signs `host`, `content-type` and what begins with `x-acs-`, Python's signs everything. Whatever
/// says what the request is has to be signed.
fn check_signed_headers(
    request: &Request<'_>,
    authorization: &Authorization<'_>,
) -> Result<(), SignatureError> {
    if canonical::host(request).is_none() {
        return Err(SignatureError::MissingHeader("Host"));
    }
    let names = request.headers.keys().map(HeaderName::as_str);
    let must_be = names.filter(|name| name.starts_with(PREFIX) || is_condition(name)).chain(["host"]);
    for name in must_be {
        if !authorization.signs(name) {
            return Err(SignatureError::NotSigned(name.to_owned()));
        }
    }
    for name in &authorization.signed_headers {
        if request.headers.get_all(name.as_str()).iter().nth(1).is_some() {
            return Err(SignatureError::RepeatedHeader(name.clone()));
        }
    }
    Ok(())
}

/// Whether a header says under which condition a request is to be carried out. One that is taken away on the way
/// would let an update overwrite what it must not.
fn is_condition(name: &str) -> bool {
    CONDITIONS.iter().any(|condition| *condition == name)
}

fn parse_date(text: &str, now: SystemTime) -> Result<SystemTime, SignatureError> {
    let date = humantime::parse_rfc3339(text).map_err(|_| SignatureError::MalformedDate)?;
    let distance = match now.duration_since(date) {
        Ok(past) => past,
        Err(future) => future.duration(),
    };
    if distance > WINDOW {
        return Err(SignatureError::Expired { now: humantime::format_rfc3339_seconds(now).to_string() });
    }
    Ok(date)
}
