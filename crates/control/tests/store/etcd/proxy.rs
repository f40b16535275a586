//! What lies between a gateway and an etcd, and goes wrong.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything passes.
    Pass,
    /// Everything passes later by so much.
    Delay(Duration),
    /// What is sent waits; even for those who have given up.
    Hold,
    /// What is answered waits.
    HoldAnswers,
    /// Connections are closed as soon as they are opened.
    Refuse,
}

pub struct Proxy {
    port: u16,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    mode: Mode,
    /// How often all connections were cut.
    cuts: usize,
}

impl Proxy {
    /// Leads from a port of loopback to a socket.
    pub async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, seen) = watch::channel(State { mode: Mode::Pass, cuts: 0 });
        tokio::spawn(accept(listener, socket, seen));
        Self { port, state }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, mut state: watch::Receiver<State>) {
    loop {
        let client = tokio::select! {
            accepted = listener.accept() => accepted.unwrap().0,
            ended = state.wait_for(|_| false) => {
                assert!(ended.is_err());
                return;
            }
        };
        if state.borrow().mode != Mode::Refuse {
            tokio::spawn(connect(client, socket.clone(), state.clone()));
        }
    }
}

async fn connect(client: TcpStream, socket: impl AsRef<Path>, state: watch::Receiver<State>) {
    let Ok(server) = UnixStream::connect(socket).await else { return };
    let cuts = state.borrow().cuts;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let both = async {
        tokio::join!(
            pass(from_client, to_server, state.clone(), &[Mode::Hold]),
            pass(from_server, to_client, state.clone(), &[Mode::Hold, Mode::HoldAnswers])
        )
    };
    let mut cut = state.clone();
    tokio::select! {
        _ = both => {}
        _ = cut.wait_for(|state| state.cuts != cuts) => {}
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
    held_by: &[Mode],
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let Ok(now) = state.wait_for(|state| !held_by.contains(&state.mode)).await.map(|state| *state) else {
            return;
        };
        if let Mode::Delay(time) = now.mode {
            tokio::time::sleep(time).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
