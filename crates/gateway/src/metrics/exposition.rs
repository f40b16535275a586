//! The numbers of requests and connections as metrics: added up over threads and rows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::histogram::{Count, Histogram, Total};
use super::requests::{Requests, RowCounts, RowLabels, WorkerCounts};
use crate::rejection::Fault;

/// Reads the numbers whenever metrics are asked for.
#[derive(Debug)]
pub struct Exposition(pub Arc<Requests>);

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let workers = self.0.workers();
        let mut totals = Totals::default();
        for (labels, row) in self.0.numbers() {
            totals.add(&labels, &row);
        }
        totals.write(&mut encoder)?;
        write_connections(&mut encoder, &workers)
    }
}

type Label = (&'static str, String);

#[derive(Default)]
struct Totals {
    requests: BTreeMap<[Label; 4], u64>,
    broken_off: BTreeMap<[Label; 3], u64>,
    claims_not_forwarded: BTreeMap<[Label; 1], u64>,
    durations: BTreeMap<[Label; 2], Total>,
    verifications: BTreeMap<[Label; 1], Total>,
    functions: BTreeMap<[Label; 1], Total>,
}

impl Totals {
    fn add(&mut self, labels: &RowLabels, row: &RowCounts) {
        let domain = label("domain", &labels.domain);
        let mut count_requests = |outcome, reason, count| {
            let labels = [
                domain.clone(),
                label("route", &labels.route),
                label("outcome", outcome),
                label("reason", reason),
            ];
            *self.requests.entry(labels).or_default() += count;
        };
        let accepted = Total::of(&row.accepted);
        if accepted.count() > 0 {
            count_requests(outcome(None), "", accepted.count());
        }
        if row.preflights.value() > 0 {
            count_requests("preflight", "", row.preflights.value());
        }
        if row.clients_left.value() > 0 {
            count_requests("client_left", "", row.clients_left.value());
        }
        if row.claims_not_forwarded.value() > 0 {
            *self.claims_not_forwarded.entry([domain.clone()]).or_default() +=
                row.claims_not_forwarded.value();
        }
        for (reason, count) in row.broken_off().iter() {
            let labels = [domain.clone(), label("route", &labels.route), label("reason", reason)];
            *self.broken_off.entry(labels).or_default() += count;
        }
        let rejected = row.rejected();
        for (fault, reason, count) in &rejected.by_reason {
            count_requests(outcome(Some(*fault)), reason, *count);
        }
        for (fault, durations) in [
            (None, &row.accepted),
            (Some(Fault::Client), &rejected.refused),
            (Some(Fault::Function), &rejected.failed),
        ] {
            add(&mut self.durations, [domain.clone(), label("outcome", outcome(fault))], durations);
        }
        drop(rejected);
        add(&mut self.verifications, [domain], &row.verification);
        add(&mut self.functions, [label("function", &labels.function)], &row.function);
    }

    fn write(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut requests = encoder.encode_descriptor(
            "requests",
            "Requests by custom domain, route, outcome (accepted, preflight, refused, failed, client_left) and reason",
            None,
            MetricType::Counter,
        )?;
        for (labels, count) in &self.requests {
            requests.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
        let mut broken_off = encoder.encode_descriptor(
            "answers_broken_off",
            "Accepted requests whose answer the function broke off behind its head",
            None,
            MetricType::Counter,
        )?;
        for (labels, count) in &self.broken_off {
            broken_off.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
        let mut claims = encoder.encode_descriptor(
            "claims_not_forwarded",
            "Claims that the position they are mapped to cannot carry",
            None,
            MetricType::Counter,
        )?;
        for (labels, count) in &self.claims_not_forwarded {
            claims.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
        write_durations(
            encoder,
            "request_duration_seconds",
            "Time from the head of a request to the head of its answer",
            &self.durations,
        )?;
        write_durations(
            encoder,
            "verification_duration_seconds",
            "Time to find and to verify the token, with what had to be read or fetched for it",
            &self.verifications,
        )?;
        write_durations(
            encoder,
            "function_duration_seconds",
            "Time from calling a function to the head of its answer",
            &self.functions,
        )
    }
}

fn write_connections(encoder: &mut DescriptorEncoder<'_>, workers: &[Arc<WorkerCounts>]) -> fmt::Result {
    let sum = |count: fn(&WorkerCounts) -> &Count| -> u64 {
        workers.iter().map(|worker| count(worker).value()).fold(0, u64::wrapping_add)
    };
    for (name, help, value) in [
        ("requests_in_flight", "Requests whose answer has not begun", sum(|worker| &worker.in_flight)),
        ("connections", "Connections of clients that are open", sum(|worker| &worker.connections)),
        ("websockets", "WebSockets that are open", sum(|worker| &worker.websockets)),
    ] {
        encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)?;
    }
    let opened = sum(|worker| &worker.connections_opened);
    let help = "Connections that clients have opened";
    encoder
        .encode_descriptor("connections_opened", help, None, MetricType::Counter)?
        .encode_counter::<NoLabelSet, _, u64>(&opened, None)
}

fn write_durations<const N: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    totals: &BTreeMap<[Label; N], Total>,
) -> fmt::Result {
    let mut family: MetricEncoder<'_> = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    for (labels, total) in totals {
        family.encode_family(labels)?.encode_histogram::<NoLabelSet>(
            total.seconds(),
            total.count(),
            &total.buckets(),
            None,
        )?;
    }
    Ok(())
}

/// Adds a histogram to those with the same labels, unless there is nothing in it.
fn add<const N: usize>(totals: &mut BTreeMap<[Label; N], Total>, labels: [Label; N], histogram: &Histogram) {
    let total = Total::of(histogram);
    if total.count() > 0 {
        totals.entry(labels).or_default().add(&total);
    }
}

fn label(name: &'static str, value: &str) -> Label {
    (name, value.to_owned())
}

fn outcome(fault: Option<Fault>) -> &'static str {
    match fault {
        None => "accepted",
        Some(fault) => fault.outcome(),
    }
}
