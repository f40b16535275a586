//! Charts as SVG. They stretch to the width that they are given; words and numbers stand beside them in HTML,
//! so that they keep their size, and a table says the same to who cannot see them.

use std::fmt::Write;

use crate::traffic::{Numbers, Steps};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;

/// A chart, and what its highest point stands for.
pub struct Chart {
    /// The drawing.
    pub svg: String,
    /// What the top stands for, in words.
    pub top: String,
}

/// Requests a second: bars of accepted, refused and failed ones on each other.
pub fn requests(steps: &Steps, places: usize) -> Chart {
    let seconds = steps.length.as_secs_f64();
    let rate = |count: u64| count as f64 / seconds;
    let highest = steps.steps.iter().map(Numbers::requests).max().unwrap_or_default();
    let top = round_up(rate(highest));
    let width = WIDTH / places as f64;
    let mut paths = [String::new(), String::new(), String::new()];
    for (x, step) in placed(steps, width) {
        let mut bottom = 0.0;
        for (path, count) in paths.iter_mut().zip([step.accepted + step.others, step.refused, step.failed]) {
            if count > 0 {
                let height = rate(count) / top * HEIGHT;
                let y = HEIGHT - bottom;
                // A little gap, where bars are wide enough for one.
                let bar = (width - 1.0).max(width * 0.75);
                let _ = write!(path, "M{x:.1} {y:.1}h{bar:.1}v-{height:.1}h-{bar:.1}z");
                bottom += height;
            }
        }
    }
    let [accepted, refused, failed] = paths;
    let body = format!(
        "<path class=\"accepted\" d=\"{accepted}\"/><path class=\"refused\" d=\"{refused}\"/>\
         <path class=\"failed\" d=\"{failed}\"/>"
    );
    Chart {
        svg: svg("Requests a second; the table below has the numbers", &body),
        top: format!("{}/s", number(top)),
    }
}

/// Durations: a line each of half, nine tenths and 99 hundredths of the requests.
pub fn durations(steps: &Steps, places: usize) -> Chart {
    let quantiles = [0.5, 0.9, 0.99];
    let highest = steps.steps.iter().filter_map(|step| step.durations.quantile(0.99)).fold(0.0, f64::max);
    let top = round_up(highest);
    let width = WIDTH / places as f64;
    let mut body = String::new();
    for (quantile, class) in quantiles.into_iter().zip(["half", "most", "nearly-all"]) {
        let mut path = String::new();
        let mut is_drawing = false;
        for (x, step) in placed(steps, width) {
            let Some(seconds) = step.durations.quantile(quantile) else {
                is_drawing = false;
                continue;
            };
            let y = HEIGHT - seconds / top * (HEIGHT - 2.0);
            let _ = write!(path, "{}{x:.1} {y:.1}h{width:.1}", if is_drawing { 'L' } else { 'M' });
            is_drawing = true;
        }
        let _ = write!(body, "<path class=\"line {class}\" d=\"{path}\"/>");
    }
    Chart { svg: svg("Time to the answer; the table below has the numbers", &body), top: duration(top) }
}

/// A small chart of what happened, for a line of a list; `None` when nothing did.
pub fn sparkline(steps: &Steps, places: usize) -> Option<String> {
    let total = steps.total();
    if total.requests() == 0 {
        return None;
    }
    let rejected = total.refused + total.failed;
    let highest = steps.steps.iter().map(Numbers::requests).max().unwrap_or(1).max(1) as f64;
    let (width, height) = (96.0 / places as f64, 24.0);
    let offset = places.saturating_sub(steps.steps.len()) as f64 * width;
    let mut paths = [String::new(), String::new()];
    for (position, step) in steps.steps.iter().enumerate() {
        let x = offset + position as f64 * width;
        let mut bottom = height;
        for (path, count) in paths.iter_mut().zip([step.accepted + step.others, step.refused + step.failed]) {
            if count > 0 {
                // What happened at all can be seen.
                let tall = (count as f64 / highest * height).max(1.0);
                let _ = write!(path, "M{x:.1} {bottom:.1}h{width:.1}v-{tall:.1}h-{width:.1}z");
                bottom -= tall;
            }
        }
    }
    let [good, bad] = paths;
    Some(format!(
        "<svg class=\"sparkline\" viewBox=\"0 0 96 24\" width=\"96\" height=\"24\" role=\"img\" \
         aria-label=\"{} requests, {} of them refused or failed\"><path class=\"accepted\" d=\"{good}\"/>\
         <path class=\"refused\" d=\"{bad}\"/></svg>",
        count(total.requests()),
        count(rejected)
    ))
}

/// Steps with where they begin; the last one ends at the right.
fn placed(steps: &Steps, width: f64) -> impl Iterator<Item = (f64, &Numbers)> {
    let start = WIDTH - steps.steps.len() as f64 * width;
    let placed = steps.steps.iter().enumerate();
    placed.map(move |(position, step)| (start + position as f64 * width, step)).filter(|(x, _)| *x > -0.1)
}

fn svg(label: &str, body: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{label}\">\
         <path class=\"grid\" d=\"M0 0.5H{WIDTH}M0 {}H{WIDTH}M0 {}H{WIDTH}\"/>{body}</svg>",
        HEIGHT / 2.0,
        HEIGHT - 0.5
    )
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power).find(|top| *top >= value).unwrap_or(10.0 * power)
}

/// A number with at most two digits behind the point.
pub fn number(value: f64) -> String {
    if value >= 100.0 {
        return count(value.round() as u64);
    }
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A whole number in groups of three digits.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in the unit that suits it.
pub fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 0.001 => format!("{} µs", number((seconds * 1e6).round())),
        _ if seconds < 1.0 => format!("{} ms", number(three_digits(seconds * 1e3))),
        _ => format!("{} s", number(three_digits(seconds))),
    }
}

fn three_digits(value: f64) -> f64 {
    let factor = if value >= 100.0 { 1.0 } else { 10.0 };
    (value * factor).round() / factor
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn numbers_are_readable() {
        let counts = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (value, text) in counts {
            assert_eq!(count(value), text);
        }
        for (value, text) in [(0.5, "0.5"), (2.0, "2"), (12.346, "12.35"), (1234.5, "1,235")] {
            assert_eq!(number(value), text);
        }
        for (seconds, text) in [(0.000_08, "80 µs"), (0.001_26, "1.3 ms"), (0.25, "250 ms"), (60.0, "60 s")]
        {
            assert_eq!(duration(seconds), text);
        }
        for (value, top) in [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (12.0, 20.0), (60.0, 100.0)] {
            assert!((round_up(value) - top).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn what_happened_is_drawn() {
        let step = Numbers { accepted: 30, refused: 10, ..Numbers::default() };
        let steps = Steps {
            length: Duration::from_secs(5),
            end: SystemTime::now(),
            steps: vec![Numbers::default(), step],
        };
        let chart = requests(&steps, 180);
        assert_eq!(chart.top, "10/s");
        // 30 in 5 seconds are 6 a second: 72 of 120 units high.
        assert!(chart.svg.contains("class=\"accepted\" d=\"M716.0 120.0h3.0v-72.0h-3.0z\""), "{}", chart.svg);
        assert!(sparkline(&steps, 48).unwrap().contains("40 requests, 10 of them refused or failed"));
        assert!(sparkline(&Steps { steps: Vec::new(), ..steps }, 48).is_none());
    }
}
