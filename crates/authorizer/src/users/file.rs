//! Users in a file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use claimgate_config::Problems;
use claimgate_config::place::{Location, Place, quoted};
use claimgate_config::reader::Field;
use claimgate_config::report::Report;
use claimgate_jose::json::Object;

use super::Candidate;
use crate::claims::Claims;
use claimgate_login::password::{Parameters, PasswordHash};

/// Beyond it no name is looked for.
pub(crate) const MAX_USERNAME_BYTES: usize = 255;

/// Memory times iterations of the least that OWASP's cheat sheet on password storage recommends.
const LEAST_WORK: u64 = 7 * 1024 * 5;

/// The users of a file, as it was when it was last good.
pub(crate) struct UsersFile {
    path: PathBuf,
    max_memory_kib: u32,
    claims: Claims,
    table: ArcSwap<Table>,
}

struct Table {
    users: HashMap<String, (Arc<PasswordHash>, Arc<Object>)>,
    nobody: Arc<PasswordHash>,
}

impl UsersFile {
    /// Reads the file; gives it with its warnings.
    pub(crate) fn load(
        path: &Path,
        max_memory_kib: u32,
        claims: &Claims,
    ) -> Result<(Self, Problems), Problems> {
        let (table, warnings) = read(path, max_memory_kib, claims)?;
        let (path, claims) = (path.to_owned(), claims.clone());
        Ok((Self { path, max_memory_kib, claims, table: ArcSwap::from_pointee(table) }, warnings))
    }

    /// Reads the file again; when it is bad, everything stays as it is.
    pub(crate) fn reload(&self) -> Result<Problems, Problems> {
        let (table, warnings) = read(&self.path, self.max_memory_kib, &self.claims)?;
        self.table.store(Arc::new(table));
        Ok(warnings)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn find(&self, username: &str) -> Candidate {
        let table = self.table.load();
        match table.users.get(username) {
            Some((hash, fields)) => Candidate { hash: Arc::clone(hash), fields: Some(Arc::clone(fields)) },
            None => Candidate { hash: Arc::clone(&table.nobody), fields: None },
        }
    }
}

/// What is read of one user, and where it stands.
struct Written {
    username: String,
    hash: PasswordHash,
    fields: Object,
    place: Place,
}

fn read(path: &Path, max_memory_kib: u32, claims: &Claims) -> Result<(Table, Problems), Problems> {
    let fields = "an object with the field users, a list of users";
    claimgate_config::read_file(path, fields, |root, report| {
        let mut object = root.object(fields, report)?;
        let list = object.required("users", "a list of users", report);
        object.finish(report);
        let list = list?.list("a list of users", report)?;
        let users = list.iter().filter_map(|user| read_user(user, max_memory_kib, claims, report)).collect();
        table_of(users, &root.place, claims, report)
    })
}

fn read_user(
    field: &Field<'_>,
    max_memory_kib: u32,
    claims: &Claims,
    report: &mut Report,
) -> Option<Written> {
    let mut object = field.object("a user, with the fields username and passwordHash", report)?;
    let right = format!("a name of at most {MAX_USERNAME_BYTES} bytes");
    let username = object
        .required("username", &right, report)
        .and_then(|field| field.text(&right, report))
        .filter(|username| {
            let fits = (1..=MAX_USERNAME_BYTES).contains(&username.value.len());
            if !fits {
                report.error(&username.place, format!("expected {right} that is not empty"));
            }
            fits
        });
    let right = "an Argon2id hash, made by `claimgate authorizer hash`";
    let hash = object
        .required("passwordHash", right, report)
        .and_then(|field| field.secret(right, report))
        .and_then(|hash| read_hash(hash.value, &hash.place, max_memory_kib, report));
    if let Some(password) = object.field("password") {
        let message = "a password does not belong here; put its hash into passwordHash, made by `claimgate \
                       authorizer hash`";
        report.error(&password.place, message);
    }
    let place = object.place.clone();
    let username = username.map(|username| username.value.to_owned());
    let mut fields = Object::new();
    fields.insert("username", username.clone().unwrap_or_default());
    for (name, field) in object.rest() {
        if let Some(value) = field.json(report) {
            fields.insert(name, value);
        }
    }
    let (username, hash) = (username?, hash?);
    if claims.of(&fields).is_none() {
        let message = format!("the user {} has nothing that makes the claim sub", quoted(&username));
        report.error(&place, message);
    }
    Some(Written { username, hash, fields, place })
}

fn read_hash(text: &str, place: &Place, max_memory_kib: u32, report: &mut Report) -> Option<PasswordHash> {
    match PasswordHash::parse_within(text, max_memory_kib) {
        Ok(hash) => Some(hash),
        Err(error) => {
            report.error(place, error.to_string());
            None
        }
    }
}

fn table_of(users: Vec<Written>, root: &Place, claims: &Claims, report: &mut Report) -> Option<Table> {
    let usual = most_common(&users);
    warn_of_hashes(&users, usual, report);
    warn_of_unknown_fields(&users, root, claims, report);
    let mut first_places: HashMap<String, Location> = HashMap::new();
    let mut table = HashMap::with_capacity(users.len());
    for Written { username, hash, fields, place } in users {
        if let Some(first) = first_places.get(&username) {
            report.error(&place, format!("the user {} is already declared {first}", quoted(&username)));
            continue;
        }
        first_places.insert(username.clone(), place.location);
        table.insert(username, (Arc::new(hash), Arc::new(fields)));
    }
    match PasswordHash::of_nobody(usual) {
        Ok(nobody) => Some(Table { users: table, nobody: Arc::new(nobody) }),
        Err(error) => {
            report.error(root, error.to_string());
            None
        }
    }
}

/// The parameters of most users' hashes; the costlier ones when as many have others.
fn most_common(users: &[Written]) -> Parameters {
    let mut counts: HashMap<Parameters, usize> = HashMap::new();
    for user in users {
        *counts.entry(user.hash.parameters()).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(parameters, count)| (*count, parameters.work(), *parameters));
    most.map(|(parameters, _)| parameters).unwrap_or_default()
}

fn warn_of_hashes(users: &[Written], usual: Parameters, report: &mut Report) {
    let mut others = users.iter().filter(|user| user.hash.parameters() != usual);
    if let Some(first) = others.next() {
        let message = format!(
            "the hashes of this user and of {} more have other parameters than {usual}, which most have: the \
             time that an answer takes tells that these users exist",
            others.count()
        );
        report.warning(&first.place, message);
    }
    let mut weak = users.iter().filter(|user| user.hash.parameters().work() < LEAST_WORK);
    if let Some(first) = weak.next() {
        let message = format!(
            "the hashes of this user and of {} more take less work ({}) than OWASP recommends ({})",
            weak.count(),
            first.hash.parameters(),
            Parameters::default()
        );
        report.warning(&first.place, message);
    }
}

fn warn_of_unknown_fields(users: &[Written], root: &Place, claims: &Claims, report: &mut Report) {
    if users.is_empty() {
        report.warning(root, "there are no users, so nobody can log in");
        return;
    }
    for field in claims.fields() {
        if users.iter().all(|user| user.fields.get(field).is_none()) {
            report.warning(root, format!("claims use the field {}, which no user has", quoted(field)));
        }
    }
}

#[cfg(test)]
mod tests;
