//! Every flag, its variable and its default.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

/// A live, read-only dashboard for a Kubernetes cluster.
///
/// Watches pods, ReplicationControllers, Deployments, DaemonSets, StatefulSets, ReplicaSets, Services with
/// their EndpointSlices, PodDisruptionBudgets, nodes with their Leases, namespaces and events, and shows
/// them in a browser as they change. It changes nothing in a cluster.
#[derive(Clone, Debug, Parser)]
#[command(name = "masthead", version, max_term_width = 100)]
pub struct Config {
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

    /// Address to serve at; repeat it for several. Loopback only, until there is authentication
    #[arg(
        long,
        value_name = "ADDR",
        env = "MASTHEAD_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:8080"
    )]
    pub listen: Vec<SocketAddr>,

    /// Further host names a browser may use for this server, such as a proxy's [default: localhost and the
    /// addresses it listens on]
    #[arg(long, value_name = "HOST", env = "MASTHEAD_HOST", value_delimiter = ',')]
    pub host: Vec<String>,

    /// How logs are written, to standard error
    #[arg(long, value_enum, env = "MASTHEAD_LOG_FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// What is logged: a level, or tracing's directives such as info,server=debug
    #[arg(long, value_name = "FILTER", env = "MASTHEAD_LOG", default_value = "info")]
    pub log: String,

    /// Seconds that open connections get to end when the server is told to stop
    #[arg(long, value_name = "SECONDS", env = "MASTHEAD_DRAIN", default_value_t = 5)]
    pub drain: u64,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

impl Config {
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
}
