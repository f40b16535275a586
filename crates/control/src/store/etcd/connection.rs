//! A connection to one member of etcd that is known to work.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderValue, Uri};
use claimgate_config::snapshot::EtcdSettings;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::ServerName;
use zeroize::Zeroizing;

use super::grpc::{CallError, Caller, UNAVAILABLE};
use super::messages::{AUTHENTICATE, AuthenticateRequest, AuthenticateResponse, STATUS, StatusResponse};
use super::tls;

/// For a member to be connected to, to answer, and to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection, which ends when it is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    caller: Caller,
    _driver: JoinSet<()>,
}

impl Connection {
    /// Connects, makes sure that the member answers and has a leader, and signs in.
    pub(super) async fn open(endpoint: &str, settings: &EtcdSettings) -> Result<Self, String> {
        match timeout(CONNECT_TIMEOUT, connect(endpoint, settings)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(why)) => Err(format!("{endpoint}: {why}")),
            Err(_) => Err(format!("{endpoint}: no answer within {CONNECT_TIMEOUT:?}")),
        }
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }
}

async fn connect(endpoint: &str, settings: &EtcdSettings) -> Result<Connection, String> {
    let url: Uri = endpoint.parse().map_err(|_| "is no URL".to_owned())?;
    let host = url.host().unwrap_or_default();
    // A URI has brackets around an IPv6 address, names and certificates have none.
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let stream = TcpStream::connect((host, url.port_u16().unwrap_or(2379))).await;
    let stream = stream.map_err(|error| error.to_string())?;
    let _ = stream.set_nodelay(true);
    if url.scheme_str() != Some("https") {
        return begin(stream, url, settings).await;
    }
    let name = match host.parse::<IpAddr>() {
        Ok(address) => ServerName::from(address),
        Err(_) => ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?,
    };
    // It reads files, of which the system's root certificates are large.
    let files = settings.clone();
    let connector =
        spawn_blocking(move || tls::connector(&files)).await.map_err(|error| error.to_string())?;
    let stream = connector?.connect(name, stream).await.map_err(|error| format!("TLS: {error}"))?;
    begin(stream, url, settings).await
}

async fn begin(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    url: Uri,
    settings: &EtcdSettings,
) -> Result<Connection, String> {
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (sender, connection) = handshake.map_err(|error| error.to_string())?;
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        // How it ended is told to the calls on it.
        let _ = connection.await;
    });
    let mut caller = Caller::new(sender, url);
    match caller.call::<StatusResponse>(STATUS, &()).await {
        Ok(status) if status.leader == 0 => return Err("it has no leader".to_owned()),
        // Versions since 3.5.28 tell it to administrators alone.
        Err(CallError::Refused { code, .. }) if code != UNAVAILABLE => {}
        Err(error) => return Err(said(error)),
        Ok(_) => {}
    }
    if let Some(username) = &settings.username
        && let Some(token) = sign_in(&caller, username, settings).await?
    {
        caller.sign_in(token);
    }
    Ok(Connection { caller, _driver: driver })
}

/// Gives the token, or none when etcd asks for none.
async fn sign_in(
    caller: &Caller,
    username: &str,
    settings: &EtcdSettings,
) -> Result<Option<HeaderValue>, String> {
    let mut password = Zeroizing::new(String::new());
    if let Some(file) = &settings.password_file {
        let content = fs::read_to_string(file);
        password = content.map(Zeroizing::new).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
    }
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let request = AuthenticateRequest { name: username.to_owned(), password };
    match caller.call::<AuthenticateResponse>(AUTHENTICATE, &request).await {
        Ok(answer) => {
            let mut token = HeaderValue::try_from(answer.token).map_err(|_| "its token is no text")?;
            token.set_sensitive(true);
            Ok(Some(token))
        }
        Err(CallError::Refused { message, .. }) if message.contains("authentication is not enabled") => {
            Ok(None)
        }
        Err(error) => Err(format!("signing in as '{username}': {}", said(error))),
    }
}

fn said(error: CallError) -> String {
    match error {
        CallError::Broken(why) => why,
        CallError::Refused { message, .. } => format!("it says: {message}"),
    }
}
