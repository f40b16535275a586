#![allow(clippy::unwrap_used)]
use axum::body::Body;

use super::*;

fn guard(address: &str, hosts: &[HostPattern], is_https: bool) -> Guard {
    let address = address.parse::<IpAddr>().unwrap();
    Guard { hosts: hosts.to_vec(), trusted_proxies: Vec::new(), is_loopback: address.is_loopback(), is_https }
}

fn status(guard: &Guard, target: &str, headers: &[(&str, &str)]) -> Result<(), u16> {
    let mut request = Request::builder().uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    guard.check_host(&request.body(Body::empty()).unwrap()).map_err(|error| error.status.as_u16())
}

#[test]
fn names_that_another_site_can_have_need_an_entry() {
    let listed = [HostPattern::Name("console.test".into()), HostPattern::Below("svc.cluster.local".into())];
    let loopback = guard("127.0.0.1", &listed, false);
    let network = guard("0.0.0.0", &listed, false);
    for (host, at_loopback, on_network) in [
        ("127.0.0.1:8081", true, true),
        ("10.1.2.3", true, true),
        ("[::1]:8081", true, true),
        ("[2001:db8::1]", true, true),
        ("localhost:1", true, true),
        ("LOCALHOST.", true, true),
        ("gateway.localhost", true, true),
        ("claimgate:8081", false, true),
        ("console.test", true, true),
        ("Console.Test.:8081", true, true),
        ("claimgate.apps.svc.cluster.local", true, true),
        ("a.console.test", false, false),
        ("svc.cluster.local", false, false),
        ("xsvc.cluster.local", false, false),
        ("rebound.example", false, false),
        ("127.0.0.1.rebound.example", false, false),
        ("localhost.rebound.example", false, false),
        ("notlocalhost", false, true),
        ("console.test.rebound.example", false, false),
        ("1.2.3", false, false),
        ("0x7f.1", false, false),
    ] {
        for target in ["/metrics", "/", "/console/sign-in", "/api/v1/functions", "/nothing", "/healthz/"] {
            for (guard, expected) in [(&loopback, at_loopback), (&network, on_network)] {
                let expected = if expected { Ok(()) } else { Err(421) };
                assert_eq!(status(guard, target, &[("host", host)]), expected, "{host} {target}");
            }
        }
    }
}

#[test]
fn what_is_not_one_host_is_refused() {
    let guard = guard("127.0.0.1", &[], false);
    for headers in [
        [].as_slice(),
        &[("host", "")],
        &[("host", "a b")],
        &[("host", "127.0.0.1"), ("host", "127.0.0.1")],
        &[("host", "evil.test@127.0.0.1")],
        &[("host", "127.0.0.1, evil.test")],
    ] {
        assert_eq!(status(&guard, "/metrics", headers), Err(400), "{headers:?}");
    }
    assert_eq!(status(&guard, "http://rebound.example/metrics", &[("host", "127.0.0.1")]), Err(400));
    assert_eq!(status(&guard, "http://rebound.example/metrics", &[("host", "rebound.example")]), Err(421));
}

#[test]
fn probes_signed_requests_and_https_need_no_name() {
    let host = ("host", "gateway.example");
    let plain = guard("127.0.0.1", &[], false);
    assert_eq!(status(&plain, "/healthz", &[host]), Ok(()));
    assert_eq!(status(&plain, "/readyz", &[]), Ok(()));
    let signature = ("authorization", "ACS3-HMAC-SHA256 ...");
    assert_eq!(status(&plain, "/api/v1/functions", &[host, signature]), Ok(()));
    assert_eq!(status(&plain, "/2023-03-30/functions", &[host, signature]), Ok(()));
    assert_eq!(status(&plain, "/metrics", &[host, signature]), Err(421));
    assert_eq!(status(&plain, "/console/sign-in", &[host, signature]), Err(421));
    assert_eq!(status(&guard("127.0.0.1", &[], true), "/metrics", &[host]), Ok(()));
}

#[test]
fn browsers_say_which_site_a_request_comes_from() {
    let told = HeaderValue::from_static("console.test");
    for (headers, told, expected) in [
        (&[("host", "a.test")] as &[_], None, false),
        (&[("host", "a.test"), ("sec-fetch-site", "same-origin")], None, false),
        (&[("host", "a.test"), ("sec-fetch-site", "none")], None, false),
        (&[("host", "a.test"), ("sec-fetch-site", "same-site")], None, true),
        (&[("host", "a.test"), ("sec-fetch-site", "cross-site")], None, true),
        // A proxy has changed Host, but the browser knows.
        (&[("host", "a.test"), ("sec-fetch-site", "same-origin"), ("origin", "https://b.test")], None, false),
        (&[("host", "a.test:8081"), ("origin", "http://a.test:8081")], None, false),
        (&[("host", "a.test"), ("origin", "https://A.test")], None, false),
        (&[("host", "a.test"), ("origin", "http://a.test:8081")], None, true),
        (&[("host", "a.test"), ("origin", "http://b.test")], None, true),
        (&[("host", "a.test"), ("origin", "null")], None, true),
        (&[("host", "a.test"), ("origin", "")], None, true),
        (&[("host", "a.test"), ("origin", "http://a.test"), ("origin", "http://b.test")], None, true),
        (&[("host", "127.0.0.1:8081"), ("origin", "https://console.test")], Some(&told), false),
        (&[("host", "127.0.0.1:8081"), ("origin", "https://b.test")], Some(&told), true),
    ] {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        assert_eq!(is_cross_site(&map, told), expected, "{headers:?}");
    }
}
