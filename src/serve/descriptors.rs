//! How many files and connections the process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit of this process as far as it may by itself, and warns when that does not do for so many
/// connections of clients, each of which may need one to a function. Shells leave 1024, for the sake of
/// programs that wait with `select`.
pub fn raise(connections: usize) {
    let mut limits = getrlimit(Resource::Nofile);
    if limits.current != limits.maximum {
        let before = limits.current;
        limits.current = limits.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limits) {
            tracing::debug!(error = &error as &dyn std::error::Error, "cannot open more files than before");
            limits.current = before;
        }
    }
    // Nothing there means that there is no limit.
    if let Some(open_files) = limits.current
        && open_files / 2 < connections as u64
    {
        tracing::warn!(
            open_files,
            connections,
            "the process may open fewer files than limits.connections needs, one for a client and one for a \
             function; raise LimitNOFILE (ulimit -n), or lower limits.connections"
        );
    }
}
