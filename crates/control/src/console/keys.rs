//! Keys and the token decoder: pages whose work is done in the browser alone.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::layout::{Layout, Section};
use super::{Console, SignedIn, page};

/// Where a new custom domain takes over the JWK set of a new key.
const DOMAIN_FORM: &str = "/console/create/custom-domain";

pub fn routes() -> Router<Console> {
    Router::new().route("/console/keys", get(keys)).route("/console/decoder", get(decoder))
}

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    layout: Layout,
    domain_form: &'static str,
    outputs: [Output; 5],
}

/// One form of the key that is made.
struct Output {
    id: &'static str,
    title: &'static str,
    file_name: &'static str,
}

#[derive(Template)]
#[template(path = "decoder.html")]
struct DecoderPage {
    layout: Layout,
    parts: [Part; 2],
}

struct Part {
    id: &'static str,
    title: &'static str,
}

async fn keys(user: SignedIn) -> Response {
    let output = |id, title, file_name| Output { id, title, file_name };
    page::html(&KeysPage {
        layout: Layout::new("Keys", Section::Keys, &user),
        domain_form: DOMAIN_FORM,
        outputs: [
            output("private-jwk", "Private key (JWK)", "private-key.json"),
            output("private-pem", "Private key (PEM, PKCS#8)", "private-key.pem"),
            output("public-jwk", "Public key (JWK)", "public-key.json"),
            output("public-pem", "Public key (PEM, X.509)", "public-key.pem"),
            output("jwks", "JWKS (public)", "jwks.json"),
        ],
    })
}

async fn decoder(user: SignedIn) -> Response {
    let part = |id, title| Part { id, title };
    page::html(&DecoderPage {
        layout: Layout::new("Token decoder", Section::Keys, &user),
        parts: [part("header", "Header"), part("payload", "Payload")],
    })
}
