//! A request in curl's words.

mod body;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claimgate_gateway::TryRequest;
use clap::Args;

use crate::failure::Failure;
use body::{Data, Form};

/// Those of curl's options that make the request what it is.
#[derive(Args)]
#[command(next_help_heading = "Request, as curl takes it")]
pub struct CurlOptions {
    /// The URL; or a path alone, which is sent as it stands
    #[arg(value_name = "URL-or-path")]
    url: String,
    /// The method; GET when left out, POST with -d and -F
    #[arg(short = 'X', long, allow_hyphen_values = true, value_name = "METHOD")]
    request: Option<String>,
    /// A header; `Name:` leaves one out that would be sent, `Name;` sends an empty one
    #[arg(short = 'H', long, allow_hyphen_values = true, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// Cookies
    #[arg(short = 'b', long, allow_hyphen_values = true, value_name = "NAME=VALUE; …")]
    cookie: Vec<String>,
    #[command(flatten)]
    data: Data,
    /// Put the data into the query, and send a GET
    #[arg(short = 'G', long)]
    get: bool,
    /// A part of a multipart form; `name=@file` sends a file, `name=<file` a file's content
    #[arg(
        short = 'F',
        long,
        allow_hyphen_values = true,
        value_name = "NAME=CONTENT",
        conflicts_with = "get"
    )]
    form: Vec<String>,
    /// Send a HEAD
    #[arg(short = 'I', long)]
    head: bool,
    /// The User-Agent
    #[arg(short = 'A', long, allow_hyphen_values = true, value_name = "NAME")]
    user_agent: Option<String>,
    /// Send an Authorization: Basic
    #[arg(short = 'u', long, allow_hyphen_values = true, value_name = "USER:PASSWORD")]
    user: Option<String>,
    /// The request target, in place of the URL's path and query
    #[arg(long, allow_hyphen_values = true, value_name = "TARGET")]
    request_target: Option<String>,
    #[command(flatten)]
    ignored: Ignored,
}

/// Options of curl that say nothing of the request; so that its command lines can be pasted.
#[derive(Args)]
struct Ignored {
    #[arg(short = 's', long, hide = true)]
    silent: bool,
    #[arg(short = 'S', long, hide = true)]
    show_error: bool,
    #[arg(short = 'i', long, visible_alias = "show-headers", hide = true)]
    include: bool,
    #[arg(short = 'v', long, hide = true)]
    verbose: bool,
    #[arg(short = 'k', long, hide = true)]
    insecure: bool,
    #[arg(short = 'L', long, hide = true)]
    location: bool,
    #[arg(short = 'f', long, hide = true)]
    fail: bool,
    #[arg(short = 'g', long, hide = true)]
    globoff: bool,
    #[arg(short = 'N', long, hide = true)]
    no_buffer: bool,
    #[arg(short = '4', long, hide = true)]
    ipv4: bool,
    #[arg(short = '6', long, hide = true)]
    ipv6: bool,
    #[arg(long = "http1.1", hide = true)]
    http1_1: bool,
    #[arg(long, hide = true)]
    path_as_is: bool,
    #[arg(long, hide = true)]
    noproxy: Option<String>,
    #[arg(long, hide = true)]
    resolve: Vec<String>,
    #[arg(long, hide = true)]
    connect_to: Vec<String>,
    #[arg(short = 'o', long, hide = true)]
    output: Option<String>,
    #[arg(short = 'w', long, hide = true)]
    write_out: Option<String>,
    #[arg(short = 'm', long, hide = true)]
    max_time: Option<String>,
}

/// A request, with a host or without.
pub struct CurlRequest {
    /// The request.
    pub request: TryRequest,
    /// Whether nothing names a host, and none was to be left out.
    pub host_is_missing: bool,
}

impl CurlRequest {
    /// Puts the host where curl has it: before all other headers.
    pub fn set_host(&mut self, host: String) {
        self.request.headers.insert(0, ("host".to_owned(), host));
        self.host_is_missing = false;
    }
}

