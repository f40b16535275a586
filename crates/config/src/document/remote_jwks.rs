//! `gateway.remoteJwks`, and the URLs of `authInfo.jwksUri` and `authInfo.oidcIssuer`.
use std::net::IpAddr;
use std::time::Duration;

use http::Uri;

use crate::place::{Written, quoted};
use crate::reader::Object;
use crate::report::Report;
use crate::snapshot::{CacheFolder, RemoteJwksSettings, RemoteKeySource};

/// Reads `gateway.remoteJwks`; what is left out has its default.
pub(super) fn read(gateway: &mut Object<'_>, settings: &mut RemoteJwksSettings, report: &mut Report) {
    let Some(mut object) = gateway.field("remoteJwks").and_then(|field| field.object("an object", report))
    else {
        return;
    };
    if let Some(allow) = object.field("allowHttp").and_then(|field| field.boolean(report)) {
        settings.allow_http = allow;
    }
    let right = "a list of addresses, as [169.254.10.0/24]";
    let ranges = object.field("allowAddresses").and_then(|field| field.texts(right, "an address", report));
    for Written { value: text, place } in ranges.unwrap_or_default() {
        match text.parse() {
            Ok(range) => settings.allow_addresses.push(range),
            Err(why) => report.error(&place, format!("{why}, found {}", quoted(text))),
        }
    }
    settings.ca_file =
        object.field("caFile").and_then(|field| field.file_path("a PEM file", report)).map(|path| path.value);
    if let Some(field) = object.field("cacheFolder") {
        match field.file_path("a folder, or none", report).map(|path| path.value) {
            Some(path) if path.as_os_str() == "none" => settings.cache_folder = CacheFolder::None,
            Some(path) => settings.cache_folder = CacheFolder::At(path),
            None => {}
        }
    }
    const DAY: u64 = 24 * 3600;
    for (name, time, least, most) in [
        ("minRefreshSeconds", &mut settings.min_refresh, 1, DAY),
        ("maxRefreshSeconds", &mut settings.max_refresh, 1, 7 * DAY),
        ("refreshSeconds", &mut settings.refresh, 1, 7 * DAY),
        ("timeoutSeconds", &mut settings.timeout, 1, 60),
        ("unknownKeyIdCooldownSeconds", &mut settings.unknown_key_id_cooldown, 1, 3600),
        ("waitSeconds", &mut settings.wait, 0, 60),
    ] {
        let field = object.field(name);
        if let Some(seconds) = field.and_then(|field| field.integer(least..=most, " seconds", report)) {
            *time = Duration::from_secs(seconds);
        }
    }
    let max_stale = object.field("maxStaleSeconds");
    settings.max_stale = max_stale
        .and_then(|field| field.integer(1..=3650 * DAY, " seconds", report))
        .map(Duration::from_secs);
    for (name, number, least, most, unit) in [
        ("maxBytes", &mut settings.max_bytes, 1024, 16 * 1024 * 1024, " bytes"),
        ("maxRedirects", &mut settings.max_redirects, 0, 10, ""),
    ] {
        let field = object.field(name);
        if let Some(read) = field.and_then(|field| field.integer(least..=most, unit, report)) {
            *number = usize::try_from(read).unwrap_or(*number);
        }
    }
    if settings.min_refresh > settings.max_refresh {
        let message = format!(
            "minRefreshSeconds ({}) is more than maxRefreshSeconds ({})",
            settings.min_refresh.as_secs(),
            settings.max_refresh.as_secs()
        );
        report.error(&object.place, message);
    }
    object.finish(report);
}

/// Reads `jwksUri` or `oidcIssuer`, of which one may be there.
pub(super) fn read_source(
    auth_info: &mut Object<'_>,
    report: &mut Report,
) -> Option<Written<RemoteKeySource>> {
    let right = "a URL, as https://id.example.com/jwks.json";
    let jwks_uri = auth_info.field("jwksUri").and_then(|field| field.text(right, report));
    let right = "the URL of an issuer, as https://id.example.com";
    let issuer = auth_info.field("oidcIssuer").and_then(|field| field.text(right, report));
    if let (Some(_), Some(issuer)) = (&jwks_uri, &issuer) {
        let message = "there is a jwksUri too; keep one of them: oidcIssuer finds the URL of the keys itself";
        report.error(&issuer.place, message);
        return None;
    }
    let (written, read): (_, fn(&str) -> _) = match (jwks_uri, issuer) {
        (Some(jwks_uri), _) => (jwks_uri, |text| parse_url(text).map(RemoteKeySource::JwksUri)),
        (None, issuer) => (issuer?, parse_issuer),
    };
    match read(written.value) {
        Ok(value) => Some(Written { value, place: written.place }),
        Err(why) => {
            report.error(&written.place, why);
            None
        }
    }
}

/// OpenID Connect Discovery 1.0, 3 and 4: no query and no fragment, and a slash at the end is taken off
/// before the well-known path is put there.
fn parse_issuer(issuer: &str) -> Result<RemoteKeySource, String> {
    if parse_url(issuer)?.query().is_some() {
        return Err("an issuer has no query; leave out what begins with ?".to_owned());
    }
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let configuration = parse_url(&format!("{base}/.well-known/openid-configuration"))?;
    Ok(RemoteKeySource::OidcIssuer { issuer: issuer.to_owned(), configuration })
}

/// A URL that keys may be fetched from. Whether `http` is allowed is another question.
fn parse_url(text: &str) -> Result<Uri, String> {
    let right = "expected a URL that begins with https://";
    if text.contains('#') {
        return Err("a URL of keys has no fragment; leave out what begins with #".to_owned());
    }
    let uri: Uri = text.parse().map_err(|_| right.to_owned())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(right.to_owned());
    };
    if authority.as_str().contains('@') {
        // Not quoted: it holds a password.
        return Err("a URL of keys has no user name and password; leave out what stands before @".to_owned());
    }
    if scheme != "https" && scheme != "http" {
        return Err(format!("{right}; the scheme {} is not supported", quoted(scheme)));
    }
    let has_bad_port =
        authority.as_str() != authority.host() && authority.port_u16().is_none_or(|port| port == 0);
    if authority.host().is_empty() || has_bad_port {
        return Err(format!("{right}; the host or the port of {} is not valid", quoted(authority.as_str())));
    }
    Ok(uri)
}

/// Reports an `http` URL to another machine, unless that is allowed.
pub(crate) fn check_scheme(
    source: &Written<RemoteKeySource>,
    settings: &RemoteJwksSettings,
    report: &mut Report,
) {
    let (RemoteKeySource::JwksUri(uri) | RemoteKeySource::OidcIssuer { configuration: uri, .. }) =
        &source.value;
    if uri.scheme_str() == Some("http") && !settings.allow_http && !is_this_machine(uri) {
        let message = "whoever is between here and this host could send other keys; use https, or allow \
                       http with gateway.remoteJwks.allowHttp";
        report.error(&source.place, message);
    }
}

fn is_this_machine(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
