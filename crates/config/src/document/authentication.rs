//! `authType` and what belongs to it: how the requests of a domain or a trigger are authenticated.
use std::sync::Arc;
use std::time::Duration;

use claimgate_jose::{JwkSet, Policy};

use super::{claim_pass_by, json_text, jwks, remote_jwks, scope, token_lookup};
use crate::place::{Place, Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{self, JwtAuthentication, MappedParameters, OtherBodies, RemoteKeySource, RulesId};
use crate::suggest::did_you_mean;
use crate::yaml::Value;

/// The longest tolerance for clocks that are not exact.
const MAX_LEEWAY_SECONDS: u64 = 300;

/// How a domain's requests are authenticated, as it was written.
#[derive(Debug)]
pub(crate) struct Authentication {
    pub(crate) rules: snapshot::Authentication,
    /// Where more keys are fetched from.
    pub(crate) remote_keys: Option<Written<RemoteKeySource>>,
}

impl Authentication {
    const ANONYMOUS: Self = Self { rules: snapshot::Authentication::Anonymous, remote_keys: None };
}

/// Reads `authConfig` of a domain; `domain` is where the domain's name stands.
pub(super) fn read(object: &mut Object<'_>, domain: &Place, report: &mut Report) -> Option<Authentication> {
    // The original prints {} for a domain without.
    let Some(field) = object.field("authConfig").filter(|field| !field.is_empty()) else {
        let message = "the domain has no authConfig, so everybody may call it; write authType: anonymous if \
                       that is meant";
        report.warning(domain, message);
        return Some(Authentication::ANONYMOUS);
    };
    let mut config = field.object("an object with the fields authType and authInfo", report)?;
    let authentication = read_fields(&mut config, "authInfo", report);
    config.finish(report);
    authentication
}

/// Reads `authType` and the details of `jwt`, which stand in the field `details`: `authInfo` of a domain,
/// `authConfig` of a trigger.
pub(super) fn read_fields(
    object: &mut Object<'_>,
    details: &'static str,
    report: &mut Report,
) -> Option<Authentication> {
    let right = "jwt or anonymous";
    let auth_type = object.required("authType", right, report).and_then(|field| field.text(right, report));
    let field = object.field(details);
    let auth_type = auth_type?;
    match auth_type.value {
        "jwt" => match field {
            Some(field) => read_auth_info(&field, report),
            None => {
                let message = format!("the field {details} is missing; expected {AUTH_INFO}");
                report.error(&object.place, message);
                None
            }
        },
        "anonymous" => {
            warn_of_unused(field, details, report);
            Some(Authentication::ANONYMOUS)
        }
        "function" => {
            report.error(&auth_type.place, "authType function is not supported; use jwt or anonymous");
            None
        }
        other => {
            let suggestion = did_you_mean(other, ["jwt", "anonymous"]);
            report.error(&auth_type.place, format!("expected {right}, found {}{suggestion}", quoted(other)));
            None
        }
    }
}

const AUTH_INFO: &str = "an object with the fields jwks and tokenLookup, or a string that holds it as JSON";

fn warn_of_unused(field: Option<Field<'_>>, name: &str, report: &mut Report) {
    let Some(field) = field else {
        return;
    };
    let holds_nothing = matches!(&field.node.value, Value::String(text) if text.trim() == "{}");
    if !holds_nothing && !field.is_empty() {
        report.warning(&field.place, format!("{name} has no effect, as authType is anonymous"));
    }
}

fn read_auth_info(field: &Field<'_>, report: &mut Report) -> Option<Authentication> {
    let Value::String(text) = &field.node.value else {
        return read_members(field, report);
    };
    match json_text::parse(text, field.node.location) {
        Ok(node) => read_members(&Field { node: &node, place: field.place.clone() }, report),
        Err(why) => {
            report.error(&field.place, format!("expected {AUTH_INFO}, {why}"));
            None
        }
    }
}

fn read_members(field: &Field<'_>, report: &mut Report) -> Option<Authentication> {
    if !matches!(field.node.value, Value::Map(_)) {
        // What stands here may hold keys, so it is not quoted.
        report.error(&field.place, format!("expected {AUTH_INFO}"));
        return None;
    }
    let mut object = field.object(AUTH_INFO, report)?.in_any_case(report);
    let has_remote_keys = object.field("jwksUri").is_some() || object.field("oidcIssuer").is_some();
    let remote_keys = remote_jwks::read_source(&mut object, report);
    let keys = match object.field("jwks") {
        Some(field) => jwks::read(&field, report),
        None if has_remote_keys => Some(JwkSet::default()),
        None => {
            report.error(&object.place, "there are no keys; expected jwks, jwksUri or oidcIssuer");
            None
        }
    };
    let token_lookup = object
        .required("tokenLookup", token_lookup::RIGHT, report)
        .map(|field| token_lookup::read(&field, report));
    let claim_mappings = object.field("claimPassBy").map(|field| claim_pass_by::read(&field, report));
    let claim_mappings = claim_mappings.unwrap_or_default();
    let forward_token = object.field("forwardToken").and_then(|field| field.boolean(report)).unwrap_or(true);
    let removed_tokens = token_lookup.as_deref().filter(|_| !forward_token).unwrap_or_default();
    let mapped = MappedParameters::of(&claim_mappings, removed_tokens);
    let other_bodies = read_other_bodies(object.field("otherBodies"), &mapped, &object.place, report);
    let scope = scope::read(&mut object, report);
    let mut policy = Policy {
        issuers: read_names(
            object.field("issuers"),
            "a list of issuers, as [https://id.example.com]",
            report,
        ),
        audiences: read_names(object.field("audiences"), "a list of audiences, as [orders]", report),
        leeway: read_leeway(object.field("leewaySeconds"), report),
    };
    if let Some(Written { value: RemoteKeySource::OidcIssuer { issuer, .. }, .. }) = &remote_keys
        && !policy.issuers.contains(issuer)
    {
        policy.issuers.push(issuer.clone());
    }
    // Even where newer fields are passed over: what limits who may call must not be lost by a slip of the pen.
    object.finish_strictly(report);
    let jwt = JwtAuthentication {
        id: RulesId::new(),
        keys: keys?,
        policy,
        token_lookup: token_lookup.filter(|sources| !sources.is_empty())?,
        claim_mappings,
        mapped,
        other_bodies,
        scope,
        forward_token,
    };
    Some(Authentication { rules: snapshot::Authentication::Jwt(Arc::new(jwt)), remote_keys })
}

/// Reads what becomes of bodies that are not forms. A domain that maps a claim to a form should say it, since
/// JSON is refused there unless the function reads no parameters from it.
fn read_other_bodies(
    field: Option<Field<'_>>,
    mapped: &MappedParameters,
    place: &Place,
    report: &mut Report,
) -> OtherBodies {
    const RIGHT: &str = "refuse or forward";
    let Some(field) = field else {
        if mapped.any_in_form {
            let message = "claimPassBy maps a claim to a form, so requests with any other body are refused with \
                           415; write otherBodies: refuse if that is right, or otherBodies: forward if the \
                           function reads no parameters from JSON and other bodies";
            report.warning(place, message);
        }
        return OtherBodies::default();
    };
    if mapped.query_and_form.is_empty() {
        let message = "otherBodies has no effect, as claimPassBy maps no claim to the query or a form";
        report.warning(&field.place, message);
    }
    let Some(written) = field.text(RIGHT, report) else {
        return OtherBodies::default();
    };
    match written.value {
        "refuse" => OtherBodies::Refuse,
        "forward" => OtherBodies::Forward,
        other => {
            let suggestion = did_you_mean(other, ["refuse", "forward"]);
            report.error(&written.place, format!("expected {RIGHT}, found {}{suggestion}", quoted(other)));
            OtherBodies::default()
        }
    }
}

fn read_names(field: Option<Field<'_>>, right: &str, report: &mut Report) -> Vec<String> {
    let texts = field.and_then(|field| field.texts(right, "a string", report)).unwrap_or_default();
    for text in texts.iter().filter(|text| text.value.is_empty()) {
        report.error(&text.place, "expected a string that is not empty");
    }
    texts.iter().map(|text| text.value.to_owned()).collect()
}

fn read_leeway(field: Option<Field<'_>>, report: &mut Report) -> Duration {
    let seconds = field.and_then(|field| field.integer(0..=MAX_LEEWAY_SECONDS, " seconds", report));
    Duration::from_secs(seconds.unwrap_or_default())
}
