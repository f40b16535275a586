//! The admin listener, with TLS or without.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use claimgate_config::FileVersion;
use claimgate_config::snapshot::CertificateFiles;
use claimgate_tls::ListenerCertificate;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// How long a client may take until its keys are agreed upon.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How often the files of the certificate are looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// Connections whose handshake is done and which nobody has taken yet.
const MOST_WAITING: usize = 64;

/// Gives connections once they are secured, so that a slow handshake holds up no other.
pub struct TlsListener {
    address: SocketAddr,
    secured: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Accepts on a task of its own, with the certificate of files, which are read again when they change.
    pub fn start(listener: TcpListener, files: &CertificateFiles) -> Result<Self, String> {
        let certificate = Arc::new(ListenerCertificate::load(files)?);
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (sender, secured) = mpsc::channel(MOST_WAITING);
        tokio::spawn(accept(listener, Arc::clone(&certificate), sender));
        tokio::spawn(watch(certificate, files.clone()));
        Ok(Self { address, secured })
    }
}

async fn accept(
    mut listener: TcpListener,
    certificate: Arc<ListenerCertificate>,
    secured: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    loop {
        let (stream, peer) = tokio::select! {
            connection = Listener::accept(&mut listener) => connection,
            () = secured.closed() => return,
        };
        let (acceptor, secured) = (certificate.acceptor(), secured.clone());
        tokio::spawn(async move {
            match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => drop(secured.send((stream, peer)).await),
                Ok(Err(error)) => tracing::debug!(client = %peer, "no TLS: {error}"),
                Err(_) => tracing::debug!(client = %peer, "no TLS in time"),
            }
        });
    }
}

async fn watch(certificate: Arc<ListenerCertificate>, files: CertificateFiles) {
    let versions = || [&files.certificate, &files.private_key].map(|file| FileVersion::of(file));
    let mut known = versions();
    loop {
        tokio::time::sleep(INTERVAL).await;
        let current = versions();
        if current == known {
            continue;
        }
        known = current;
        match certificate.reload() {
            Ok(()) => tracing::info!("the certificate of the admin listener was read again"),
            Err(why) => tracing::error!("admin listener: {why}; the last good certificate stays"),
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.secured.recv().await {
            Some(connection) => connection,
            // The task that accepts ends with the process.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
