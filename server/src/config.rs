//! Every flag, its variable and its default.

mod oidc;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{Parser, ValueEnum};
use http::HeaderName;
use ipnet::IpNet;
use tokio::net::TcpListener;

pub use self::oidc::OidcFlags;
use crate::{
    audience::{
        Door, Register, Sessions,
        door::{
            Mode,
            kubernetes::Kubernetes,
            oidc::Oidc,
            proxy::{Networks, Proxy},
            token::Token,
        },
        sessions::{Clock, Lifetime},
    },
    command::Command,
    error::StartError,
    front::{Deadlines, Front, Limits, Tls, limits},
    http::Base,
    source::api_server::ApiServer,
};

/// A live, read-only dashboard for a Kubernetes cluster.
///
/// Watches pods, ReplicationControllers, Deployments, DaemonSets, StatefulSets, ReplicaSets, Services with
/// their EndpointSlices, PodDisruptionBudgets, nodes with their Leases, namespaces and events, and shows
/// them in a browser as they change. It changes nothing in a cluster.
#[derive(Clone, Debug, Parser)]
#[command(name = "masthead", version, max_term_width = 100)]
pub struct Config {
    /// Something else than serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Kubeconfig to use [default: $KUBECONFIG (several paths are merged), else a pod's service
    /// account, else ~/.kube/config]
    #[arg(long, value_name = "FILE", env = "MASTHEAD_KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,

    /// Context to use [default: the kubeconfig's current context]
    #[arg(long, value_name = "NAME", env = "MASTHEAD_CONTEXT")]
    pub context: Option<String>,

    /// Watch only this namespace; repeat it, or separate with commas, for several [default: all; if
    /// that is forbidden, the context's own]
    #[arg(long, short, value_name = "NAME", env = "MASTHEAD_NAMESPACE", value_delimiter = ',')]
    pub namespace: Vec<String>,

    /// Show an invented cluster that plays the tutorial; needs no Kubernetes
    #[arg(long, env = "MASTHEAD_DEMO", conflicts_with_all = ["kubeconfig", "context"])]
    pub demo: bool,

    /// What the demo's chance depends on: the same seed, the same cluster
    #[arg(long, value_name = "NUMBER", env = "MASTHEAD_DEMO_SEED", default_value_t = 1, requires = "demo")]
    pub demo_seed: u64,

