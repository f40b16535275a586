//! Links with which a person without a password becomes an admin: those who start the gateway, or may run
//! its commands.

use std::time::Duration;

use claimgate_login::password::PasswordHash;

use super::{Role, UserError, Users, check_name, key, new, put};
use crate::sessions::{Token, hash};
use crate::store::{Condition, StoreError, Write};

/// How long a link can be used.
pub const LINK_LASTS: Duration = Duration::from_secs(24 * 60 * 60);

impl Users {
    /// The token of a new link. The store holds its hash alone.
    ///
    /// # Errors
    ///
    /// When it cannot be stored.
    pub async fn make_link(&self) -> Result<Token, UserError> {
        let token = Token::random()?;
        let key = link_key(token.reveal());
        let value = b"admin".to_vec();
        self.commit(&[], &[Write::Put { key, value, expires_in: Some(LINK_LASTS) }]).await?;
        Ok(token)
    }

    /// Whether a link can be used.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn is_link(&self, token: &str) -> Result<bool, StoreError> {
        Ok(self.store.get(&link_key(token)).await?.is_some())
    }

    /// Uses a link: makes an admin of this name, or makes the user of this name one, with this password.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub async fn use_link(&self, token: &str, name: &str, password: &PasswordHash) -> Result<(), UserError> {
        check_name(name)?;
        let link = self.store.get(&link_key(token)).await?.ok_or(UserError::Link)?;
        let unused = Condition::At { key: link.key.clone(), version: link.version };
        let user = match self.find(name).await? {
            Some(user) => user.unchanged(),
            None => Condition::Absent { key: key(name) },
        };
        let writes = [put(name, &new(Role::Admin, password)?), Write::Delete { key: link.key }];
        self.commit(&[unused, user], &writes).await
    }
}

fn link_key(token: &str) -> String {
    format!("sign-in-links/{}", hash(token))
}
