//! What a client's connection has to do with the domain that is asked for over it.

use std::sync::Arc;

use claimgate_config::Snapshot;
use claimgate_config::snapshot::{Domain, GatewaySettings};
use http::Uri;

use crate::client::Origin;
use crate::rejection::Rejection;

/// The scheme of plain HTTP.
pub const HTTP: &str = "http";

/// The scheme of HTTP over TLS.
pub const HTTPS: &str = "https";

/// What requests come over.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Plain HTTP.
    Http {
        /// The port of the listener for HTTPS beside it; `None` when that is what the configuration says.
        https_port: Option<u16>,
    },
    /// HTTPS.
    Https {
        /// The name that the client asked for in the handshake.
        server_name: Arc<str>,
    },
}

impl Transport {
    /// Plain HTTP, beside the listener for HTTPS that the configuration names.
    pub const HTTP: Self = Self::Http { https_port: None };

    /// The scheme of URLs.
    pub fn scheme(&self) -> &'static str {
        match self {
            Self::Http { .. } => HTTP,
            Self::Https { .. } => HTTPS,
        }
    }
}

/// Finds the domain of a request. Over HTTPS it has to be the one that the connection was opened for, whose
/// certificate the client has seen (RFC 9110, 7.4 and 15.5.20).
pub fn find_domain<'s>(
    snapshot: &'s Snapshot,
    host: &str,
    transport: &Transport,
) -> Result<&'s Arc<Domain>, Rejection> {
    let domain = snapshot.domains.find(host);
    if let Transport::Https { server_name } = transport {
        let is_same = || {
            let named = snapshot.domains.find(server_name).map(|domain| domain.number);
            named == domain.map(|domain| domain.number)
        };
        let is_served = domain.is_none_or(|domain| domain.tls.is_some());
        if host != &**server_name && !is_same() || !is_served {
            return Err(Rejection::Misdirected);
        }
    }
    domain.ok_or(Rejection::UnknownDomain)
}

/// Sends a request away that came over HTTP, and whose domain is served over HTTPS alone. The path is known
/// to be one by now.
pub fn check_scheme(
    domain: &Domain,
    host: &str,
    uri: &Uri,
    origin: &Origin<'_>,
    settings: &GatewaySettings,
) -> Result<(), Rejection> {
    let Transport::Http { https_port } = &origin.peer.transport else { return Ok(()) };
    // Behind a proxy that ends TLS, the client's own scheme counts.
    if domain.protocol.serves_http() || origin.scheme() == HTTPS {
        return Ok(());
    }
    let port = settings.https_public_port.or(*https_port).or(settings.https.map(|address| address.port()));
    let port = port.filter(|port| *port != 443).map(|port| format!(":{port}")).unwrap_or_default();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    Err(Rejection::HttpsOnly { location: format!("https://{host}{port}{target}") })
}
