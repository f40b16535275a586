//! `admin.accessKeys`: keys that requests to the API are signed with.
use std::fmt;

/// What whoever calls the API or uses the console may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// May read, but no secrets.
    Viewer,
    /// May change documents, except for what needs [`Admin`](Self::Admin).
    Editor,
    /// May manage users, and store what `control.allow` allows: functions that are processes, or at a unix socket
    /// or a link-local address.
    Admin,
}

/// An access key that the configuration file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// `accessKeyId`.
    pub id: String,
    /// What `accessKeySecretFile` holds.
    pub secret: AccessKeySecret,
    /// What its holder may do.
    pub role: Role,
    /// What it is called where changes are told; its id when it has no name.
    pub name: String,
}

/// The secret of an access key. Nothing of it is told.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKeySecret(String);

impl Role {
    /// All roles by the names that documents use.
    pub const ALL: [(&'static str, Self); 3] =
        [("viewer", Self::Viewer), ("editor", Self::Editor), ("admin", Self::Admin)];

    /// The role of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, role)| *role)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }
}

impl AccessKeySecret {
    pub(crate) fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKeySecret")
    }
}
