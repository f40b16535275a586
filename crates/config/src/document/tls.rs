//! `tlsConfig`: versions and cipher suites, in Function Compute's names.
use rustls::crypto::aws_lc_rs::DEFAULT_CIPHER_SUITES;
use rustls::{ProtocolVersion, SupportedCipherSuite, SupportedProtocolVersion};

use crate::place::{Place, Written, quoted};
use crate::reader::Object;
use crate::report::Report;
use crate::snapshot::TlsSettings;
use crate::suggest::did_you_mean;

const VERSIONS: [(&str, Option<ProtocolVersion>); 4] = [
    ("TLSv1.0", None),
    ("TLSv1.1", None),
    ("TLSv1.2", Some(ProtocolVersion::TLSv1_2)),
    ("TLSv1.3", Some(ProtocolVersion::TLSv1_3)),
];

/// Suites that Function Compute knows and that are not served: without forward secrecy, or with CBC, 3DES
/// or RC4.
const NOT_SERVED: [&str; 16] = [
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
];

/// Reads `tlsConfig`; nothing when it is left out, empty or wrong.
pub(super) fn read(domain: &mut Object<'_>, report: &mut Report) -> Option<TlsSettings> {
    let field = domain.field("tlsConfig").filter(|field| !field.is_empty())?;
    let mut object = field.object("an object with minVersion, maxVersion and cipherSuites", report)?;
    let least = read_version(&mut object, "minVersion", report);
    let most = read_version(&mut object, "maxVersion", report);
    let suites = read_suites(&mut object, report);
    let place = object.place.clone();
    object.finish(report);

    let (least, most) = (least.unwrap_or(0), most.unwrap_or(VERSIONS.len() - 1));
    if least > most {
        report.error(&place, "minVersion is above maxVersion");
        return None;
    }
    let written = VERSIONS.get(least..=most).unwrap_or_default();
    let is_spoken =
        |version: &ProtocolVersion| written.iter().any(|(_, spoken)| spoken.as_ref() == Some(version));
    let versions = rustls::ALL_VERSIONS.iter().copied().filter(|version| is_spoken(&version.version));
    usable(versions.collect(), suites, &place, report)
}

/// The position of a version.
fn read_version(object: &mut Object<'_>, name: &'static str, report: &mut Report) -> Option<usize> {
    let right = "TLSv1.2 or TLSv1.3";
    let Written { value: text, place } = object.field(name)?.text(right, report)?;
    let found = VERSIONS.iter().position(|(version, _)| *version == text);
    match found.and_then(|position| VERSIONS.get(position)) {
        Some((_, Some(_))) => {}
        Some((_, None)) if name == "minVersion" => {
            report
                .warning(&place, format!("{text} is not served, being broken; the least version is TLSv1.2"));
        }
        Some((_, None)) => {
            report.error(&place, format!("{text} is not served, being broken; expected {right}"));
            return None;
        }
        None => {
            let suggestion = did_you_mean(text, ["TLSv1.2", "TLSv1.3"]);
            report.error(&place, format!("expected {right}, found {}{suggestion}", quoted(text)));
        }
    }
    found
}

/// The suites that are named, without those that are not served; `None` where none is named.
fn read_suites(object: &mut Object<'_>, report: &mut Report) -> Option<Vec<SupportedCipherSuite>> {
    let field = object.field("cipherSuites").filter(|field| !field.is_empty())?;
    let names = field.texts("a list of cipher suites", "the name of a cipher suite", report)?;
    let mut suites = Vec::new();
    for Written { value: text, place } in names {
        if let Some(suite) = DEFAULT_CIPHER_SUITES.iter().find(|suite| is_name_of(**suite, text)) {
            suites.push(*suite);
        } else if NOT_SERVED.contains(&text) {
            let message = format!("the cipher suite {text} is not served, being weak, and has no effect");
            report.warning(&place, message);
        } else {
            let served: Vec<String> = DEFAULT_CIPHER_SUITES.iter().map(|suite| name(*suite)).collect();
            let known = served.iter().map(String::as_str).chain(NOT_SERVED);
            let suggestion = did_you_mean(text, known);
            report.error(&place, format!("there is no cipher suite {}{suggestion}", quoted(text)));
        }
    }
    Some(suites)
}

/// Versions with the suites that are named for them. Those of TLS 1.3 need not be named, as in the
/// original, where no name is one of theirs.
fn usable(
    versions: Vec<&'static SupportedProtocolVersion>,
    named: Option<Vec<SupportedCipherSuite>>,
    place: &Place,
    report: &mut Report,
) -> Option<TlsSettings> {
    let mut suites = named.unwrap_or_else(|| DEFAULT_CIPHER_SUITES.to_vec());
    if !suites.iter().any(is_of_tls13) {
        suites.extend(DEFAULT_CIPHER_SUITES.iter().filter(|suite| is_of_tls13(suite)));
    }
    let version_of = |suite: &SupportedCipherSuite| suite.version().version;
    let is_usable =
        |version: &&SupportedProtocolVersion| suites.iter().any(|suite| version_of(suite) == version.version);
    let (versions, unusable): (Vec<_>, Vec<_>) = versions.into_iter().partition(is_usable);
    suites.retain(|suite| versions.iter().any(|version| version.version == version_of(suite)));
    if versions.is_empty() {
        report.error(place, "no cipher suite that is served is left for these versions");
        return None;
    }
    if !unusable.is_empty() {
        report.warning(place, "no cipher suite of TLS 1.2 is left, so TLS 1.3 alone is served");
    }
    Some(TlsSettings { versions, cipher_suites: suites })
}

fn is_of_tls13(suite: &SupportedCipherSuite) -> bool {
    suite.tls13().is_some()
}

/// The name that IANA has for it; rustls calls those of TLS 1.3 otherwise.
fn name(suite: SupportedCipherSuite) -> String {
    suite.suite().as_str().unwrap_or_default().replace("TLS13_", "TLS_")
}

/// Function Compute leaves out the hash of the ChaCha20 suites.
fn is_name_of(suite: SupportedCipherSuite, text: &str) -> bool {
    let name = name(suite);
    name == text
        || name.strip_suffix("_SHA256").is_some_and(|short| short.ends_with("POLY1305") && short == text)
}