    /// How many times faster than real time the demo plays
    #[arg(
        long,
        value_name = "FACTOR",
        env = "MASTHEAD_DEMO_SPEED",
        default_value_t = 1.0,
        requires = "demo"
    )]
    pub demo_speed: f64,

    /// How many more pods the demo has, to see what Masthead does with many
    #[arg(long, value_name = "NUMBER", env = "MASTHEAD_DEMO_PODS", default_value_t = 0, requires = "demo")]
    pub demo_pods: usize,

    /// Address to serve at; repeat it for several. Anything but loopback needs --auth
    #[arg(
        long,
        value_name = "ADDR",
        env = "MASTHEAD_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:8080",
        global = true
    )]
    pub listen: Vec<SocketAddr>,

    /// Further host names a browser may use for this server, such as a proxy's [default: localhost and the
    /// addresses it listens on]
    #[arg(long, value_name = "HOST", env = "MASTHEAD_HOST", value_delimiter = ',', global = true)]
    pub host: Vec<String>,

    /// Who may look: anybody who can reach Masthead (none), who has a token (token), whom a proxy in
    /// front has signed in (proxy), whom an identity provider knows (oidc), or whom the cluster knows, to
    /// see what they may there (kubernetes) [default: none, on loopback addresses only]
    #[arg(long, value_enum, env = "MASTHEAD_AUTH")]
    pub auth: Option<Auth>,

    /// The address browsers reach Masthead at, such as https://masthead.example.org, without the base path:
    /// where an identity provider sends them back to, and what links begin with [default: as each request
    /// is addressed]
    #[arg(long, value_name = "URL", env = "MASTHEAD_PUBLIC_URL", global = true, value_parser = origin)]
    pub public_url: Option<String>,

    /// See `--auth oidc`.
    #[command(flatten)]
    pub oidc: OidcFlags,

    /// File with the token that lets people and scripts in; read anew when it changes, which ends what
    /// was opened with the old one [default: none]
    #[arg(long, value_name = "FILE", env = "MASTHEAD_AUTH_TOKEN_FILE")]
    pub auth_token_file: Option<PathBuf>,

    /// Networks of the proxies in front: what they say of who asks is believed, and with --auth proxy
    /// nobody else is answered [default: none]
    #[arg(long, value_name = "CIDR", env = "MASTHEAD_AUTH_PROXY_FROM", value_delimiter = ',', value_parser = network, global = true)]
    pub auth_proxy_from: Vec<IpNet>,

    /// Header in which the proxy names the user
    #[arg(
        long,
        value_name = "NAME",
        env = "MASTHEAD_AUTH_PROXY_USER_HEADER",
        default_value = "X-Forwarded-User"
    )]
    pub auth_proxy_user_header: HeaderName,

    /// Header in which the proxy lists the user's groups, separated by commas [default: none]
    #[arg(long, value_name = "NAME", env = "MASTHEAD_AUTH_PROXY_GROUPS_HEADER")]
    pub auth_proxy_groups_header: Option<HeaderName>,

    /// Users who may look; repeat it, or separate with commas [default: whomever the proxy names]
    #[arg(long, value_name = "NAME", env = "MASTHEAD_AUTH_PROXY_ALLOW_USER", value_delimiter = ',')]
    pub auth_proxy_allow_user: Vec<String>,

    /// Groups whose members may look; repeat it, or separate with commas [default: whomever the proxy
    /// names]
    #[arg(long, value_name = "NAME", env = "MASTHEAD_AUTH_PROXY_ALLOW_GROUP", value_delimiter = ',')]
    pub auth_proxy_allow_group: Vec<String>,

    /// How long a session lasts, such as 12h or 30m
    #[arg(long, value_name = "TIME", env = "MASTHEAD_SESSION_LIFETIME", default_value = "12h", value_parser = time)]
    pub session_lifetime: Duration,

    /// How long a session lasts that no page is open with
    #[arg(long, value_name = "TIME", env = "MASTHEAD_SESSION_IDLE", default_value = "2h", value_parser = time)]
    pub session_idle: Duration,
    /// Path that everything is served below, such as /masthead behind a proxy that serves other things too
    /// [default: none, the root]
    #[arg(
        long,
        value_name = "PATH",
        env = "MASTHEAD_BASE_PATH",
        default_value = "",
        hide_default_value = true,
        global = true
    )]
    pub base_path: Base,

    /// File with the certificate and those that vouch for it, in PEM, to serve over TLS; read anew when it
    /// changes [default: none, plain HTTP]
    #[arg(long, value_name = "FILE", env = "MASTHEAD_TLS_CERT", requires = "tls_key", global = true)]
    pub tls_cert: Option<PathBuf>,

    /// File with the certificate's private key, in PEM [default: none]
    #[arg(long, value_name = "FILE", env = "MASTHEAD_TLS_KEY", requires = "tls_cert", global = true)]
    pub tls_key: Option<PathBuf>,

    /// Connections that may be open, of which an address that is neither this machine's nor a proxy's may
    /// have a quarter
    #[arg(long, value_name = "NUMBER", env = "MASTHEAD_MAX_CONNECTIONS", default_value_t = limits::USUAL, global = true)]
    pub max_connections: usize,

    /// File to keep links and walls in; without it they end with the process [default: none]
    #[arg(long, value_name = "FILE", env = "MASTHEAD_STATE", global = true)]
    pub state: Option<PathBuf>,

    /// How logs are written, to standard error
    #[arg(long, value_enum, env = "MASTHEAD_LOG_FORMAT", default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,

    /// What is logged: a level, or tracing's directives such as info,server=debug
    #[arg(long, value_name = "FILTER", env = "MASTHEAD_LOG", default_value = "info", global = true)]
    pub log: String,

    /// Seconds that open connections get to end when the server is told to stop
    #[arg(long, value_name = "SECONDS", env = "MASTHEAD_DRAIN", default_value_t = 5)]
    pub drain: u64,
}

