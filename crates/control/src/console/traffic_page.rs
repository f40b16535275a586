//! Traffic: what happened in the last minutes and hours, and the latest refusals.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use claimgate_gateway::{Counted, Gateway, RefusedAt, Serving, explain};
use futures_util::stream;
use serde::Deserialize;

use super::chart::{self, Chart};
use super::layout::{Layout, Section};
use super::{Console, OFFERED, SignedIn, page, words};
use crate::traffic::{Numbers, Span, Steps, Traffic};

/// How many refusals are shown; the gateway keeps more, for when one looks at a single domain.
const SHOWN: usize = 50;

/// How many domains are compared.
const BUSIEST: usize = 20;

/// How many steps a row of the tables stands for.
const TOGETHER: usize = 12;

pub fn routes() -> Router<Console> {
    Router::new().route("/console/traffic", get(show)).route("/console/traffic/events", get(events))
}

#[derive(Template)]
#[template(path = "traffic.html")]
struct TrafficPage {
    layout: Layout,
    selection: Selection,
    domains: Vec<String>,
    /// Where all domains are looked at: those with the most requests in the last day.
    busiest: Vec<DomainLine>,
    events: String,
    live: String,
}

struct DomainLine {
    name: String,
    requests: String,
    refused: String,
    sparkline: String,
}

async fn show(
    State(console): State<Console>,
    user: SignedIn,
    Query(selection): Query<Selection>,
) -> Response {
    let live = Live::of(&selection, console.traffic(), console.catalog().gateway());
    let Ok(live) = live.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut domains = console.traffic().domains();
    let busiest =
        if selection.domain().is_none() { busiest(console.traffic(), &domains) } else { Vec::new() };
    domains.truncate(OFFERED);
    page::html(&TrafficPage {
        layout: Layout::new("Traffic", Section::Traffic, &user),
        busiest,
        domains,
        events: selection.events(),
        selection,
        live,
    })
}

fn busiest(traffic: &Traffic, domains: &[String]) -> Vec<DomainLine> {
    let totals = domains.iter().map(|domain| (domain, traffic.steps(Some(domain), Span::Day).total()));
    let mut totals: Vec<(&String, Numbers)> = totals.filter(|(_, total)| total.requests() > 0).collect();
    totals.sort_by_key(|(_, total)| std::cmp::Reverse(total.requests()));
    let lines = totals.into_iter().take(BUSIEST).map(|(domain, total)| DomainLine {
        name: domain.clone(),
        requests: chart::count(total.requests()),
        refused: chart::count(total.refused + total.failed),
        sparkline: sparkline(traffic, domain).unwrap_or_default(),
    });
    lines.collect()
}

/// Sends what the page shows anew, whenever there are new numbers, for as long as the browser listens.
async fn events(State(console): State<Console>, _: SignedIn, Query(selection): Query<Selection>) -> Response {
    let sampled = console.traffic().watch();
    let events = stream::unfold((console, selection, sampled), async |(console, selection, mut sampled)| {
        sampled.changed().await.ok()?;
        let live = Live::of(&selection, console.traffic(), console.catalog().gateway());
        let event = Event::default().event("traffic").data(live.render().ok()?);
        Some((Ok::<_, Infallible>(event), (console, selection, sampled)))
    });
    Sse::new(events).into_response()
}

/// What is looked at.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Selection {
    /// A domain; empty for all.
    #[serde(default)]
    pub domain: String,
    /// `day`, or else the last minutes.
    #[serde(default)]
    pub span: String,
}

/// The part of the page that is drawn anew every few seconds.
#[derive(Template)]
#[template(path = "traffic_live.html")]
pub struct Live {
    /// Which requests of the domain the numbers are of.
    counted: Counted,
    cards: Vec<Card>,
    requests: Chart,
    durations: Chart,
    /// How far back is looked, in words.
    begin: &'static str,
    end: String,
    rows: Vec<TableRow>,
    reasons: Vec<Reason>,
    refused: Vec<Refusal>,
}

struct Card {
    name: &'static str,
    value: String,
    note: String,
}

struct TableRow {
    time: String,
    requests: String,
    refused: String,
    failed: String,
    quantiles: [String; 3],
    verification: String,
}

/// What a reason means, in HTML.
struct Explained {
    what_happened: String,
    what_to_do: String,
}

struct Reason {
    reason: &'static str,
    count: String,
    explained: Explained,
}

struct Refusal {
    time: String,
    date: String,
    id: String,
    domain: String,
    route: String,
    client: String,
    status: u16,
    outcome: &'static str,
    reason: &'static str,
    explained: Explained,
}

impl Selection {
    /// Where new numbers come from.
    fn events(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("domain", &self.domain).append_pair("span", &self.span).finish();
        format!("/console/traffic/events?{query}")
    }

    /// The domain that is looked at; `None` for all.
    pub fn domain(&self) -> Option<&str> {
        Some(self.domain.as_str()).filter(|domain| !domain.is_empty())
    }

