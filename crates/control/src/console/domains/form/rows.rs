//! The rows of routes, of places that tokens are read from, and of claims that are passed on.

use claimgate_config::grammar::{ClaimPassBy, TokenLookup};
use claimgate_jose::json::{Object, Value};

use super::member::{expanded, text};
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

/// Read Position, Parameter Name and Remove Prefix.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TokenRow {
    pub position: String,
    pub name: String,
    pub prefix: String,
}

/// Mapping Parameter Position, Original Claim Name and Mapped Parameter Name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ClaimRow {
    pub position: String,
    pub claim: String,
    pub parameter: String,
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

impl TokenRow {
    /// `Authorization: Bearer …` (RFC 6750).
    pub fn usual() -> Self {
        let text = str::to_owned;
        Self { position: text("header"), name: text("Authorization"), prefix: text("Bearer") }
    }

    pub fn of_fields(fields: &Fields) -> Vec<Self> {
        let rows = fields.all("token-position").zip(fields.all("token-name")).zip(fields.all("token-prefix"));
        rows.map(|((position, name), prefix)| Self {
            position: position.to_owned(),
            name: name.trim().to_owned(),
            // Only headers have one.
            prefix: if position == "header" { prefix.trim().to_owned() } else { String::new() },
        })
        .filter(|row| !(row.name.is_empty() && row.prefix.is_empty()))
        .collect()
    }
}

impl ClaimRow {
    pub fn of_fields(fields: &Fields) -> Vec<Self> {
        let rows =
            fields.all("claim-position").zip(fields.all("claim-name")).zip(fields.all("claim-parameter"));
        rows.map(|((position, claim), parameter)| Self {
            position: position.to_owned(),
            claim: claim.trim().to_owned(),
            parameter: parameter.trim().to_owned(),
        })
        .filter(|row| !(row.claim.is_empty() && row.parameter.is_empty()))
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

/// The entries of `tokenLookup`.
pub fn tokens_of(lookup: &Value) -> Vec<TokenRow> {
    match lookup {
        Value::String(line) => {
            let entry = |entry: TokenLookup| TokenRow {
                position: entry.position.to_string(),
                name: entry.name,
                prefix: entry.prefix.unwrap_or_default(),
            };
            TokenLookup::parse_all(line).unwrap_or_default().into_iter().map(entry).collect()
        }
        list => objects(list, |entry| TokenRow {
            position: text(entry, "readPosition"),
            name: text(entry, "parameterName"),
            prefix: text(entry, "prefix").trim().to_owned(),
        }),
    }
}

/// `tokenLookup` of these rows: in one line, unless a name does not fit in.
pub fn token_lookup(rows: &[TokenRow]) -> Value {
    let is_plain = |row: &TokenRow| ![&row.name, &row.prefix].iter().any(|text| text.contains([',', ':']));
    if rows.iter().all(is_plain) {
        let entry = |row: &TokenRow| match row.prefix.as_str() {
            "" => format!("{}:{}", row.position, row.name),
            prefix => format!("{}:{}:{prefix}", row.position, row.name),
        };
        return Value::from(rows.iter().map(entry).collect::<Vec<_>>().join(","));
    }
    let entry = |row: &TokenRow| {
        let mut entry = Object::new();
        entry.insert("readPosition", row.position.as_str());
        entry.insert("parameterName", row.name.as_str());
        if !row.prefix.is_empty() {
            entry.insert("prefix", row.prefix.as_str());
        }
        Value::Object(entry)
    };
    Value::Array(rows.iter().map(entry).collect())
}

/// The entries of `claimPassBy`.
pub fn claims_of(pass_by: &Value) -> Vec<ClaimRow> {
    match pass_by {
        Value::String(line) => {
            let entry = |entry: ClaimPassBy| ClaimRow {
                position: entry.position.to_string(),
                claim: entry.claim,
                parameter: entry.parameter,
            };
            ClaimPassBy::parse_all(line).unwrap_or_default().into_iter().map(entry).collect()
        }
        list => objects(list, |entry| ClaimRow {
            position: text(entry, "mappingParameterPosition"),
            claim: text(entry, "claimName"),
            parameter: text(entry, "mappingParameterName"),
        }),
    }
}

/// `claimPassBy` of these rows, as [`token_lookup`].
pub fn claim_pass_by(rows: &[ClaimRow]) -> Value {
    let is_plain =
        |row: &ClaimRow| ![&row.claim, &row.parameter].iter().any(|text| text.contains([',', ':']));
    if rows.iter().all(is_plain) {
        let entry = |row: &ClaimRow| format!("{}:{}:{}", row.position, row.claim, row.parameter);
        return Value::from(rows.iter().map(entry).collect::<Vec<_>>().join(","));
    }
    let entry = |row: &ClaimRow| {
        let mut entry = Object::new();
        entry.insert("mappingParameterPosition", row.position.as_str());
        entry.insert("claimName", row.claim.as_str());
        entry.insert("mappingParameterName", row.parameter.as_str());
        Value::Object(entry)
    };
    Value::Array(rows.iter().map(entry).collect())
}

fn objects<T>(list: &Value, row: impl Fn(&Object) -> T) -> Vec<T> {
    let entries = list.as_array().unwrap_or_default().iter();
    entries.filter_map(expanded).map(|entry| row(&entry)).collect()
}
