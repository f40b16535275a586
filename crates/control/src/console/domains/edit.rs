//! Create and Modify: the form, and the same as JSON.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use claimgate_config::DocumentKind;
use claimgate_jose::json::{Object, Value};

use super::draft::{self, Draft};
use super::form::{ClaimRow, DomainForm, RouteRow, TokenRow};
use super::problems::Problems;
use super::{review, show};
use crate::catalog::Document;
use crate::console::form::Fields;
use crate::console::jwks::Report;
use crate::console::layout::{Layout, Section};
use crate::console::pretty::pretty;
use crate::console::signed_in::Posted;
use crate::console::{Console, SignedIn, page};

/// Positions as documents write them, and as the console shows them.
pub const POSITIONS: [(&str, &str); 4] =
    [("header", "Header"), ("cookie", "Cookie"), ("query", "Query Parameters"), ("form", "Form Parameters")];

/// Functions that are offered; others can be written.
const MOST_OFFERED: usize = 200;

#[derive(Template)]
#[template(path = "domains/edit.html")]
struct EditPage<'a> {
    layout: Layout,
    /// Of the domain that is modified.
    name: Option<&'a str>,
    version: String,
    /// The draft that the form begins with, where that is not what is stored.
    base: String,
    form: DomainForm,
    problems: &'a Problems,
    report: Report,
    functions: Vec<String>,
    has_stored_key: bool,
}

#[derive(Template)]
#[template(path = "domains/json.html")]
struct JsonPage<'a> {
    layout: Layout,
    name: &'a str,
    version: String,
    document: String,
    errors: Vec<String>,
}

pub async fn create(State(console): State<Console>, user: SignedIn) -> Result<Response, Response> {
    let user = editor(user)?;
    Ok(form(&console, &user, None, &Problems::default(), Some(DomainForm::empty()), true))
}

