//! `issuer`: who issues the tokens, and where that is found.

use claimgate_config::place::quoted;
use claimgate_config::reader::Field;
use claimgate_config::report::Report;
use http::Uri;

/// What would be right.
pub(super) const RIGHT: &str =
    "the URL under which clients reach the authorizer, as \"https://login.example.com\"";

/// An issuer identifier (OpenID Connect Discovery 1.0 section 3): a URL without query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    url: String,
    path: String,
}

impl Issuer {
    pub(super) fn read(field: &Field<'_>, report: &mut Report) -> Option<Self> {
        let text = field.text(RIGHT, report)?;
        match parse(text.value) {
            Ok((issuer, is_exposed)) => {
                if is_exposed {
                    report.warning(&text.place, "passwords and tokens travel unencrypted to http URLs");
                }
                Some(issuer)
            }
            Err(why) => {
                // What stands before an @ may be a password.
                let found = if text.value.contains('@') { "another".to_owned() } else { quoted(text.value) };
                report.error(&text.place, format!("expected {RIGHT}, found {found}{why}"));
                None
            }
        }
    }

    /// The claim `iss`, byte for byte as it was configured.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its path without a slash at the end: empty for most.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The URL of an endpoint; `path` begins with a slash.
    pub(crate) fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches('/'))
    }
}

/// The issuer, and whether it is reached without TLS from elsewhere.
fn parse(text: &str) -> Result<(Issuer, bool), &'static str> {
    let uri: Uri = text.parse().map_err(|_| "")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("; it begins with https:// or http://");
    };
    if !["https", "http"].contains(&scheme) || authority.host().is_empty() {
        return Err("; it begins with https:// or http://");
    }
    if authority.as_str().contains('@') {
        return Err("; it has no user name");
    }
    if text.contains(['?', '#']) {
        return Err("; it has neither query nor fragment");
    }
    let path = uri.path().trim_end_matches('/');
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-._~/".contains(character);
    if !path.chars().all(is_plain) || path.split('/').skip(1).any(|part| ["", ".", ".."].contains(&part)) {
        return Err("; its path has letters, digits, and - . _ ~ between single slashes");
    }
    let host = authority.host().trim_matches(['[', ']']);
    let is_local = host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let issuer = Issuer { url: text.to_owned(), path: path.to_owned() };
    Ok((issuer, scheme == "http" && !is_local))
}
