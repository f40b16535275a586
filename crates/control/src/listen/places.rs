//! How many connections are open at once, in all and from one client.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claimgate_config::snapshot::{AddressRange, AdminLimits, AdminSettings};
use claimgate_gateway::is_in;
use claimgate_login::network;

/// The places of all connections.
#[derive(Debug)]
pub struct Places {
    taken: Arc<Mutex<Taken>>,
    limits: AdminLimits,
    trusted_proxies: Vec<AddressRange>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub struct Place {
    taken: Arc<Mutex<Taken>>,
    /// `None` for a proxy, which has many clients.
    client: Option<IpAddr>,
}

/// Which limit has been reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// `admin.limits.connections`.
    InAll,
    /// `admin.limits.connectionsPerAddress`.
    OfAddress,
}

impl Places {
    /// None taken so far.
    pub fn new(settings: &AdminSettings) -> Self {
        Self {
            taken: Arc::default(),
            limits: settings.limits,
            trusted_proxies: settings.trusted_proxies.clone(),
        }
    }

    /// A place for a connection from this address, if there is one left.
    pub fn take(&self, address: IpAddr) -> Result<Place, Full> {
        let address = address.to_canonical();
        let client = (!is_in(address, &self.trusted_proxies)).then(|| network(address));
        let mut taken = lock(&self.taken);
        if taken.all >= self.limits.connections {
            return Err(Full::InAll);
        }
        if let Some(client) = client {
            let of_client = taken.by_client.entry(client).or_default();
            if *of_client >= self.limits.connections_per_address {
                return Err(Full::OfAddress);
            }
            *of_client += 1;
        }
        taken.all += 1;
        Ok(Place { taken: Arc::clone(&self.taken), client })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.all = taken.all.saturating_sub(1);
        let Some(client) = self.client else { return };
        if let Entry::Occupied(mut of_client) = taken.by_client.entry(client) {
            *of_client.get_mut() = of_client.get().saturating_sub(1);
            if *of_client.get() == 0 {
                of_client.remove();
            }
        }
    }
}

// Numbers stay usable after a panic elsewhere.
fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn places(connections: usize, connections_per_address: usize) -> Places {
        let settings = AdminSettings {
            limits: AdminLimits { connections, connections_per_address },
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..AdminSettings::default()
        };
        Places::new(&settings)
    }

    fn take(places: &Places, address: &str) -> Result<Place, Full> {
        places.take(address.parse().unwrap())
    }

    #[test]
    fn places_are_limited_in_all_and_given_back() {
        let places = places(3, 2);
        let first = take(&places, "192.0.2.1").unwrap();
        let _second = take(&places, "::ffff:192.0.2.1").unwrap();
        assert_eq!(take(&places, "192.0.2.1").unwrap_err(), Full::OfAddress);
        let _third = take(&places, "2001:db8::1").unwrap();
        assert_eq!(take(&places, "192.0.2.3").unwrap_err(), Full::InAll);
        drop(first);
        assert!(take(&places, "192.0.2.1").is_ok());
        assert_eq!(lock(&places.taken).all, 2);
    }

    #[test]
    fn an_ipv6_network_is_one_client_and_a_proxy_is_many() {
        let places = places(100, 2);
        let taken: Vec<_> = (1..=3).map(|host| take(&places, &format!("2001:db8::{host}"))).collect();
        assert_eq!(taken.iter().filter(|taken| taken.is_ok()).count(), 2);
        assert!(take(&places, "2001:db8:0:1::1").is_ok());
        let proxied: Vec<_> = (0..50).map(|_| take(&places, "10.1.1.1").unwrap()).collect();
        drop((taken, proxied));
        assert!(lock(&places.taken).by_client.is_empty());
    }
}