pub async fn modify(
    State(console): State<Console>,
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Response> {
    let (user, document) = changeable(&console, user, &name)?;
    let draft = draft_of(&document);
    Ok(form(&console, &user, Some(&draft), &Problems::default(), None, true))
}

pub async fn post_new(State(console): State<Console>, posted: Posted) -> Result<Response, Response> {
    handle(&console, posted, None).await
}

pub async fn post(
    State(console): State<Console>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Response> {
    handle(&console, posted, Some(name)).await
}

/// What was sent is a form to look at, or a draft to go on editing.
async fn handle(console: &Console, posted: Posted, name: Option<String>) -> Result<Response, Response> {
    let Posted { user, fields } = posted.by_editor()?;
    if fields.text("step") == "edit" {
        let draft = Draft::of_fields(name, &fields)
            .map_err(|message| page::error(StatusCode::BAD_REQUEST, Some(user.clone()), &message))?;
        return Ok(form(console, &user, Some(&draft), &Problems::default(), None, false));
    }
    let sent = DomainForm::of_fields(&fields);
    let version = fields.text("version").parse().ok();
    let base = base(console, name.as_deref(), version, fields.text("base")).await?;
    let mut draft = Draft { name, version, document: base };
    match sent.onto(&draft.document) {
        Ok(document) => {
            draft.document = document;
            Ok(review::show(console, &user, draft, Some(sent)).await)
        }
        Err((field, message)) => {
            Ok(form(console, &user, Some(&draft), &Problems::one(field, message), Some(sent), false))
        }
    }
}

/// What the form was a form of: a draft, or the version that is stored under that number.
async fn base(
    console: &Console,
    name: Option<&str>,
    version: Option<u64>,
    draft: &str,
) -> Result<Object, Response> {
    if let Ok(Value::Object(draft)) = Value::parse(draft.as_bytes()) {
        return Ok(draft);
    }
    let Some(name) = name else { return Ok(Object::new()) };
    let catalog = console.catalog();
    let current = catalog.find(DocumentKind::CustomDomain, name);
    if let Some(current) = &current
        && current.stored().map(|stored| stored.version) == version
    {
        return Ok(draft::of_document(current));
    }
    let earlier = version_of(console, name, version).await?;
    Ok(earlier.or(current.as_ref().map(draft::of_document)).unwrap_or_default())
}

/// What a domain said in a version.
pub async fn version_of(
    console: &Console,
    name: &str,
    version: Option<u64>,
) -> Result<Option<Object>, Response> {
    let history = console.catalog().history(DocumentKind::CustomDomain, name).await;
    let history = history.map_err(|error| page::failed(&error))?;
    let found = history.into_iter().find(|one| Some(one.version) == version);
    Ok(found.and_then(|one| one.json).map(|json| draft::for_editors(&json)))
}

/// Shows the form: of what was sent, or of a draft.
pub fn form(
    console: &Console,
    user: &SignedIn,
    draft: Option<&Draft>,
    problems: &Problems,
    sent: Option<DomainForm>,
    is_stored: bool,
) -> Response {
    let name = draft.and_then(|draft| draft.name.as_deref());
    let title = match name {
        Some(_) => "Modify Custom Domain Name",
        None => "Create Custom Domain Name",
    };
    let mut form = match (sent, draft) {
        (Some(sent), _) => sent,
        (None, Some(draft)) => DomainForm::of_document(&draft.document),
        (None, None) => DomainForm::empty(),
    };
    if form.routes.is_empty() {
        form.routes.push(RouteRow::default());
    }
    if form.tokens.is_empty() {
        form.tokens.push(TokenRow::usual());
    }
    let functions = console.catalog().list(DocumentKind::Function, "", None, MOST_OFFERED);
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = EditPage {
        layout: Layout::new(title, Section::CustomDomains, user),
        name,
        version: draft.and_then(|draft| draft.version).map(|version| version.to_string()).unwrap_or_default(),
        base: draft.filter(|_| !is_stored).map(Draft::json).unwrap_or_default(),
        has_stored_key: name.is_some() && !form.certificate.is_empty(),
        report: Report::of(&form.jwks),
        form,
        problems,
        functions: functions.into_iter().map(|function| function.name).collect(),
    };
    (status, page::html(&page)).into_response()
}

pub async fn json(
    State(console): State<Console>,
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Response> {
    let (user, document) = changeable(&console, user, &name)?;
    let version = document.stored().map(|stored| stored.version.to_string()).unwrap_or_default();
    let text = pretty(&Value::Object(draft::of_document(&document)));
    Ok(json_page(&user, &document.name, &version, text, Vec::new()))
}

pub async fn post_json(
    State(console): State<Console>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Response> {
    let Posted { user, fields } = posted.by_editor()?;
    let (version, text) = (fields.text("version"), fields.text("document").to_owned());
    match Draft::of_fields(Some(name.clone()), &fields) {
        Ok(draft) => match review::judge(&console, &user, &draft).await {
            review::Judged::Wrong(problems) => {
                let errors = problems.iter().map(|found| found.problem.to_string()).collect();
                Ok(json_page(&user, &name, version, text, errors))
            }
            judged => Ok(review::answer(&console, &user, draft, judged, None).await),
        },
        Err(message) => Ok(json_page(&user, &name, version, text, vec![message])),
    }
}

fn json_page(user: &SignedIn, name: &str, version: &str, document: String, errors: Vec<String>) -> Response {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let layout = Layout::new("Edit as JSON", Section::CustomDomains, user);
    let page = JsonPage { layout, name, version: version.to_owned(), document, errors };
    (status, page::html(&page)).into_response()
}

/// A stored domain and somebody who may change it.
pub fn changeable(console: &Console, user: SignedIn, name: &str) -> Result<(SignedIn, Document), Response> {
    let user = editor(user)?;
    let document = show::find(console, &user, name)?;
    if document.stored().is_none() {
        let message =
            format!("{name} is declared in the configuration file, and can be changed there alone.");
        return Err(page::error(StatusCode::CONFLICT, Some(user), &message));
    }
    Ok((user, document))
}

pub fn draft_of(document: &Document) -> Draft {
    Draft {
        name: Some(document.name.clone()),
        version: document.stored().map(|stored| stored.version),
        document: draft::of_document(document),
    }
}

fn editor(user: SignedIn) -> Result<SignedIn, Response> {
    Posted { user, fields: Fields::default() }.by_editor().map(|posted| posted.user)
}

impl EditPage<'_> {
    fn positions(&self) -> [(&'static str, &'static str); 4] {
        POSITIONS
    }

    /// Whether something is wrong in the part that is folded otherwise.
    fn has_further_problems(&self) -> bool {
        ["issuers", "audiences", "leeway", "jwks-uri"]
            .iter()
            .any(|field| !self.problems.beside(field).is_empty())
    }

    /// An empty row for scripts to copy.
    fn blank_route(&self) -> RouteRow {
        RouteRow::default()
    }

    fn blank_token(&self) -> TokenRow {
        TokenRow { position: "header".to_owned(), ..TokenRow::default() }
    }

    fn blank_claim(&self) -> ClaimRow {
        ClaimRow { position: "header".to_owned(), ..ClaimRow::default() }
    }
}
