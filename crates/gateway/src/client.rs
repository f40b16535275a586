//! Who sent a request: whoever the connection comes from, or whom the trusted proxies in front of the gateway
//! name (`gateway.trustedProxies`).

mod forwarded;

use std::net::{IpAddr, SocketAddr};

use claimgate_config::snapshot::AddressRange;
use claimgate_functions::Fields;
use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memrchr;

use crate::parameters::header::text;
use crate::transport::{HTTP, HTTPS, Transport};

pub static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub static X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
pub static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Who sends requests on a connection.
#[derive(Debug, Clone)]
pub struct Client {
    address: IpAddr,
    /// What they come over.
    pub transport: Transport,
    /// Made once for all requests of the connection.
    text: HeaderValue,
}

impl Client {
    pub fn new(address: IpAddr, transport: Transport) -> Self {
        // A listener of IPv6 sees clients of IPv4 in another form.
        let address = address.to_canonical();
        Self { address, transport, text: ascii(address.to_string()) }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.text.to_str().unwrap_or_default()
    }
}

/// Where a request comes from.
#[derive(Debug)]
pub struct Origin<'c> {
    /// Who the connection comes from.
    pub peer: &'c Client,
    /// What the proxies in front told of it, when they are trusted.
    told: Option<Box<Told>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// The address of the client.
    client: String,
    /// The way of the request, as addresses, so far as it was told: the connection's own is not in it.
    addresses: String,
    /// `Forwarded` as it came, when that is what the proxies tell with.
    forwarded: Option<String>,
    scheme: Option<&'static str>,
    host: Option<HeaderValue>,
    port: Option<HeaderValue>,
}

impl<'c> Origin<'c> {
    /// Where a request comes from that came over a client's own connection.
    pub fn direct(peer: &'c Client) -> Self {
        Self { peer, told: None }
    }

    /// Where a request comes from. Its headers are believed when the connection comes from a trusted
    /// proxy; of the addresses in them, the last that no trusted proxy has is the client's.
    ///
    /// Proxies tell with `X-Forwarded-For` and its family, or with `Forwarded` (RFC 7239). When both are
    /// there, only the former is believed: a proxy that sets the one may pass on the other as a client
    /// has sent it.
    pub fn of(peer: &'c Client, fields: &Fields, trusted: &[AddressRange]) -> Self {
        let is_trusted = |address: IpAddr| is_in(address, trusted);
        if trusted.is_empty() || !is_trusted(peer.address) {
            return Self::direct(peer);
        }
        let forwarded = if fields.contains(&X_FORWARDED_FOR) { None } else { joined(fields, &FORWARDED) };
        let told = match forwarded {
            Some(forwarded) => told_by_forwarded(peer, forwarded, is_trusted),
            None => told_by_x_forwarded(peer, fields, is_trusted),
        };
        Self { peer, told: Some(Box::new(told)) }
    }

    /// The address of who sent it, as text.
    pub fn client(&self) -> &str {
        self.told.as_ref().map_or_else(|| self.peer.as_str(), |told| &told.client)
    }

    /// The scheme of the URL that the client asked for.
    pub fn scheme(&self) -> &'static str {
        let told = self.told.as_ref().and_then(|told| told.scheme);
        told.unwrap_or_else(|| self.peer.transport.scheme())
    }

    /// Tells a function where a request comes from, whose Host is there, and nothing of the kind any more.
    pub fn add(&self, fields: &mut Fields) {
        let scheme = self.scheme();
        let Some(told) = &self.told else {
            let port = fields.get(&HOST).and_then(port_of).unwrap_or_else(|| default_port(scheme));
            fields.append(&X_FORWARDED_FOR, &self.peer.text);
            fields.append_copy(&X_FORWARDED_HOST, &HOST);
            fields.append(&X_FORWARDED_PORT, &port);
            fields.append(&X_FORWARDED_PROTO, &HeaderValue::from_static(scheme));
            return;
        };
        let host = told.host.as_ref().map(HeaderValue::as_bytes).or_else(|| fields.get(&HOST));
        let port =
            told.port.clone().or_else(|| host.and_then(port_of)).unwrap_or_else(|| default_port(scheme));
        let mut addresses = told.addresses.clone();
        push(&mut addresses, ", ", self.peer.as_str());
        fields.append(&X_FORWARDED_FOR, &ascii(addresses));
        match &told.host {
            Some(host) => fields.append(&X_FORWARDED_HOST, host),
            None => fields.append_copy(&X_FORWARDED_HOST, &HOST),
        }
        fields.append(&X_FORWARDED_PORT, &port);
        fields.append(&X_FORWARDED_PROTO, &HeaderValue::from_static(scheme));
        if let Some(forwarded) = &told.forwarded {
            let mut forwarded = forwarded.clone();
            let host = fields.get(&HOST).and_then(text).unwrap_or_default();
            let element = forwarded::element(self.peer.address, host, self.peer.transport.scheme());
            push(&mut forwarded, ", ", &element);
            fields.append(&FORWARDED, &ascii(forwarded));
        }
    }
}

