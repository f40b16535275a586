//! `gateway.accessLog`.
use std::path::PathBuf;

use crate::place::{Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{AccessLogFormat, AccessLogOutput, AccessLogSettings};
use crate::yaml::Value;

/// Reads `gateway.accessLog`; what is left out has its default.
pub(super) fn read(gateway: &mut Object<'_>, settings: &mut AccessLogSettings, report: &mut Report) {
    let Some(field) = gateway.field("accessLog") else {
        return;
    };
    if matches!(&field.node.value, Value::String(text) if text == "none") {
        settings.output = AccessLogOutput::None;
        return;
    }
    let Some(mut object) = field.object("an object with file and format, or none", report) else {
        return;
    };
    if let Some(output) = object.field("file").and_then(|field| read_output(&field, report)) {
        settings.output = output;
    }
    if let Some(format) = object.field("format").and_then(|field| read_format(&field, report)) {
        settings.format = format;
    }
    object.finish(report);
}

fn read_output(field: &Field<'_>, report: &mut Report) -> Option<AccessLogOutput> {
    let right = "the path of a file, or \"-\" for standard output";
    let Written { value: path, place } = field.text(right, report)?;
    if path.is_empty() || path.contains('\0') {
        report.error(&place, format!("expected {right}, found {}", quoted(path)));
        return None;
    }
    Some(if path == "-" { AccessLogOutput::Stdout } else { AccessLogOutput::File(PathBuf::from(path)) })
}

fn read_format(field: &Field<'_>, report: &mut Report) -> Option<AccessLogFormat> {
    let right = "json or text";
    let Written { value: format, place } = field.text(right, report)?;
    match format {
        "json" => Some(AccessLogFormat::Json),
        "text" => Some(AccessLogFormat::Text),
        _ => {
            report.error(&place, format!("expected {right}, found {}", quoted(format)));
            None
        }
    }
}
