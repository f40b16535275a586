//! Connections to functions: TCP, TLS and unix sockets.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use claimgate_config::reach::Reach;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tower_service::Service;

use crate::error::InvokeError;
use crate::tls::Tls;
use crate::url;

/// Opens connections.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    tls: Tls,
}

/// What is going to be spoken on a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Something that bytes go over both ways.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

impl Connector {
    pub(crate) fn new(tls: Tls) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self { tcp, tls }
    }

    /// Connects to an address: a URI's scheme and authority.
    pub(crate) async fn connect(
        &self,
        address: &Uri,
        reach: Reach,
        protocol: Protocol,
        timeout: Duration,
    ) -> Result<Box<dyn Transport>, InvokeError> {
        tokio::time::timeout(timeout, self.open(address, reach, protocol))
            .await
            .unwrap_or(Err(InvokeError::ConnectTimeout))
    }

    async fn open(
        &self,
        address: &Uri,
        reach: Reach,
        protocol: Protocol,
    ) -> Result<Box<dyn Transport>, InvokeError> {
        if let Some(url::UNIX) = address.scheme_str() {
            let path = url::unix_path(address).unwrap_or_default();
            return Ok(Box::new(UnixStream::connect(path).await.map_err(unreachable)?));
        }
        let stream = self.tcp.clone().call(address.clone()).await.map_err(unreachable)?.into_inner();
        if reach != Reach::Everywhere {
            let (peer, local) = (stream.peer_addr(), stream.local_addr());
            reach.judge_connection(peer.map_err(unreachable)?, local.map_err(unreachable)?.ip())?;
        }
        if address.scheme() == Some(&Scheme::HTTPS) {
            return Ok(Box::new(self.tls.handshake(stream, address, protocol).await?));
        }
        Ok(Box::new(stream))
    }
}

fn unreachable(error: impl Error + Send + Sync + 'static) -> InvokeError {
    InvokeError::Connect(Arc::new(error))
}
