//! One claim: a constant, a user's field, or text with fields in it.

use claimgate_config::place::{Place, quoted};
use claimgate_config::reader::Field;
use claimgate_config::report::Report;
use claimgate_jose::json::{Object, Value};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Template {
    Constant(Value),
    /// A field alone, which keeps its type.
    Field(String),
    Text(Vec<Part>),
    List(Vec<Template>),
    Object(Vec<(String, Template)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Literal(String),
    Field(String),
}

impl Template {
    pub(super) fn read(field: &Field<'_>, report: &mut Report) -> Option<Self> {
        let value = field.json(report)?;
        Self::of_value(value, &field.place, report)
    }

    // The recursion is bounded by the nesting that the YAML reader takes.
    fn of_value(value: Value, place: &Place, report: &mut Report) -> Option<Self> {
        match value {
            Value::String(text) => match parse(&text) {
                Ok(template) => Some(template),
                Err(why) => {
                    report.error(place, why);
                    None
                }
            },
            Value::Array(items) => {
                let items = items.into_iter().map(|item| Self::of_value(item, place, report));
                items.collect::<Option<_>>().map(Self::List)
            }
            Value::Object(object) => {
                let member = |(name, value): (&str, &Value)| {
                    Some((name.to_owned(), Self::of_value(value.clone(), place, report)?))
                };
                object.iter().map(member).collect::<Option<_>>().map(Self::Object)
            }
            constant => Some(Self::Constant(constant)),
        }
    }

    /// The value for a user; `None` when a field of it is absent or null.
    pub(super) fn of(&self, fields: &Object) -> Option<Value> {
        match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Field(name) => present(fields, name).cloned(),
            Self::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Literal(literal) => text.push_str(literal),
                        Part::Field(name) => text.push_str(&text_of(present(fields, name)?)),
                    }
                }
                Some(Value::String(text))
            }
            Self::List(items) => {
                Some(Value::Array(items.iter().filter_map(|item| item.of(fields)).collect()))
            }
            Self::Object(members) => {
                let mut object = Object::new();
                for (name, template) in members {
                    if let Some(value) = template.of(fields) {
                        object.insert(name.clone(), value);
                    }
                }
                Some(Value::Object(object))
            }
        }
    }

    pub(super) fn add_fields<'a>(&'a self, fields: &mut Vec<&'a str>) {
        match self {
            Self::Constant(_) => {}
            Self::Field(name) => fields.push(name),
            Self::Text(parts) => fields.extend(parts.iter().filter_map(|part| match part {
                Part::Field(name) => Some(name.as_str()),
                Part::Literal(_) => None,
            })),
            Self::List(items) => items.iter().for_each(|item| item.add_fields(fields)),
            Self::Object(members) => members.iter().for_each(|(_, member)| member.add_fields(fields)),
        }
    }
}

fn present<'a>(fields: &'a Object, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| **value != Value::Null)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_plain_decimal().into_owned(),
        other => other.to_string(),
    }
}

/// Parses text with `{field}` in it; `{{` and `}}` are braces.
fn parse(text: &str) -> Result<Template, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(position) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(position);
        literal.push_str(before);
        if let Some((brace, after)) = doubled(from) {
            literal.push(brace);
            rest = after;
            continue;
        }
        let unpaired = || format!("the template {} has a brace without its partner; {LITERAL}", quoted(text));
        let (name, after) =
            from.strip_prefix('{').and_then(|from| from.split_once('}')).ok_or_else(unpaired)?;
        let is_name = |character: char| character.is_alphanumeric() || "_-.".contains(character);
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(format!("{} is no field's name; {LITERAL}", quoted(name)));
        }
        if ["passwordHash", "password_hash"].contains(&name) {
            return Err("the hash of the password is no field, and must not get into tokens".to_owned());
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(Part::Field(name.to_owned()));
        rest = after;
    }
    literal.push_str(rest);
    if parts.is_empty() {
        return Ok(Template::Constant(Value::String(literal)));
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(match parts.as_slice() {
        [Part::Field(name)] => Template::Field(name.clone()),
        _ => Template::Text(parts),
    })
}

const LITERAL: &str = "write {{ and }} for braces that are meant as such";

fn doubled(text: &str) -> Option<(char, &str)> {
    ["{{", "}}"].into_iter().find_map(|pair| Some((pair.chars().next()?, text.strip_prefix(pair)?)))
}
