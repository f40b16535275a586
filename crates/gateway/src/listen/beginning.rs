//! What comes before the first request on a connection, when anything does: the header of a proxy, and the
//! handshake of TLS.

use std::error::Error;
use std::net::IpAddr;

use tokio::net::TcpStream;

use super::Stream;
use super::handshake::shake_hands;
use super::places::Place;
use super::proxy_protocol::{self, HeaderError};
use crate::client::{Client, is_in};
use crate::request_path::Worker;
use crate::transport::Transport;

/// Whether a connection from an address begins with a header of the PROXY protocol. That of a stranger does
/// not: it would be the stranger's own word.
pub fn begins_with_header(worker: &Worker, address: IpAddr) -> bool {
    let settings = &worker.gateway.serving().snapshot.gateway;
    settings.proxy_protocol && is_in(address.to_canonical(), &settings.trusted_proxies)
}

/// Begins a connection, so that requests may come on it; nothing when that fails, which is logged.
/// `over_http` is there unless it came to the listener for HTTPS.
pub async fn begin(
    worker: &Worker,
    mut stream: TcpStream,
    place: Place,
    address: IpAddr,
    over_http: Option<Transport>,
) -> Option<(Box<dyn Stream>, Client)> {
    let address = if begins_with_header(worker, address) {
        read_header(worker, &mut stream, address).await?
    } else {
        address
    };
    match over_http {
        Some(transport) => Some((Box::new(place.hold(stream)), Client::new(address, transport))),
        None => {
            let (stream, client) = shake_hands(worker, stream, address).await?;
            Some((Box::new(place.hold(stream)), client))
        }
    }
}

/// The address that a proxy's header tells, or the proxy's own.
async fn read_header(worker: &Worker, stream: &mut TcpStream, proxy: IpAddr) -> Option<IpAddr> {
    let time = worker.gateway.serving().snapshot.gateway.timeouts.header_read;
    match tokio::time::timeout(time, proxy_protocol::read(stream)).await {
        Ok(Ok(address)) => Some(address.unwrap_or(proxy)),
        Ok(Err(error @ HeaderError::Malformed)) => {
            tracing::warn!(%proxy, error = &error as &dyn Error, "a connection of a trusted proxy is closed");
            None
        }
        // A load balancer that looks whether the port is open sends nothing.
        Ok(Err(error)) => {
            tracing::debug!(%proxy, error = &error as &dyn Error, "a connection of a proxy broke");
            None
        }
        Err(_) => {
            tracing::debug!(%proxy, "the header of the PROXY protocol took too long");
            None
        }
    }
}
