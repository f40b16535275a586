//! What was written: each section checked for itself. What one section says of another, as the
//! function of a route, is the business of `compile`.
mod address;
mod authentication;
mod claim_pass_by;
mod domain;
mod function;
mod gateway;
mod json_text;
mod jwks;
mod route;
mod scope;
mod token_lookup;

use crate::place::{FieldPath, Place, Written};
use crate::reader::Field;
use crate::report::Report;
use crate::snapshot::{AdminSettings, GatewaySettings};
use crate::yaml::{self, Node, Value};

pub(crate) use domain::{CustomDomain, already_named as domain_already_named};
pub(crate) use function::{Function, already_named as function_already_named};
pub(crate) use route::Route;

/// A configuration file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) gateway: Written<GatewaySettings>,
    pub(crate) admin: Written<AdminSettings>,
    pub(crate) functions: Vec<Function>,
    pub(crate) custom_domains: Vec<CustomDomain>,
}

impl Document {
    /// Reads a document; what is wrong goes to the report and is left out of the document.
    pub(crate) fn read(root: &Node, report: &mut Report) -> Option<Document> {
        let place = Place { location: root.location, path: FieldPath::default() };
        if root.value == Value::Null {
            report.error(&place, yaml::EMPTY);
            return None;
        }
        let right = "an object with the fields gateway, admin, functions and customDomains";
        let mut object = Field { node: root, place }.object(right, report)?;
        let gateway = object.field("gateway");
        let gateway = Written {
            place: gateway.as_ref().map_or(&object.place, |field| &field.place).clone(),
            value: gateway::read_gateway(gateway, report),
        };
        let admin = object.field("admin");
        let admin = Written {
            place: admin.as_ref().map_or(&object.place, |field| &field.place).clone(),
            value: gateway::read_admin(admin, report),
        };
        let functions = items(object.field("functions"), "a list of functions", report)
            .iter()
            .filter_map(|field| Function::read(field, report))
            .collect();
        let custom_domains = items(object.field("customDomains"), "a list of custom domains", report)
            .iter()
            .filter_map(|field| CustomDomain::read(field, report))
            .collect();
        object.not_supported("store", report);
        object.finish(report);
        Some(Document { gateway, admin, functions, custom_domains })
    }
}

fn items<'a>(field: Option<Field<'a>>, right: &str, report: &mut Report) -> Vec<Field<'a>> {
    field.and_then(|field| field.list(right, report)).unwrap_or_default()
}
