//! `functions[].httpTrigger`.
use http::Method;

use super::{Authentication, authentication, cors, route};
use crate::place::Place;
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
