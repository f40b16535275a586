//! The rows of routes.

use claimgate_jose::json::{Object, Value};

use crate::console::documents::member::text;
use crate::console::form::Fields;

/// A route.
#[derive(Debug, Default, Clone)]
pub struct RouteRow {
    pub path: String,
    pub function: String,
    /// With commas in between; empty for all.
    pub methods: String,
    /// Which route of the document it was, whose other members it keeps.
    pub original: Option<usize>,
}

/// Two routes are the same when what the form shows of them is.
impl PartialEq for RouteRow {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, &self.function, methods_of(&self.methods))
            == (&other.path, &other.function, methods_of(&other.methods))
    }
}

impl RouteRow {
    /// Rows in which nothing was written are left out, as in the other lists.
    pub fn of_fields(fields: &Fields) -> Vec<Self> {
        let paths = fields.all("route-path").zip(fields.all("route-function"));
        let rows = paths.zip(fields.all("route-methods")).zip(fields.all("route-original"));
        rows.map(|(((path, function), methods), original)| Self {
            path: path.trim().to_owned(),
            function: function.trim().to_owned(),
            methods: methods.trim().to_owned(),
            original: original.parse().ok(),
        })
        .filter(|row| !(row.path.is_empty() && row.function.is_empty() && row.methods.is_empty()))
        .collect()
    }
}

/// The routes of a document.
pub fn routes_of(document: &Object) -> Vec<RouteRow> {
    let routes =
        document.get("routeConfig").and_then(Value::as_object).and_then(|config| config.get("routes"));
    let routes = routes.and_then(Value::as_array).unwrap_or_default();
    let row = |(index, route): (usize, &Value)| {
        let route = route.as_object()?;
        let methods = route.get("methods").and_then(Value::as_array).unwrap_or_default();
        let methods: Vec<&str> = methods.iter().filter_map(Value::as_str).collect();
        Some(RouteRow {
            path: text(route, "path"),
            function: text(route, "functionName"),
            methods: methods.join(", "),
            original: Some(index),
        })
    };
    routes.iter().enumerate().filter_map(row).collect()
}

/// Sets the routes; each keeps what the form does not show of it.
pub fn set_routes(document: &mut Object, rows: &[RouteRow]) {
    let mut config = match document.get("routeConfig") {
        Some(Value::Object(config)) => config.clone(),
        _ => Object::new(),
    };
    let before = config.get("routes").and_then(Value::as_array).unwrap_or_default();
    let route = |row: &RouteRow| {
        let original = row.original.and_then(|index| before.get(index)).and_then(Value::as_object);
        let mut route = original.cloned().unwrap_or_default();
        route.insert("path", row.path.as_str());
        route.insert("functionName", row.function.as_str());
        let methods = methods_of(&row.methods);
        if methods.is_empty() {
            route.remove("methods");
        } else {
            route.insert("methods", methods.into_iter().map(Value::from).collect::<Vec<Value>>());
        }
        Value::Object(route)
    };
    let routes: Vec<Value> = rows.iter().map(route).collect();
    config.insert("routes", routes);
    document.insert("routeConfig", config);
}

fn methods_of(text: &str) -> Vec<String> {
    let words = text.split(|character: char| character == ',' || character.is_whitespace());
    words.filter(|word| !word.is_empty()).map(str::to_ascii_uppercase).collect()
}
