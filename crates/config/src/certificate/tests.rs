#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// A certificate for names and its key, in PEM.
fn pair(names: &[&str]) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn check(domain: &str, chain: &str, key: &str) -> Result<(), CertificateError> {
    Certificate::from_pem(domain, chain.as_bytes(), key.as_bytes()).map(|_| ())
}

#[test]
fn a_certificate_is_for_the_names_that_it_has() {
    let (chain, key) = pair(&["a.example.com", "*.wild.example.com"]);
    for (domain, is_for) in [
        ("a.example.com", true),
        ("b.wild.example.com", true),
        ("*.wild.example.com", true),
        ("b.example.com", false),
        ("*.example.com", false),
        ("wild.example.com", false),
        ("c.b.wild.example.com", false),
    ] {
        assert_eq!(check(domain, &chain, &key).is_ok(), is_for, "{domain}");
    }
    let other = check("b.example.com", &chain, &key).unwrap_err();
    let told = "the certificate is not for b.example.com, but for a.example.com, *.wild.example.com";
    assert_eq!(other.to_string(), told);
}

#[test]
fn what_cannot_be_served_with() {
    let (chain, key) = pair(&["a.test"]);
    let (other_chain, other_key) = pair(&["a.test"]);
    let cut = &chain[..chain.len() / 2];
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let empty = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    use CertificateError::{
        EncryptedPrivateKey, MalformedCertificate, NoCertificate, NoPrivateKey, OtherPrivateKey,
        UnusablePrivateKey,
    };
    let malformed = |error: &CertificateError| matches!(error, MalformedCertificate(_));
    assert_eq!(check("a.test", &key, &key), Err(NoCertificate));
    assert!(malformed(&check("a.test", cut, &key).unwrap_err()));
    assert!(malformed(&check("a.test", no_certificate, &key).unwrap_err()));
    assert_eq!(check("a.test", &chain, &chain), Err(NoPrivateKey));
    assert_eq!(check("a.test", &chain, encrypted), Err(EncryptedPrivateKey));
    assert_eq!(check("a.test", &chain, empty), Err(UnusablePrivateKey));
    assert_eq!(check("a.test", &chain, &other_key), Err(OtherPrivateKey));
    assert_eq!(check("a.test", &format!("{other_chain}{chain}"), &key), Err(OtherPrivateKey));
    // One file may hold both, and the chain goes on behind the first certificate.
    assert_eq!(check("a.test", &format!("{key}{chain}{other_chain}"), &format!("{chain}{key}")), Ok(()));
}

#[test]
fn the_time_of_a_certificate_is_told() {
    let (chain, key) = pair(&["a.test"]);
    let certificate = Certificate::from_pem("a.test", chain.as_bytes(), key.as_bytes()).unwrap();
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    assert_eq!(certificate.expiry(not_before), None);
    assert_eq!(certificate.expiry(not_after - HOUR), None);
    let told = |now| certificate.expiry(now).unwrap();
    assert_eq!(told(not_after), "the certificate expired less than an hour ago; clients refuse it");
    assert_eq!(told(not_after + HOUR * 72), "the certificate expired 3 days ago; clients refuse it");
    let early = told(not_before - HOUR * 2);
    assert_eq!(early, "the certificate becomes valid only in 2 hours; clients refuse it until then");
}

#[test]
fn a_key_is_never_told() {
    let (chain, key) = pair(&["a.test"]);
    let certificate = Certificate::from_pem("a.test", chain.as_bytes(), key.as_bytes()).unwrap();
    assert!(format!("{certificate:?}").starts_with("Certificate { not_after: "));
}
