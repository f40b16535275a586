//! Create and Modify by a form.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use claimgate_config::DocumentKind;
use claimgate_jose::json::{Object, Value};

use super::history::version_of;
use super::{Draft, Pages, Problems, changeable, draft, editor, review};
use crate::console::form::Fields;
use crate::console::layout::Layout;
use crate::console::signed_in::Posted;
use crate::console::{Console, SignedIn, page};

/// The form of a kind of documents: what it shows of one, and how it changes one. Whatever it does not show
/// stays as it is.
pub trait DocumentForm: Sized + Send {
    const KIND: DocumentKind;

    /// That of a document that is to be created.
    fn empty() -> Self;

    /// What a document says.
    fn of_document(document: &Object) -> Self;

    /// What a browser has sent.
    fn of_fields(fields: &Fields) -> Self;

    /// The document with what the form says.
    ///
    /// # Errors
    ///
    /// The fields whose text means nothing, and why.
    fn onto(&self, document: &Object) -> Result<Object, Problems>;

    /// The page of the form.
    fn page(self, console: &Console, layout: Layout, editing: Editing<'_>) -> Response;
}

/// What is edited, for the page of its form.
pub struct Editing<'a> {
    pub pages: &'static Pages,
    /// Of the document that is modified.
    pub name: Option<&'a str>,
    pub version: String,
    /// The draft that the form begins with, where that is not what is stored.
    pub base: String,
    pub problems: &'a Problems,
}

pub async fn create<F: DocumentForm>(
    State(console): State<Console>,
    user: SignedIn,
) -> Result<Response, Response> {
    let user = editor(user)?;
    let draft = Draft::empty(F::KIND);
    Ok(show(&console, &user, &draft, &Problems::default(), F::empty(), true))
}

pub async fn modify<F: DocumentForm>(
    State(console): State<Console>,
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Response> {
    let (user, document) = changeable(&console, user, F::KIND, &name)?;
    let draft = Draft::of_document(&document);
    let form = F::of_document(&draft.document);
    Ok(show(&console, &user, &draft, &Problems::default(), form, true))
}

pub async fn post_new<F: DocumentForm>(
    State(console): State<Console>,
    posted: Posted,
) -> Result<Response, Response> {
    handle::<F>(&console, posted, None).await
}

pub async fn post<F: DocumentForm>(
    State(console): State<Console>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Response> {
    handle::<F>(&console, posted, Some(name)).await
}

/// What was sent is a form to look at, or a draft to go on editing.
async fn handle<F: DocumentForm>(
    console: &Console,
    posted: Posted,
    name: Option<String>,
) -> Result<Response, Response> {
    let Posted { user, fields } = posted.by_editor()?;
    if fields.text("step") == "edit" {
        let draft = Draft::of_fields(F::KIND, name, &fields)
            .map_err(|message| page::error(StatusCode::BAD_REQUEST, Some(user.clone()), &message))?;
        return Ok(form::<F>(console, &user, &draft, &Problems::default()));
    }
    let sent = F::of_fields(&fields);
    let version = fields.text("version").parse().ok();
    let base = base(console, F::KIND, name.as_deref(), version, fields.text("base")).await?;
    let mut draft = Draft { kind: F::KIND, name, version, document: base };
    let answered = match sent.onto(&draft.document) {
        Ok(document) => {
            draft.document = document;
            let judged = review::judge(console, &user, &draft).await;
            review::answer(console, &user, &draft, judged).await
        }
        Err(problems) => Err(problems),
    };
    Ok(answered.unwrap_or_else(|problems| show(console, &user, &draft, &problems, sent, false)))
}

/// What the form was a form of: a draft, or the version that is stored under that number.
async fn base(
    console: &Console,
    kind: DocumentKind,
    name: Option<&str>,
    version: Option<u64>,
    draft: &str,
) -> Result<Object, Response> {
    if let Ok(Value::Object(draft)) = Value::parse(draft.as_bytes()) {
        return Ok(draft);
    }
    let Some(name) = name else { return Ok(Object::new()) };
    let current = console.catalog().find(kind, name);
    if let Some(current) = &current
        && current.stored().map(|stored| stored.version) == version
    {
        return Ok(draft::of_document(current));
    }
    let earlier = version_of(console, kind, name, version).await?;
    Ok(earlier.or(current.as_ref().map(draft::of_document)).unwrap_or_default())
}

/// The form of a draft.
pub fn form<F: DocumentForm>(
    console: &Console,
    user: &SignedIn,
    draft: &Draft,
    problems: &Problems,
) -> Response {
    show(console, user, draft, problems, F::of_document(&draft.document), false)
}

fn show<F: DocumentForm>(
    console: &Console,
    user: &SignedIn,
    draft: &Draft,
    problems: &Problems,
    form: F,
    is_stored: bool,
) -> Response {
    let pages = Pages::of(F::KIND);
    let title = format!("{} {}", if draft.name.is_some() { "Modify" } else { "Create" }, pages.title);
    let editing = Editing {
        pages,
        name: draft.name.as_deref(),
        version: draft.version_text(),
        base: if is_stored { String::new() } else { draft.json() },
        problems,
    };
    let shown = form.page(console, Layout::new(title, pages.section, user), editing);
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, shown).into_response()
}

impl Editing<'_> {
    /// Where one gets without saving.
    pub fn cancel(&self) -> String {
        self.name.map_or_else(|| self.pages.list.to_owned(), |name| self.pages.address(name))
    }
}
