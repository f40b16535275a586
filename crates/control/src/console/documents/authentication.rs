//! Who may call a custom domain or an HTTP trigger, in their forms: `authType`, and what belongs to `jwt`.

use claimgate_jose::json::{Object, Value};

use super::Problems;
use super::member::{expanded, lines, list, member, set, set_number, set_text, text};
use super::rows::{ClaimRow, POSITIONS, TokenRow, claim_pass_by, claims_of, token_lookup, tokens_of};
use crate::console::form::Fields;
use crate::console::pretty::pretty;

/// What the form holds of it, as it is shown and sent.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct AuthenticationForm {
    /// `jwt` or `anonymous`.
    pub auth_type: String,
    pub jwks: String,
    pub jwks_uri: String,
    /// One a line, as the next.
    pub issuers: String,
    pub audiences: String,
    pub leeway: String,
    pub tokens: Vec<TokenRow>,
    pub claims: Vec<ClaimRow>,
    /// `all`, `whitelist` or `blacklist`.
    pub scope: String,
    /// One a line.
    pub paths: String,
}

impl AuthenticationForm {
    /// That of a new document.
    pub fn empty() -> Self {
        Self {
            auth_type: "anonymous".to_owned(),
            tokens: vec![TokenRow::usual()],
            scope: "all".to_owned(),
            ..Self::default()
        }
    }

    /// What an object says of it: `authType`, and the details of `jwt` in the member of that name.
    pub fn of_object(object: &Object, details: &str) -> Self {
        let mut form = Self::empty();
        let auth_type = text(object, "authType");
        if !auth_type.is_empty() {
            form.auth_type = auth_type;
        }
        let Some(info) = object.get(details).and_then(expanded) else { return form };
        form.jwks = match member(&info, "jwks") {
            Some(Value::String(text)) => text.clone(),
            Some(jwks) => pretty(jwks),
            None => String::new(),
        };
        form.jwks_uri = text(&info, "jwksUri");
        form.issuers = lines(&info, "issuers");
        form.audiences = lines(&info, "audiences");
        form.leeway = member(&info, "leewaySeconds").map(Value::to_string).unwrap_or_default();
        form.tokens = member(&info, "tokenLookup").map(tokens_of).unwrap_or_default();
        form.claims = member(&info, "claimPassBy").map(claims_of).unwrap_or_default();
        for scope in ["whitelist", "blacklist"] {
            let paths = lines(&info, scope);
            if !paths.is_empty() {
                (form.scope, form.paths) = (scope.to_owned(), paths);
            }
        }
        form
    }

    /// What a browser has sent.
    pub fn of_fields(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            auth_type: text("auth-type"),
            jwks: text("jwks"),
            jwks_uri: fields.text("jwks-uri").trim().to_owned(),
            issuers: text("issuers"),
            audiences: text("audiences"),
            leeway: fields.text("leeway").trim().to_owned(),
            tokens: TokenRow::of_fields(fields),
            claims: ClaimRow::of_fields(fields),
            scope: text("scope"),
            paths: text("paths"),
        }
    }

    /// Writes into an object what differs from what it says.
    ///
    /// # Errors
    ///
    /// The field whose text means nothing, and why.
    pub fn onto(&self, object: &mut Object, details: &str) -> Result<(), Problems> {
        let before = Self::of_object(object, details);
        if self.auth_type != "jwt" {
            if before.auth_type == "jwt" || object.get("authType").is_none() {
                object.remove(details);
                object.insert("authType", "anonymous");
            }
            return Ok(());
        }
        let written = object.get(details);
        let is_text = matches!(written, Some(Value::String(_)));
        let mut info = written.and_then(expanded).unwrap_or_default();
        if self.jwks.trim() != before.jwks.trim() {
            set(&mut info, "jwks", jwks(&self.jwks)?);
        }
        if self.jwks_uri != before.jwks_uri {
            set_text(&mut info, "jwksUri", &self.jwks_uri);
        }
        if self.issuers != before.issuers {
            set(&mut info, "issuers", list(&self.issuers));
        }
        if self.audiences != before.audiences {
            set(&mut info, "audiences", list(&self.audiences));
        }
        if self.leeway != before.leeway {
            set_number(&mut info, "leewaySeconds", &self.leeway);
        }
        if self.tokens != before.tokens || member(&info, "tokenLookup").is_none() {
            set(&mut info, "tokenLookup", Some(token_lookup(&self.tokens)));
        }
        if self.claims != before.claims {
            let claims = Some(&self.claims).filter(|claims| !claims.is_empty());
            set(&mut info, "claimPassBy", claims.map(|claims| claim_pass_by(claims)));
        }
        if (&self.scope, self.paths.trim()) != (&before.scope, before.paths.trim()) {
            for scope in ["whitelist", "blacklist"] {
                set(&mut info, scope, list(&self.paths).filter(|_| self.scope == scope));
            }
        }
        let info = if is_text { Value::from(Value::Object(info).to_string()) } else { Value::Object(info) };
        object.insert("authType", "jwt");
        object.insert(details, info);
        Ok(())
    }

    /// Gives a form that is to be filled in the rows that it begins with.
    pub fn with_blank_rows(mut self) -> Self {
        if self.tokens.is_empty() {
            self.tokens.push(TokenRow::usual());
        }
        self
    }

    /// Positions as documents write them, and as the console shows them.
    pub fn positions(&self) -> [(&'static str, &'static str); 4] {
        POSITIONS
    }

    /// Whether the part that is folded otherwise says something.
    pub fn has_further_checks(&self) -> bool {
        ![&self.issuers, &self.audiences, &self.leeway, &self.jwks_uri].iter().all(|text| text.is_empty())
    }

    /// An empty row for scripts to copy.
    pub fn blank_token(&self) -> TokenRow {
        TokenRow { position: "header".to_owned(), ..TokenRow::default() }
    }

    /// An empty row for scripts to copy.
    pub fn blank_claim(&self) -> ClaimRow {
        ClaimRow { position: "header".to_owned(), ..ClaimRow::default() }
    }
}

fn jwks(text: &str) -> Result<Option<Value>, Problems> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    if !text.trim_start().starts_with('{') {
        let message = "expected a JSON Web Key Set, an object as {\"keys\": […]}; PEM and certificates can be \
                       converted with the button below";
        return Err(Problems::one("jwks", message));
    }
    Value::parse(text.as_bytes())
        .map(Some)
        .map_err(|error| Problems::one("jwks", format!("expected a JSON Web Key Set: {error}")))
}
