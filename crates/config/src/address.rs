//! Addresses to listen on.
use std::net::{Ipv4Addr, SocketAddr};

use crate::place::{Written, quoted};
use crate::reader::Field;
use crate::report::Report;
use crate::yaml::Value;

impl Field<'_> {
    /// Reads `address:port`; `right` says what would be right.
    pub fn address(&self, right: &str, report: &mut Report) -> Option<SocketAddr> {
        if matches!(self.node.value, Value::Number(_)) {
            return self.wrong_type(right, report);
        }
        let Written { value: text, place } = self.text(right, report)?;
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
        let port = port.parse::<u16>().ok();
        if let (Some(port), "localhost") = (port, host) {
            return Some((Ipv4Addr::LOCALHOST, port).into());
        }
        let hint = match port {
            Some(port) if host.is_empty() || host == "*" => {
                format!("; write \"0.0.0.0:{port}\" for all addresses of this machine")
            }
            Some(_) => "; the address must be an IP address or localhost".to_owned(),
            None => String::new(),
        };
        report.error(&place, format!("expected {right}, found the string {}{hint}", quoted(text)));
        None
    }
}
