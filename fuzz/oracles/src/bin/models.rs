//! Reads inputs with the models, for tests/frameworks/test_models.py, which compiles this file alone.
//!
//! Input, a line each: the position, the Content-Type and the text, in hexadecimal and separated by spaces,
//! `-` for no Content-Type. Output, a line each: an object of models and what they read, as JSON with names
//! and values in hexadecimal.

#[path = "../models/mod.rs"]
mod models;

use std::io::{self, BufRead, Write};

use models::{MODELS, Parameters};

fn main() -> io::Result<()> {
    let mut output = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line?;
        let [position, content_type, text] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(io::Error::other("not a position, a Content-Type and a text"));
        };
        let content_type = Some(content_type).filter(|&field| field != "-").map(bytes).transpose()?;
        let text = bytes(text)?;
        let is_multipart = content_type.as_ref().is_some_and(|field| {
            field.get(..10).is_some_and(|start| start.eq_ignore_ascii_case(b"multipart/"))
        });
        let readings = MODELS.iter().filter_map(|model| {
            let parameters = match position {
                "query" => (model.query?)(&text),
                "body" if is_multipart && !model.reads_multipart => return None,
                "body" => (model.body?)(content_type.as_deref(), &text),
                _ => (model.cookies?)(&text),
            };
            Some(format!("\"{}\":{}", model.name, json(&parameters)))
        });
        writeln!(output, "{{{}}}", readings.collect::<Vec<_>>().join(","))?;
    }
    output.flush()
}

fn json(parameters: &Parameters) -> String {
    let pairs = parameters
        .iter()
        .map(|(name, value)| format!("[\"{}\",\"{}\"]", hexadecimal(name), hexadecimal(value)));
    format!("[{}]", pairs.collect::<Vec<_>>().join(","))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hexadecimal: &str) -> io::Result<Vec<u8>> {
    let digits =
        hexadecimal.as_bytes().chunks(2).map(|digits| std::str::from_utf8(digits).unwrap_or_default());
    digits.map(|digits| u8::from_str_radix(digits, 16)).collect::<Result<_, _>>().map_err(io::Error::other)
}
