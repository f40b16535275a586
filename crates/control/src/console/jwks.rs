//! The JWKS editor: keys are looked at while they are typed, and converted from other forms.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::post;
use claimgate_jose::json::{Object, Value};
use claimgate_jose::key_file::Form;
use claimgate_jose::{Curve, Effect, InspectedKey, Inspection, JwkSet, KeyFile, KeyProblem, jwk};

use super::pretty::pretty;
use super::signed_in::Posted;
use super::{Console, page};

pub fn routes() -> Router<Console> {
    Router::new().route("/console/jwks/check", post(check)).route("/console/jwks/convert", post(convert))
}

/// What is to be said of a key set, or of what is not one yet.
#[derive(Template, Debug, Default)]
#[template(path = "jwks-report.html")]
pub struct Report {
    is_empty: bool,
    /// Why nothing was read.
    error: Option<String>,
    /// What it is, where it is no key set.
    form: Option<String>,
    keys: Vec<Key>,
    notes: Vec<Note>,
    can_convert: bool,
}

#[derive(Debug)]
struct Key {
    key: InspectedKey,
    notes: Vec<Note>,
}

#[derive(Debug)]
struct Note {
    class: &'static str,
    text: String,
}

/// The field itself, after its content was converted.
#[derive(Template)]
#[template(path = "jwks-text.html")]
struct TextField {
    jwks: String,
    attributes: String,
}

async fn check(posted: Posted) -> Response {
    page::html(&Report::of(posted.fields.text("jwks")))
}

async fn convert(posted: Posted) -> Response {
    let text = posted.fields.text("jwks");
    let jwks = converted(text).unwrap_or_else(|| text.to_owned());
    // The button that asked for it goes away, so the focus comes here.
    let attributes = " aria-describedby=\"jwks-hint jwks-report\" autofocus".to_owned();
    page::html(&TextField { jwks, attributes })
}

impl Report {
    /// Of a text in any form that keys are kept in.
    pub fn of(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self { is_empty: true, ..Self::default() };
        }
        let file = match KeyFile::read(text.as_bytes()) {
            Ok(file) => file,
            Err(error) => return Self { error: Some(error.to_string()), ..Self::default() },
        };
        let inspection = Inspection::of(&file);
        let notes = |index| inspection.problems_of(index).map(Note::of).collect::<Vec<_>>();
        let mut set_notes = notes(None);
        if file.others > 0 {
            let text = format!("only the first key is read, {} more in the text are not", file.others);
            set_notes.push(Note { class: "warn", text });
        }
        let all_notes: Vec<Vec<Note>> = (0..inspection.keys.len()).map(|index| notes(Some(index))).collect();
        let has_private = inspection.keys.iter().any(|key| !key.private.is_empty() && !is_secret(key));
        let keys = inspection.keys.into_iter().zip(all_notes).map(|(key, notes)| Key { key, notes });
        let is_set = file.form == Form::JwkSet;
        Self {
            is_empty: false,
            error: None,
            form: (!is_set).then(|| file.form.to_string()),
            keys: keys.collect(),
            notes: set_notes,
            can_convert: !is_set || has_private,
        }
    }
}

/// The public keys of a text as JWK set.
fn converted(text: &str) -> Option<String> {
    let file = KeyFile::read(text.as_bytes()).ok()?;
    let is_jwk = matches!(file.form, Form::Jwk | Form::JwkSet);
    let named = |key: &Value| {
        let Value::Object(mut key) = key.clone() else { return key.clone() };
        if !is_jwk {
            // What the other forms do not say: the only algorithm of a curve, and a name.
            let curve = key.get("crv").and_then(Value::as_str).and_then(Curve::from_name);
            if let Some(curve) = curve {
                key.insert("alg", curve.algorithm().name());
            }
            if let Some(thumbprint) = jwk::thumbprint(&key) {
                key.insert("kid", thumbprint);
            }
        }
        Value::Object(key)
    };
    let mut set = Object::new();
    set.insert("keys", file.keys.iter().map(named).collect::<Vec<_>>());
    let (loaded, _) = JwkSet::load(&set.into()).ok()?;
    let public = loaded.keys().iter().filter_map(|key| key.public_jwk().ok().flatten());
    let mut set = Object::new();
    set.insert("keys", public.map(Value::Object).collect::<Vec<_>>());
    Some(pretty(&set.into()))
}

fn is_secret(key: &InspectedKey) -> bool {
    key.key_type.as_deref() == Some("oct")
}

impl Key {
    fn title(&self) -> &str {
        self.key.key_id.as_deref().unwrap_or("Key without kid")
    }

    fn is_secret(&self) -> bool {
        is_secret(&self.key)
    }

    fn private(&self) -> Option<String> {
        (!self.is_secret() && !self.key.private.is_empty()).then(|| self.key.private.join(", "))
    }
}

impl Note {
    fn of(problem: &KeyProblem) -> Self {
        let (class, word) = match problem.effect {
            Effect::Refused => ("bad", "Refused"),
            Effect::LeftOut => ("warn", "Left out"),
            Effect::Used => ("warn", "Warning"),
        };
        Self { class, text: format!("{word}: {}", problem.message) }
    }
}
