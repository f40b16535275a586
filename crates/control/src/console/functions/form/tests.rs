#![allow(clippy::unwrap_used)]
use super::*;
use crate::console::documents::object;

const FUNCTION: &str = r#"{"functionName":"report","process":{"command":["python3","-c","import a\nb()"],"env":{"A":"one\ntwo"},
    "port":9000,"idleTimeoutSeconds":60,"user":33},
    "httpTrigger":{"triggerName":"http","corsConfig":{"allowOrigins":["*"]},"methods":["POST","GET"],
    "authType":"jwt","authConfig":"{\"jwks\":{\"keys\":[]},\"tokenLookup\":\"header:A:B\",\"forwardToken\":false}"}}"#;

#[test]
fn what_is_not_changed_stays_as_it_was_written() {
    for text in [
        FUNCTION,
        r#"{"functionName":"a","url":"unix:///run/a.sock"}"#,
        r#"{"functionName":"a","url":"http://127.0.0.1:1","httpTrigger":{"authType":"anonymous","disableURLInternet":true}}"#,
        r#"{"functionName":"a","builtin":"echo","httpTrigger":{"authType":"anonymous","disableURLInternet":false,"methods":[]}}"#,
    ] {
        let document = object(text);
        assert_eq!(FunctionForm::of_document(&document).onto(&document).unwrap(), document);
    }
}

#[test]
fn what_the_form_does_not_show_is_kept() {
    let document = object(FUNCTION);
    let mut form = FunctionForm::of_document(&document);
    form.process.command = "node\napp.js".to_owned();
    form.trigger.methods = vec!["GET"];
    form.trigger.authentication.auth_type = "anonymous".to_owned();
    let changed = form.onto(&document).unwrap();
    let expected = r#"{"functionName":"report","process":{"command":["node","app.js"],"env":{"A":"one\ntwo"},
        "port":9000,"idleTimeoutSeconds":60,"user":33},
        "httpTrigger":{"triggerName":"http","corsConfig":{"allowOrigins":["*"]},"authType":"anonymous","methods":["GET"]}}"#;
    assert_eq!(changed, object(expected));
}

#[test]
fn a_function_is_in_one_place() {
    let mut form = FunctionForm::of_document(&object(FUNCTION));
    (form.kind, form.socket, form.trigger.is_on) = ("unix".to_owned(), "/run/a.sock".to_owned(), false);
    let changed = form.onto(&object(FUNCTION)).unwrap();
    assert_eq!(changed, object(r#"{"functionName":"report","url":"unix:/run/a.sock"}"#));
}

#[test]
fn a_new_process_is_made_of_the_form_alone() {
    let fields = "function-name=report&kind=process&command=python3%0D%0Aapp.py%0D%0A&variable-name=A&variable-value=1\
                  &variable-name=&variable-value=&max-instances=2&idle-timeout=soon&trigger=on&method=GET&auth-type=anonymous";
    let document = FunctionForm::of_fields(&Fields::of_body(fields.as_bytes())).onto(&Object::new()).unwrap();
    let expected = r#"{"functionName":"report","process":{"command":["python3","app.py"],"env":{"A":"1"},"maxInstances":2,
        "idleTimeoutSeconds":"soon"},"httpTrigger":{"authType":"anonymous","methods":["GET"]}}"#;
    assert_eq!(document, object(expected));
    let twice = fields.replace("variable-name=&variable-value=", "variable-name=A&variable-value=2");
    let problems =
        FunctionForm::of_fields(&Fields::of_body(twice.as_bytes())).onto(&Object::new()).unwrap_err();
    assert!(problems.are_at(&["variable-name-1"]));
}
