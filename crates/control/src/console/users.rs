//! Users: who may sign in, and as what.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use claimgate_gateway::Sender;
use claimgate_login::password::Password;

use super::form::Fields;
use super::layout::{Layout, Section};
use super::passwords::Origin;
use super::signed_in::Posted;
use super::when::When;
use super::{Console, SignedIn, page, sign_in};
use crate::cookies::Protection;
use crate::users::{Role, UserError, Users};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/console/users", get(show).post(change))
        .route("/console/users/password", post(change_own_password))
}

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    layout: Layout,
    users: Vec<Row>,
    notice: Option<&'static str>,
    /// What is wrong with which form: `add`, `own`, or the name of a user.
    error: Option<(String, String)>,
    entered_name: String,
}

struct Row {
    name: String,
    role: Role,
    added: When,
    is_oneself: bool,
}

async fn show(State(console): State<Console>, user: SignedIn, uri: Uri) -> Response {
    let notice = match Fields::of_query(&uri).text("done") {
        "added" => Some("The user was added."),
        "reset" => Some("The password was set, and the user's sessions have ended."),
        "role" => Some("The role was changed."),
        "deleted" => Some("The user was deleted."),
        "own" => Some("Your password was changed, and your other sessions have ended."),
        _ => None,
    };
    render(&console, &user, notice, None, "").await
}

async fn render(
    console: &Console,
    user: &SignedIn,
    notice: Option<&'static str>,
    error: Option<(String, String)>,
    entered_name: &str,
) -> Response {
    let Some(users) = console.users() else { return page::not_found(user.clone()).await };
    let users = match users.list().await {
        Ok(users) => users,
        Err(error) => return page::failed(&error),
    };
    let row = |listed: crate::users::User| Row {
        is_oneself: listed.name == user.name,
        added: When::of(listed.created),
        role: listed.role,
        name: listed.name,
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = UsersPage {
        layout: Layout::new("Users", Section::Users, user),
        users: users.into_iter().map(row).collect(),
        notice,
        error,
        entered_name: entered_name.to_owned(),
    };
    (status, page::html(&page)).into_response()
}

async fn change(State(console): State<Console>, posted: Posted) -> Result<Response, Response> {
    let posted = posted.by_admin()?;
    let Some(users) = console.users() else { return Ok(page::not_found(posted.user).await) };
    let (action, name) = (posted.fields.text("action"), posted.fields.text("name").trim());
    Ok(match act(&console, &users, action, name, &posted.fields).await {
        Ok(done) => {
            let admin = &posted.user.name;
            tracing::info!(user = name, admin, "user of the console: {done}");
            Redirect::to(&format!("/console/users?done={done}")).into_response()
        }
        Err(error) => {
            let form = if action == "add" { "add" } else { name };
            let error = Some((form.to_owned(), error.to_string()));
            render(&console, &posted.user, None, error, name).await
        }
    })
}

async fn act(
    console: &Console,
    users: &Users,
    action: &str,
    name: &str,
    fields: &Fields,
) -> Result<&'static str, UserError> {
    let role = || Role::from_name(fields.text("role")).unwrap_or(Role::Viewer);
    match action {
        "add" => {
            crate::users::check_name(name)?;
            let password = console.shared.passwords.hash(fields.text("password")).await?;
            users.add(name, role(), &password).await?;
            Ok("added")
        }
        "reset" => {
            let password = console.shared.passwords.hash(fields.text("password")).await?;
            users.set_password(name, &password).await?;
            Ok("reset")
        }
        "role" => {
            users.set_role(name, role()).await?;
            Ok("role")
        }
        _ => {
            users.delete(name).await?;
            Ok("deleted")
        }
    }
}

async fn change_own_password(
    State(console): State<Console>,
    Extension(sender): Extension<Sender>,
    posted: Posted,
) -> Response {
    match set_own(&console, &posted).await {
        // The session that this was done in ends as all others, so another begins.
        Ok(user) => sign_in::begin(&console, &user, "/console/users?done=own", Protection::of(&sender)).await,
        Err(message) => render(&console, &posted.user, None, Some(("own".to_owned(), message)), "").await,
    }
}

async fn set_own(console: &Console, posted: &Posted) -> Result<crate::users::User, String> {
    let users = console.users().ok_or("There is no store.")?;
    let name = &posted.user.name;
    let current = Password::new(posted.fields.text("current").as_bytes().to_vec());
    let origin = Origin::Session(&posted.user.csrf);
    let checked = console.shared.passwords.check(&users, name, current, origin).await;
    checked.map_err(|error| error.to_string())?;
    let set = async {
        let password = console.shared.passwords.hash(posted.fields.text("password")).await?;
        users.set_password(name, &password).await?;
        users.find(name).await?.ok_or_else(|| UserError::NotFound(name.clone()))
    };
    set.await.map_err(|error: UserError| error.to_string())
}

impl UsersPage {
    /// What is wrong with a form.
    fn error_of(&self, form: &str) -> Option<&str> {
        self.error.as_ref().filter(|(known, _)| known == form).map(|(_, message)| message.as_str())
    }
}
