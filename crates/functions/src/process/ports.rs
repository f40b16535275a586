//! Ports for instances.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Below the ports that systems give to outgoing connections, so that none is taken by chance between
/// the look at it and the process that listens on it.
const USUAL: Range<u16> = 20_000..32_768;

/// Ports that instances have, and those that they can get. All are tried in turn, so that a port that has
/// become free is left alone for long: a connection that is late must not reach another function.
#[derive(Debug)]
pub(super) struct Ports {
    range: Range<u16>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: u16,
    leased: HashSet<u16>,
}

/// A port that no other instance gets meanwhile.
#[derive(Debug)]
pub(super) struct Lease<'p> {
    ports: &'p Ports,
    port: u16,
}

impl Ports {
    pub(super) fn new() -> Self {
        let range = below_outgoing();
        let next = fastrand::u16(range.clone());
        Self { range, state: Mutex::new(State { next, leased: HashSet::new() }) }
    }

    /// A port that nobody listens on.
    pub(super) fn any(&self) -> Option<Lease<'_>> {
        for _ in self.range.clone() {
            let port = {
                let mut state = self.lock();
                let port = state.next;
                state.next = if port + 1 < self.range.end { port + 1 } else { self.range.start };
                port
            };
            if let Some(lease) = self.this(port) {
                return Some(lease);
            }
        }
        None
    }

    /// A port, if nobody listens on it.
    pub(super) fn this(&self, port: u16) -> Option<Lease<'_>> {
        if !self.lock().leased.insert(port) {
            return None;
        }
        let lease = Lease { ports: self, port };
        is_free(port).then_some(lease)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.ports.lock().leased.remove(&self.port);
    }
}

fn below_outgoing() -> Range<u16> {
    let outgoing = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    match outgoing.split_whitespace().next().and_then(|least| least.parse().ok()) {
        Some(least) if least > USUAL.start + 1000 => USUAL.start..USUAL.end.min(least),
        _ => USUAL,
    }
}

/// Whether nobody listens on a port, at any address of this machine.
fn is_free(port: u16) -> bool {
    let is_taken =
        |bound: io::Result<TcpListener>| bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse);
    !is_taken(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)))
        && !is_taken(TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn no_port_is_given_twice_or_while_somebody_listens() {
        let ports = Ports { range: 28_000..28_020, ..Ports::new() };
        ports.lock().next = 28_000;
        let first = ports.any().unwrap();
        let second = ports.any().unwrap();
        assert_ne!(first.port(), second.port());
        assert!(ports.this(first.port()).is_none());
        let port = first.port();
        drop(first);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(ports.this(port).is_none());
        drop(listener);
        assert!(ports.this(port).is_some());
        // Given back, so that it can be had again.
        assert!(ports.this(port).is_some());
    }

    #[test]
    fn a_port_that_was_given_back_comes_last() {
        let ports = Ports { range: 28_100..28_120, ..Ports::new() };
        ports.lock().next = 28_105;
        let first = ports.any().unwrap().port();
        for _ in 0..10 {
            assert_ne!(ports.any().unwrap().port(), first);
        }
    }
}
