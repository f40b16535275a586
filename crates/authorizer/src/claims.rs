//! `claims`: what a user's token says, made of the user's fields.

mod template;

use claimgate_config::reader::Field;
use claimgate_config::report::Report;
use claimgate_jose::json::{Object, Value};

use template::Template;

/// The claims that every token has; they cannot be written in `claims`, except for `sub`.
pub(crate) const REGISTERED: [&str; 6] = ["iss", "sub", "aud", "iat", "exp", "jti"];

/// The claims of the configuration, as templates.
#[derive(Debug, Clone)]
pub struct Claims {
    subject: Template,
    others: Vec<(String, Template)>,
}

/// The claims of one user.
pub(crate) struct UserClaims {
    pub(crate) subject: String,
    pub(crate) others: Object,
}

impl Claims {
    pub(crate) fn read(field: Option<Field<'_>>, report: &mut Report) -> Self {
        let mut claims = Self { subject: Template::Field("username".to_owned()), others: Vec::new() };
        let right = "an object of claims, as {roles: \"{roles}\"}";
        let Some(object) = field.and_then(|field| field.object(right, report)) else {
            return claims;
        };
        for (name, field) in object.rest() {
            let template = Template::read(&field, report);
            match name {
                "sub" => claims.subject = template.unwrap_or(claims.subject),
                "nbf" => {
                    report.error(&field.place, "tokens are good from when they are issued; leave out nbf")
                }
                _ if REGISTERED.contains(&name) => {
                    report.error(&field.place, format!("every token has its own {name}; leave out this one"));
                }
                _ => claims.others.extend(template.map(|template| (name.to_owned(), template))),
            }
        }
        claims
    }

    /// The claims of a user; `None` when there is nothing to make a `sub` of. A claim whose field the
    /// user does not have is left out.
    pub(crate) fn of(&self, fields: &Object) -> Option<UserClaims> {
        let subject = match self.subject.of(fields)? {
            Value::String(text) => text,
            // The type of `sub` is text (RFC 7519 section 4.1.2).
            Value::Number(number) => number.to_plain_decimal().into_owned(),
            _ => return None,
        };
        if subject.is_empty() {
            return None;
        }
        let mut others = Object::new();
        for (name, template) in &self.others {
            if let Some(value) = template.of(fields) {
                others.insert(name.clone(), value);
            }
        }
        Some(UserClaims { subject, others })
    }

    /// The names of all claims of a token.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        REGISTERED.into_iter().chain(self.others.iter().map(|(name, _)| name.as_str()))
    }

    /// The fields that are used, for a look at whether users have them.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        self.subject.add_fields(&mut fields);
        self.others.iter().for_each(|(_, template)| template.add_fields(&mut fields));
        fields.sort_unstable();
        fields.dedup();
        fields
    }
}

#[cfg(test)]
mod tests;