/// Who sent a request to another listener than the data plane's, found in the same way.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The client's address.
    pub address: IpAddr,
    /// Whether the client sent the request over HTTPS, to this process or to a trusted proxy.
    pub is_https: bool,
    /// The Host that the client asked for, where a trusted proxy names it.
    pub host: Option<HeaderValue>,
}

impl Sender {
    /// Who sent a request on a connection from `peer`.
    pub fn of(peer: IpAddr, is_https: bool, headers: &HeaderMap, trusted: &[AddressRange]) -> Self {
        let transport = if is_https { Transport::Https { server_name: "".into() } } else { Transport::HTTP };
        let peer = Client::new(peer, transport);
        let origin = Origin::of(&peer, &Fields::from(headers), trusted);
        Self {
            address: origin.client().parse().unwrap_or(peer.address),
            is_https: origin.scheme() == HTTPS,
            host: origin.told.and_then(|told| told.host),
        }
    }
}

/// Whether an address is in one of the ranges.
pub fn is_in(address: IpAddr, ranges: &[AddressRange]) -> bool {
    ranges.iter().any(|range| range.contains(address))
}

fn told_by_x_forwarded(peer: &Client, fields: &Fields, is_trusted: impl Fn(IpAddr) -> bool) -> Told {
    let addresses = joined(fields, &X_FORWARDED_FOR).unwrap_or_default();
    let hops = addresses.rsplit(',').map(|hop| (parse_address(hop.trim()), ()));
    let (address, _) = walk(peer.address, hops, is_trusted);
    // What the nearest proxy has set stands last, if it did not replace what was there.
    let last = |name| {
        let list = joined(fields, name)?;
        Some(list.rsplit(',').next().unwrap_or_default().trim().to_owned())
    };
    Told {
        client: address.to_string(),
        addresses,
        forwarded: None,
        scheme: last(&X_FORWARDED_PROTO).as_deref().and_then(scheme),
        host: last(&X_FORWARDED_HOST).as_deref().and_then(host),
        port: last(&X_FORWARDED_PORT).as_deref().and_then(port),
    }
}

fn told_by_forwarded(peer: &Client, forwarded: String, is_trusted: impl Fn(IpAddr) -> bool) -> Told {
    let Some(hops) = forwarded::parse(&forwarded) else {
        return Told { client: peer.address.to_string(), ..Told::default() };
    };
    let mut addresses = String::new();
    for hop in &hops {
        let address = hop.address.map(|address| address.to_string());
        push(&mut addresses, ", ", address.as_deref().unwrap_or("unknown"));
    }
    let told =
        |hop: &forwarded::Hop| (hop.scheme.as_deref().and_then(scheme), hop.host.as_deref().and_then(host));
    let (address, last) =
        walk(peer.address, hops.iter().rev().map(|hop| (hop.address, told(hop))), is_trusted);
    let (scheme, host) = last.unwrap_or_default();
    let client = address.to_string();
    Told { client, addresses, forwarded: Some(forwarded), scheme, host, port: None }
}

/// Goes from proxy to proxy, as long as each is trusted, to the first address that is none's. Gives that
/// address, or the last known one, and what was told with it.
fn walk<T>(
    from: IpAddr,
    hops: impl Iterator<Item = (Option<IpAddr>, T)>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> (IpAddr, Option<T>) {
    let (mut address, mut told) = (from, None);
    for (next, of_hop) in hops {
        told = Some(of_hop);
        let Some(next) = next else {
            break;
        };
        address = next;
        if !is_trusted(next) {
            break;
        }
    }
    (address, told)
}

/// The values of a header field as one list; `None` when it is not there, or is no text.
fn joined(fields: &Fields, name: &HeaderName) -> Option<String> {
    let mut list = String::new();
    let mut values = fields.get_all(name).peekable();
    values.peek()?;
    for value in values {
        push(&mut list, ", ", text(value)?);
    }
    Some(list)
}

fn push(list: &mut String, separator: &str, more: &str) {
    if !list.is_empty() {
        list.push_str(separator);
    }
    list.push_str(more);
}

/// An address, as it is or with a port, which some proxies add.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    bare.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

fn scheme(text: &str) -> Option<&'static str> {
    [HTTP, HTTPS].into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme))
}

fn host(text: &str) -> Option<HeaderValue> {
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_host) { None } else { HeaderValue::from_str(text).ok() }
}

fn port(text: &str) -> Option<HeaderValue> {
    text.parse::<u16>().ok().map(HeaderValue::from)
}

/// The port in what a host was written as.
fn port_of(host: &[u8]) -> Option<HeaderValue> {
    let port = host.get(memrchr(b':', host)? + 1..)?;
    let is_port = !port.is_empty() && port.iter().all(u8::is_ascii_digit);
    if is_port { HeaderValue::from_bytes(port).ok() } else { None }
}

fn default_port(scheme: &str) -> HeaderValue {
    HeaderValue::from_static(if scheme == HTTPS { "443" } else { "80" })
}

fn ascii(text: String) -> HeaderValue {
    // Addresses, and what was a header value before.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests;
