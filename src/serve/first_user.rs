//! How somebody comes in where nobody can sign in yet.

use std::net::SocketAddr;

use claimgate_control::Catalog;
use claimgate_control::users::{UserError, Users};

use crate::user::link;

/// Logs a link when the store has no user; the first person who opens it becomes an admin.
pub async fn invite(catalog: &Catalog, admin: SocketAddr, is_https: bool) {
    let Some(store) = catalog.store() else { return };
    // A store that lost its records lost its users, too.
    if catalog.status().refused.is_some() {
        return;
    }
    let users = Users::new(store.clone());
    let made = async {
        if !users.list().await?.is_empty() {
            return Ok(None);
        }
        users.make_link().await.map(Some)
    };
    match made.await {
        Ok(None) => {}
        Ok(Some(token)) => {
            let link = link(admin, is_https, token.reveal());
            tracing::info!("nobody can sign in to the console yet; within 24 hours, open once: {link}");
        }
        Err(error) => note(&error),
    }
}

fn note(error: &UserError) {
    tracing::warn!("cannot look whether the console has users: {error}");
}
