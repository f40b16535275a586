//! The console's users, as records of the store.

mod links;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use claimgate_login::password::{Password, PasswordHash, PasswordHashError};
use serde::{Deserialize, Serialize};

pub use claimgate_config::snapshot::Role;
pub use links::LINK_LASTS;

use crate::sessions::Token;
use crate::store::{CommitError, Condition, Record, Store, StoreError, Write};

/// Beginning of the keys of users.
const USERS: &str = "users/";
const LONGEST_NAME: usize = 64;
const SHORTEST_PASSWORD: usize = 12;
const LONGEST_PASSWORD: usize = 1024;

/// A user of the console.
#[derive(Debug, Clone)]
pub struct User {
    /// By which the user signs in.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// When the user was added.
    pub created: SystemTime,
    /// Differs from password to password, so that sessions end when it is reset.
    pub(crate) credential: String,
    /// The Argon2id hash, as PHC string.
    pub(crate) password: String,
    version: u64,
}

#[cfg(test)]
impl User {
    pub(crate) fn for_test(name: &str, role: Role, password: &str) -> Self {
        let (name, password) = (name.to_owned(), password.to_owned());
        Self { name, role, created: UNIX_EPOCH, credential: String::new(), password, version: 1 }
    }
}

/// The users of a store.
#[derive(Debug, Clone)]
pub struct Users {
    store: Store,
}

