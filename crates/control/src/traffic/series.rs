//! What happened step by step, as far back as it is kept.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use super::numbers::Numbers;
use super::{INTERVAL, Steps};

/// How far back one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Span {
    /// Fifteen minutes, in steps of five seconds.
    #[default]
    Minutes,
    /// A day, in steps of five minutes.
    Day,
}

impl Span {
    /// How many samples make a step.
    const fn samples(self) -> u32 {
        match self {
            Self::Minutes => 1,
            Self::Day => 60,
        }
    }

    /// How many steps are kept.
    pub const fn kept(self) -> usize {
        match self {
            Self::Minutes => 180,
            Self::Day => 288,
        }
    }

    /// How long a step is.
    pub fn step(self) -> Duration {
        INTERVAL * self.samples()
    }
}

/// What happened with one domain, or with all.
#[derive(Debug)]
pub(super) struct History {
    /// All that has happened.
    now: Numbers,
    sampled: SystemTime,
    minutes: Series,
    day: Series,
}

impl Default for History {
    fn default() -> Self {
        Self {
            now: Numbers::default(),
            sampled: SystemTime::UNIX_EPOCH,
            minutes: Series::new(Span::Minutes),
            day: Series::new(Span::Day),
        }
    }
}

#[derive(Debug)]
struct Series {
    span: Span,
    /// Samples since the last step.
    samples: u32,
    /// All that had happened then.
    before: Numbers,
    /// `None` for those in which nothing happened.
    steps: VecDeque<Option<Box<Numbers>>>,
}

impl History {
    /// Adds what has happened since the last sample.
    pub(super) fn add(&mut self, more: &Numbers) {
        self.now.add(more);
    }

    /// Ends a sample.
    pub(super) fn note(&mut self, at: SystemTime) {
        self.sampled = at;
        self.minutes.note(&self.now);
        self.day.note(&self.now);
    }

    /// Whether nothing has happened for as long as is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.day.steps.iter().all(Option::is_none) && self.now.since(&self.day.before).requests() == 0
    }

    /// The steps of a span; the last one may still go on.
    pub(super) fn steps(&self, span: Span) -> Steps {
        let series = match span {
            Span::Minutes => &self.minutes,
            Span::Day => &self.day,
        };
        let mut steps: Vec<Numbers> =
            series.steps.iter().map(|step| step.as_deref().cloned().unwrap_or_default()).collect();
        if series.samples > 0 {
            steps.push(self.now.since(&series.before));
        }
        Steps { length: span.step(), end: self.sampled, steps }
    }
}

impl Series {
    fn new(span: Span) -> Self {
        Self { span, samples: 0, before: Numbers::default(), steps: VecDeque::new() }
    }

    fn note(&mut self, numbers: &Numbers) {
        self.samples += 1;
        if self.samples < self.span.samples() {
            return;
        }
        self.samples = 0;
        if self.steps.len() == self.span.kept() {
            self.steps.pop_front();
        }
        let step = numbers.since(&self.before);
        self.steps.push_back((step.requests() > 0).then(|| Box::new(step)));
        self.before = numbers.clone();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn counted(accepted: u64, expired: u64) -> Numbers {
        Numbers { accepted, refused: expired, by_reason: [("expired", expired)].into(), ..Numbers::default() }
    }

    #[test]
    fn steps_are_differences_and_bounded() {
        let mut history = History::default();
        for sample in 0..100_000 {
            if sample > 0 {
                history.add(&counted(2, 1));
            }
            history.note(SystemTime::now());
        }
        for span in [Span::Minutes, Span::Day] {
            let Steps { steps, length, .. } = history.steps(span);
            assert!((span.kept()..=span.kept() + 1).contains(&steps.len()), "{span:?}");
            let samples = length.as_secs() / INTERVAL.as_secs();
            assert_eq!((steps[1].accepted, steps[1].refused), (2 * samples, samples));
            assert_eq!(steps[1].by_reason["expired"], samples);
        }
        // 99,999 samples came after the first 40 of an unfinished step of 60.
        assert_eq!(history.steps(Span::Day).steps.last().unwrap().accepted, 2 * 40);
        assert!(!history.is_empty());
        for _ in 0..(Span::Day.kept() + 1) * Span::Day.samples() as usize {
            history.note(SystemTime::now());
        }
        assert!(history.is_empty());
        history.add(&counted(1, 0));
        assert!(!history.is_empty());
    }

    #[test]
    fn merged_steps_end_where_the_others_do() {
        let steps = (1..=5).map(|accepted| counted(accepted, 0)).collect();
        let steps = Steps { length: INTERVAL, end: SystemTime::now(), steps };
        let merged = steps.merged(2);
        let accepted: Vec<u64> = merged.steps.iter().map(|step| step.accepted).collect();
        assert_eq!(accepted, [1, 5, 9]);
        assert_eq!((merged.length, steps.total().accepted), (INTERVAL * 2, 15));
    }
}
