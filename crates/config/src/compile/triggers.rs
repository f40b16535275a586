//! HTTP triggers: each becomes a domain of its function's name under the trigger domain, with one route.
use std::collections::HashMap;
use std::sync::Arc;

use super::functions::{Functions, WrittenTrigger};
use crate::document;
use crate::place::{Location, Place, Written, quoted};
use crate::report::Report;
use crate::snapshot::{CorsRules, DomainKind, GatewaySettings, Route, Source};

/// What becomes a domain.
pub(super) struct Trigger<'a> {
    pub(super) name: String,
    pub(super) kind: DomainKind,
    pub(super) source: Source,
    pub(super) authentication: &'a document::Authentication,
    pub(super) route: Route,
    pub(super) cors: Option<CorsRules>,
}

/// Compiles the trigger of a function; `hosts` are those of other triggers.
pub(super) fn compile<'a>(
    written: &WrittenTrigger<'a>,
    functions: &Functions,
    hosts: &mut HashMap<String, Location>,
    settings: &GatewaySettings,
    report: &mut Report,
) -> Option<Trigger<'a>> {
    let WrittenTrigger { function: Written { value: function, place }, trigger } = written;
    let name = settings.trigger_host(function);
    if let Err(why) = check_label(function) {
        let message = format!(
            "a function with an HTTP trigger is reached at its name as a host, and {} cannot be a part of \
             one: {why}; rename it, or bind a custom domain to it and leave out the trigger",
            quoted(function)
        );
        report.error(place, message);
        return None;
    }
    if name.len() > MAX_HOST {
        let message = format!("{name} is longer than {MAX_HOST} characters, which no host may be");
        report.error(&trigger.place, message);
        return None;
    }
    if let Some(first) = hosts.get(&name) {
        let message = format!(
            "the HTTP trigger of the function {first} has the name {name} already, as hosts are compared \
             without case"
        );
        report.error(place, message);
        return None;
    }
    hosts.insert(name.clone(), place.location);
    // Whatever is missing was reported.
    let (function, authentication) = (functions.compiled.get(function)?, trigger.authentication.as_ref()?);
    let kind = if trigger.is_disabled { DomainKind::DisabledTrigger } else { DomainKind::Trigger };
    let route = Route {
        path: "/*".to_owned(),
        number: 0,
        methods: trigger.methods.clone(),
        function: Arc::clone(function),
        rewrite: None,
    };
    let (source, cors) = (function.source.clone(), trigger.cors.clone());
    Some(Trigger { name, kind, source, authentication, route, cors })
}

/// Reports a custom domain that lies under the trigger domain, where it could take a trigger's place.
pub(super) fn check_not_under(trigger_domain: &str, name: &str, place: &Place, report: &mut Report) {
    if name.strip_suffix(trigger_domain).is_some_and(|rest| rest.ends_with('.')) {
        let message = format!(
            "{name} lies under {trigger_domain}, where the HTTP triggers of functions are; choose another \
             name, or set gateway.triggerDomain"
        );
        report.error(place, message);
    }
}

/// RFC 1035, 2.3.4.
const MAX_HOST: usize = 253;

/// RFC 1123, 2.1, for what is a function's name.
fn check_label(name: &str) -> Result<(), &'static str> {
    if name.contains('_') {
        return Err("it has a _");
    }
    if name.ends_with('-') {
        return Err("it ends with -");
    }
    if name.len() > 63 {
        return Err("it has more than 63 characters");
    }
    Ok(())
}
