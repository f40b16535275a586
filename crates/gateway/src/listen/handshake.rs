//! The beginning of an HTTPS connection.

use std::error::Error;
use std::net::IpAddr;

use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::client::Client;
use crate::request_path::Worker;
use crate::transport::Transport;

/// Shakes hands on a connection; nothing when that fails, which is logged and counted.
pub async fn shake_hands(
    worker: &Worker,
    stream: TcpStream,
    client: IpAddr,
) -> Option<(TlsStream<TcpStream>, Client)> {
    let serving = worker.gateway.serving();
    let time = serving.snapshot.gateway.timeouts.tls_handshake;
    let handshake = claimgate_tls::shake_hands(stream, &serving.snapshot.domains, &serving.certificates);
    let metrics = worker.gateway.metrics().tls();
    match tokio::time::timeout(time, handshake).await {
        Ok(Ok(secured)) => {
            metrics.count_handshake(secured.result());
            let transport = Transport::Https { server_name: secured.server_name };
            Some((secured.stream, Client::new(client, transport)))
        }
        Ok(Err(error)) => {
            metrics.count_handshake(error.result());
            tracing::debug!(%client, error = &error as &dyn Error, "a handshake failed");
            None
        }
        Err(_) => {
            metrics.count_handshake("timeout");
            tracing::debug!(%client, "a handshake took too long");
            None
        }
    }
}
