//! Bodies as curl makes them.

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::failure::Failure;
use crate::files;

/// RFC 3986, 2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `-d` and its relatives, in the order of the command line.
pub struct Data(Vec<(Kind, String)>);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Data,
    Binary,
    Raw,
    Urlencode,
}

const KINDS: [(Kind, &str, &str); 4] = [
    (
        Kind::Data,
        "data",
        "Data of a POST; several are joined by &. `@file` reads a file, without its line ends",
    ),
    (Kind::Binary, "data-binary", "As -d, with a file's line ends"),
    (Kind::Raw, "data-raw", "As -d, where `@` is only a character"),
    (
        Kind::Urlencode,
        "data-urlencode",
        "As -d, percent-encoded: CONTENT, =CONTENT, NAME=CONTENT, @FILE, NAME@FILE",
    ),
];

impl Data {
    /// The body; `None` when there are no data.
    pub fn read(&self) -> Result<Option<Vec<u8>>, Failure> {
        let pieces: Result<Vec<Vec<u8>>, Failure> =
            self.0.iter().map(|(kind, text)| kind.read(text)).collect();
        let pieces = pieces?;
        Ok(if pieces.is_empty() { None } else { Some(pieces.join(&b'&')) })
    }
}

impl Kind {
    fn read(self, text: &str) -> Result<Vec<u8>, Failure> {
        let file = text.strip_prefix('@');
        match (self, file) {
            (Self::Data, Some(file)) => {
                let mut content = files::read(Path::new(file))?;
                content.retain(|byte| !matches!(byte, b'\r' | b'\n' | b'\0'));
                Ok(content)
            }
            (Self::Binary, Some(file)) => files::read(Path::new(file)),
            (Self::Data | Self::Binary | Self::Raw, _) => Ok(text.as_bytes().to_vec()),
            (Self::Urlencode, _) => urlencode(text),
        }
    }
}

fn urlencode(text: &str) -> Result<Vec<u8>, Failure> {
    let (name, content) = match text.find(['=', '@']) {
        Some(at) => {
            let (name, rest) = text.split_at(at);
            let (sign, content) = rest.split_at(1);
            let content = if sign == "@" { files::read(Path::new(content))? } else { content.into() };
            (name, content)
        }
        None => ("", text.into()),
    };
    let encoded = percent_encode(&content, ENCODED).to_string().replace("%20", "+");
    Ok(if name.is_empty() { encoded } else { format!("{name}={encoded}") }.into())
}

impl Args for Data {
    fn augment_args(command: Command) -> Command {
        command.args(KINDS.map(|(kind, name, help)| {
            let argument = Arg::new(name)
                .long(name)
                .value_name("DATA")
                .action(ArgAction::Append)
                .allow_hyphen_values(true)
                .help(help);
            if matches!(kind, Kind::Data) { argument.short('d').alias("data-ascii") } else { argument }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Data {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut data = Vec::new();
        for (kind, name, _) in KINDS {
            let texts = matches.get_many::<String>(name).unwrap_or_default();
            data.extend(
                matches.indices_of(name).into_iter().flatten().zip(texts.map(|text| (kind, text.clone()))),
            );
        }
        data.sort_by_key(|(index, _)| *index);
        Ok(Self(data.into_iter().map(|(_, item)| item).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A multipart form.
pub struct Form {
    boundary: String,
    parts: Vec<Vec<u8>>,
}

impl Form {
    /// Reads the values of `-F`; `None` when there are none.
    pub fn of(texts: &[String]) -> Result<Option<Self>, Failure> {
        let parts: Result<Vec<Vec<u8>>, Failure> = texts.iter().map(|text| part(text)).collect();
        let parts = parts?;
        if parts.is_empty() {
            return Ok(None);
        }
        let mut boundary = format!("{}claimgate", "-".repeat(24));
        while parts
            .iter()
            .any(|part| part.windows(boundary.len()).any(|window| window == boundary.as_bytes()))
        {
            boundary.push('0');
        }
        Ok(Some(Self { boundary, parts }))
    }

    /// The Content-Type.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// The body.
    pub fn into_body(self) -> Vec<u8> {
        let mut body = Vec::new();
        for part in self.parts {
            body.extend_from_slice(format!("--{}\r\n", self.boundary).as_bytes());
            body.extend(part);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        body
    }
}

/// A part without its boundary: `name=content`, `name=@file` and `name=<file`, each with `;type=` or
/// `;filename=` behind it.
fn part(text: &str) -> Result<Vec<u8>, Failure> {
    let (name, content) =
        text.split_once('=').ok_or_else(|| Failure::Unusable(format!("-F {text:?} is no NAME=CONTENT")))?;
    let (content, mut settings) = settings(content);
    let (content, content_type) = if let Some(file) = content.strip_prefix('@') {
        let path = Path::new(file);
        let base_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        settings.file_name.get_or_insert(base_name);
        (files::read(path)?, Some("application/octet-stream"))
    } else if let Some(file) = content.strip_prefix('<') {
        (files::read(Path::new(file))?, None)
    } else {
        (content.into(), None)
    };
    let mut part = format!("Content-Disposition: form-data; name=\"{}\"", escaped(name));
    if let Some(file_name) = settings.file_name {
        part += &format!("; filename=\"{}\"", escaped(&file_name));
    }
    if let Some(content_type) = settings.content_type.as_deref().or(content_type) {
        part += &format!("\r\nContent-Type: {content_type}");
    }
    part += "\r\n\r\n";
    Ok([part.into_bytes(), content].concat())
}

#[derive(Default)]
struct Settings {
    content_type: Option<String>,
    file_name: Option<String>,
}

/// Takes what describes the content off its end.
fn settings(mut content: &str) -> (&str, Settings) {
    let mut settings = Settings::default();
    while let Some((rest, last)) = content.rsplit_once(';') {
        if let Some(content_type) = last.strip_prefix("type=") {
            settings.content_type = Some(content_type.to_owned());
        } else if let Some(file_name) = last.strip_prefix("filename=") {
            settings.file_name = Some(file_name.trim_matches('"').to_owned());
        } else {
            break;
        }
        content = rest;
    }
    (content, settings)
}

/// HTML, 4.10.21.8.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
