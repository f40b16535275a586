//! `functions[].httpTrigger`.
use http::Method;

use super::{Authentication, authentication, cors, route};
use crate::place::{Place, quoted};
use crate::reader::Object;
use crate::report::Report;
use crate::snapshot::CorsRules;

/// An HTTP trigger as it was written. What is missing was reported.
#[derive(Debug)]
pub(crate) struct HttpTrigger {
    pub(crate) place: Place,
    pub(crate) authentication: Option<Authentication>,
    /// Empty means all.
    pub(crate) methods: Vec<Method>,
    /// `disableURLInternet`.
    pub(crate) is_disabled: bool,
    pub(crate) cors: Option<CorsRules>,
}

impl HttpTrigger {
    /// Reads the trigger of a function, if it has one.
    pub(super) fn read(function: &mut Object<'_>, report: &mut Report) -> Option<HttpTrigger> {
        let field = function.field("httpTrigger")?;
        let mut object = field.object("an HTTP trigger, as {authType: anonymous}", report)?;
        let authentication = authentication::read_fields(&mut object, "authConfig", report);
        let methods = object.field("methods").map(|field| route::read_methods(&field, report));
        let is_disabled = object.field("disableURLInternet").and_then(|field| field.boolean(report));
        let cors = cors::read(&mut object, report);
        read_name(&mut object, report);
        if let Some(description) = object.field("description") {
            description.text("a text", report);
        }
        object.finish(report);
        Some(HttpTrigger {
            place: field.place,
            authentication,
            methods: methods.unwrap_or_default(),
            is_disabled: is_disabled.unwrap_or_default(),
            cors,
        })
    }
}

/// The name that the original's API reads and deletes the trigger by; nothing else depends on it.
fn read_name(trigger: &mut Object<'_>, report: &mut Report) {
    let right = "a name of 1 to 128 letters, digits, _ and -, which begins with a letter or _";
    let Some(name) = trigger.field("triggerName").and_then(|field| field.text(right, report)) else { return };
    let first_fits = name.value.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let rest_fits = name.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if !first_fits || !rest_fits || name.value.len() > 128 {
        report.error(&name.place, format!("expected {right}, found {}", quoted(name.value)));
    }
}
