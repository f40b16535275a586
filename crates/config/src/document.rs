//! What was written: each section checked for itself. What one section says of another, as the
//! function of a route, is the business of `compile`.
mod access_keys;
mod access_log;
mod acme;
mod admin;
mod authentication;
mod certificate;
mod claim_pass_by;
mod control;
mod cors;
mod domain;
mod function;
mod gateway;
mod http_trigger;
mod jwks;
mod process;
mod proxies;
mod remote_jwks;
mod rewrite;
mod route;
mod scope;
mod store;
mod tls;
mod token_lookup;
mod tracing;

use crate::json_text;
use crate::place::Written;
use crate::reader::Field;
use crate::report::Report;
use crate::snapshot::{AdminSettings, Allow, GatewaySettings, StoreSettings};
use crate::yaml::Items;
use std::path::Path;

pub(crate) use access_keys::WrittenAccessKey;
pub(crate) use authentication::Authentication;
pub(crate) use certificate::{CertConfig, Pair};
pub(crate) use domain::{
    CustomDomain, already_named as domain_already_named, check_name as check_domain_name,
};
pub(crate) use function::{Function, already_named as function_already_named, port_taken};
pub(crate) use http_trigger::HttpTrigger;
pub(crate) use remote_jwks::check_scheme as check_scheme_of_remote_keys;
pub(crate) use route::Route;

/// What a configuration file holds.
pub(crate) const FIELDS: &str =
    "an object with the fields gateway, admin, control, store, functions and customDomains";

/// Custom domains are the one list that grows long.
pub(crate) const CUSTOM_DOMAINS: Items<CustomDomain> =
    Items { list: "customDomains", read: CustomDomain::read };

/// A configuration file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) gateway: Written<GatewaySettings>,
    pub(crate) admin: Written<AdminSettings>,
    pub(crate) access_keys: Vec<WrittenAccessKey>,
    pub(crate) allow: Allow,
    pub(crate) store: Option<StoreSettings>,
    pub(crate) functions: Vec<Function>,
    pub(crate) custom_domains: Vec<CustomDomain>,
}

impl Document {
    /// Reads a document, of which `custom_domains` were read before unless they stand in the tree. What is
    /// wrong goes to the report and is left out of the document.
    pub(crate) fn read(
        root: &Field<'_>,
        custom_domains: Option<Vec<CustomDomain>>,
        report: &mut Report,
    ) -> Option<Document> {
        let mut object = root.object(FIELDS, report)?;
        let gateway = object.field("gateway");
        let gateway = Written {
            place: gateway.as_ref().map_or(&object.place, |field| &field.place).clone(),
            value: gateway::read_gateway(gateway, report),
        };
        let admin = object.field("admin");
        let place = admin.as_ref().map_or(&object.place, |field| &field.place).clone();
        let (admin, access_keys) = admin::read(admin, report);
        let admin = Written { place, value: admin };
        let allow = control::read(object.field("control"), report);
        let store = store::read(object.field("store"), report);
        let functions = items(object.field("functions"), "a list of functions", report)
            .iter()
            .filter_map(|field| Function::read(field, report))
            .collect();
        let in_tree = items(object.field(CUSTOM_DOMAINS.list), "a list of custom domains", report);
        let custom_domains = custom_domains.unwrap_or_else(|| {
            in_tree.iter().filter_map(|field| CustomDomain::read(field, report)).collect()
        });
        object.finish(report);
        Some(Document { gateway, admin, access_keys, allow, store, functions, custom_domains })
    }

    /// Takes relative paths as beginning at a folder.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        self.gateway.value.remote_jwks.resolve_paths(folder);
        self.gateway.value.access_log.resolve_paths(folder);
        if let Some(acme) = &mut self.gateway.value.acme {
            acme.resolve_paths(folder);
        }
        if let Some(store) = &mut self.store {
            store.resolve_paths(folder);
        }
        self.admin.value.resolve_paths(folder);
    }
}

fn items<'a>(field: Option<Field<'a>>, right: &str, report: &mut Report) -> Vec<Field<'a>> {
    field.and_then(|field| field.list(right, report)).unwrap_or_default()
}
