//! `authInfo.claimPassBy`: where claims go.
use std::collections::HashMap;

use super::token_lookup::read_position;
use crate::grammar::ClaimPassBy;
use crate::parameter;
use crate::place::{Place, Written, quoted};
use crate::reader::Field;
use crate::report::Report;
use crate::snapshot::{ClaimMapping, Parameter};
use crate::yaml::Value;

const RIGHT: &str = "where claims go, as \"header:name:x-name,query:uid:uid\"";

/// An entry, with the words and the place to name it by.
struct Entry {
    pass_by: ClaimPassBy,
    label: String,
    place: Place,
}

/// Reads the claim mappings. What is wrong is reported and left out.
pub(super) fn read(field: &Field<'_>, report: &mut Report) -> Vec<ClaimMapping> {
    let entries = match &field.node.value {
        Value::List(_) => read_list(field, report),
        _ => read_text(field, report),
    };
    let mut mappings = Vec::new();
    let mut firsts: HashMap<(&'static str, String), String> = HashMap::new();
    for Entry { pass_by, label, place } in entries.unwrap_or_default() {
        let mapping = match claim_mapping(&pass_by) {
            Ok(mapping) => mapping,
            Err(why) => {
                report.error(&place, format!("{label}{why}"));
                continue;
            }
        };
        let entry = quoted(&pass_by.to_string());
        if let Some(first) = firsts.get(&identity(&mapping.parameter)) {
            let message = format!("{label}{entry} sets the same parameter as {first}");
            report.error(&place, message);
            continue;
        }
        firsts.insert(identity(&mapping.parameter), entry);
        mappings.push(mapping);
    }
    mappings
}

fn claim_mapping(pass_by: &ClaimPassBy) -> Result<ClaimMapping, String> {
    if pass_by.claim.is_empty() {
        return Err(format!("the name of the claim for {} is empty", quoted(&pass_by.parameter)));
    }
    if pass_by.claim.contains(char::is_control) {
        return Err(format!("the name of the claim {} has a control character", quoted(&pass_by.claim)));
    }
    let parameter = parameter::parse(pass_by.position, &pass_by.parameter)?;
    match parameter::refusal_as_target(&parameter) {
        Some(why) => Err(why),
        None => Ok(ClaimMapping { claim: pass_by.claim.clone(), parameter }),
    }
}

/// What makes two parameters the same for a function.
fn identity(parameter: &Parameter) -> (&'static str, String) {
    match parameter {
        Parameter::Header(name) => ("header", parameter::folded(name)),
        Parameter::Query(name) => ("query", name.clone()),
        Parameter::Form(name) => ("form", name.clone()),
        Parameter::Cookie(name) => ("cookie", name.clone()),
    }
}

fn read_text(field: &Field<'_>, report: &mut Report) -> Option<Vec<Entry>> {
    let Written { value: text, place } = field.text(RIGHT, report)?;
    let mut entries = Vec::new();
    for (number, pass_by) in ClaimPassBy::parse_each(text) {
        match pass_by {
            Ok(pass_by) => {
                entries.push(Entry { pass_by, label: format!("entry {number}: "), place: place.clone() })
            }
            Err(error) => report.error(&place, error.to_string()),
        }
    }
    Some(entries)
}

fn read_list(field: &Field<'_>, report: &mut Report) -> Option<Vec<Entry>> {
    let items = field.list(RIGHT, report)?;
    Some(items.iter().filter_map(|item| read_item(item, report)).collect())
}

fn read_item(field: &Field<'_>, report: &mut Report) -> Option<Entry> {
    let right =
        "an object, as {mappingParameterPosition: header, claimName: name, mappingParameterName: x-name}";
    let mut object = field.object(right, report)?;
    let position = object
        .required("mappingParameterPosition", "header, query, form or cookie", report)
        .and_then(|field| read_position(&field, report));
    let claim = object.field("claimName").map(|field| field.text("the name of a claim", report));
    let parameter = object.field("mappingParameterName").map(|field| field.text("a name", report));
    object.finish(report);
    // Without both names an entry means nothing, as `query::` does.
    let name = |field: Option<Option<Written<&str>>>| match field {
        Some(written) => written.map(|written| written.value.to_owned()),
        None => Some(String::new()),
    };
    let pass_by = ClaimPassBy { position: position?, claim: name(claim)?, parameter: name(parameter)? };
    if pass_by.claim.is_empty() && pass_by.parameter.is_empty() {
        return None;
    }
    Some(Entry { pass_by, label: String::new(), place: field.place.clone() })
}
