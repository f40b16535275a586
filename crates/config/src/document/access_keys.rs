//! `admin.accessKeys[]`.
use std::path::{Path, PathBuf};

use crate::file;
use crate::place::{Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{AccessKey, AccessKeySecret, Role};
use crate::suggest::did_you_mean;

/// What is shorter can be found by trying, or was not made by a machine.
const FEW_CHARACTERS: usize = 16;

/// An access key as it was written; its secret is in a file.
#[derive(Debug)]
pub(crate) struct WrittenAccessKey {
    id: Written<String>,
    secret_file: Written<PathBuf>,
    role: Role,
    name: Option<String>,
}

/// Reads `accessKeys`.
pub(super) fn read(admin: &mut Object<'_>, report: &mut Report) -> Vec<WrittenAccessKey> {
    let right = "a list of access keys, as [{accessKeyId: …, accessKeySecretFile: …, role: viewer}]";
    let items = admin.field("accessKeys").and_then(|field| field.list(right, report)).unwrap_or_default();
    let mut keys: Vec<WrittenAccessKey> = Vec::new();
    for field in &items {
        let Some(key) = read_key(field, report) else { continue };
        if let Some(first) = keys.iter().find(|first| first.id.value == key.id.value) {
            let message = format!("the access key is already declared {}", first.id.place.location);
            report.error(&key.id.place, message);
        }
        keys.push(key);
    }
    keys
}

fn read_key(field: &Field<'_>, report: &mut Report) -> Option<WrittenAccessKey> {
    let right = "an access key, with accessKeyId, accessKeySecretFile and role";
    let mut object = field.object(right, report)?;
    let id =
        object.required("accessKeyId", "the id of a key", report).and_then(|field| read_id(&field, report));
    let right = "the file that holds its secret";
    let secret_file = object.required("accessKeySecretFile", right, report);
    let secret_file = secret_file.and_then(|field| field.file_path(right, report));
    let role = object.required("role", ROLE, report).and_then(|field| read_role(&field, report));
    let name = object.field("name").and_then(|field| field.text("a name", report));
    object.finish(report);
    let name = name.map(|name| name.value.to_owned()).filter(|name| !name.is_empty());
    Some(WrittenAccessKey { id: id?, secret_file: secret_file?, role: role?, name })
}

const ROLE: &str = "viewer, editor or admin";

fn read_role(field: &Field<'_>, report: &mut Report) -> Option<Role> {
    let text = field.text(ROLE, report)?;
    let role = Role::from_name(text.value);
    if role.is_none() {
        let suggestion = did_you_mean(text.value, Role::ALL.map(|(name, _)| name));
        report.error(&text.place, format!("expected {ROLE}, found {}{suggestion}", quoted(text.value)));
    }
    role
}

/// An id is sent in a header, between commas.
fn read_id(field: &Field<'_>, report: &mut Report) -> Option<Written<String>> {
    let right = "an id of 1 to 128 letters, digits, -, _ and .";
    let Written { value: id, place } = field.text(right, report)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if id.is_empty() || id.len() > 128 || !id.bytes().all(fits) {
        report.error(&place, format!("expected {right}, found {}", quoted(id)));
        return None;
    }
    Some(Written { value: id.to_owned(), place })
}

impl WrittenAccessKey {
    /// Reads the secret. A line feed at its end does not belong to it.
    pub(crate) fn load(self, folder: &Path, report: &mut Report) -> Option<AccessKey> {
        let Self { id, secret_file: Written { value: file, place }, role, name } = self;
        let text = match file::text_of(&folder.join(file)) {
            Ok(text) => text,
            Err(problems) => {
                let why = problems.list.into_iter().next().map(|problem| problem.message);
                report.error(&place, why.unwrap_or_default());
                return None;
            }
        };
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            report.error(&place, "the file is empty; expected the secret of the access key");
            return None;
        }
        if secret.contains(char::is_whitespace) {
            report
                .error(&place, "the file has spaces or several lines; expected the secret and nothing else");
            return None;
        }
        if secret.len() < FEW_CHARACTERS {
            let message = format!("the secret has less than {FEW_CHARACTERS} characters and can be guessed");
            report.warning(&place, message);
        }
        let name = name.unwrap_or_else(|| id.value.clone());
        Some(AccessKey { id: id.value, secret: AccessKeySecret::new(secret.to_owned()), role, name })
    }
}
