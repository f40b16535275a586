//! What of a document may be shown: every field that is, by its place. Whatever is not listed here is secret.

use super::Secrecy;

/// What may be shown of a value.
pub(super) enum Shape {
    /// A text, number, truth value or null, or a list of such.
    Plain,
    /// PEM certificates, and nothing else of the text.
    Certificates,
    /// An object, some of whose members may be shown.
    Object(Object),
    /// A list of objects.
    List(Object),
    /// A list of objects, or the same in one text.
    ListOrText(Object),
    /// A list of keys (RFC 7517), which are known by their `kid`.
    Keys(Object),
    /// An object, or a string that holds one as JSON.
    Json(Object),
    /// Names that are the author's, without their values.
    Variables,
    /// Nothing.
    Secret(Secrecy),
}

/// What may be shown of an object.
pub(super) struct Object {
    pub members: &'static [(&'static str, Shape)],
    /// Who may see the members that are not listed, and what has no object's form.
    pub others: Secrecy,
    /// Whether names are taken in any case, as the reader of the configuration takes those of `authInfo`.
    pub any_case: bool,
}

impl Object {
    const fn of(members: &'static [(&'static str, Shape)]) -> Self {
        Self { members, others: Secrecy::ForEditors, any_case: false }
    }

    /// The shape of a member; `None` when it is not listed.
    pub fn member(&self, name: &str) -> Option<&Shape> {
        let is_named = |known: &str| known == name || self.any_case && known.eq_ignore_ascii_case(name);
        self.members.iter().find(|(known, _)| is_named(known)).map(|(_, shape)| shape)
    }
}

use Shape::{Certificates, Json, Keys, List, ListOrText, Plain, Secret, Variables};

/// A custom domain.
pub(super) static CUSTOM_DOMAIN: Object = Object::of(&[
    ("domainName", Plain),
    ("protocol", Plain),
    ("certConfig", Shape::Object(CERT_CONFIG)),
    ("tlsConfig", Shape::Object(TLS_CONFIG)),
    ("routeConfig", Shape::Object(Object::of(&[("routes", List(ROUTE))]))),
    ("authConfig", Shape::Object(Object::of(&[("authType", Plain), ("authInfo", Json(JWT))]))),
    ("wafConfig", Shape::Object(Object::of(&[("enableWAF", Plain)]))),
    ("corsConfig", Shape::Object(CORS_CONFIG)),
    ("isE2B", Plain),
    ("accountId", Plain),
    ("apiVersion", Plain),
    ("createdTime", Plain),
    ("lastModifiedTime", Plain),
    ("subdomainCount", Plain),
]);

/// A function with its HTTP trigger.
pub(super) static FUNCTION: Object = Object::of(&[
    ("functionName", Plain),
    ("url", Plain),
    ("builtin", Plain),
    ("process", Shape::Object(PROCESS)),
    ("httpTrigger", Shape::Object(HTTP_TRIGGER)),
]);

const CERT_CONFIG: Object = Object {
    members: &[
        ("certName", Plain),
        ("certificate", Certificates),
        ("privateKey", Secret(Secrecy::ForNoOne)),
        ("certificateFile", Plain),
        ("privateKeyFile", Plain),
        ("acme", Plain),
    ],
    others: Secrecy::ForNoOne,
    any_case: false,
};

const TLS_CONFIG: Object =
    Object::of(&[("minVersion", Plain), ("maxVersion", Plain), ("cipherSuites", Plain)]);

const ROUTE: Object = Object::of(&[
    ("path", Plain),
    ("functionName", Plain),
    ("methods", Plain),
    ("qualifier", Plain),
    ("rewriteConfig", Shape::Object(REWRITE_CONFIG)),
]);

const REWRITE_CONFIG: Object = Object::of(&[
    ("equalRules", List(REWRITE_RULE)),
    ("wildcardRules", List(REWRITE_RULE)),
    ("regexRules", List(REWRITE_RULE)),
]);

const REWRITE_RULE: Object = Object::of(&[("match", Plain), ("replacement", Plain)]);

const CORS_CONFIG: Object = Object::of(&[
    ("allowOrigins", Plain),
    ("allowMethods", Plain),
    ("allowHeaders", Plain),
    ("exposeHeaders", Plain),
    ("allowCredentials", Plain),
    ("maxAge", Plain),
]);

/// `authInfo` of a domain, and `authConfig` of a trigger.
const JWT: Object = Object {
    members: &[
        ("jwks", Json(Object::of(&[("keys", Keys(JWK))]))),
        ("jwksUri", Plain),
        ("oidcIssuer", Plain),
        ("issuers", Plain),
        ("audiences", Plain),
        ("leewaySeconds", Plain),
        ("tokenLookup", ListOrText(TOKEN_LOOKUP)),
        ("claimPassBy", ListOrText(CLAIM_PASS_BY)),
        ("otherBodies", Plain),
        ("whitelist", Plain),
        ("blacklist", Plain),
        ("forwardToken", Plain),
    ],
    others: Secrecy::ForEditors,
    any_case: true,
};

const TOKEN_LOOKUP: Object =
    Object::of(&[("readPosition", Plain), ("parameterName", Plain), ("prefix", Plain)]);

const CLAIM_PASS_BY: Object =
    Object::of(&[("mappingParameterPosition", Plain), ("claimName", Plain), ("mappingParameterName", Plain)]);

/// The members of a key that are public: RFC 7517, 4; RFC 7518, 6.2.1 and 6.3.1; RFC 8037, 2. And those that
/// are not: RFC 7518, 6.2.2, 6.3.2 and 6.4.1.
const JWK: Object = Object::of(&[
    ("kty", Plain),
    ("use", Plain),
    ("key_ops", Plain),
    ("alg", Plain),
    ("kid", Plain),
    ("x5u", Plain),
    ("x5c", Plain),
    ("x5t", Plain),
    ("x5t#S256", Plain),
    ("crv", Plain),
    ("x", Plain),
    ("y", Plain),
    ("n", Plain),
    ("e", Plain),
    ("k", Secret(Secrecy::ForEditors)),
    ("d", Secret(Secrecy::NotStored)),
    ("p", Secret(Secrecy::NotStored)),
    ("q", Secret(Secrecy::NotStored)),
    ("dp", Secret(Secrecy::NotStored)),
    ("dq", Secret(Secrecy::NotStored)),
    ("qi", Secret(Secrecy::NotStored)),
    ("oth", Secret(Secrecy::NotStored)),
    ("priv", Secret(Secrecy::NotStored)),
]);

const PROCESS: Object = Object::of(&[
    ("command", Plain),
    ("cwd", Plain),
    ("env", Variables),
    ("port", Plain),
    ("user", Plain),
    ("instanceConcurrency", Plain),
    ("maxInstances", Plain),
    ("idleTimeoutSeconds", Plain),
    ("startTimeoutSeconds", Plain),
    ("stopTimeoutSeconds", Plain),
    ("waitTimeoutSeconds", Plain),
    ("maxWaitingRequests", Plain),
]);

const HTTP_TRIGGER: Object = Object::of(&[
    ("authType", Plain),
    ("authConfig", Json(JWT)),
    ("methods", Plain),
    ("disableURLInternet", Plain),
    ("corsConfig", Shape::Object(CORS_CONFIG)),
    ("triggerName", Plain),
    ("description", Plain),
]);
