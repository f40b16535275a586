//! A line of the access log.

use std::io::Write;
use std::time::Duration;

use time::OffsetDateTime;

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON object.
    Json,
    /// `name=value`, for people.
    Text,
}

/// What is logged of a request. The names of the fields are stable; docs/observability.md explains them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// When the request began, from the Unix epoch.
    pub began: Duration,
    pub request_id: &'a str,
    pub client: &'a str,
    pub scheme: &'static str,
    pub method: &'a str,
    pub domain: &'a str,
    pub path: &'a str,
    pub route: &'a str,
    pub function: &'a str,
    pub status: u16,
    pub outcome: &'static str,
    pub reason: &'static str,
    pub duration: Duration,
    pub authenticate: Duration,
    pub function_duration: Duration,
    /// Of a request that is sampled.
    pub trace_id: Option<u128>,
}

enum Value<'a> {
    Text(&'a str),
    Number(u64),
    /// 32 digits, or nothing.
    TraceId(Option<u128>),
}

impl Line<'_> {
    /// Writes the line with its end.
    pub(super) fn write(&self, format: Format, out: &mut Vec<u8>) {
        match format {
            Format::Json => {
                out.extend_from_slice(b"{\"timestamp\":\"");
                write_time(self.began, out);
                out.extend_from_slice(b"\",\"level\":\"INFO\",\"message\":\"request\"");
                for (name, value) in self.fields() {
                    out.extend_from_slice(b",\"");
                    out.extend_from_slice(name.as_bytes());
                    out.extend_from_slice(b"\":");
                    match value {
                        Value::Text(text) => write_quoted(text, out),
                        Value::Number(number) => write_number(number, out),
                        Value::TraceId(id) => {
                            out.push(b'"');
                            write_trace_id(id, out);
                            out.push(b'"');
                        }
                    }
                }
                out.extend_from_slice(b"}\n");
            }
            Format::Text => {
                write_time(self.began, out);
                out.extend_from_slice(b" INFO request");
                for (name, value) in self.fields() {
                    out.push(b' ');
                    out.extend_from_slice(name.as_bytes());
                    out.push(b'=');
                    match value {
                        Value::Text(text) if is_plain(text) => out.extend_from_slice(text.as_bytes()),
                        Value::Text(text) => write_quoted(text, out),
                        Value::Number(number) => write_number(number, out),
                        Value::TraceId(id) => write_trace_id(id, out),
                    }
                }
                out.push(b'\n');
            }
        }
    }

    fn fields(&self) -> [(&'static str, Value<'_>); 15] {
        let micros =
            |duration: Duration| Value::Number(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
        [
            ("request_id", Value::Text(self.request_id)),
            ("client", Value::Text(self.client)),
            ("scheme", Value::Text(self.scheme)),
            ("method", Value::Text(self.method)),
            ("domain", Value::Text(self.domain)),
            ("path", Value::Text(self.path)),
            ("route", Value::Text(self.route)),
            ("function", Value::Text(self.function)),
            ("status", Value::Number(self.status.into())),
            ("outcome", Value::Text(self.outcome)),
            ("reason", Value::Text(self.reason)),
            ("duration_us", micros(self.duration)),
            ("authenticate_us", micros(self.authenticate)),
            ("function_us", micros(self.function_duration)),
            ("trace_id", Value::TraceId(self.trace_id)),
        ]
    }
}

/// RFC 3339, in UTC with microseconds.
fn write_time(time: Duration, out: &mut Vec<u8>) {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let date = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let (hour, minute, second) = (date.hour(), date.minute(), date.second());
    let micros = time.subsec_micros();
    // Writing to memory does not fail.
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z");
}

fn write_number(number: u64, out: &mut Vec<u8>) {
    let _ = write!(out, "{number}");
}

fn write_trace_id(id: Option<u128>, out: &mut Vec<u8>) {
    if let Some(id) = id {
        let _ = write!(out, "{id:032x}");
    }
}

/// As JSON writes a string, so that no client begins a line of its own.
fn write_quoted(text: &str, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, text);
}

/// Whether a reader finds the end of a value without quotes. Control characters and what is beyond ASCII,
/// which may look like something else on a terminal, are quoted too.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'=' | b'\\'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const LINE: Line<'_> = Line {
        began: Duration::new(1_700_000_000, 1_234_000),
        request_id: "1-6553f100-0",
        client: "192.0.2.1",
        scheme: "https",
        method: "GET",
        domain: "api.example.com",
        path: "/a\" path=/b",
        route: "/*",
        function: "",
        status: 200,
        outcome: "accepted",
        reason: "",
        duration: Duration::from_micros(1500),
        authenticate: Duration::from_nanos(2999),
        function_duration: Duration::ZERO,
        trace_id: None,
    };

    fn written(format: Format) -> String {
        let mut out = Vec::new();
        LINE.write(format, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_json() {
        let text = written(Format::Json);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["timestamp"], "2023-11-14T22:13:20.001234Z");
        assert_eq!((&value["path"], &value["status"]), (&"/a\" path=/b".into(), &200.into()));
        assert_eq!((&value["duration_us"], &value["authenticate_us"]), (&1500.into(), &2.into()));
        assert_eq!(text.find('\n'), Some(text.len() - 1));
    }

    #[test]
    fn a_value_of_a_client_cannot_pass_for_another_field() {
        let text = written(Format::Text);
        let start =
            "2023-11-14T22:13:20.001234Z INFO request request_id=1-6553f100-0 client=192.0.2.1 scheme=https ";
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains(r#" path="/a\" path=/b" route=/* function="" status=200 "#), "{text}");
        assert!(text.ends_with(" duration_us=1500 authenticate_us=2 function_us=0 trace_id=\n"), "{text}");
    }
}
