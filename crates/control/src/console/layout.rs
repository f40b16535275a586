//! What all pages have around their content.

use std::fmt;

use axum::http::HeaderMap;

use super::assets;
use super::signed_in::SignedIn;
use crate::cookies::cookie;

/// The cookie that a page's script remembers the colours in.
const THEME_COOKIE: &str = "claimgate_theme";

/// What the menu has, in the words of Function Compute's console where it has the same.
const MENU: [(&str, &[Item]); 3] = [
    (
        "Advanced Features",
        &[
            (Section::CustomDomains, "Custom Domains", "/console/custom-domains"),
            (Section::Functions, "Functions", "/console/functions"),
        ],
    ),
    (
        "Tools",
        &[
            (Section::Keys, "Keys", "/console/keys"),
            (Section::Test, "Test", "/console/test"),
            (Section::Traffic, "Traffic", "/console/traffic"),
        ],
    ),
    ("Administration", &[(Section::Users, "Users", "/console/users")]),
];

/// What an entry of the menu is of, what it is called, and where it leads.
type Item = (Section, &'static str, &'static str);

/// Given to a page's template as `layout`, which it extends `layout.html` with.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Of the page, in its heading too.
    pub title: String,
    /// What is marked in the menu.
    pub section: Section,
    /// Who is signed in; `None` on the pages before.
    pub user: Option<SignedIn>,
    /// The colours.
    pub theme: Theme,
}

/// An entry of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Section {
    /// Advanced Features > Custom Domains.
    CustomDomains,
    /// Advanced Features > Functions.
    Functions,
    /// Keys are made.
    Keys,
    /// Requests are tried.
    Test,
    /// What goes on.
    Traffic,
    /// Who may sign in.
    Users,
    /// None of them.
    #[default]
    None,
}

/// Which colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Those that the browser prefers.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Layout {
    /// Around a page for somebody who is signed in.
    pub fn new(title: impl Into<String>, section: Section, user: &SignedIn) -> Self {
        Self { title: title.into(), section, theme: user.theme, user: Some(user.clone()) }
    }

    /// Around a page for anybody.
    pub fn before_sign_in(title: impl Into<String>, theme: Theme) -> Self {
        Self { title: title.into(), section: Section::None, user: None, theme }
    }

    /// The folder of style sheets and scripts.
    pub fn assets(&self) -> &'static str {
        assets::folder()
    }

    /// The menu: groups with a heading and their entries.
    pub fn menu(&self) -> impl Iterator<Item = (&'static str, impl Iterator<Item = Entry>)> {
        let current = self.section;
        MENU.iter().map(move |(heading, entries)| {
            let entry = move |&(section, label, address): &Item| Entry {
                label,
                address,
                current: if section == current { "page" } else { "false" },
            };
            (*heading, entries.iter().map(entry))
        })
    }

    /// The choice of colours: value, label, and whether it is chosen.
    pub fn themes(&self) -> [(&'static str, &'static str, bool); 3] {
        [Theme::System, Theme::Light, Theme::Dark]
            .map(|theme| (theme.value(), theme.label(), theme == self.theme))
    }

    /// Whether somebody is signed in who may change something.
    pub fn is_admin(&self) -> bool {
        self.user.as_ref().is_some_and(SignedIn::is_admin)
    }

    /// Whether the user may change something.
    pub fn is_editor(&self) -> bool {
        self.user.as_ref().is_some_and(SignedIn::is_editor)
    }

    /// Why what is served is not what is stored, for whoever is signed in.
    pub fn not_current(&self) -> &[String] {
        self.user.as_ref().map_or(&[], |user| &user.not_current)
    }

    /// The session's token for `htmx` and scripts.
    pub fn csrf(&self) -> &str {
        self.user.as_ref().map_or("", |user| &user.csrf)
    }
}

/// An entry of the menu, as it is shown.
pub struct Entry {
    /// What it is called.
    pub label: &'static str,
    /// Where it leads.
    pub address: &'static str,
    /// `aria-current`.
    pub current: &'static str,
}

impl Theme {
    /// That of a request's cookie.
    pub fn of(headers: &HeaderMap) -> Self {
        match cookie(headers, THEME_COOKIE) {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    /// As the cookie and the style sheet name it.
    fn value(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.value())
    }
}