/// Who may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Whoever can reach Masthead.
    None,
    /// Who has a token that all of them share.
    Token,
    /// Whom a proxy in front has signed in.
    Proxy,
    /// Whom an OpenID Connect provider knows.
    Oidc,
    /// Who has a token of the cluster's, to see what it lets them list and watch.
    Kubernetes,
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let one = |_| text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(one).map_err(|_| "a network such as 10.0.0.0/8 or an address".to_owned())
}

/// A scheme, a host and perhaps a port, as browsers write an origin.
fn origin(text: &str) -> Result<String, String> {
    let wrong = || "an address without a path, such as https://masthead.example.org".to_owned();
    let uri: http::Uri = text.parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority))
            if matches!(uri.path(), "" | "/")
                && uri.query().is_none()
                && !authority.as_str().contains('@') =>
        {
            Ok(format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()))
        }
        _ => Err(wrong()),
    }
}

/// A time such as `12h` or `1h30m`, at least a second.
fn time(text: &str) -> Result<Duration, String> {
    let found = text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    found
        .filter(|time| (1..=MOST_SECONDS).contains(&time.as_secs()))
        .ok_or_else(|| "a time such as 12h, 30m or 1h30m, at most 400 days".to_owned())
}

/// What browsers keep a cookie for at most (RFC 6265bis, 5.5): 400 days.
const MOST_SECONDS: u64 = 400 * 86_400;

/// Connections that a stranger's address may have: some browsers behind one.
const STRANGERS: usize = 48;

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

impl Config {
    /// The door that these flags describe, of a cluster that is reached through `api`.
    pub fn door(&self, api: &ApiServer) -> Result<Door, StartError> {
        self.check_auth()?;
        let proxies = Networks::new(self.auth_proxy_from.clone());
        let mode = match (self.auth, &self.auth_token_file) {
            (Some(Auth::Token), Some(file)) => Mode::Token(Token::open(file).map_err(StartError::Token)?),
            (Some(Auth::Token), None) => {
                return Err(StartError::Missing { auth: "token", flag: "--auth-token-file" });
            }
            (Some(Auth::Proxy), _) => Mode::Proxy(Proxy {
                from: proxies.clone(),
                user: self.auth_proxy_user_header.clone(),
                groups: self.auth_proxy_groups_header.clone(),
                allow_users: self.auth_proxy_allow_user.clone(),
                allow_groups: self.auth_proxy_allow_group.clone(),
            }),
            (Some(Auth::Oidc), _) => {
                let settings = self.oidc.settings(self.public_url.clone())?;
                Mode::Oidc(Oidc::new(settings).map_err(StartError::Oidc)?)
            }
            (Some(Auth::Kubernetes), _) => Mode::Kubernetes(Kubernetes::new(api.clone())),
            (Some(Auth::None) | None, _) => Mode::Anyone,
        };
        let lifetime = Lifetime { whole: self.session_lifetime, idle: Some(self.session_idle) };
        Ok(Door::new(mode, Sessions::default(), lifetime, proxies))
    }

