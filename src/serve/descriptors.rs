//! How many files and connections the process may have open, and who gets how many of them.

use rustix::process::{Resource, getrlimit, setrlimit};

/// What the process needs besides connections: listeners, logs, the store, files that are read, issuers.
const OWN: usize = 64;

/// How many connections each listener may have open, so that neither takes the files of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// Those of the data plane, each of which may need one to a function.
    pub data_plane: usize,
    /// Those of the admin listener.
    pub admin: usize,
}

/// Raises the limit of this process as far as it may by itself, and divides it. Shells leave 1024, for the sake of
/// programs that wait with `select`. The share of the data plane is all that is left, since its limit may be raised
/// later. Warns when a share is smaller than was asked for.
pub fn share(wanted: Shares) -> Shares {
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
    let Some(open_files) = limits.current else { return Shares { data_plane: usize::MAX, ..wanted } };
    let given = divide(open_files, wanted.admin);
    if given.data_plane < wanted.data_plane || given.admin < wanted.admin {
        tracing::warn!(
            open_files,
            connections = given.data_plane,
            admin_connections = given.admin,
            "the process may open fewer files than it needs: two for each of limits.connections, one for each of \
             admin.limits.connections; only so many connections are taken. Raise LimitNOFILE (ulimit -n), or lower \
             the limits"
        );
    }
    given
}

fn divide(open_files: u64, admin: usize) -> Shares {
    let files = usize::try_from(open_files).unwrap_or(usize::MAX).saturating_sub(OWN);
    let given = admin.min(files / 4);
    Shares { data_plane: ((files - given) / 2).max(1), admin: given.max(admin.min(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_listeners_and_the_process_itself_fit() {
        for open_files in [256, 1024, 4096, 65_536, 1 << 20] {
            for admin in [0, 1, 256, 10_000] {
                let given = divide(open_files, admin);
                let files = (2 * given.data_plane + given.admin + OWN) as u64;
                assert!((open_files - 1..=open_files).contains(&files), "{open_files} {admin} {given:?}");
                assert!(given.admin == admin || given.admin == (open_files as usize - OWN) / 4);
            }
        }
        assert_eq!(divide(1024, 256), Shares { data_plane: 360, admin: 240 });
        assert_eq!(divide(10, 256), Shares { data_plane: 1, admin: 1 });
    }
}
