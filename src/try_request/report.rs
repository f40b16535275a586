//! A trace for people, and for scripts.

use std::fmt::Write;

use claimgate_gateway::trace::{BodyTrace, CorsTrace, Mark, Outcome, RefusalTrace, RequestTrace, StepLine};
use claimgate_gateway::{Trace, TryRequest};

use crate::failure::Failure;
use crate::text::printable;

/// One JSON document.
pub fn json(trace: &Trace) -> Result<String, Failure> {
    let json = serde_json::to_string_pretty(trace);
    json.map(|json| json + "\n").map_err(|error| Failure::Unusable(format!("cannot write JSON: {error}")))
}

/// One step a line, then what the function would receive or why it does not.
pub fn text(request: &TryRequest, trace: &Trace) -> String {
    let mut report = Report(String::new());
    // The query may hold a token.
    let path = request.target.split('?').next().unwrap_or_default();
    report.line(' ', "request", &format!("{} {path}", request.method));
    for StepLine { mark, step, detail } in trace.steps() {
        let mark = match mark {
            Mark::Good => '✓',
            Mark::Bad => '✗',
            Mark::Nothing => '·',
        };
        report.line(mark, &step, &detail);
    }
    if let (Some(request), Some(route)) = (&trace.request, &trace.route) {
        report.request(request, &route.function_name);
    }
    if let (Outcome::Preflight, Some(cors)) = (trace.outcome, &trace.cors) {
        report.preflight(cors);
    }
    if let Some(refusal) = &trace.refusal {
        let outcome = if trace.outcome == Outcome::Failed { "failed" } else { "refused" };
        report.refusal(outcome, refusal);
    }
    report.0
}

struct Report(String);

impl Report {
    fn line(&mut self, mark: char, step: &str, detail: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{mark} {step:<10} {}", printable(detail));
    }

    fn request(&mut self, request: &RequestTrace, function: &str) {
        let mut lines = vec![format!("{} {}", request.method, request.target)];
        lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        match &request.body {
            BodyTrace::Text(text) if text.is_empty() => {}
            BodyTrace::Text(text) => {
                lines.push(String::new());
                lines.extend(text.lines().map(str::to_owned));
            }
            BodyTrace::Bytes { base64 } => lines.extend([String::new(), format!("(base64) {base64}")]),
        }
        let _ = writeln!(self.0, "\naccepted: the function {function} receives\n");
        for line in lines {
            let _ = writeln!(self.0, "{}", format!("    {}", printable(&line)).trim_end());
        }
    }

    fn preflight(&mut self, cors: &CorsTrace) {
        let _ = writeln!(self.0, "\npreflight: claimgate itself answers, before it looks for a token\n");
        for (name, value) in &cors.headers {
            let _ = writeln!(self.0, "    {}", printable(&format!("{name}: {value}")));
        }
    }

    fn refusal(&mut self, outcome: &str, refusal: &RefusalTrace) {
        let RefusalTrace { status, code, message, reason, detail, explanation, remedy } = refusal;
        let _ = writeln!(self.0, "\n{outcome}: {status} {code}, {message:?}\n");
        for (name, text) in
            [("reason", *reason), ("found", detail), ("meaning", explanation), ("what to do", remedy)]
        {
            self.line(' ', name, text);
        }
    }
}
