//! What every request to the admin listener has to pass before anything looks at it: whom it asks for, and which
//! site it comes from.
//!
//! A page of another site can send requests here from the browser of someone who reaches this listener. With a name
//! of its own whose address it changes to this listener's (DNS rebinding) it can even read the answers, which the
//! Host gives away. Requests of another site that would change something are known by what browsers say of them.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use claimgate_config::snapshot::{AddressRange, AdminSettings, HostPattern};
use claimgate_gateway::{Sender, requested_host};

use crate::answer::ErrorAnswer;
use crate::listen::Peer;

/// Browsers say where a request comes from (Fetch Metadata), on connections that they trust.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where probes ask, by any name.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Where nothing is answered without a signature, which covers the Host.
const SIGNED: [&str; 2] = ["/api/v1/", "/2023-03-30/"];

/// What requests are judged by.
#[derive(Debug)]
pub struct Guard {
    hosts: Vec<HostPattern>,
    trusted_proxies: Vec<AddressRange>,
    is_loopback: bool,
    is_https: bool,
}

impl Guard {
    /// For a listener at this address.
    pub fn new(settings: &AdminSettings, address: IpAddr) -> Self {
        Self {
            hosts: settings.hosts.clone(),
            trusted_proxies: settings.trusted_proxies.clone(),
            is_loopback: address.is_loopback(),
            is_https: settings.tls.is_some(),
        }
    }

    /// Whether requests may have this Host. No site can have an address or a name of loopback as its own. Names
    /// without a dot are those of a local network, which no site of the internet has; they reach this listener
    /// where it is on that network.
    fn answers_to(&self, host: &str) -> bool {
        host.parse::<IpAddr>().is_ok()
            || host == "localhost"
            || host.ends_with(".localhost")
            || !self.is_loopback && !host.contains('.')
            || self.hosts.iter().any(|pattern| pattern.matches(host))
    }

    fn check_host(&self, request: &Request) -> Result<(), ErrorAnswer> {
        let path = request.uri().path();
        let is_signed = || {
            request.headers().contains_key(AUTHORIZATION)
                && SIGNED.iter().any(|prefix| path.starts_with(prefix))
        };
        if PROBES.contains(&path) || is_signed() {
            return Ok(());
        }
        let host = requested_host(request.uri(), request.version(), request.headers())
            .map_err(|error| ErrorAnswer::invalid(error.to_string()))?;
        // Over HTTPS the browser holds the name against the certificate.
        if self.is_https || self.answers_to(&host) {
            return Ok(());
        }
        let message = format!(
            "the admin listener does not answer to the Host {host}; use its IP address, or add the name to admin.hosts"
        );
        Err(ErrorAnswer::new(StatusCode::MISDIRECTED_REQUEST, "HostNotAllowed", message))
    }
}

/// Lets requests pass that are for this listener and come from its own pages or from no page; handlers get the
/// [`Sender`].
pub async fn pass(
    State(guard): State<Arc<Guard>>,
    mut request: Request,
    next: Next,
) -> Result<Response, ErrorAnswer> {
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() else {
        return Err(ErrorAnswer::invalid("the client's address is not known"));
    };
    guard.check_host(&request)?;
    let sender = Sender::of(peer, guard.is_https, request.headers(), &guard.trusted_proxies);
    if !request.method().is_safe() && is_cross_site(request.headers(), sender.host.as_ref()) {
        let message = "the request comes from a page of another site; a proxy in front has to leave Host as it is, or \
                       to set X-Forwarded-Host and be one of admin.trustedProxies";
        return Err(ErrorAnswer::denied(message));
    }
    request.extensions_mut().insert(sender);
    Ok(next.run(request).await)
}

/// Whether a browser says that a request comes from a page of another site. `told` is the host that the client
/// asked for, where a proxy names it. Without a word of a browser there is no page.
fn is_cross_site(headers: &HeaderMap, told: Option<&HeaderValue>) -> bool {
    if let Some(site) = headers.get(FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    let mut origins = headers.get_all(ORIGIN).into_iter();
    let Some(origin) = origins.next() else { return false };
    let host = told.or_else(|| headers.get(HOST)).and_then(|host| host.to_str().ok());
    let of_origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    let is_same = match (of_origin, host) {
        (Some(origin), Some(host)) => origin.eq_ignore_ascii_case(host),
        _ => false,
    };
    !is_same || origins.next().is_some()
}
