//! Functions are created, modified and deleted: as the JSON of their document, judged like the API's.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use claimgate_config::{DocumentKind, DocumentProblem, UnknownFields};

use super::super::layout::{Layout, Section};
use super::super::signed_in::Posted;
use super::super::{Console, SignedIn, page};
use super::{absent, pretty};
use crate::catalog::{ApplyError, Change, Document, Expected};
use crate::secrets;

/// What a new function begins with.
const EXAMPLE: &str = r#"{
  "functionName": "orders",
  "url": "http://127.0.0.1:9000"
}"#;

#[derive(Template)]
#[template(path = "functions/modify.html")]
struct FormPage {
    layout: Layout,
    /// Empty for a function that is created.
    name: String,
    version: String,
    json: String,
    problems: Vec<String>,
    /// The document of somebody else, who was faster.
    current: Option<String>,
}

pub async fn create(user: SignedIn) -> Response {
    page::html(&FormPage::new(&user, "", "", EXAMPLE.to_owned()))
}

pub async fn modify(State(console): State<Console>, user: SignedIn, Path(name): Path<String>) -> Response {
    match console.catalog().find(DocumentKind::Function, &name) {
        None => absent(user, &name),
        Some(document) => {
            let (version, json) = shown(&document, &user);
            page::html(&FormPage::new(&user, &name, &version, json))
        }
    }
}

pub async fn save(State(console): State<Console>, posted: Posted) -> Response {
    let Posted { user, fields } = match posted.by_editor() {
        Ok(posted) => posted,
        Err(refusal) => return refusal,
    };
    let (version, json) = (fields.text("version"), fields.text("document").to_owned());
    let is_new = fields.text("name").is_empty();
    let name = if is_new { name_in(&json) } else { fields.text("name").to_owned() };
    let expected = match version.parse() {
        Ok(version) if !is_new => Expected::Version(version),
        _ => Expected::Absent,
    };
    let change = Change {
        kind: DocumentKind::Function,
        name: name.clone(),
        expected,
        document: Some(json.clone()),
        unknown_fields: UnknownFields::Refused,
    };
    match console.catalog().apply(vec![change], &user.name).await {
        Ok(_) => Redirect::to(&format!("/console/functions/{name}")).into_response(),
        Err(error) => {
            let shown_name = if is_new { "" } else { name.as_str() };
            let mut form = FormPage::new(&user, shown_name, version, json);
            form.explain(error, &user);
            (StatusCode::UNPROCESSABLE_ENTITY, page::html(&form)).into_response()
        }
    }
}

pub async fn delete(State(console): State<Console>, Path(name): Path<String>, posted: Posted) -> Response {
    let Posted { user, fields } = match posted.by_editor() {
        Ok(posted) => posted,
        Err(refusal) => return refusal,
    };
    let expected = fields.text("version").parse().map_or(Expected::Present, Expected::Version);
    let unknown_fields = UnknownFields::Refused;
    let change = Change { kind: DocumentKind::Function, name, expected, document: None, unknown_fields };
    match console.catalog().apply(vec![change], &user.name).await {
        Ok(_) => Redirect::to("/console/functions").into_response(),
        Err(error) => {
            page::error(StatusCode::CONFLICT, Some(user), &format!("Nothing was deleted: {error}."))
        }
    }
}

impl FormPage {
    fn new(user: &SignedIn, name: &str, version: &str, json: String) -> Self {
        let title =
            if name.is_empty() { "Create Function".to_owned() } else { format!("Modify Function {name}") };
        Self {
            layout: Layout::new(title, Section::Functions, user),
            name: name.to_owned(),
            version: version.to_owned(),
            json,
            problems: Vec::new(),
            current: None,
        }
    }

    /// Says why nothing was saved, and what to do.
    fn explain(&mut self, error: ApplyError, user: &SignedIn) {
        self.problems = match error {
            ApplyError::Invalid(problems) => problems.iter().map(in_words).collect(),
            ApplyError::Changed { current: Some(current), .. } => {
                let (version, json) = shown(&current, user);
                (self.version, self.current) = (version, Some(json));
                vec![
                    "Somebody else has changed the function meanwhile; the other version stands below. \
                     Take over from it what should stay, and save again."
                        .to_owned(),
                ]
            }
            other => vec![other.to_string()],
        };
    }
}

fn in_words(problem: &DocumentProblem) -> String {
    let DocumentProblem { kind, name, problem } = problem;
    match kind {
        DocumentKind::Function => problem.to_string(),
        DocumentKind::CustomDomain => format!("the custom domain {name}: {problem}"),
    }
}

fn shown(document: &Document, user: &SignedIn) -> (String, String) {
    let version = document.stored().map(|stored| stored.version.to_string()).unwrap_or_default();
    (version, pretty(&secrets::shown(DocumentKind::Function, &document.json, user.is_editor())))
}

/// The name that a document gives itself; the catalog says what is wrong where it has none.
fn name_in(json: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    document.get("functionName").and_then(|name| name.as_str()).unwrap_or_default().to_owned()
}
