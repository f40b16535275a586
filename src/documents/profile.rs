//! Where the gateway is, and who calls: options, the environment, or a profile file.

use std::env;
use std::path::{Path, PathBuf};

use claimgate_config::read_file;
use claimgate_config::reader::Field;
use claimgate_config::report::Report;
use clap::Args;
use zeroize::Zeroizing;

use crate::failure::Failure;

const ENDPOINT: &str = "http://127.0.0.1:8081";

/// Which gateway is asked, and by whom.
#[derive(Args)]
pub struct Connection {
    /// The URL of the gateway's admin listener [env: CLAIMGATE_ENDPOINT; default: http://127.0.0.1:8081]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// A file with endpoint, accessKeyId, accessKeySecret and caFile [env: CLAIMGATE_PROFILE; default:
    /// claimgate/profile.yaml in the user's configuration folder]
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

/// All that is needed to call.
#[derive(Default)]
pub struct Profile {
    pub endpoint: String,
    pub access_key_id: String,
    pub access_key_secret: Zeroizing<String>,
    /// Certificates of authorities, in place of the system's.
    pub ca_file: Option<PathBuf>,
}

impl Connection {
    /// Options go before the environment, and that before the profile file.
    pub fn profile(&self) -> Result<Profile, Failure> {
        let mut profile = self.file()?;
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(endpoint) = self.endpoint.clone().or_else(|| variable("CLAIMGATE_ENDPOINT")) {
            profile.endpoint = endpoint;
        }
        if let Some(id) = variable("CLAIMGATE_ACCESS_KEY_ID") {
            profile.access_key_id = id;
        }
        if let Some(secret) = variable("CLAIMGATE_ACCESS_KEY_SECRET") {
            profile.access_key_secret = Zeroizing::new(secret);
        }
        if profile.endpoint.is_empty() {
            profile.endpoint = ENDPOINT.to_owned();
        }
        if profile.access_key_id.is_empty() || profile.access_key_secret.is_empty() {
            return Err(Failure::unusable(
                "no access key is given: set CLAIMGATE_ACCESS_KEY_ID and CLAIMGATE_ACCESS_KEY_SECRET, or write \
                 accessKeyId and accessKeySecret into a profile file (--profile); \
                 `claimgate access-key create --config FILE` makes one",
            ));
        }
        Ok(profile)
    }

    fn file(&self) -> Result<Profile, Failure> {
        let named = self.profile.clone().or_else(|| env::var_os("CLAIMGATE_PROFILE").map(PathBuf::from));
        let file = match named {
            Some(file) => file,
            None => match usual_file().filter(|file| file.exists()) {
                Some(file) => file,
                None => return Ok(Profile::default()),
            },
        };
        let read = |root: &Field<'_>, report: &mut Report| read_profile(root, &file, report);
        let (profile, _) = read_file(&file, "an object with endpoint, accessKeyId and accessKeySecret", read)
            .map_err(Failure::unusable)?;
        Ok(profile)
    }
}

fn usual_file() -> Option<PathBuf> {
    let folder = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".config")))?;
    Some(folder.join("claimgate").join("profile.yaml"))
}

fn read_profile(root: &Field<'_>, file: &Path, report: &mut Report) -> Option<Profile> {
    let mut object = root.object("an object with endpoint, accessKeyId and accessKeySecret", report)?;
    let mut profile = Profile::default();
    for (name, value) in [("endpoint", &mut profile.endpoint), ("accessKeyId", &mut profile.access_key_id)] {
        if let Some(text) = object.field(name).and_then(|field| field.text("a string", report)) {
            *value = text.value.to_owned();
        }
    }
    if let Some(secret) =
        object.field("accessKeySecret").and_then(|field| field.secret("the secret of an access key", report))
    {
        profile.access_key_secret = Zeroizing::new(secret.value.to_owned());
    }
    let ca_file = object.field("caFile").and_then(|field| field.text("a PEM file", report));
    profile.ca_file = ca_file.map(|path| file.parent().unwrap_or(Path::new("")).join(path.value));
    object.finish(report);
    Some(profile)
}
