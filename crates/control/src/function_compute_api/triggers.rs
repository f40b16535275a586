//! `/2023-03-30/functions/{function}/triggers`. A function has one HTTP trigger, which is the member
//! `httpTrigger` of its document; there are no others.

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use claimgate_jose::json::{Object, Value};

use super::Api;
use super::errors::Shape;
use super::request::{Names, parse_body};
use super::wire;
use crate::answer::{self, ErrorAnswer};
use crate::authentication::Caller;
use crate::catalog::Document;

const SHAPE: Shape = Shape::Function;
const MEMBER: &str = "httpTrigger";

/// The name of a trigger that was given none: the original's console calls it so.
const DEFAULT_NAME: &str = "defaultTrigger";

pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names(function): Names<String>,
    body: Bytes,
) -> Result<Response, ErrorAnswer> {
    let sent = parse_body(&body)?;
    let kind = sent.get("triggerType").and_then(Value::as_str);
    if kind != Some("http") {
        return Err(ErrorAnswer::invalid("triggerType: expected http, the only kind of trigger"));
    }
    let mut trigger = config(&sent)?.ok_or_else(|| {
        ErrorAnswer::invalid("triggerConfig: the field is missing; expected a string of JSON")
    })?;
    for member in ["triggerName", "description"] {
        if let Some(value) = sent.get(member) {
            trigger.insert(member, value.clone());
        }
    }
    let edit = |document: &mut Object| {
        if let Some(Value::Object(there)) = document.get(MEMBER) {
            return Err(already_there(&function, name_of(there), name_of(&trigger)));
        }
        document.insert(MEMBER, trigger.clone());
        Ok(())
    };
    let updated = api.update(&caller, SHAPE, &function, edit).await?;
    show(&api, &caller, &updated, None)
}

pub(super) async fn read(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names((function, trigger)): Names<(String, String)>,
) -> Result<Response, ErrorAnswer> {
    let document = api.find(SHAPE, &function)?;
    show(&api, &caller, &document, Some(&trigger))
}

pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names(function): Names<String>,
) -> Result<Response, ErrorAnswer> {
    let document = api.find(SHAPE, &function)?;
    let triggers = wire(&api, &caller, &document)?.map(Value::from);
    let mut content = Object::new();
    content.insert("triggers", triggers.into_iter().collect::<Vec<_>>());
    Ok(answer::ok(&content))
}

pub(super) async fn update(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names((function, trigger)): Names<(String, String)>,
    body: Bytes,
) -> Result<Response, ErrorAnswer> {
    let sent = parse_body(&body)?;
    let config = config(&sent)?;
    let edit = |document: &mut Object| {
        let there = stored(document, &function, &trigger)?;
        if let Some(config) = &config {
            let mut next = config.clone();
            for member in ["triggerName", "description"] {
                if let Some(value) = there.get(member) {
                    next.insert(member, value.clone());
                }
            }
            *there = next;
        }
        if let Some(description) = sent.get("description") {
            there.insert("description", description.clone());
        }
        Ok(())
    };
    let updated = api.update(&caller, SHAPE, &function, edit).await?;
    show(&api, &caller, &updated, Some(&trigger))
}

pub(super) async fn delete(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Names((function, trigger)): Names<(String, String)>,
) -> Result<Response, ErrorAnswer> {
    let edit = |document: &mut Object| {
        stored(document, &function, &trigger)?;
        document.remove(MEMBER);
        Ok(())
    };
    api.update(&caller, SHAPE, &function, edit).await?;
    Ok(answer::no_content())
}

/// What `triggerConfig` holds, which is a string of JSON; an object is taken too.
fn config(sent: &Object) -> Result<Option<Object>, ErrorAnswer> {
    let wrong = || ErrorAnswer::invalid("triggerConfig: expected a string that holds a JSON object");
    match sent.get("triggerConfig") {
        None => Ok(None),
        Some(Value::Object(config)) => Ok(Some(config.clone())),
        Some(Value::String(text)) => match Value::parse(text.as_bytes()) {
            Ok(Value::Object(config)) => Ok(Some(config)),
            _ => Err(wrong()),
        },
        Some(_) => Err(wrong()),
    }
}

fn stored<'a>(
    document: &'a mut Object,
    function: &str,
    trigger: &str,
) -> Result<&'a mut Object, ErrorAnswer> {
    match document.get_mut(MEMBER) {
        Some(Value::Object(there)) if name_of(there) == trigger => Ok(there),
        _ => Err(not_found(function, trigger)),
    }
}

fn name_of(trigger: &Object) -> &str {
    trigger.get("triggerName").and_then(Value::as_str).unwrap_or(DEFAULT_NAME)
}

fn show(
    api: &Api,
    caller: &Caller,
    document: &Document,
    name: Option<&str>,
) -> Result<Response, ErrorAnswer> {
    let trigger =
        wire(api, caller, document)?.filter(|trigger| name.is_none_or(|name| name_of(trigger) == name));
    match trigger {
        Some(trigger) => Ok(answer::ok(&trigger)),
        None => Err(not_found(&document.name, name.unwrap_or(DEFAULT_NAME))),
    }
}

/// The trigger of a function as the original shows it.
fn wire(api: &Api, caller: &Caller, document: &Document) -> Result<Option<Object>, ErrorAnswer> {
    let Some(Value::Object(mut config)) = wire::function(document, caller)?.remove(MEMBER) else {
        return Ok(None);
    };
    let mut trigger = Object::new();
    let name = config.remove("triggerName").unwrap_or_else(|| DEFAULT_NAME.into());
    trigger.insert("triggerName", name);
    trigger.insert("triggerId", format!("{}-http", document.name));
    trigger.insert("triggerType", "http");
    if let Some(description) = config.remove("description") {
        trigger.insert("description", description);
    }
    trigger.insert("qualifier", "LATEST");
    trigger.insert("status", "ENABLED");
    wire::insert_times(&mut trigger, document);
    wire::text_of(&mut config, "authConfig");
    trigger.insert("triggerConfig", config.to_string());
    let url = url(api, &document.name);
    let mut urls = Object::new();
    urls.insert("urlInternet", url.as_str());
    urls.insert("urlIntranet", url);
    trigger.insert(MEMBER, urls);
    Ok(Some(trigger))
}

/// Where the gateway is asked for the function; triggers are served over HTTP.
fn url(api: &Api, function: &str) -> String {
    let serving = api.catalog.gateway().serving();
    let settings = &serving.snapshot.gateway;
    let host = format!("{}.{}", function.to_ascii_lowercase(), settings.trigger_domain);
    match settings.http.port() {
        0 | 80 => format!("http://{host}"),
        port => format!("http://{host}:{port}"),
    }
}

fn not_found(function: &str, trigger: &str) -> ErrorAnswer {
    let message = format!("trigger '{trigger}' does not exist in function '{function}'");
    ErrorAnswer::new(StatusCode::NOT_FOUND, "TriggerNotFound", message)
}

fn already_there(function: &str, there: &str, new: &str) -> ErrorAnswer {
    if there == new {
        let message = format!("trigger '{there}' exists already in function '{function}'");
        return ErrorAnswer::new(StatusCode::CONFLICT, "TriggerAlreadyExists", message);
    }
    let message = format!("a function has one HTTP trigger, and '{function}' has '{there}' already");
    ErrorAnswer::new(StatusCode::BAD_REQUEST, "LimitExceededError", message)
}
