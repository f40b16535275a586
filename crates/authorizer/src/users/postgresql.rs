//! Users in PostgreSQL.
//!
//! The query is run inside another that makes JSON of its row, so that every type of the database
//! becomes the claim that PostgreSQL itself says it is: numbers exact, arrays, `jsonb`, times as text.

mod connections;
mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use claimgate_jose::json::{Object, Value};
use tokio::time::timeout;

use super::Candidate;
use claimgate_login::password::{Parameters, PasswordHash, PasswordHashError};
use connections::Connections;
pub(crate) use settings::PostgreSqlSettings;

/// The column of the hash; without it the first column is meant.
const HASH_COLUMN: &str = "password_hash";

/// Why nobody can log in now. The texts hold neither passwords nor what clients sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error("cannot read users.postgresql.passwordFile")]
    PasswordFile(#[source] std::io::Error),
    #[error("cannot connect to the database")]
    Connect(#[source] tokio_postgres::Error),
    #[error("the database does not take users.postgresql.query")]
    Query(#[source] tokio_postgres::Error),
    #[error("users.postgresql.query must have one parameter, $1, of a type for text")]
    Parameter,
    /// The message of such an error may quote the name that was looked for.
    #[error("the query of a user failed with SQLSTATE {0}; the database's log tells more")]
    Failed(String),
    #[error("the database closed the connection")]
    Closed,
    #[error("the database did not answer within users.postgresql.timeoutSeconds")]
    Timeout,
    #[error("the query found more than one row for a name")]
    SeveralRows,
    #[error("the query's columns must have names that differ, and at most {0} levels")]
    Row(usize),
}

/// Users in a database.
pub(crate) struct PostgreSql {
    settings: PostgreSqlSettings,
    max_memory_kib: u32,
    connections: Connections,
    nobody: Arc<PasswordHash>,
    warned: AtomicBool,
}

impl PostgreSql {
    /// Prepares everything but connections.
    pub(crate) fn new(settings: PostgreSqlSettings, max_memory_kib: u32) -> Result<Self, StartError> {
        let connections = Connections::new(&settings)?;
        let nobody = Arc::new(PasswordHash::of_nobody(settings.hash_parameters)?);
        Ok(Self { settings, max_memory_kib, connections, nobody, warned: AtomicBool::new(false) })
    }

    /// Connects, to see whether everything is right.
    pub(crate) async fn check(&self) -> Result<(), Unavailable> {
        self.in_time(self.connections.check()).await
    }

    pub(super) async fn find(&self, username: &str) -> Result<Candidate, Unavailable> {
        // The database's text knows no NUL, so nobody is called that.
        if username.contains('\0') {
            return Ok(self.candidate_nobody());
        }
        let rows = self.in_time(self.connections.query(username)).await?;
        match rows.as_slice() {
            [] => Ok(self.candidate_nobody()),
            [row] => self.candidate(username, row),
            _ => Err(Unavailable::SeveralRows),
        }
    }

    fn candidate(&self, username: &str, row: &str) -> Result<Candidate, Unavailable> {
        let (hash, fields) = split(row, username)?;
        match self.parse(hash) {
            Ok(hash) => Ok(Candidate { hash, fields: Some(Arc::new(fields)) }),
            Err(reason) => {
                tracing::error!(user = username, "the user cannot log in: {reason}");
                Ok(self.candidate_nobody())
            }
        }
    }

    fn parse(&self, hash: Option<Value>) -> Result<Arc<PasswordHash>, String> {
        let Some(Value::String(text)) = hash else {
            return Err("there is no text in the column of the hash".to_owned());
        };
        let hash = PasswordHash::parse_within(&text, self.max_memory_kib)
            .map_err(|error: PasswordHashError| error.to_string())?;
        self.compare(hash.parameters());
        Ok(Arc::new(hash))
    }

    fn compare(&self, found: Parameters) {
        let configured = self.settings.hash_parameters;
        if found != configured && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "a user's hash has the parameters {found} and users.postgresql.hashParameters are \
                 {configured}: the time that an answer takes tells which users exist"
            );
        }
    }

    fn candidate_nobody(&self) -> Candidate {
        Candidate { hash: Arc::clone(&self.nobody), fields: None }
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Unavailable>>) -> Result<T, Unavailable> {
        timeout(self.settings.timeout, work).await.unwrap_or(Err(Unavailable::Timeout))
    }
}

/// Why the database cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Certificates cannot be read or used.
    #[error("{0}")]
    Tls(String),
    /// The parameters of hashes contradict each other, or there is no randomness.
    #[error(transparent)]
    Hash(#[from] PasswordHashError),
}

/// The hash and the fields of a row; null columns are no fields.
fn split(row: &str, username: &str) -> Result<(Option<Value>, Object), Unavailable> {
    let row = match Value::parse(row.as_bytes()) {
        Ok(Value::Object(row)) => row,
        _ => return Err(Unavailable::Row(claimgate_jose::json::MAX_DEPTH)),
    };
    let first = row.iter().next().map(|(name, _)| name);
    let column = if row.get(HASH_COLUMN).is_some() { Some(HASH_COLUMN) } else { first };
    let mut fields = Object::new();
    fields.insert("username", username);
    for (name, value) in row.iter() {
        if Some(name) != column && *value != Value::Null {
            fields.insert(name, value.clone());
        }
    }
    Ok((column.and_then(|column| row.get(column)).cloned(), fields))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn the_hash_is_taken_out_of_the_row() {
        for (row, hash, right) in [
            (r#"{"password_hash":"h","name":"John"}"#, "h", r#"{"username":"snow","name":"John"}"#),
            (r#"{"name":"John","password_hash":"h"}"#, "h", r#"{"username":"snow","name":"John"}"#),
            (r#"{"secret":"h","id":7,"x":null}"#, "h", r#"{"username":"snow","id":7}"#),
            (r#"{"secret":"h","username":"SNOW"}"#, "h", r#"{"username":"SNOW"}"#),
        ] {
            let (found, fields) = split(row, "snow").unwrap();
            assert_eq!(found, Some(Value::from(hash)), "{row}");
            assert_eq!(fields.to_string(), right, "{row}");
        }
    }

    #[test]
    fn columns_of_one_name_are_refused() {
        assert!(matches!(split(r#"{"a":"h","b":1,"b":2}"#, "snow"), Err(Unavailable::Row(_))));
    }
}
