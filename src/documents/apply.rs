//! Makes the gateway's documents what files say, and shows what that changes.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::gateway::{Gateway, Method};
use super::input::{self, Written};
use super::{Kind, check_is_one, output, path};
use crate::complain;
use crate::failure::Failure;
use crate::files;

/// Sends all documents as one change.
pub async fn apply(
    gateway: &Gateway,
    kind: Option<Kind>,
    paths: &[PathBuf],
    if_version: Option<u64>,
    dry_run: bool,
) -> Result<(), Failure> {
    let documents = input::read(paths, kind)?;
    check_is_one(if_version, documents.len())?;
    let mut told = Vec::new();
    let mut changes = Vec::new();
    for Written { kind, name, document, .. } in documents {
        let before = current(gateway, kind, &name).await?;
        let before_document = before.as_ref().and_then(|before| before.get("document"));
        let what = match before_document {
            None => "created",
            Some(before) if *before == document => "unchanged",
            Some(_) => "changed",
        };
        told.push(format!("{}/{name} {what}\n", kind.path()));
        if what != "unchanged" || if_version.is_some() {
            // Only in the version that is expected, or else that was looked at.
            let looked_at = before.as_ref().map_or(Some(0), |before| before.get("version")?.as_u64());
            let version = if_version.or(looked_at);
            let mut change = json!({"kind": kind.path(), "name": name, "document": document});
            if let (Some(version), Some(change)) =
                (version.filter(|_| kind != Kind::Trigger || if_version.is_some()), change.as_object_mut())
            {
                change.insert("version".to_owned(), version.into());
            }
            changes.push(change);
        }
    }
    if !changes.is_empty() {
        let body = json!({"changes": changes, "dryRun": dry_run});
        let applied = gateway.call(Method::POST, "/api/v1/apply", Some(&body)).await?;
        for warning in applied.get("warnings").and_then(Value::as_array).into_iter().flatten() {
            let text = |name| warning.get(name).and_then(Value::as_str).unwrap_or_default();
            complain(&format!("warning: {}: {}: {}\n", text("name"), text("field"), text("message")));
        }
    }
    if dry_run {
        told.push("nothing was changed: this was a dry run\n".to_owned());
    }
    files::print(told.concat().as_bytes())
}

/// Prints what applying would change; refused when that is anything.
pub async fn diff(gateway: &Gateway, kind: Option<Kind>, paths: &[PathBuf]) -> Result<(), Failure> {
    let mut differs = 0;
    for Written { kind, name, document, .. } in input::read(paths, kind)? {
        let before = current(gateway, kind, &name).await?;
        let before = before.as_ref().and_then(|before| before.get("document"));
        if before == Some(&document) {
            continue;
        }
        differs += 1;
        let yaml = |document: Option<&Value>| document.map(output::yaml).unwrap_or_default();
        let (before, now) = (yaml(before), yaml(Some(&document)));
        let text = format!("{}/{name}\n{}", kind.path(), output::difference(&before, &now));
        files::print(text.as_bytes())?;
    }
    match differs {
        0 => Ok(()),
        1 => Err(Failure::Refused("1 document differs".to_owned())),
        differs => Err(Failure::Refused(format!("{differs} documents differ"))),
    }
}

async fn current(gateway: &Gateway, kind: Kind, name: &str) -> Result<Option<Value>, Failure> {
    gateway.find(&path(kind, &[name])).await
}
