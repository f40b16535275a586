#![allow(clippy::unwrap_used)]
use super::*;
use crate::console::documents::object;
use crate::console::documents::rows::ClaimRow;

const DOMAIN: &str = r#"{"domainName":"a.example.com","protocol":"HTTP","corsConfig":{"allowOrigins":["*"]},
    "routeConfig":{"routes":[{"path":"/a","functionName":"f","rewriteConfig":{"x":1},"methods":["GET"]}]},
    "authConfig":{"authType":"jwt","authInfo":"{\"JWKS\":{\"keys\":[]},\"tokenLookup\":\"header:A:B,cookie:c\",\"forwardToken\":false,\"leewaySeconds\":10}"}}"#;

#[test]
fn what_is_not_changed_stays_as_it_was_written() {
    let document = object(DOMAIN);
    assert_eq!(DomainForm::of_document(&document).onto(&document).unwrap(), document);
}

#[test]
fn what_the_form_does_not_show_is_kept() {
    let document = object(DOMAIN);
    let mut form = DomainForm::of_document(&document);
    form.authentication.tokens.reverse();
    if let Some(route) = form.routes.first_mut() {
        route.path = "/b".to_owned();
    }
    form.authentication.claims.push(ClaimRow {
        position: "header".to_owned(),
        claim: "a:b".to_owned(),
        parameter: "x-a".to_owned(),
    });
    let changed = form.onto(&document).unwrap();
    let expected = DOMAIN
        .replace("/a", "/b")
        .replace("header:A:B,cookie:c", "cookie:c,header:A:B")
        .replace(r#"\"leewaySeconds\":10}"#, r#"\"leewaySeconds\":10,\"claimPassBy\":[{\"mappingParameterPosition\":\"header\",\"claimName\":\"a:b\",\"mappingParameterName\":\"x-a\"}]}"#);
    assert_eq!(Value::Object(changed), Value::Object(object(&expected)));
}

#[test]
fn a_new_domain_is_made_of_the_form_alone() {
    let form = DomainForm {
        domain_name: "b.example.com".to_owned(),
        authentication: AuthenticationForm {
            auth_type: "jwt".to_owned(),
            jwks: r#"{"keys": []}"#.to_owned(),
            ..AuthenticationForm::empty()
        },
        ..DomainForm::empty()
    };
    let document = form.onto(&Object::new()).unwrap();
    let expected = r#"{"domainName":"b.example.com","protocol":"HTTP","routeConfig":{"routes":[{"path":"/*","functionName":""}]},
        "authConfig":{"authType":"jwt","authInfo":{"jwks":{"keys":[]},"tokenLookup":"header:Authorization:Bearer"}}}"#;
    assert_eq!(document, object(expected));
    let mut wrong = form;
    wrong.authentication.jwks = "-----BEGIN PUBLIC KEY-----".to_owned();
    assert!(wrong.onto(&Object::new()).unwrap_err().are_at(&["jwks"]));
}
