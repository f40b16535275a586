//! `functions[]`.
use std::path::PathBuf;
use std::sync::Arc;

use http::Uri;
use http::uri::PathAndQuery;

use super::http_trigger::HttpTrigger;
use super::process;
use crate::json_text;
use crate::path;
use crate::place::{Location, Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{DocumentId, FunctionTarget};

/// A function as it was written. What is missing was reported.
#[derive(Debug)]
pub(crate) struct Function {
    /// The whole as JSON.
    pub(crate) json: Arc<str>,
    /// Of a document that is stored.
    pub(crate) id: Option<DocumentId>,
    pub(crate) name: Option<Written<String>>,
    pub(crate) target: Option<FunctionTarget>,
    /// The port that its process listens on, when it is written.
    pub(crate) port: Option<Written<u16>>,
    pub(crate) http_trigger: Option<HttpTrigger>,
}

impl Function {
    pub(crate) fn read(field: &Field<'_>, report: &mut Report) -> Option<Function> {
        let mut object = field.object("a function, as {functionName: hello, builtin: echo}", report)?;
        let name = object
            .required("functionName", "a name, as hello", report)
            .and_then(|field| read_name(&field, report));
        let (target, port) = read_target(&mut object, report);
        let http_trigger = HttpTrigger::read(&mut object, report);
        object.finish(report);
        let json = json_text::print_document(field.node).into();
        Some(Function { json, id: None, name, target, port, http_trigger })
    }
}

/// Reads a function's name; every place that names a function does it with this.
pub(super) fn read_name(field: &Field<'_>, report: &mut Report) -> Option<Written<String>> {
    let Written { value: name, place } = field.text("the name of a function", report)?;
    let first_fits = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let rest_fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if first_fits && rest_fits && name.len() <= 64 {
        return Some(Written { value: name.to_owned(), place });
    }
    let message = format!(
        "{} is no function name; a name has 1 to 64 letters, digits, _ and -, and begins with a letter or _",
        quoted(name)
    );
    report.error(&place, message);
    None
}

fn read_target(
    object: &mut Object<'_>,
    report: &mut Report,
) -> (Option<FunctionTarget>, Option<Written<u16>>) {
    match (object.field("url"), object.field("builtin"), object.field("process")) {
        (Some(url), None, None) => (read_url(&url, report), None),
        (None, Some(builtin), None) => (read_builtin(&builtin, report), None),
        (None, None, Some(process)) => match process::read(&process, report) {
            Some((settings, port)) => (Some(FunctionTarget::Process(Arc::new(settings))), port),
            None => (None, None),
        },
        (None, None, None) => {
            report.error(&object.place, "expected where the function is: url, process or builtin");
            (None, None)
        }
        (url, builtin, process) => {
            let extra = builtin.or(process).or(url).map_or(object.place.clone(), |field| field.place);
            report.error(&extra, "a function is in one place: keep one of url, builtin and process");
            (None, None)
        }
    }
}

fn read_builtin(field: &Field<'_>, report: &mut Report) -> Option<FunctionTarget> {
    let Written { value: name, place } = field.text("echo, the only built-in function", report)?;
    if name == "echo" {
        return Some(FunctionTarget::Echo);
    }
    report.error(&place, format!("expected echo, the only built-in function, found {}", quoted(name)));
    None
}

fn read_url(field: &Field<'_>, report: &mut Report) -> Option<FunctionTarget> {
    let Written { value: url, place } = field.text("a URL, as http://127.0.0.1:9000", report)?;
    let target = match url.strip_prefix("unix:") {
        Some(path) => unix_target(path),
        None => url_target(url),
    };
    target.map_err(|message| report.error(&place, message)).ok()
}

fn unix_target(path: &str) -> Result<FunctionTarget, String> {
    let path = path.strip_prefix("//").unwrap_or(path);
    if !path.starts_with('/') || path.contains(['\0', '?', '#']) {
        return Err("expected the absolute path of a socket, as unix:/run/orders.sock".to_owned());
    }
    // sun_path of unix(7): 108 bytes with the final NUL.
    if path.len() > 107 {
        return Err(format!("the path of a socket has at most 107 bytes, this one has {}", path.len()));
    }
    Ok(FunctionTarget::Unix(PathBuf::from(path)))
}

fn url_target(url: &str) -> Result<FunctionTarget, String> {
    if url.contains('#') {
        return Err("a function's URL has no fragment; leave out what begins with #".to_owned());
    }
    let right =
        "expected a URL, as http://127.0.0.1:9000, https://orders.example.com or unix:/run/orders.sock";
    let uri: Uri = url.parse().map_err(|_| right.to_owned())?;
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return Err(right.to_owned());
    };
    if scheme.as_str() != "http" && scheme.as_str() != "https" {
        return Err(format!("{right}; the scheme {} is not supported", quoted(scheme.as_str())));
    }
    if authority.as_str().contains('@') {
        // Not quoted: it holds a password.
        return Err(
            "a function's URL has no user name and password; leave out what stands before @".to_owned()
        );
    }
    if uri.query().is_some() {
        return Err("a function's URL has no query; leave out what begins with ?".to_owned());
    }
    let has_bad_port =
        authority.as_str() != authority.host() && authority.port_u16().is_none_or(|port| port == 0);
    if authority.host().is_empty() || has_bad_port {
        return Err(format!("{right}; the host or the port of {} is not valid", quoted(authority.as_str())));
    }
    let base_path = uri.path().trim_end_matches('/');
    if let Err(why) = path::check(base_path) {
        return Err(format!("the path of the URL {why}"));
    }
    let base_path = base_path.to_owned();
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    let origin = Uri::from_parts(parts).map_err(|_| right.to_owned())?;
    Ok(FunctionTarget::Url { origin, base_path })
}

/// Where two functions of one name were written.
pub(crate) fn already_named(name: &str, first: Location) -> String {
    format!("the function {name} is already declared {first}")
}

/// Where two processes of one port were written.
pub(crate) fn port_taken(port: u16, first: Location) -> String {
    format!("port {port} is another function's already, {first}; leave it out, and a free one is found")
}
