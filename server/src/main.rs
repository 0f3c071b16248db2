//! `masthead`: flags, logs, a source, a server, and an end in good order.

use std::{io::Write, process::ExitCode, sync::Arc};

use app::{
    api::{Kind, Text},
    wire::About,
};
use clap::Parser;
use server::{
    StartError,
    command::Command,
    config::{Auth, Config, LogFormat},
    demo,
    error::namespaces,
    http::{Access, Hosts},
    metrics::Metrics,
    source::{Source, api_server::ApiServer, credentials::Purpose, kubeconfig},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let mut config = Config::parse();
    if config.is_public() {
        config.demo = true;
        config.auth = Some(Auth::None);
    }
    logs(&config);
    if let Some(command @ Command::Link(_)) = config.command.clone() {
        return match command.run(&config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&StartError::Serve(error)),
    };
    match runtime.block_on(masthead(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn masthead(config: Config) -> Result<(), StartError> {
    config.check_auth()?;
    let listeners = listen(&config).await?;
    let namespaces = namespaces(&config.namespace)?;
    let metrics = Arc::new(Metrics::default());
    // The demo lives as long as its handle.
    let (source, _demo) = if config.demo {
        let demo = demo::start(demo::Options {
            seed: config.demo_seed,
            speed: config.demo_speed,
            extra_pods: config.demo_pods,
            ..demo::Options::default()
        });
        (demo_source(&demo, namespaces, metrics), Some(demo))
    } else {
        (cluster_source(&config, namespaces, metrics).await?, None)
    };

    let mut addresses = Vec::new();
    for listener in &listeners {
        addresses.push(listener.local_addr().map_err(StartError::Serve)?);
    }
    let access = Access {
        hosts: Hosts::new(&addresses, &config.hosts()),
        base: config.base_path.clone(),
        door: config.door(&source.api)?,
        register: config.register()?,
        public_url: config.public_url.clone(),
        public: config.is_public(),
    };
    let front = config.front(listeners)?;
    let scheme = if front.tls.is_some() { "https" } else { "http" };
    for address in &addresses {
        // The one line on standard output: for people to click and for scripts to read.
        let _ = writeln!(std::io::stdout(), "Masthead is at {scheme}://{address}{}", config.base_path);
    }
    let stop = CancellationToken::new();
    let signals = tokio::spawn(stop_on_signal(stop.clone()));
    let ended = server::run(source, front, access, stop, config.drain()).await;
    signals.abort();
    ended
}

fn demo_source(demo: &demo::Demo, namespaces: Vec<Text>, metrics: Arc<Metrics>) -> Source {
    let about = About {
        context: "demo".to_owned(),
        demo: true,
        namespaces: namespaces.iter().map(ToString::to_string).collect(),
        ..About::default()
    };
    Source { api: ApiServer::in_process(demo.router()), namespaces, fallback: None, about, metrics }
}

async fn cluster_source(
    config: &Config,
    namespaces: Vec<Text>,
    metrics: Arc<Metrics>,
) -> Result<Source, StartError> {
    let reviews = config.auth == Some(Auth::Kubernetes);
    let watches = Kind::ALL.len() * namespaces.len().max(1);
    let purpose = Purpose { reviews, watches };
    let found = kubeconfig::find(config.kubeconfig.clone(), config.context.clone(), purpose).await?;
    tracing::info!(context = found.context, "watching");
    let about = About {
        context: found.context,
        namespaces: namespaces.iter().map(ToString::to_string).collect(),
        ..About::default()
    };
    Ok(Source { api: found.api, namespaces, fallback: found.namespace, about, metrics })
}

async fn listen(config: &Config) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = Vec::new();
    for address in &config.listen {
        if config.auth == Some(Auth::None) && !address.ip().to_canonical().is_loopback() {
            tracing::warn!(%address, "--auth none: whoever can reach this address sees the whole cluster");
        }
        let listener = TcpListener::bind(address).await;
        listeners.push(listener.map_err(|error| StartError::Listen { address: *address, error })?);
    }
    Ok(listeners)
}

async fn stop_on_signal(stop: CancellationToken) {
    let interrupted = tokio::signal::ctrl_c();
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupted => {}
        () = terminated => {}
    }
    tracing::info!("stopping");
    stop.cancel();
}

fn logs(config: &Config) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Said on stderr, and with a panic where that is closed: whoever reads the log may end before us.
        .log_internal_errors(false);
    match config.log_format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
}

fn failed(error: &StartError) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "masthead: {error}");
    ExitCode::FAILURE
}
