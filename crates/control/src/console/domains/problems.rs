//! Which field of a custom domain's form a problem is about.

use crate::console::documents::problems::{authentication_field, row};

/// The name of the form's field for the path of a document's field; empty when there is none.
pub fn field_of(path: &str, message: &str) -> String {
    let path = path.to_ascii_lowercase();
    if path == "domainname" || path.is_empty() && message.contains("domainName") {
        return "domain-name".to_owned();
    }
    if path == "protocol" {
        return "protocol".to_owned();
    }
    if let Some(rest) = path.strip_prefix("routeconfig") {
        let columns = [("functionname", "function"), ("methods", "methods"), ("", "path")];
        return row("route", rest.trim_start_matches(".routes"), message, &columns);
    }
    if let Some(rest) = path.strip_prefix("authconfig") {
        let rest = rest.trim_start_matches('.');
        return authentication_field(rest, "authinfo", message).unwrap_or_default();
    }
    let fields = [
        ("certconfig.certname", "cert-name"),
        ("certconfig.privatekey", "private-key"),
        ("certconfig", "certificate"),
    ];
    let found = fields.iter().find(|(prefix, _)| path.starts_with(prefix));
    found.map(|(_, field)| (*field).to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_stand_at_the_field_that_they_are_about() {
        for (path, message, field) in [
            ("domainName", "", "domain-name"),
            ("routeConfig.routes[2].functionName", "", "route-function-2"),
            ("routeConfig.routes[0].methods[1]", "", "route-methods-0"),
            ("routeConfig.routes[1].path", "", "route-path-1"),
            ("authConfig.authInfo.tokenLookup", "entry 2: the name is empty", "token-name-1"),
            ("authConfig.authInfo.tokenLookup[1].prefix", "", "token-prefix-1"),
            ("authConfig.authInfo.tokenLookup", "entry 2: the prefix \"a b\" is no", "token-prefix-1"),
            ("authConfig.authInfo.claimPassBy", "entry 1: no", "claim-parameter-0"),
            ("authConfig.authInfo.JWKS.keys[0].n", "", "jwks"),
            ("authConfig.authInfo.jwksUri", "", "jwks-uri"),
            ("authConfig.authInfo.whitelist[0]", "", "paths"),
            ("certConfig.privateKey", "", "private-key"),
            ("corsConfig.maxAge", "", ""),
        ] {
            assert_eq!(field_of(path, message), field, "{path}");
        }
    }
}
