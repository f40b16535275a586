//! The parameters that claims are mapped to, as they are looked for in requests.

use std::sync::Arc;

use super::{ClaimMapping, Parameter, TokenSource};
use crate::readings::MappedNames;

/// The names of mapped parameters by where they are looked for. Headers are looked for one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappedParameters {
    /// Names that are mapped to the query or to a form. They are removed from both, since many frameworks put
    /// both into one collection.
    pub query_and_form: Arc<MappedNames>,
    /// These and the form parameters that tokens are read from and the function does not receive; `None` without such
    /// parameters.
    pub with_tokens: Option<Arc<MappedNames>>,
    /// Names of cookies.
    pub cookies: MappedNames,
    /// Whether a claim is mapped to a form.
    pub any_in_form: bool,
}

/// What becomes of a request whose body is not a form, on a domain that maps a claim to the query or a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OtherBodies {
    /// A body that some framework could read mapped parameters from is refused.
    #[default]
    Refuse,
    /// It is forwarded: the function reads no parameters from such bodies.
    Forward,
}

impl MappedParameters {
    /// The names of these mappings, and of the positions of tokens that the function does not receive.
    pub fn of(mappings: &[ClaimMapping], tokens: &[TokenSource]) -> Self {
        let names = |position: fn(&Parameter) -> Option<&String>| {
            mappings.iter().filter_map(move |mapping| position(&mapping.parameter)).map(String::as_str)
        };
        let in_query = names(|parameter| match parameter {
            Parameter::Query(name) => Some(name),
            _ => None,
        });
        let in_form = names(|parameter| match parameter {
            Parameter::Form(name) => Some(name),
            _ => None,
        });
        let cookies = names(|parameter| match parameter {
            Parameter::Cookie(name) => Some(name),
            _ => None,
        });
        let query_and_form = MappedNames::new(in_query).and_in_forms(in_form);
        let tokens = tokens.iter().filter_map(|source| match source {
            TokenSource::Form(name) => Some(name.as_str()),
            _ => None,
        });
        let tokens: Vec<&str> = tokens.collect();
        Self {
            with_tokens: (!tokens.is_empty())
                .then(|| Arc::new(query_and_form.clone().and_in_forms(tokens.iter().copied()))),
            query_and_form: Arc::new(query_and_form),
            cookies: MappedNames::new(cookies),
            any_in_form: mappings.iter().any(|mapping| matches!(mapping.parameter, Parameter::Form(_))),
        }
    }
}
