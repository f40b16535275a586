//! Sign-in: with name and password, or with a link that is good once; and sign-out.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use claimgate_gateway::Sender;
use claimgate_login::password::Password;

use super::form::Fields;
use super::layout::{Layout, Theme};
use super::passwords::{NotLetIn, Origin};
use super::signed_in::{FormOfStranger, Posted};
use super::{Console, device, page};
use crate::cookies::{DEVICE, Protection, SESSION};
use crate::users::{User, UserError, Users};

const HOME: &str = "/console/custom-domains";
/// A week, after which no session lasts.
const COOKIE_SECONDS: u64 = 7 * 24 * 60 * 60;
/// How long a browser remembers that a user has signed in with it.
const DEVICE_SECONDS: u64 = 365 * 24 * 60 * 60;

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/console/sign-in", get(show).post(sign_in))
        .route("/console/sign-in/{token}", get(show_link).post(use_link))
        .route("/console/sign-out", post(sign_out))
}

#[derive(Template, Default)]
#[template(path = "sign-in.html")]
struct SignInPage {
    layout: Layout,
    has_store: bool,
    has_users: bool,
    name: String,
    then: String,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "sign-in-link.html")]
struct LinkPage {
    layout: Layout,
    is_good: bool,
    name: String,
    name_error: Option<String>,
    password_error: Option<String>,
    error: Option<String>,
}

async fn show(State(console): State<Console>, headers: HeaderMap, uri: Uri) -> Response {
    let then = Fields::of_query(&uri).text("then").to_owned();
    let layout = Layout::before_sign_in("Sign in", Theme::of(&headers));
    let Some(users) = console.users() else {
        return page::html(&SignInPage { layout, ..SignInPage::default() });
    };
    match users.list().await {
        Ok(list) => page::html(&SignInPage {
            layout,
            has_store: true,
            has_users: !list.is_empty(),
            then,
            ..SignInPage::default()
        }),
        Err(error) => page::failed(&error),
    }
}

async fn sign_in(
    State(console): State<Console>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
    FormOfStranger(fields): FormOfStranger,
) -> Response {
    let protection = Protection::of(&sender);
    let (name, then) = (fields.text("name").trim(), fields.text("then"));
    let Some(users) = console.users() else {
        return Redirect::to("/console/sign-in").into_response();
    };
    let password = Password::new(fields.text("password").as_bytes().to_vec());
    let origin = Origin::Client { address: sender.address, device: DEVICE.of(&headers, protection) };
    match console.shared.passwords.check(&users, name, password, origin).await {
        Ok(user) => begin(&console, &user, then, protection).await,
        Err(error) => {
            let status = match &error {
                NotLetIn::Wrong => {
                    tracing::warn!(client = %sender.address, "sign-in to the console with a wrong name or password");
                    StatusCode::UNAUTHORIZED
                }
                NotLetIn::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
                NotLetIn::Busy | NotLetIn::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            };
            let page = SignInPage {
                layout: Layout::before_sign_in("Sign in", Theme::of(&headers)),
                has_store: true,
                has_users: true,
                name: name.to_owned(),
                then: then.to_owned(),
                error: Some(error.to_string()),
            };
            (status, page::html(&page)).into_response()
        }
    }
}

async fn show_link(
    State(console): State<Console>,
    headers: HeaderMap,
    Path(token): Path<String>,
) -> Response {
    let Some(users) = console.users() else { return Redirect::to("/console/sign-in").into_response() };
    match users.is_link(&token).await {
        Ok(is_good) => page::html(&LinkPage::new(&headers, is_good, "")),
        Err(error) => page::failed(&error),
    }
}

async fn use_link(
    State(console): State<Console>,
    Path(token): Path<String>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
    FormOfStranger(fields): FormOfStranger,
) -> Response {
    let name = fields.text("name").trim();
    let Some(users) = console.users() else {
        return Redirect::to("/console/sign-in").into_response();
    };
    match redeem(&console, &users, &token, name, &fields).await {
        Ok(user) => {
            tracing::info!(user = name, "a sign-in link of the console was used");
            begin(&console, &user, "", Protection::of(&sender)).await
        }
        Err(UserError::Link) => page::html(&LinkPage::new(&headers, false, name)),
        Err(error) => {
            let page = LinkPage::new(&headers, true, name).with(&error);
            (StatusCode::UNPROCESSABLE_ENTITY, page::html(&page)).into_response()
        }
    }
}

async fn redeem(
    console: &Console,
    users: &Users,
    token: &str,
    name: &str,
    fields: &Fields,
) -> Result<User, UserError> {
    // Before a password is hashed for somebody who has none.
    if !users.is_link(token).await? {
        return Err(UserError::Link);
    }
    crate::users::check_name(name)?;
    let password = console.shared.passwords.hash(fields.text("password")).await?;
    users.use_link(token, name, &password).await?;
    users.find(name).await?.ok_or_else(|| UserError::NotFound(name.to_owned()))
}

/// Begins a session and leads to where the user wanted to go. From now on the browser is a device of the user.
pub async fn begin(console: &Console, user: &User, then: &str, protection: Protection) -> Response {
    let Some(sessions) = &console.shared.sessions else {
        return Redirect::to("/console/sign-in").into_response();
    };
    let begun = sessions.begin(user).await.and_then(|token| Ok((token, device::cookie(user)?)));
    let (token, device) = match begun {
        Ok(begun) => begun,
        Err(error) => return page::failed(&error),
    };
    let cookies = [
        (SET_COOKIE, SESSION.set(token.reveal(), COOKIE_SECONDS, protection)),
        (SET_COOKIE, DEVICE.set(&device, DEVICE_SECONDS, protection)),
    ];
    let own = then.parse::<Uri>().ok().filter(|uri| uri.scheme().is_none() && uri.authority().is_none());
    let target = own.filter(|uri| uri.path().starts_with("/console/")).map(|uri| uri.to_string());
    let target = target.unwrap_or_else(|| HOME.to_owned());
    (AppendHeaders(cookies), Redirect::to(&target)).into_response()
}

async fn sign_out(
    State(console): State<Console>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
    _: Posted,
) -> Response {
    let protection = Protection::of(&sender);
    if let Some(sessions) = &console.shared.sessions
        && let Err(error) = sessions.end(&headers, protection).await
    {
        return page::failed(&error);
    }
    let cookie = SESSION.set("", 0, protection);
    (AppendHeaders([(SET_COOKIE, cookie)]), Redirect::to("/console/sign-in")).into_response()
}

impl LinkPage {
    fn new(headers: &HeaderMap, is_good: bool, name: &str) -> Self {
        Self {
            layout: Layout::before_sign_in("Set your password", Theme::of(headers)),
            is_good,
            name: name.to_owned(),
            name_error: None,
            password_error: None,
            error: None,
        }
    }

    fn with(mut self, error: &UserError) -> Self {
        let place = match error {
            UserError::Name => &mut self.name_error,
            UserError::Password => &mut self.password_error,
            _ => &mut self.error,
        };
        *place = Some(error.to_string());
        self
    }
}
