//! `control`: what may be stored.
use std::path::PathBuf;

/// What users and access keys may store through API and console. The configuration file itself is not bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    /// Whether functions may be processes.
    pub processes: bool,
    /// The users, by name or number, that processes may run as.
    pub users: Vec<String>,
    /// Unix sockets that functions may be at, and folders of such sockets.
    pub unix_sockets: Vec<PathBuf>,
    /// Whether functions may be at link-local addresses and those of metadata services of clouds.
    pub link_local_addresses: bool,
}
