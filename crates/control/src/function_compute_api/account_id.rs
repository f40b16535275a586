//! `accountId` of every document: the original's are numbers of 16 digits, and tools expect one.

use aws_lc_rs::rand;

use crate::store::{CommitError, Condition, Store, StoreError, Write};

const KEY: &str = "meta/accountId";

/// Where nothing is stored.
const NONE: &str = "1000000000000000";

/// The id of this installation, which all its gateways tell.
pub(super) async fn of(store: Option<&Store>) -> Result<String, StoreError> {
    let Some(store) = store else { return Ok(NONE.to_owned()) };
    if let Some(record) = store.get(KEY).await? {
        return Ok(String::from_utf8_lossy(&record.value).into_owned());
    }
    let mut random = [0; 8];
    rand::fill(&mut random).map_err(|_| StoreError::Failed("no random numbers can be had".to_owned()))?;
    let id = format!("1{:015}", u64::from_be_bytes(random) % 1_000_000_000_000_000);
    let absent = [Condition::Absent { key: KEY.to_owned() }];
    let put = [Write::Put { key: KEY.to_owned(), value: id.clone().into_bytes(), expires_in: None }];
    match store.commit(&absent, &put).await {
        Ok(_) => Ok(id),
        Err(CommitError::Conflict { .. }) => match store.get(KEY).await? {
            Some(record) => Ok(String::from_utf8_lossy(&record.value).into_owned()),
            None => Err(StoreError::Failed(format!("the record '{KEY}' was deleted"))),
        },
        Err(CommitError::Unknown(why)) => Err(StoreError::Unreachable(why)),
        Err(CommitError::Store(error)) => Err(error),
    }
}
