//! The user that a process runs as.

use std::fs;

use claimgate_config::snapshot::{Function, FunctionTarget};

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: String,
}

/// Why no process can run as a user.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The list of users cannot be read.
    #[error("cannot look up the user {user} in {PASSWD}: {error}")]
    Unreadable {
        /// As it is written in the configuration.
        user: String,
        /// Why not.
        error: std::io::Error,
    },
    /// No user has this name or number.
    #[error("there is no user {0} in {PASSWD}")]
    Unknown(String),
    /// The gateway is neither root nor this user.
    #[error(
        "only root can run processes as {user}; start the gateway as root, or as {user} itself, or leave user out"
    )]
    NeedsRoot {
        /// As it is written in the configuration.
        user: String,
    },
}

/// Users of the machine itself. Those of a directory service are not looked up.
const PASSWD: &str = "/etc/passwd";

/// Whether a function can run on this machine: whether its processes' user is there, and can be.
///
/// # Errors
/// Why not.
pub fn can_run(function: &Function) -> Result<(), String> {
    match &function.target {
        FunctionTarget::Process(settings) => {
            let user = settings.user.as_deref().map(User::may_run_as).transpose();
            user.map(drop).map_err(|error| format!("process.user: {error}"))
        }
        _ => Ok(()),
    }
}

impl User {
    /// Looks a user up by name or number, and makes sure that processes can run as it.
    pub(super) fn may_run_as(user: &str) -> Result<Self, UserError> {
        let users = fs::read_to_string(PASSWD)
            .map_err(|error| UserError::Unreadable { user: user.to_owned(), error })?;
        let found = Self::find(user, &users).ok_or_else(|| UserError::Unknown(user.to_owned()))?;
        let gateway = rustix::process::geteuid();
        if gateway.is_root() || gateway.as_raw() == found.uid {
            Ok(found)
        } else {
            Err(UserError::NeedsRoot { user: user.to_owned() })
        }
    }

    /// A user in lines of passwd(5); the first whose name or number it is.
    fn find(user: &str, lines: &str) -> Option<Self> {
        lines.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, _password, uid, gid) =
                (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
            let (_comment, home) = (fields.next()?, fields.next()?);
            (name == user || uid == user).then_some(())?;
            let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
            Some(Self { name: name.to_owned(), uid, gid, home: home.to_owned() })
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const LINES: &str = "root:x:0:0:root:/root:/bin/sh\n\
        broken\n\
        www-data:x:33:34:www-data:/var/www:/usr/sbin/nologin\n";

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        let found = User::find("www-data", LINES).unwrap();
        assert_eq!((found.uid, found.gid, found.home.as_str()), (33, 34, "/var/www"));
        assert_eq!(User::find("33", LINES).unwrap(), found);
        for unknown in ["", "www", "34", "x", "broken", "-1"] {
            assert_eq!(User::find(unknown, LINES), None, "{unknown}");
        }
    }

    #[test]
    fn an_unknown_user_is_an_error_that_names_it() {
        let error = User::may_run_as("nobody-of-that-name").unwrap_err();
        assert_eq!(error.to_string(), "there is no user nobody-of-that-name in /etc/passwd");
    }
}
