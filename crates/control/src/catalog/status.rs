//! How the catalog gets on with its store, and which of two readings of it is the newer one.

use claimgate_config::DocumentProblem;

/// How the catalog gets on with its store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Why the store cannot be reached, while it cannot: what is served may be older than what is stored.
    pub unreachable: Option<String>,
    /// Why nothing can be written to the store, while that is so.
    pub not_writable: Option<String>,
    /// Why what is stored is not what is served.
    pub refused: Option<Refusal>,
    /// What is wrong with stored documents that are not served as they are stored.
    pub not_served: Vec<DocumentProblem>,
}

impl Status {
    /// Whether the store answers and what is stored in it is served.
    pub fn is_current(&self) -> bool {
        self.unreachable.is_none() && self.refused.is_none() && self.not_served.is_empty()
    }

    /// What an operator has to know, a sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let unreachable =
            self.unreachable.iter().map(|why| format!("stale: {why}; what was read last is served"));
        let not_writable = self.not_writable.iter().map(|why| format!("no change can be stored: {why}"));
        let refused =
            self.refused.iter().map(|why| format!("refused: {why}; the previous configuration stays active"));
        let not_served = self.not_served.iter().map(|DocumentProblem { kind, name, problem }| {
            format!("not served as it is stored: {}/{name}: {problem}", kind.list())
        });
        unreachable.chain(not_writable).chain(refused).chain(not_served).collect()
    }
}

/// Why what is stored is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The store lost its records.
    #[error(
        "the store is empty, though it held documents of generation {served}; restore what it held, or, if it is \
         to begin anew, run claimgate store accept --above {served}"
    )]
    Emptied {
        /// The generation that is served.
        served: u64,
    },
    /// The store was set back.
    #[error(
        "the store holds generation {stored} of the documents, and {served} was there already; if an earlier state \
         was restored on purpose, run claimgate store accept --above {served}"
    )]
    SetBack {
        /// The generation that is stored.
        stored: u64,
        /// The generation that is served.
        served: u64,
    },
    /// The store has another history.
    #[error(
        "the store holds another generation {generation} of the documents than the one that is served; if it was \
         replaced on purpose, run claimgate store accept --above {generation}"
    )]
    Replaced {
        /// The number that both have.
        generation: u64,
    },
    /// No configuration can be made of it.
    #[error("{0}")]
    Unservable(String),
}

/// Tells one state of the documents in a store from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// How many commits of documents there were; 0 before the first.
    pub generation: u64,
    /// The version of the record that says so.
    pub record: Option<u64>,
}

/// What a state of the store is to the one that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Age {
    /// It comes after it.
    Newer,
    /// It is the same.
    Same,
    /// It does not follow the one that is served.
    Refused(Refusal),
}

impl Stamp {
    /// What this state of a store is to the one that is served. It was read after that one became active.
    pub fn compared_with(self, served: Self) -> Age {
        if self == served {
            Age::Same
        } else if self.generation > served.generation {
            Age::Newer
        } else if self.record.is_none() {
            Age::Refused(Refusal::Emptied { served: served.generation })
        } else if self.generation == served.generation {
            Age::Refused(Refusal::Replaced { generation: self.generation })
        } else {
            Age::Refused(Refusal::SetBack { stored: self.generation, served: served.generation })
        }
    }
}
