//! What is read from a database and written to it.

use std::time::{Duration, SystemTime};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result, Row, TransactionBehavior, params};

use super::super::keys;
use super::{Condition, Listing, Record, Write};

/// For how many commits it is remembered that a record was removed.
const REMEMBERED: u64 = 1000;

/// Each key that changed with its record, or `None` where that is gone.
pub(super) type Changes = Vec<(String, Option<Record>)>;

pub(super) fn get(connection: &Connection, key: &str) -> Result<Option<Record>> {
    connection
        .query_row(
            "SELECT key, value, revision FROM records
             WHERE key = ?1 AND value IS NOT NULL AND (expires IS NULL OR expires > ?2)",
            params![key, now()],
            record,
        )
        .optional()
}

pub(super) fn list(
    connection: &mut Connection,
    prefix: &str,
    after_key: Option<&str>,
    limit: Option<usize>,
) -> Result<Listing> {
    let transaction = connection.transaction()?;
    let revision = state(&transaction)?.revision;
    let limit = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let records = transaction
        .prepare(
            "SELECT key, value, revision FROM records
             WHERE key >= ?1 AND key < ?2 AND key > ?3
               AND value IS NOT NULL AND (expires IS NULL OR expires > ?4)
             ORDER BY key LIMIT ?5",
        )?
        .query_map(params![prefix, end(prefix), after_key.unwrap_or_default(), now(), limit], record)?
        .collect::<Result<_>>()?;
    Ok(Listing { records, revision })
}

/// What changed after a revision, and the revision that this is the state of; `None` when that cannot be
/// told any more.
pub(super) fn changes(
    connection: &mut Connection,
    prefix: &str,
    after: u64,
) -> Result<Option<(u64, Changes)>> {
    let transaction = connection.transaction()?;
    let State { revision, forgotten } = state(&transaction)?;
    if after < forgotten || after > revision {
        return Ok(None);
    }
    let changed = transaction
        .prepare(
            "SELECT key, CASE WHEN expires <= ?4 THEN NULL ELSE value END, revision FROM records
             WHERE revision > ?3 AND key >= ?1 AND key < ?2
             ORDER BY revision, key",
        )?
        .query_map(params![prefix, end(prefix), after.cast_signed(), now()], |row| {
            let is_there = row.get_ref(1)? != rusqlite::types::ValueRef::Null;
            Ok((row.get(0)?, is_there.then(|| record(row)).transpose()?))
        })?
        .collect::<Result<_>>()?;
    Ok(Some((revision, changed)))
}

/// Writes all, when all conditions hold, and gives the revision; else the key of one that does not.
pub(super) fn commit(
    connection: &mut Connection,
    conditions: &[Condition],
    writes: &[Write],
) -> Result<std::result::Result<u64, String>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for condition in conditions {
        let found = get(&transaction, condition.key())?.map(|record| record.version);
        let holds = match condition {
            Condition::Absent { .. } => found.is_none(),
            Condition::At { version, .. } => found == Some(*version),
        };
        if !holds {
            return Ok(Err(condition.key().to_owned()));
        }
    }
    let revision = state(&transaction)?.revision + 1;
    let mut changed = 0;
    for write in writes {
        changed += match write {
            Write::Put { key, value, expires_in } => transaction.execute(
                "INSERT INTO records (key, value, revision, expires) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (key) DO UPDATE SET value = ?2, revision = ?3, expires = ?4",
                params![
                    key,
                    value,
                    revision.cast_signed(),
                    expires_in.map(|time| now() + milliseconds(time))
                ],
            )?,
            Write::Delete { key } => transaction.execute(
                "UPDATE records SET value = NULL, expires = NULL, revision = ?2
                 WHERE key = ?1 AND value IS NOT NULL",
                params![key, revision.cast_signed()],
            )?,
        };
    }
    if changed == 0 {
        return Ok(Ok(revision - 1));
    }
    transaction.execute("UPDATE state SET revision = ?1", [revision.cast_signed()])?;
    transaction.commit()?;
    Ok(Ok(revision))
}

/// Removes what has expired, and forgets what was removed long ago. Gives whether anything expired.
pub(super) fn purge(connection: &mut Connection) -> Result<bool> {
    let due = "SELECT EXISTS (SELECT 1 FROM records WHERE expires <= ?1)
                   OR EXISTS (SELECT 1 FROM records WHERE value IS NULL AND revision <= ?2)";
    let old = |state: &State| state.revision.saturating_sub(REMEMBERED).cast_signed();
    let is_due = params![now(), old(&state(connection)?)];
    if !connection.query_row(due, is_due, |row| row.get::<_, bool>(0))? {
        return Ok(false);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = state(&transaction)?;
    let revision = (before.revision + 1).cast_signed();
    let expired = transaction.execute(
        "UPDATE records SET value = NULL, expires = NULL, revision = ?2 WHERE expires <= ?1",
        params![now(), revision],
    )?;
    if expired > 0 {
        transaction.execute("UPDATE state SET revision = ?1", [revision])?;
    }
    let forget = "DELETE FROM records WHERE value IS NULL AND revision <= ?1";
    if transaction.execute(forget, [old(&before)])? > 0 {
        transaction.execute("UPDATE state SET forgotten = ?1", [old(&before)])?;
    }
    transaction.commit()?;
    Ok(expired > 0)
}

/// Writes the database anew without what was removed. False when its log could not be emptied.
pub(super) fn erase_removed(connection: &mut Connection) -> Result<bool> {
    connection.execute_batch("VACUUM")?;
    let is_busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))?;
    Ok(!is_busy)
}

struct State {
    revision: u64,
    forgotten: u64,
}

fn state(connection: &Connection) -> Result<State> {
    connection.query_row("SELECT revision, forgotten FROM state", [], |row| {
        let number = |index| row.get::<_, i64>(index).map(i64::cast_unsigned);
        Ok(State { revision: number(0)?, forgotten: number(1)? })
    })
}

fn record(row: &Row<'_>) -> Result<Record> {
    let version = row.get::<_, i64>(2)?.cast_unsigned();
    Ok(Record { key: row.get(0)?, value: row.get(1)?, version })
}

/// What keys with a prefix are less than. Every text is less than a blob.
fn end(prefix: &str) -> Value {
    keys::end_of(prefix).map_or_else(|| Value::Blob(Vec::new()), Value::Text)
}

fn now() -> i64 {
    milliseconds(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

fn milliseconds(time: Duration) -> i64 {
    // A limit far beyond any date that keeps sums in range.
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 2)
}
