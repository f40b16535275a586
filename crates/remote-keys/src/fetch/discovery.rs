//! An issuer's configuration (OpenID Connect Discovery 1.0).

use std::time::Duration;

use ::http::Uri;
use claimgate_jose::json::Value;

use crate::error::FetchError;

const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

/// How long the place of the keys is believed: it changes hardly ever, and a failing fetch forgets it.
pub fn valid_for(told: Option<Duration>) -> Duration {
    told.unwrap_or(DAY).clamp(HOUR, DAY)
}

/// Where the issuer's keys are (section 3). The configuration has to name exactly this issuer (section
/// 4.3): else whoever is asked could speak for another.
pub fn jwks_uri(issuer: &str, url: &Uri, configuration: &Value) -> Result<Uri, FetchError> {
    let unusable = |why: String| FetchError::Discovery { url: url.to_string(), why };
    let member = |name| configuration.as_object().and_then(|object| object.get(name)).and_then(Value::as_str);
    match member("issuer") {
        Some(found) if found == issuer => {}
        Some(found) => {
            let found: String = found.chars().take(100).collect();
            return Err(unusable(format!("it is of the issuer {found:?}, not of {issuer:?}")));
        }
        None => return Err(unusable("it names no issuer".to_owned())),
    }
    let jwks_uri = member("jwks_uri").ok_or_else(|| unusable("it has no jwks_uri".to_owned()))?;
    let keys: Uri =
        jwks_uri.parse().map_err(|_| unusable("its jwks_uri is no URL with a host".to_owned()))?;
    let has_credentials = keys.authority().is_none_or(|authority| authority.as_str().contains('@'));
    match keys.scheme_str() {
        _ if has_credentials => Err(unusable("its jwks_uri has no host, or has a user name".to_owned())),
        Some("https") => Ok(keys),
        Some("http") if url.scheme_str() == Some("http") => Ok(keys),
        _ => Err(unusable("its jwks_uri has to begin with https://".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn found(configuration: &str) -> Result<String, String> {
        let configuration = Value::parse(configuration.as_bytes()).unwrap();
        let url = Uri::from_static("https://id.example.com/.well-known/openid-configuration");
        jwks_uri("https://id.example.com", &url, &configuration)
            .map(|uri| uri.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_configuration_of_this_very_issuer_is_believed() {
        let good = r#"{"issuer": "https://id.example.com", "jwks_uri": "https://keys.example.com/a?b"}"#;
        assert_eq!(found(good).unwrap(), "https://keys.example.com/a?b");
        for issuer in ["https://id.example.com/", "https://ID.example.com", "https://evil.example.com", ""] {
            let told = found(&good.replace("https://id.example.com", issuer)).unwrap_err();
            assert!(told.contains("not of \"https://id.example.com\""), "{told}");
        }
        for configuration in
            ["{}", "[]", "null", r#"{"issuer": 7}"#, r#"{"issuer": "https://id.example.com"}"#]
        {
            assert!(found(configuration).is_err(), "{configuration}");
        }
        for uri in ["http://id.example.com/", "/jwks", "https://a:b@id.example.com/", "file:///a", "", "id"] {
            let configuration = good.replace("https://keys.example.com/a?b", uri);
            assert!(found(&configuration).is_err(), "{uri}");
        }
    }
}
