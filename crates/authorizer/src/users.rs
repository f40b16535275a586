//! Who may log in.

pub(crate) mod file;
pub(crate) mod postgresql;

use std::sync::Arc;

use claimgate_jose::json::Object;

use claimgate_login::password::PasswordHash;
use file::UsersFile;
use postgresql::{PostgreSql, Unavailable};

/// Where users are.
pub(crate) enum Users {
    File(UsersFile),
    PostgreSql(Box<PostgreSql>),
}

/// What a password is verified against, so that for an unknown user as much is done as for a known one.
pub(crate) struct Candidate {
    /// The user's hash, or one of nobody's password.
    pub(crate) hash: Arc<PasswordHash>,
    /// The fields of the user, `username` among them; `None` when there is no such user.
    pub(crate) fields: Option<Arc<Object>>,
}

impl Users {
    /// Looks for a user whose name has the same bytes, or is the same for the database.
    pub(crate) async fn find(&self, username: &str) -> Result<Candidate, Unavailable> {
        match self {
            Self::File(users) => Ok(users.find(username)),
            Self::PostgreSql(users) => users.find(username).await,
        }
    }
}
