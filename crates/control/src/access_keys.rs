//! Access keys that are stored: an id, a secret that requests are signed with, and what its holder may do.
//! Others are declared in the configuration file (`admin.accessKeys`).

use std::time::SystemTime;

use aws_lc_rs::rand;
use claimgate_config::snapshot::Role;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::acs3;
use crate::store::{CommitError, Condition, Record, Store, StoreError, Write};

const PREFIX: &str = "accessKeys/";

/// An access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessKey {
    /// What requests name it by.
    pub access_key_id: String,
    /// What it is called where changes are told; its id when it was given no name.
    pub name: String,
    /// `viewer`, `editor` or `admin`.
    pub role: String,
    /// Whether requests that are signed with it are refused.
    pub disabled: bool,
    /// When it was made, as RFC 3339 writes it.
    pub created_time: String,
}

/// An access key that was just made. Its secret is shown this once.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAccessKey {
    /// What requests name it by.
    pub access_key_id: String,
    /// What requests are signed with.
    pub access_key_secret: Zeroizing<String>,
}

/// What a request that names a key is judged by.
pub(crate) struct Credential {
    pub secret: Zeroizing<String>,
    pub role: Role,
    pub name: String,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AccessKeyError {
    /// There is no such key in the store.
    #[error("there is no access key '{0}' in the store")]
    NotFound(String),
    /// Somebody else changed it.
    #[error("the access key was changed by somebody else meanwhile; try again")]
    Changed,
    /// The system gives no random numbers.
    #[error("no random numbers can be had from the system")]
    NoRandomness,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Value {
    access_key_secret: Zeroizing<String>,
    name: String,
    role: String,
    disabled: bool,
    created_time: String,
}

/// Makes a key.
///
/// # Errors
///
/// When it cannot be stored.
pub async fn create(store: &Store, name: Option<&str>, role: Role) -> Result<NewAccessKey, AccessKeyError> {
    let (id, secret) = (random::<10>()?, Zeroizing::new(random::<32>()?));
    let id = format!("CG{id}");
    let name = name.filter(|name| !name.is_empty()).unwrap_or(&id).to_owned();
    let created_time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let role = role.name().to_owned();
    let value = Value { access_key_secret: secret.clone(), name, role, disabled: false, created_time };
    commit(store, Condition::Absent { key: key_of(&id) }, put(&id, &value)?).await?;
    Ok(NewAccessKey { access_key_id: id, access_key_secret: secret })
}

/// All keys, by id.
///
/// # Errors
///
/// When the store cannot be read.
pub async fn list(store: &Store) -> Result<Vec<AccessKey>, AccessKeyError> {
    let records = store.list(PREFIX).await?.records;
    let read = |record: Record| {
        let Value { name, role, disabled, created_time, .. } = parse(&record)?;
        let access_key_id = record.key.strip_prefix(PREFIX).unwrap_or_default().to_owned();
        Ok(AccessKey { access_key_id, name, role, disabled, created_time })
    };
    records.into_iter().map(read).collect()
}

/// Has requests that are signed with a key refused from now on, or taken again.
///
/// # Errors
///
/// When there is no such key, or the store cannot be written.
pub async fn set_disabled(store: &Store, id: &str, disabled: bool) -> Result<(), AccessKeyError> {
    let record = find(store, id).await?;
    let value = Value { disabled, ..parse(&record)? };
    commit(store, Condition::At { version: record.version, key: record.key }, put(id, &value)?).await
}

/// Deletes a key for good.
///
/// # Errors
///
/// When there is no such key, or the store cannot be written.
pub async fn delete(store: &Store, id: &str) -> Result<(), AccessKeyError> {
    let Record { key, version, .. } = find(store, id).await?;
    commit(store, Condition::At { key: key.clone(), version }, Write::Delete { key }).await
}

/// What requests that name this key are judged by; `None` when there is none that counts.
pub(crate) async fn credential(store: &Store, id: &str) -> Result<Option<Credential>, StoreError> {
    if !is_id(id) {
        return Ok(None);
    }
    let Some(record) = store.get(&key_of(id)).await? else { return Ok(None) };
    let value = parse(&record)?;
    // What a later version may have written gives no rights here.
    let role = Role::from_name(&value.role).filter(|_| !value.disabled);
    Ok(role.map(|role| Credential { secret: value.access_key_secret, role, name: value.name }))
}

async fn find(store: &Store, id: &str) -> Result<Record, AccessKeyError> {
    let record = if is_id(id) { store.get(&key_of(id)).await? } else { None };
    record.ok_or_else(|| AccessKeyError::NotFound(id.to_owned()))
}

async fn commit(store: &Store, condition: Condition, write: Write) -> Result<(), AccessKeyError> {
    match store.commit(&[condition], &[write]).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict { .. }) => Err(AccessKeyError::Changed),
        Err(CommitError::Unknown(why)) => Err(StoreError::Unreachable(why).into()),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

fn key_of(id: &str) -> String {
    format!("{PREFIX}{id}")
}

fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn put(id: &str, value: &Value) -> Result<Write, StoreError> {
    let value = serde_json::to_vec(value).map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(Write::Put { key: key_of(id), value, expires_in: None })
}

fn parse(record: &Record) -> Result<Value, StoreError> {
    serde_json::from_slice(&record.value).map_err(|_| {
        StoreError::Failed(format!("the record '{}' cannot be read by this version", record.key))
    })
}

fn random<const BYTES: usize>() -> Result<String, AccessKeyError> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    rand::fill(bytes.as_mut()).map_err(|_| AccessKeyError::NoRandomness)?;
    Ok(acs3::hex(bytes.as_ref()))
}