/// Why users stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The name cannot be used.
    #[error("a name has 1 to {LONGEST_NAME} characters: letters, digits and . _ - @")]
    Name,
    /// The password cannot be used.
    #[error("a password has at least {SHORTEST_PASSWORD} characters, and at most {LONGEST_PASSWORD} bytes")]
    Password,
    /// There is one of this name.
    #[error("there is a user {0} already")]
    Exists(String),
    /// There is none of this name.
    #[error("there is no user {0}")]
    NotFound(String),
    /// Nobody could change anything afterwards.
    #[error("{0} is the only admin; make another user admin first")]
    LastAdmin(String),
    /// The link cannot be used.
    #[error(
        "this link was used already, or is older than 24 hours; `claimgate user sign-in-link` prints a new one"
    )]
    Link,
    /// Somebody else changed the same.
    #[error("somebody else changed this user at the same moment; look again")]
    Busy,
    /// No hash can be computed.
    #[error(transparent)]
    Hash(#[from] PasswordHashError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a user's record holds.
#[derive(Serialize, Deserialize)]
struct Value {
    /// `viewer` or `editor`, which are all that versions before the role `admin` know.
    role: String,
    /// Whether an editor is an admin. Versions before the role `admin` leave it out: their editors could manage
    /// users, so they are admins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    admin: Option<bool>,
    password: String,
    credential: String,
    /// Milliseconds since the Unix epoch.
    created: u64,
}

impl Users {
    /// The users of this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The user of a name.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn find(&self, name: &str) -> Result<Option<User>, StoreError> {
        if check_name(name).is_err() {
            return Ok(None);
        }
        self.store.get(&key(name)).await?.as_ref().map(parse).transpose()
    }

    /// All users, by name.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn list(&self) -> Result<Vec<User>, StoreError> {
        self.store.list(USERS).await?.records.iter().map(parse).collect()
    }

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub async fn add(&self, name: &str, role: Role, password: &PasswordHash) -> Result<(), UserError> {
        check_name(name)?;
        let absent = Condition::Absent { key: key(name) };
        let put = put(name, &new(role, password)?);
        self.commit(&[absent], &[put]).await.map_err(|error| match error {
            UserError::Busy => UserError::Exists(name.to_owned()),
            error => error,
        })
    }

    /// Gives a user another password, which ends the user's sessions.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub async fn set_password(&self, name: &str, password: &PasswordHash) -> Result<(), UserError> {
        let user = self.existing(name).await?;
        let value = Value { created: milliseconds(user.created), ..new(user.role, password)? };
        self.commit(&[user.unchanged()], &[put(name, &value)]).await
    }

    /// Gives a user another role.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub async fn set_role(&self, name: &str, role: Role) -> Result<(), UserError> {
        let user = self.existing(name).await?;
        let mut conditions = vec![user.unchanged()];
        if role != Role::Admin {
            conditions.extend(self.another_admin(&user).await?);
        }
        let created = milliseconds(user.created);
        let (role, admin) = written(role);
        let value = Value { role, admin, password: user.password, credential: user.credential, created };
        self.commit(&conditions, &[put(name, &value)]).await
    }

    /// Deletes a user.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub async fn delete(&self, name: &str) -> Result<(), UserError> {
        let user = self.existing(name).await?;
        let mut conditions = vec![user.unchanged()];
        conditions.extend(self.another_admin(&user).await?);
        self.commit(&conditions, &[Write::Delete { key: key(name) }]).await
    }

    async fn existing(&self, name: &str) -> Result<User, UserError> {
        self.find(name).await?.ok_or_else(|| UserError::NotFound(name.to_owned()))
    }

    /// That an admin remains when this user is no longer one: as a condition, so that two admins cannot remove
    /// each other.
    async fn another_admin(&self, user: &User) -> Result<Option<Condition>, UserError> {
        if user.role != Role::Admin {
            return Ok(None);
        }
        let others = self.list().await?;
        let another = others.iter().find(|other| other.role == Role::Admin && other.name != user.name);
        match another {
            Some(another) => Ok(Some(another.unchanged())),
            None => Err(UserError::LastAdmin(user.name.clone())),
        }
    }

    async fn commit(&self, conditions: &[Condition], writes: &[Write]) -> Result<(), UserError> {
        match self.store.commit(conditions, writes).await {
            Ok(_) => Ok(()),
            Err(CommitError::Conflict { .. }) => Err(UserError::Busy),
            Err(CommitError::Unknown(why)) => Err(StoreError::Unreachable(why).into()),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}

impl User {
    fn unchanged(&self) -> Condition {
        Condition::At { key: key(&self.name), version: self.version }
    }
}

/// Checks a password that is chosen.
///
/// # Errors
///
/// [`UserError::Password`].
pub fn check_password(password: &Password) -> Result<(), UserError> {
    let bytes = password.as_bytes();
    let characters = std::str::from_utf8(bytes).map_or(0, |text| text.chars().count());
    if characters < SHORTEST_PASSWORD || bytes.len() > LONGEST_PASSWORD {
        return Err(UserError::Password);
    }
    Ok(())
}

/// Checks the name of a user.
///
/// # Errors
///
/// [`UserError::Name`].
pub fn check_name(name: &str) -> Result<(), UserError> {
    let is_good = |character: char| character.is_alphanumeric() || "._-@".contains(character);
    let length = name.chars().count();
    if length == 0 || length > LONGEST_NAME || !name.chars().all(is_good) {
        return Err(UserError::Name);
    }
    Ok(())
}

fn key(name: &str) -> String {
    format!("{USERS}{name}")
}

fn new(role: Role, password: &PasswordHash) -> Result<Value, UserError> {
    let credential = Token::random()?.reveal().to_owned();
    let (role, admin) = written(role);
    Ok(Value {
        role,
        admin,
        password: password.to_phc()?,
        credential,
        created: milliseconds(SystemTime::now()),
    })
}

/// A role as records have it.
fn written(role: Role) -> (String, Option<bool>) {
    match role {
        Role::Viewer => (Role::Viewer.name().to_owned(), None),
        Role::Editor | Role::Admin => (Role::Editor.name().to_owned(), Some(role == Role::Admin)),
    }
}

fn put(name: &str, value: &Value) -> Write {
    // A structure of strings and numbers can always be written.
    let value = serde_json::to_vec(value).unwrap_or_default();
    Write::Put { key: key(name), value, expires_in: None }
}

fn parse(record: &Record) -> Result<User, StoreError> {
    let name = record.key.strip_prefix(USERS).unwrap_or_default().to_owned();
    let value: Value = serde_json::from_slice(&record.value)
        .map_err(|error| StoreError::Failed(format!("the record of user {name} cannot be read: {error}")))?;
    Ok(User {
        name,
        role: match (Role::from_name(&value.role), value.admin) {
            (Some(Role::Editor), None | Some(true)) => Role::Admin,
            (Some(role), _) => role,
            // A role that only a later version knows may change nothing here.
            (None, _) => Role::Viewer,
        },
        created: UNIX_EPOCH + Duration::from_millis(value.created),
        credential: value.credential,
        password: value.password,
        version: record.version,
    })
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(value: &str) -> Role {
        let value = value.as_bytes().to_vec();
        parse(&Record { key: "users/ann".to_owned(), value, version: 1 }).unwrap().role
    }

    #[test]
    fn editors_of_versions_without_admins_are_admins() {
        let record = |role: &str| format!(r#"{{"role":"{role}","password":"","credential":"","created":0}}"#);
        assert_eq!(read(&record("editor")), Role::Admin);
        assert_eq!(read(&record("viewer")), Role::Viewer);
        assert_eq!(read(&record("of-a-later-version")), Role::Viewer);
    }

    #[test]
    fn every_role_is_read_as_it_was_written_and_known_to_versions_without_admins() {
        for (name, role) in Role::ALL {
            let (written, admin) = written(role);
            assert!(["viewer", "editor"].contains(&written.as_str()), "{name}");
            let value = Value {
                role: written,
                admin,
                password: String::new(),
                credential: String::new(),
                created: 0,
            };
            assert_eq!(read(&serde_json::to_string(&value).unwrap()), role, "{name}");
        }
    }
}
