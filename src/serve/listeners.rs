//! Sockets that the gateway listens on: its own, and those that it was handed over when it was started, by
//! systemd (sd_listen_fds(3)) or by the process whose work it takes over.

use std::env;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use anyhow::{Context, bail};
use listenfd::ListenFd;

use super::TakenPort;
use super::upgrade::{PREDECESSOR, Predecessor};

/// Behind the name of a socket that the gateway bound itself, where the configuration said. Others keep the
/// name that systemd knows them by, and systemd decides on their address.
const BOUND: &str = "-bound";

/// A socket and its name, for a process that takes over.
pub type Named = (String, OwnedFd);

/// What the process was handed over, and what it listens on.
#[derive(Debug)]
pub struct Sockets {
    handed_over: Vec<(String, TcpListener)>,
    predecessor: Option<UnixDatagram>,
    used: Vec<Named>,
}

impl Sockets {
    /// Takes what was handed over. No other thread may run yet, as the environment changes.
    pub fn take() -> anyhow::Result<Self> {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut sockets = ListenFd::from_env();
        let mut taken = Self { handed_over: Vec::new(), predecessor: None, used: Vec::new() };
        for index in 0..sockets.len() {
            let name = names.next().unwrap_or_default().to_owned();
            let wrong = || format!("the socket \"{name}\", which was handed over, cannot be used");
            if name == PREDECESSOR {
                taken.predecessor = sockets.take_unix_datagram(index).with_context(wrong)?;
            } else if let Some(socket) = sockets.take_tcp_listener(index).with_context(wrong)? {
                taken.handed_over.push((name, socket));
            }
        }
        Ok(taken)
    }

    /// Listens: on the socket of that name if one was handed over, else where the configuration says.
    pub async fn listen(
        &mut self,
        name: &str,
        address: SocketAddr,
        taken_port: TakenPort,
    ) -> anyhow::Result<tokio::net::TcpListener> {
        let bound = format!("{name}{BOUND}");
        let fits = |socket: &TcpListener| {
            let is_same = |at: SocketAddr| {
                at.ip() == address.ip() && (address.port() == 0 || at.port() == address.port())
            };
            socket.local_addr().is_ok_and(is_same)
        };
        let found = self.remove(|known, _| known == name);
        let found = found.or_else(|| self.remove(|known, socket| known == bound && fits(socket)));
        let (name, listener) = match found {
            Some((name, socket)) => {
                // systemd hands over sockets that block.
                socket.set_nonblocking(true)?;
                (name, tokio::net::TcpListener::from_std(socket)?)
            }
            None => (bound, bind(name, address, taken_port).await?),
        };
        self.used.push((name, listener.as_fd().try_clone_to_owned()?));
        Ok(listener)
    }

    /// Ends the choice of sockets: gives those that are used, and the process that waits for this one.
    ///
    /// # Errors
    /// When systemd listens on what the configuration does not serve: clients would wait there forever.
    pub fn finish(self) -> anyhow::Result<(Vec<Named>, Predecessor)> {
        let unused = self.handed_over.iter().find(|(name, _)| !name.ends_with(BOUND));
        let Some((name, socket)) = unused else {
            return Ok((self.used, Predecessor(self.predecessor)));
        };
        let why = match name.as_str() {
            "https" => "but there is no gateway.https",
            "admin" => "but admin.listen is none",
            _ => "which is for no listener; expected FileDescriptorName=http, https or admin, each once",
        };
        bail!("the socket \"{name}\" ({}) was handed over, {why}", socket.local_addr()?)
    }

    fn remove(&mut self, is_wanted: impl Fn(&str, &TcpListener) -> bool) -> Option<(String, TcpListener)> {
        let index = self.handed_over.iter().position(|(name, socket)| is_wanted(name, socket))?;
        Some(self.handed_over.remove(index))
    }
}

async fn bind(
    name: &str,
    address: SocketAddr,
    taken_port: TakenPort,
) -> anyhow::Result<tokio::net::TcpListener> {
    let bound = match tokio::net::TcpListener::bind(address).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && taken_port == TakenPort::UseFree => {
            tokio::net::TcpListener::bind(SocketAddr::new(address.ip(), 0)).await
        }
        bound => bound,
    };
    let field = if name == "admin" { "admin.listen".to_owned() } else { format!("gateway.{name}") };
    bound.with_context(|| format!("cannot listen on {field} {address}"))
}
