//! `gateway.trustedProxies`.
use crate::place::{Written, quoted};
use crate::reader::Object;
use crate::report::Report;
use crate::snapshot::{AddressRange, GatewaySettings};

/// Reads what the gateway knows of the proxies in front of it.
pub(super) fn read(gateway: &mut Object<'_>, settings: &mut GatewaySettings, report: &mut Report) {
    let right = "a list of addresses, as [10.0.0.0/8, \"fd00::/8\"]";
    let ranges = gateway.field("trustedProxies").and_then(|field| field.texts(right, "an address", report));
    for Written { value: text, place } in ranges.unwrap_or_default() {
        match text.parse::<AddressRange>() {
            Ok(range) => settings.trusted_proxies.push(range),
            Err(why) => report.error(&place, format!("{why}, found {}", quoted(text))),
        }
    }
}
