//! Texts of the documentation as HTML, and times as the console writes them.

use std::time::SystemTime;

/// The inline part of Markdown that `docs/reasons.md` uses: code in backticks, and links, of which the text is
/// kept.
pub fn to_html(markdown: &str) -> String {
    convert(markdown, without_links)
}

/// A text with code in backticks, and nothing else that stands for something.
pub fn with_code(text: &str) -> String {
    convert(text, str::to_owned)
}

fn convert(text: &str, prose: fn(&str) -> String) -> String {
    let mut html = String::with_capacity(text.len());
    for (position, part) in text.split('`').enumerate() {
        let is_code = position % 2 == 1;
        html.push_str(if is_code { "<code>" } else { "" });
        escape(&if is_code { part.to_owned() } else { prose(part) }, &mut html);
        html.push_str(if is_code { "</code>" } else { "" });
    }
    html
}

fn without_links(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        kept.push_str(before);
        let Some((name, behind)) = link.split_once("](") else {
            kept.push('[');
            rest = link;
            continue;
        };
        kept.push_str(name);
        rest = behind.split_once(')').map_or("", |(_, rest)| rest);
    }
    kept + rest
}

fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
    }
}

/// A time in UTC, as RFC 3339 writes it.
pub fn date(at: SystemTime) -> String {
    humantime::format_rfc3339_seconds(at).to_string()
}

/// Hours, minutes and seconds of a time in UTC.
pub fn clock(at: SystemTime) -> String {
    date(at).get("YYYY-MM-DDT".len().."YYYY-MM-DDThh:mm:ss".len()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html() {
        let text = "set `leewaySeconds` to <5> ([tls.md](tls.md)) & [so";
        assert_eq!(to_html(text), "set <code>leewaySeconds</code> to &lt;5&gt; (tls.md) &amp; [so");
    }

    #[test]
    fn what_a_client_sent_stays_as_it_is() {
        assert_eq!(with_code("/[a](b)<c> has no `kid`"), "/[a](b)&lt;c&gt; has no <code>kid</code>");
    }

    #[test]
    fn times_are_in_utc() {
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        assert_eq!((date(at).as_str(), clock(at).as_str()), ("2001-09-09T01:46:40Z", "01:46:40"));
    }
}
