//! The look-ups of every request: the domain of a host, and the route of a path.
#![allow(clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use claimgate_config::snapshot::{
    Authentication, Domain, DomainKind, DomainTable, Function, FunctionTarget, Protocol, Route, RouteMatch,
    RouteTable, Source,
};
use divan::{Bencher, black_box};
use http::Method;

const DOMAINS: [usize; 3] = [10, 1_000, 100_000];
const ROUTES: [usize; 3] = [1, 10, 100];

fn main() {
    divan::main();
}

mod domain {
    use super::*;

    #[divan::bench(args = DOMAINS)]
    fn exact(bencher: Bencher, domains: usize) {
        look_up(bencher, domains, |number| format!("customer-{number:06}.example.com"));
    }

    #[divan::bench(args = DOMAINS)]
    fn wildcard(bencher: Bencher, domains: usize) {
        look_up(bencher, domains, |number| format!("api.customer-{number:06}.example.net"));
    }

    #[divan::bench(args = DOMAINS)]
    fn unknown(bencher: Bencher, domains: usize) {
        look_up(bencher, domains, |number| format!("stranger-{number:06}.example.com"));
    }

    /// Half of the domains are wildcards. Each look-up is for another host than the one before.
    fn look_up(bencher: Bencher, domains: usize, host: impl Fn(usize) -> String) {
        let exact = (0..domains / 2).map(|number| domain(format!("customer-{number:06}.example.com")));
        let wildcard = (0..domains / 2).map(|number| domain(format!("*.customer-{number:06}.example.net")));
        let table = DomainTable::new(exact.chain(wildcard));
        let hosts: Vec<String> = (0..domains / 2).map(host).collect();
        let mut turns = scattered(&hosts);
        bencher
            .with_inputs(|| turns.next().expect("a host"))
            .bench_local_values(|host| black_box(&table).find(host).is_some());
    }

    fn domain(name: String) -> Domain {
        let routes = RouteTable::new([route("/*".to_owned())]);
        Domain {
            name,
            kind: DomainKind::Custom,
            number: 0,
            protocol: Protocol::default(),
            tls: None,
            routes,
            source: Source::internal(),
            authentication: Authentication::Anonymous,
            remote_keys: None,
            cors: None,
        }
    }
}

mod routing {
    use super::*;

    #[divan::bench(args = ROUTES)]
    fn exact(bencher: Bencher, routes: usize) {
        look_up(bencher, routes, |number| format!("/service-{number:03}"));
    }

    #[divan::bench(args = ROUTES)]
    fn longest_prefix(bencher: Bencher, routes: usize) {
        look_up(bencher, routes, |number| format!("/service-{number:03}/orders/17"));
    }

    #[divan::bench(args = ROUTES)]
    fn none(bencher: Bencher, routes: usize) {
        look_up(bencher, routes, |number| format!("/nowhere-{number:03}/orders/17"));
    }

    /// Each service has an exact path and a prefix.
    fn look_up(bencher: Bencher, routes: usize, path: impl Fn(usize) -> String) {
        let written = |number| [format!("/service-{number:03}"), format!("/service-{number:03}/*")];
        let table = RouteTable::new((0..routes).flat_map(written).map(route));
        let paths: Vec<String> = (0..routes).map(path).collect();
        let mut turns = scattered(&paths);
        bencher.with_inputs(|| turns.next().expect("a path")).bench_local_values(|path| {
            matches!(black_box(&table).find(path, &Method::GET), RouteMatch::Found(_))
        });
    }
}

fn route(path: String) -> Route {
    let function = Arc::new(Function {
        name: "function".to_owned(),
        target: FunctionTarget::Echo,
        source: Source::internal(),
    });
    Route { path, number: 0, methods: Vec::new(), function, rewrite: None }
}

/// The values for ever, in an order in which no two neighbours lie beside each other in memory.
fn scattered(values: &[String]) -> impl Iterator<Item = &str> {
    // A prime that divides none of the numbers of values, so that each is visited.
    const STEP: usize = 7_919;
    (0..values.len()).cycle().map(|turn| values[turn * STEP % values.len()].as_str())
}
