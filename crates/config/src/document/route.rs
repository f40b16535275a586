//! `routeConfig.routes[]`.
use http::Method;

use super::{function, rewrite};
use crate::path::parse_pattern;
use crate::place::{Place, Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::RewriteRules;

/// A route as it was written. What is missing was reported.
#[derive(Debug)]
pub(crate) struct Route {
    /// Canonical, with its `*`.
    pub(crate) path: Option<Written<String>>,
    /// Empty means all.
    pub(crate) methods: Vec<Method>,
    pub(crate) function_name: Option<Written<String>>,
    pub(crate) rewrite: Option<RewriteRules>,
}

/// Function Compute's limit.
const MAX_ROUTES: usize = 100;

pub(super) const METHODS: [Method; 7] =
    [Method::HEAD, Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS];

const METHOD_NAMES: &str = "HEAD, GET, POST, PUT, DELETE, PATCH or OPTIONS";

/// Reads the routes of a domain; `domain` is where its name stands.
pub(super) fn read_all(object: &mut Object<'_>, domain: &Place, report: &mut Report) -> Vec<Route> {
    let no_routes = "the domain has no routes; every request to it is answered with 404";
    let Some(config) = object.field("routeConfig") else {
        report.warning(domain, no_routes);
        return Vec::new();
    };
    let Some(mut object) = config.object("an object with the field routes", report) else {
        return Vec::new();
    };
    let routes = object.field("routes");
    object.finish(report);
    let Some(routes) = routes else {
        report.warning(&config.place, no_routes);
        return Vec::new();
    };
    let Some(items) = routes.list("a list of routes", report) else {
        return Vec::new();
    };
    if items.is_empty() {
        report.warning(&routes.place, no_routes);
    }
    if items.len() > MAX_ROUTES {
        report.error(
            &routes.place,
            format!("a domain has at most {MAX_ROUTES} routes, this one has {}", items.len()),
        );
    }
    items.iter().take(MAX_ROUTES).filter_map(|field| Route::read(field, report)).collect()
}

impl Route {
    fn read(field: &Field<'_>, report: &mut Report) -> Option<Route> {
        let mut object = field.object("a route, as {path: /*, functionName: hello}", report)?;
        let path = object
            .required("path", "a path, as /orders/*", report)
            .and_then(|field| read_path(&field, report));
        let function_name = object
            .required("functionName", "the name of a function", report)
            .and_then(|field| function::read_name(&field, report));
        let methods = object.field("methods").map(|field| read_methods(&field, report)).unwrap_or_default();
        if let Some(qualifier) = object.field("qualifier").and_then(|field| field.text("LATEST", report))
            && qualifier.value != "LATEST"
        {
            let message =
                format!("functions have no versions in claimgate; {} means LATEST", quoted(qualifier.value));
            report.warning(&qualifier.place, message);
        }
        let pattern = path.as_ref().and_then(|path| parse_pattern(&path.value).ok());
        let rewrite = object
            .field("rewriteConfig")
            .filter(|field| !field.is_empty())
            .and_then(|field| rewrite::read(&field, pattern.as_ref(), report));
        object.finish(report);
        Some(Route { path, methods, function_name, rewrite })
    }
}

fn read_path(field: &Field<'_>, report: &mut Report) -> Option<Written<String>> {
    let Written { value: text, place } = field.text("a path, as /orders/*", report)?;
    match parse_pattern(text) {
        Ok(_) => Some(Written { value: text.to_owned(), place }),
        Err(why) => {
            report.error(&place, format!("the path {why}"));
            None
        }
    }
}

/// Reads the methods of a route or a trigger; an empty list means all.
pub(super) fn read_methods(field: &Field<'_>, report: &mut Report) -> Vec<Method> {
    let mut methods = Vec::new();
    for written in field.texts("a list of methods, as [GET, POST]", METHOD_NAMES, report).unwrap_or_default()
    {
        let name = written.value;
        match METHODS.iter().find(|method| method.as_str() == name) {
            Some(method) if methods.contains(method) => {
                report.error(&written.place, format!("the method {name} is listed twice"));
            }
            Some(method) => methods.push(method.clone()),
            None => {
                let upper = METHODS.iter().find(|method| method.as_str().eq_ignore_ascii_case(name));
                let message = match upper {
                    Some(method) => {
                        format!("methods are written in upper case: {method}, found {}", quoted(name))
                    }
                    None => format!("expected {METHOD_NAMES}, found {}", quoted(name)),
                };
                report.error(&written.place, message);
            }
        }
    }
    methods
}