    /// How far back is looked.
    pub fn span(&self) -> Span {
        if self.span == "day" { Span::Day } else { Span::Minutes }
    }
}

impl Live {
    /// What there is to see now.
    pub fn of(selection: &Selection, traffic: &Traffic, gateway: &Gateway) -> Self {
        let span = selection.span();
        let steps = traffic.steps(selection.domain(), span);
        let total = steps.total();
        let reasons = by_count(&total).into_iter().map(|(reason, count)| Reason {
            reason,
            count: chart::count(count),
            explained: Explained::of(reason),
        });
        let refused = gateway.metrics().latest_refused().into_iter();
        let refused = refused
            .filter(|refused| selection.domain().is_none_or(|domain| refused.labels.domain == domain))
            .take(SHOWN)
            .map(Refusal::of);
        Self {
            counted: selection.domain().map_or(Counted::Yes, |domain| counted(&gateway.serving(), domain)),
            cards: cards(&total, &steps),
            requests: chart::requests(&steps, span.kept()),
            durations: chart::durations(&steps, span.kept()),
            begin: if span == Span::Day { "24 hours" } else { "15 minutes" },
            end: words::clock(steps.end),
            rows: rows(&steps),
            reasons: reasons.collect(),
            refused: refused.collect(),
        }
    }
}

/// Which requests of a domain are counted. Of one that is configured no longer there is what was.
pub fn counted(serving: &Serving, domain: &str) -> Counted {
    serving.snapshot.domains.named(domain).map_or(Counted::Yes, |domain| serving.counted(domain))
}

fn cards(total: &Numbers, steps: &Steps) -> Vec<Card> {
    let requests = total.requests();
    let share = |part: u64| match requests {
        0 => String::new(),
        _ => format!("{} %", chart::number((part as f64 / requests as f64 * 1000.0).round() / 10.0)),
    };
    let seconds = steps.length.as_secs_f64() * steps.steps.len() as f64;
    let rate = if seconds > 0.0 { requests as f64 / seconds } else { 0.0 };
    let quantile = |share| total.durations.quantile(share).map_or("–".to_owned(), chart::duration);
    let verification = total.verification_share();
    vec![
        Card { name: "Requests", value: chart::count(requests), note: format!("{}/s", chart::number(rate)) },
        Card { name: "Refused", value: chart::count(total.refused), note: share(total.refused) },
        Card { name: "Failed", value: chart::count(total.failed), note: share(total.failed) },
        Card {
            name: "Half answered within",
            value: quantile(0.5),
            note: format!("99 % within {}", quantile(0.99)),
        },
        Card {
            name: "Verification",
            value: verification.map_or("–".to_owned(), percent),
            note: "of the requests' time".to_owned(),
        },
    ]
}

fn percent(share: f64) -> String {
    format!("{} %", chart::number((share * 1000.0).round() / 10.0))
}

fn rows(steps: &Steps) -> Vec<TableRow> {
    let steps = steps.merged(TOGETHER);
    let count = u32::try_from(steps.steps.len()).unwrap_or(u32::MAX);
    let begin = steps.end - steps.length.saturating_mul(count);
    let rows = steps.steps.iter().zip(0..).map(|(step, position)| TableRow {
        time: words::clock(begin + steps.length.saturating_mul(position)),
        requests: chart::count(step.requests()),
        refused: chart::count(step.refused),
        failed: chart::count(step.failed),
        quantiles: [0.5, 0.9, 0.99]
            .map(|share| step.durations.quantile(share).map_or("–".to_owned(), chart::duration)),
        verification: step.verification_share().map_or("–".to_owned(), percent),
    });
    let mut rows: Vec<TableRow> = rows.collect();
    // The latest first.
    rows.reverse();
    rows
}

fn by_count(total: &Numbers) -> Vec<(&'static str, u64)> {
    let mut reasons: Vec<_> = total.by_reason.iter().map(|(reason, count)| (*reason, *count)).collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons
}

impl Explained {
    fn of(reason: &str) -> Self {
        let explanation = explain(reason);
        Self {
            what_happened: words::to_html(explanation.what_happened),
            what_to_do: words::to_html(explanation.what_to_do),
        }
    }
}

impl Refusal {
    fn of(refused: RefusedAt) -> Self {
        let RefusedAt { request, labels } = refused;
        let at = SystemTime::UNIX_EPOCH + Duration::min(request.began, Duration::from_secs(253_402_300_799));
        Self {
            time: words::clock(at),
            date: words::date(at),
            id: request.id.to_string(),
            domain: labels.domain,
            route: labels.route,
            client: request.client.into(),
            status: request.status,
            outcome: request.outcome,
            reason: request.reason,
            explained: Explained::of(request.reason),
        }
    }
}

/// A drawing of what happened with a domain in the last day, for a line of the list of domains; `None` when
/// nothing did.
pub fn sparkline(traffic: &Traffic, domain: &str) -> Option<String> {
    let steps = traffic.steps(Some(domain), Span::Day).merged(6);
    chart::sparkline(&steps, Span::Day.kept() / 6)
}