    /// Where it is served, at `listeners`.
    pub fn front(&self, listeners: Vec<TcpListener>) -> Result<Front, StartError> {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Some(Tls::open(cert, key).map_err(StartError::Tls)?),
            _ => None,
        };
        let proxies = Networks::new(self.auth_proxy_from.clone());
        let most = self.max_connections.max(1);
        let limits = match self.is_public() {
            true => Limits::with((most, STRANGERS), proxies),
            false => Limits::new(most, proxies),
        };
        Ok(Front { listeners, tls, limits, deadlines: Deadlines::default() })
    }

    /// Further names of this server.
    pub fn hosts(&self) -> Vec<String> {
        let public = self.public_url.as_ref().and_then(|url| url.parse::<http::Uri>().ok());
        self.host.iter().cloned().chain(public.and_then(|uri| uri.host().map(str::to_owned))).collect()
    }

    /// Whether what is said about who may look fits together: a flag that does nothing would be taken for a lock.
    pub fn check_auth(&self) -> Result<(), StartError> {
        if let (None, Some(address)) =
            (self.auth, self.listen.iter().find(|address| !address.ip().to_canonical().is_loopback()))
        {
            return Err(StartError::NobodyAsked(*address));
        }
        if self.auth == Some(Auth::Kubernetes) && self.demo {
            return Err(StartError::DemoHasNoTokens);
        }
        if self.auth == Some(Auth::Proxy) && self.auth_proxy_from.is_empty() {
            return Err(StartError::Missing { auth: "proxy", flag: "--auth-proxy-from" });
        }
        if self.auth_groups_unreadable() {
            return Err(StartError::Missing {
                auth: "proxy with --auth-proxy-allow-group",
                flag: "--auth-proxy-groups-header",
            });
        }
        let unused = [
            (Auth::Token, "token", "--auth-token-file", self.auth_token_file.is_some()),
            (Auth::Proxy, "proxy", "--auth-proxy-groups-header", self.auth_proxy_groups_header.is_some()),
            (Auth::Proxy, "proxy", "--auth-proxy-allow-user", !self.auth_proxy_allow_user.is_empty()),
            (Auth::Proxy, "proxy", "--auth-proxy-allow-group", !self.auth_proxy_allow_group.is_empty()),
        ];
        if let Some(flag) = self.oidc.given().filter(|_| self.auth != Some(Auth::Oidc)) {
            return Err(StartError::Unused { auth: "oidc", flag });
        }
        match unused.into_iter().find(|(mode, _, _, given)| *given && self.auth != Some(*mode)) {
            Some((_, auth, flag, _)) => Err(StartError::Unused { auth, flag }),
            None => Ok(()),
        }
    }

    fn auth_groups_unreadable(&self) -> bool {
        !self.auth_proxy_allow_group.is_empty() && self.auth_proxy_groups_header.is_none()
    }

    /// Whether it is for strangers.
    pub fn is_public(&self) -> bool {
        matches!(self.command, Some(Command::DemoLink))
    }

    /// What is shared, from where `--state` keeps it.
    pub fn register(&self) -> Result<Register, StartError> {
        Register::open(self.state.clone(), Clock::default()).map_err(StartError::State)
    }

    /// The address of the site, as far as these flags say it.
    pub fn site(&self) -> String {
        let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
        let listening =
            || self.listen.first().map(|address| format!("{scheme}://{address}")).unwrap_or_default();
        format!("{}{}", self.public_url.clone().unwrap_or_else(listening), self.base_path)
    }

    /// See `--drain`.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_flag_has_a_variable_and_states_its_default() {
        Config::command().debug_assert();
        let help = Config::command().render_long_help().to_string();
        for arg in Config::command()
            .get_arguments()
            .filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"))
        {
            let variable = arg.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            assert!(variable.starts_with("MASTHEAD_"), "{}", arg.get_id());
            assert!(help.contains(&variable), "{variable}");
            let switch = !arg.get_action().takes_values();
            let text = arg.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                switch || text.contains("[default:") || !arg.get_default_values().is_empty(),
                "{} does not state its default",
                arg.get_id()
            );
        }
    }

    #[test]
    fn flags_win_and_lists_repeat() {
        let config =
            Config::parse_from(["masthead", "--listen", "127.0.0.1:0", "--listen", "[::1]:1", "-n", "a,b"]);
        assert_eq!(config.listen.len(), 2);
        assert_eq!(config.namespace, ["a", "b"]);
    }

    #[test]
    fn a_base_path_that_cannot_be_says_why() {
        let config = Config::parse_from(["masthead", "--base-path", "/team/masthead"]);
        assert_eq!(config.base_path.as_str(), "/team/masthead");
        let refused = Config::try_parse_from(["masthead", "--base-path", "masthead"]);
        let said = refused.map(|_| ()).unwrap_err().to_string();
        assert!(said.contains("begins with '/', such as /masthead"), "{said}");
    }

    #[tokio::test]
    async fn who_may_look_is_said_before_others_can_reach_it() {
        let api = ApiServer::in_process(axum::Router::new());
        let door = |args: &[&str]| {
            let config = Config::parse_from([&["masthead"], args].concat());
            let door = config.check_auth().and_then(|()| config.door(&api));
            door.map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(door(&[]), Ok(()));
        assert_eq!(door(&["--listen", "[::1]:0"]), Ok(()));
        for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
            let error = door(&["--listen", "127.0.0.1:0", "--listen", listen]).expect_err(listen);
            assert!(
                error.contains(listen) && error.contains("--auth token") && error.contains("--auth none")
            );
            assert_eq!(door(&["--listen", listen, "--auth", "none"]), Ok(()));
        }
        for (args, part) in [
            (&["--auth", "token"][..], "--auth-token-file"),
            (&["--auth", "token", "--auth-token-file", "/nowhere"], "/nowhere cannot be read"),
            (&["--auth", "proxy"], "--auth-proxy-from"),
            (&["--auth-token-file", "/nowhere"], "for --auth token, which is not chosen"),
            (&["--auth", "none", "--auth-proxy-allow-user", "ann"], "for --auth proxy"),
            (
                &["--auth", "proxy", "--auth-proxy-from", "::1", "--auth-proxy-allow-group", "ops"],
                "--auth-proxy-groups-header",
            ),
            (&["--auth", "oidc"], "--oidc-issuer"),
            (&["--auth", "oidc", "--oidc-issuer", "https://id.example"], "--oidc-client-id"),
            (&["--oidc-issuer", "https://id.example"], "for --auth oidc, which is not chosen"),
            (&["--auth", "kubernetes", "--demo"], "--demo has no tokens"),
        ] {
            let error = door(args).expect_err(part);
            assert!(error.contains(part), "{args:?}: {error}");
        }
        assert_eq!(door(&["--auth", "proxy", "--auth-proxy-from", "10.0.0.0/8,::1"]), Ok(()));
        assert_eq!(door(&["--auth", "kubernetes"]), Ok(()));
        let oidc = |issuer: &'static str, more: &[&str]| {
            door(&[&["--auth", "oidc", "--oidc-client-id", "x", "--oidc-issuer", issuer], more].concat())
        };
        let (issuer, anyone) = ("https://id.example", "--oidc-allow-anyone");
        for (issuer, more, part) in [
            (issuer, &[][..], "--oidc-allow-anyone if whoever"),
            ("http://id.example", &[anyone], "is not https"),
            (issuer, &["--oidc-allow-mail", "example.org"], "--oidc-allow-mail 'example.org'"),
            (
                issuer,
                &[anyone, "--oidc-client-secret-file", "/nowhere"],
                "--oidc-client-secret-file /nowhere",
            ),
            (issuer, &[anyone, "--oidc-ca", "/nowhere"], "--oidc-ca /nowhere"),
        ] {
            let error = oidc(issuer, more).expect_err(part);
            assert!(error.contains(part), "{more:?}: {error}");
        }
        assert_eq!(oidc(issuer, &[anyone]), Ok(()));
        assert_eq!(
            oidc(issuer, &["--oidc-allow-group", "CN=ops,DC=example", "--oidc-allow-mail", "*@a.b"]),
            Ok(())
        );
    }

    #[test]
    fn a_public_address_is_an_origin_and_one_of_our_names() {
        for (given, is) in [
            ("https://Masthead.Example.org", "https://masthead.example.org"),
            ("https://masthead.example.org/", "https://masthead.example.org"),
            ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
        ] {
            assert_eq!(origin(given).as_deref(), Ok(is));
        }
        for bad in
            ["", "masthead.example.org", "ftp://a", "https://a/masthead", "https://a?b", "https://u@a", "//a"]
        {
            assert!(origin(bad).is_err(), "{bad}");
        }
        let config =
            Config::parse_from(["masthead", "--host", "a", "--public-url", "https://b.example:8443"]);
        assert_eq!(config.hosts(), ["a", "b.example"]);
    }

    #[test]
    fn times_are_written_as_people_say_them() {
        assert_eq!(time("12h"), Ok(Duration::from_secs(43_200)));
        assert_eq!(time("1h30m"), Ok(Duration::from_secs(5_400)));
        for bad in ["", "0s", "-1h", "12", "401d", "1mo", "soon"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
