//! `trustedProxies` of `gateway` and `admin`, and `gateway.proxyProtocol`.
use crate::place::{Written, quoted};
use crate::reader::Object;
use crate::report::Report;
use crate::snapshot::{AddressRange, GatewaySettings};

/// Reads what the gateway knows of the proxies in front of it.
pub(super) fn read(gateway: &mut Object<'_>, settings: &mut GatewaySettings, report: &mut Report) {
    settings.trusted_proxies = read_ranges(gateway, report);
    let Some(field) = gateway.field("proxyProtocol") else {
        return;
    };
    settings.proxy_protocol = field.boolean(report).unwrap_or_default();
    if settings.proxy_protocol && settings.trusted_proxies.is_empty() {
        let message = "it is taken from trusted proxies alone, and there are none; \
                       name the proxy's address in gateway.trustedProxies";
        report.error(&field.place, message);
    }
}

/// Reads `trustedProxies`.
pub(super) fn read_ranges(section: &mut Object<'_>, report: &mut Report) -> Vec<AddressRange> {
    let right = "a list of addresses, as [10.0.0.0/8, \"fd00::/8\"]";
    let written = section.field("trustedProxies").and_then(|field| field.texts(right, "an address", report));
    let mut ranges = Vec::new();
    for Written { value: text, place } in written.unwrap_or_default() {
        match text.parse::<AddressRange>() {
            Ok(range) => ranges.push(range),
            Err(why) => report.error(&place, format!("{why}, found {}", quoted(text))),
        }
    }
    ranges
}
