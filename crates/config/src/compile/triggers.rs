//! HTTP triggers: each becomes a domain of its function's name under the trigger domain, with one route.
use std::collections::HashMap;
use std::sync::Arc;

use super::Functions;
use crate::document;
use crate::place::{Place, quoted};
use crate::report::Report;
use crate::snapshot::{CorsRules, DomainKind, Route};

/// What becomes a domain.
pub(super) struct Trigger {
    pub(super) name: String,
    pub(super) kind: DomainKind,
    pub(super) authentication: document::Authentication,
    pub(super) route: Route,
    pub(super) cors: Option<CorsRules>,
}

/// Compiles the triggers of functions.
pub(super) fn compile(functions: &mut Functions, trigger_domain: &str, report: &mut Report) -> Vec<Trigger> {
    let mut first_places: HashMap<String, Place> = HashMap::new();
    let mut triggers = Vec::new();
    for (function, trigger) in std::mem::take(&mut functions.triggers) {
        let name = format!("{}.{trigger_domain}", function.value.to_ascii_lowercase());
        if let Err(why) = check_label(&function.value) {
            let message = format!(
                "a function with an HTTP trigger is reached at its name as a host, and {} cannot be a part of \
                 one: {why}; rename it, or bind a custom domain to it and leave out the trigger",
                quoted(&function.value)
            );
            report.error(&function.place, message);
            continue;
        }
        if name.len() > MAX_HOST {
            let message = format!("{name} is longer than {MAX_HOST} characters, which no host may be");
            report.error(&trigger.place, message);
            continue;
        }
        if let Some(first) = first_places.get(&name) {
            let message = format!(
                "the HTTP trigger of the function on {} has the name {name} already, as hosts are compared \
                 without case",
                first.location
            );
            report.error(&function.place, message);
            continue;
        }
        first_places.insert(name.clone(), function.place);
        // Whatever is missing was reported.
        let (Some(function), Some(authentication)) =
            (functions.compiled.get(&function.value), trigger.authentication)
        else {
            continue;
        };
        let kind = if trigger.is_disabled { DomainKind::DisabledTrigger } else { DomainKind::Trigger };
        let route = Route {
            path: "/*".to_owned(),
            number: 0,
            methods: trigger.methods,
            function: Arc::clone(function),
            rewrite: None,
        };
        triggers.push(Trigger { name, kind, authentication, route, cors: trigger.cors });
    }
    triggers
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