impl CurlOptions {
    /// The request that curl would send to `host`, or else to the URL's.
    pub fn into_request(self, host: Option<&str>) -> Result<CurlRequest, Failure> {
        let mut url = Url::of(&self.url)?;
        let form = Form::of(&self.form)?;
        let data = self.data.read()?;
        if data.is_some() && form.is_some() {
            return Err(Failure::unusable("-d and -F make different bodies: give one of them"));
        }
        let mut headers = Headers::of(&self.header)?;

        let user = self.user.or(url.user.take());
        if let Some(user) = user {
            headers.set("authorization", &format!("Basic {}", STANDARD.encode(user)));
        }
        headers.set("user-agent", &self.user_agent.unwrap_or_else(|| USER_AGENT.to_owned()));
        headers.set("accept", "*/*");
        let cookies: Result<Vec<&str>, Failure> = self.cookie.iter().map(|text| cookie(text)).collect();
        let cookies = cookies?.join(";");
        if !cookies.is_empty() {
            headers.add("cookie", &cookies);
        }
        headers.add_own();

        let mut target = url.target;
        let mut body = None;
        match (data, form) {
            (Some(data), _) if self.get => {
                target.push(if target.contains('?') { '&' } else { '?' });
                target.push_str(&String::from_utf8_lossy(&data));
            }
            (Some(data), _) => {
                headers.set("content-type", "application/x-www-form-urlencoded");
                body = Some(data);
            }
            (None, Some(form)) => {
                headers.set("content-type", &form.content_type());
                body = Some(form.into_body());
            }
            (None, None) => {}
        }
        let method = match self.request {
            Some(method) => method,
            None if self.head => "HEAD".to_owned(),
            None if body.is_some() => "POST".to_owned(),
            None => "GET".to_owned(),
        };

        let host = host.map(str::to_owned).or(url.host);
        let host_is_missing = host.is_none() && !headers.has_own("host");
        let request = TryRequest {
            method,
            target: self.request_target.unwrap_or(target),
            headers: headers.with_host(host),
            body,
            over_http: url.is_http,
        };
        Ok(CurlRequest { request, host_is_missing })
    }
}

const USER_AGENT: &str = concat!("claimgate/", env!("CARGO_PKG_VERSION"));

fn cookie(text: &str) -> Result<&str, Failure> {
    if text.contains('=') {
        return Ok(text);
    }
    Err(Failure::Unusable(format!("-b {text:?} is no NAME=VALUE, and files of cookies are not read")))
}

/// The parts of a URL that a request is made of.
struct Url {
    host: Option<String>,
    user: Option<String>,
    target: String,
    /// Whether it is one of plain HTTP, as curl takes it when there is no scheme.
    is_http: bool,
}

impl Url {
    fn of(text: &str) -> Result<Self, Failure> {
        if text.starts_with('/') {
            return Ok(Self { host: None, user: None, target: text.to_owned(), is_http: false });
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let default_port = match scheme.to_ascii_lowercase().as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => {
                return Err(Failure::Unusable(format!(
                    "{scheme:?} is no scheme of a gateway: http or https is"
                )));
            }
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        if host.is_empty() {
            return Err(Failure::Unusable(format!("{text:?} has no host; a path alone begins with a slash")));
        }
        Ok(Self {
            host: Some(host.strip_suffix(default_port).unwrap_or(host).to_owned()),
            user,
            is_http: default_port == ":80",
            target: if target.starts_with('/') { target.to_owned() } else { format!("/{target}") },
        })
    }
}

/// The headers of a request: those that curl makes, unless the user has one of that name.
struct Headers {
    /// The user's; `None` leaves the header of that name out.
    own: Vec<(String, Option<String>)>,
    all: Vec<(String, String)>,
}

impl Headers {
    fn of(lines: &[String]) -> Result<Self, Failure> {
        let own = lines.iter().map(|line| {
            if let Some((name, value)) = line.split_once(':') {
                let value = value.trim_start_matches([' ', '\t']);
                return Ok((name.to_owned(), Some(value.to_owned()).filter(|value| !value.is_empty())));
            }
            match line.strip_suffix(';') {
                Some(name) => Ok((name.to_owned(), Some(String::new()))),
                None => Err(Failure::Unusable(format!("-H {line:?} is no 'Name: value'"))),
            }
        });
        Ok(Self { own: own.collect::<Result<_, _>>()?, all: Vec::new() })
    }

    fn has_own(&self, name: &str) -> bool {
        self.own.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    /// Adds a header unless the user has it.
    fn set(&mut self, name: &str, value: &str) {
        if !self.has_own(name) && !value.is_empty() {
            self.add(name, value);
        }
    }

    fn add(&mut self, name: &str, value: &str) {
        self.all.push((name.to_owned(), value.to_owned()));
    }

    /// Adds the user's headers, but for the host.
    fn add_own(&mut self) {
        for (name, value) in &self.own {
            if let Some(value) = value
                && !name.eq_ignore_ascii_case("host")
            {
                self.all.push((name.clone(), value.clone()));
            }
        }
    }

    /// All headers. Of the user's Hosts curl sends the first, in place of the one given here.
    fn with_host(self, host: Option<String>) -> Vec<(String, String)> {
        let own = self.own.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = own.unwrap_or(("host".to_owned(), host));
        let host = host.1.map(|value| (host.0, value));
        host.into_iter().chain(self.all).collect()
    }
}
