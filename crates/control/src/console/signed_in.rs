//! Who asks: each page but the sign-in takes one of these extractors.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};

use super::Console;
use super::form::Fields;
use super::layout::Theme;
use super::page;
use crate::catalog::Author;
use crate::cookies;
use crate::request_body::UNKNOWN_SENDER;
use crate::sessions::Session;
use crate::users::Role;

/// The most that a form of a user who is signed in may take.
const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;

const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// A user who is signed in. As an extractor it takes requests of a session alone, and requests that change
/// something only with the session's token in `x-csrf-token`; others lead to the sign-in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Goes into every form, as the hidden field `csrf`.
    pub csrf: String,
    /// Which colours the user wants.
    pub theme: Theme,
    /// Why what is served is not what is stored, while that is so.
    pub not_current: Vec<String>,
}

/// A form that a user has sent: with the session's token in the field `csrf` or in `x-csrf-token`.
#[derive(Debug)]
pub struct Posted {
    /// Who has sent it.
    pub user: SignedIn,
    /// What it says.
    pub fields: Fields,
}

impl SignedIn {
    /// As the author of changes.
    pub fn author(&self) -> Author {
        Author { name: self.name.clone(), role: self.role }
    }

    /// Whether the user may change something.
    pub fn is_editor(&self) -> bool {
        self.role >= Role::Editor
    }

    /// Whether the user may manage users.
    pub fn is_admin(&self) -> bool {
        self.role >= Role::Admin
    }
}

impl Posted {
    /// The form, if its sender may manage users.
    pub fn by_admin(self) -> Result<Self, Response> {
        if self.user.is_admin() {
            return Ok(self);
        }
        let message = format!("Managing users needs the role admin; your role is {}.", self.user.role.name());
        Err(page::error(StatusCode::FORBIDDEN, Some(self.user), &message))
    }

    /// The form, if its sender may change something.
    pub fn by_editor(self) -> Result<Self, Response> {
        if self.user.is_editor() {
            return Ok(self);
        }
        let message = "You may look at everything here and change nothing: your role is viewer.";
        Err(page::error(StatusCode::FORBIDDEN, Some(self.user), message))
    }
}

impl FromRequestParts<Console> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let session = session(console, parts).await?;
        let is_safe = parts.method == Method::GET || parts.method == Method::HEAD;
        if !is_safe && !session.is_own_request(&parts.headers) {
            return Err(foreign());
        }
        Ok(Self::of(session, console, &parts.headers))
    }
}

impl FromRequest<Console> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let session = session(console, &parts).await?;
        let held = console.shared.bodies.read(body, MAX_FORM_BYTES, |_| {}).await;
        let fields = Fields::of_held(held.map_err(IntoResponse::into_response)?);
        let is_own = fields.find("csrf").is_some_and(|csrf| session.is_own(csrf));
        if !is_own && !session.is_own_request(&parts.headers) {
            return Err(foreign());
        }
        Ok(Self { user: SignedIn::of(session, console, &parts.headers), fields })
    }
}

impl SignedIn {
    fn of(session: Session, console: &Console, headers: &HeaderMap) -> Self {
        let Session { user, csrf } = session;
        let not_current = console.catalog().status().sentences();
        Self { name: user.name, role: user.role, csrf, theme: Theme::of(headers), not_current }
    }
}

async fn session(console: &Console, parts: &Parts) -> Result<Session, Response> {
    let protection = cookies::protection(&parts.extensions);
    let session = match &console.shared.sessions {
        Some(sessions) => {
            sessions.find(&parts.headers, protection).await.map_err(|error| page::failed(&error))?
        }
        None => None,
    };
    session.ok_or_else(|| sign_in(&parts.method, &parts.uri, &parts.headers))
}

/// Leads to the sign-in, and from there back to what was asked for.
fn sign_in(method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    if headers.contains_key(HX_REQUEST) {
        return (StatusCode::UNAUTHORIZED, [(HX_REDIRECT, "/console/sign-in")]).into_response();
    }
    let then = match uri.path_and_query() {
        Some(path) if *method == Method::GET => {
            let query =
                form_urlencoded::Serializer::new(String::new()).append_pair("then", path.as_str()).finish();
            format!("?{query}")
        }
        _ => String::new(),
    };
    Redirect::to(&format!("/console/sign-in{then}")).into_response()
}

fn foreign() -> Response {
    let message = "This form is out of date or came from another site, so nothing was changed. \
                   Go back, load the page again and repeat what you did.";
    page::error(StatusCode::FORBIDDEN, None, message)
}

/// The form of an unknown client: a sign-in.
pub struct FormOfStranger(pub Fields);

impl FromRequest<Console> for FormOfStranger {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let held = console.shared.bodies.read(request.into_body(), UNKNOWN_SENDER, |_| {}).await;
        Ok(Self(Fields::of_held(held.map_err(IntoResponse::into_response)?)))
    }
}
