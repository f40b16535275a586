//! `gateway`.
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::StatusCode;

use super::{access_log, acme, check_domain_name, proxies, remote_jwks, tracing};
use crate::place::{Written, quoted};
use crate::reader::{Field, Object};
use crate::report::Report;
use crate::snapshot::{AccessLogSettings, GatewaySettings, Limits, RemoteJwksSettings, Timeouts};
use crate::yaml::Value;

/// Reads `gateway`; what is left out has its default.
pub(super) fn read_gateway(field: Option<Field<'_>>, report: &mut Report) -> GatewaySettings {
    let mut settings = GatewaySettings::default();
    let Some(mut object) = field.and_then(|field| field.object("an object", report)) else {
        return settings;
    };
    let right = "an address with port, as \"127.0.0.1:8080\"";
    if let Some(http) = object.field("http").and_then(|field| field.address(right, report)) {
        settings.http = http;
    }
    settings.https = object.field("https").and_then(|field| field.address(right, report));
    if let Some(port) = integer(&mut object, "httpsPublicPort", 1, u16::MAX.into(), "", report) {
        settings.https_public_port = u16::try_from(port).ok();
    }
    if let Some(workers) = integer(&mut object, "workers", 1, 1024, "", report) {
        settings.workers = Some(workers);
    }
    if let Some(field) = object.field("missingTokenStatus") {
        match &field.node.value {
            Value::Number(status) if status == "401" => {
                settings.missing_token_status = StatusCode::UNAUTHORIZED
            }
            Value::Number(status) if status == "400" => {
                settings.missing_token_status = StatusCode::BAD_REQUEST
            }
            _ => {
                field.wrong_type::<()>("401, or 400 as the original answers", report);
            }
        }
    }
    read_limits(&mut object, &mut settings.limits, report);
    read_timeouts(&mut object, &mut settings.timeouts, report);
    settings.acme = acme::read(&mut object, report);
    remote_jwks::read(&mut object, &mut settings.remote_jwks, report);
    const TIB: u64 = 1 << 40;
    if let Some(bytes) = integer(&mut object, "verifiedTokenCacheBytes", 0, TIB, " bytes", report) {
        settings.verified_token_cache_bytes = bytes;
    }
    access_log::read(&mut object, &mut settings.access_log, report);
    proxies::read(&mut object, &mut settings, report);
    settings.tracing = tracing::read(&mut object, report);
    if let Some(domain) = object.field("triggerDomain").and_then(|field| read_trigger_domain(&field, report))
    {
        settings.trigger_domain = domain;
    }
    object.finish(report);
    settings
}

fn read_trigger_domain(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let Written { value: text, place } = field.text("a domain name, as fc.example.com", report)?;
    let name = text.to_ascii_lowercase();
    let fault = if name.starts_with("*.") {
        Err("functions' names take the place of the *; write what follows it")
    } else {
        check_domain_name(&name)
    };
    fault.map_err(|why| report.error(&place, format!("{} is no domain name: {why}", quoted(text)))).ok()?;
    Some(name)
}

fn read_limits(gateway: &mut Object<'_>, limits: &mut Limits, report: &mut Report) {
    let Some(mut object) = gateway.field("limits").and_then(|field| field.object("an object", report)) else {
        return;
    };
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    for (name, limit, least, most, unit) in [
        ("headerBytes", &mut limits.header_bytes, KIB, MIB, " bytes"),
        ("headerFields", &mut limits.header_fields, 10, 10_000, " fields"),
        ("requestLineBytes", &mut limits.request_line_bytes, 256, MIB, " bytes"),
        ("formBytes", &mut limits.form_bytes, KIB, KIB * MIB, " bytes"),
        ("formMemoryBytes", &mut limits.form_memory_bytes, KIB, MIB * MIB, " bytes"),
        ("tokenBytes", &mut limits.token_bytes, 256, MIB, " bytes"),
        ("connections", &mut limits.connections, 1, MIB, " connections"),
        ("countedRoutes", &mut limits.counted_routes, 1, 100_000, " routes"),
        ("http2Streams", &mut limits.http2_streams, 1, 10_000, " streams"),
    ] {
        if let Some(written) = integer(&mut object, name, least, most, unit, report) {
            *limit = written;
        }
    }
    object.finish(report);
}

fn read_timeouts(gateway: &mut Object<'_>, timeouts: &mut Timeouts, report: &mut Report) {
    let Some(mut object) = gateway.field("timeouts").and_then(|field| field.object("an object", report))
    else {
        return;
    };
    const DAY: u64 = 24 * 3600;
    for (name, timeout, least, most) in [
        ("headerReadSeconds", &mut timeouts.header_read, 1, 3600),
        ("tlsHandshakeSeconds", &mut timeouts.tls_handshake, 1, 3600),
        ("formReadSeconds", &mut timeouts.form_read, 1, 3600),
        ("connectSeconds", &mut timeouts.connect, 1, 3600),
        ("firstByteSeconds", &mut timeouts.first_byte, 1, DAY),
        ("idleSeconds", &mut timeouts.idle, 1, DAY),
        ("drainSeconds", &mut timeouts.drain, 0, DAY),
    ] {
        let seconds = object.field(name).and_then(|field| field.integer(least..=most, " seconds", report));
        if let Some(seconds) = seconds {
            *timeout = Duration::from_secs(seconds);
        }
    }
    let response = object.field("responseSeconds");
    let response = response.and_then(|field| field.integer(1..=DAY, " seconds", report));
    timeouts.response = response.map(Duration::from_secs);
    object.finish(report);
}

pub(super) fn integer(
    object: &mut Object<'_>,
    name: &'static str,
    least: u64,
    most: u64,
    unit: &str,
    report: &mut Report,
) -> Option<usize> {
    let number = object.field(name)?.integer(least..=most, unit, report)?;
    usize::try_from(number).ok()
}

impl Default for GatewaySettings {
    fn default() -> GatewaySettings {
        GatewaySettings {
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            https: None,
            https_public_port: None,
            acme: None,
            trigger_domain: "fc.localhost".to_owned(),
            workers: None,
            missing_token_status: StatusCode::UNAUTHORIZED,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            remote_jwks: RemoteJwksSettings::default(),
            verified_token_cache_bytes: 64 * 1024 * 1024,
            access_log: AccessLogSettings::default(),
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            tracing: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            header_bytes: 64 * 1024,
            header_fields: 200,
            request_line_bytes: 16 * 1024,
            form_bytes: 1024 * 1024,
            form_memory_bytes: 256 * 1024 * 1024,
            token_bytes: 16 * 1024,
            connections: 10_000,
            counted_routes: 1000,
            http2_streams: 100,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            header_read: Duration::from_secs(60),
            tls_handshake: Duration::from_secs(10),
            form_read: Duration::from_secs(30),
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(300),
            response: None,
            drain: Duration::from_secs(30),
        }
    }
}
