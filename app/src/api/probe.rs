//! Probes: what a container is asked, how often, and what follows.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Text, detail::Port};

/// Which question a probe answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbeKind {
    /// Must it be restarted?
    Liveness,
    /// May it get requests?
    Readiness,
    /// Has it come up?
    Startup,
}

impl ProbeKind {
    /// `Liveness`, as kubectl and the kubelet write it.
    pub fn word(self) -> &'static str {
        match self {
            ProbeKind::Liveness => "Liveness",
            ProbeKind::Readiness => "Readiness",
            ProbeKind::Startup => "Startup",
        }
    }
}

/// A probe as configured, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Which.
    pub kind: ProbeKind,
    /// How it asks.
    pub handler: ProbeHandler,
    /// `initialDelaySeconds`.
    pub delay: i64,
    /// `timeoutSeconds`.
    pub timeout: i64,
    /// `periodSeconds`.
    pub period: i64,
    /// `successThreshold`.
    pub success: i64,
    /// `failureThreshold`.
    pub failure: i64,
    /// `terminationGracePeriodSeconds`: how long a container that failed it is given to end, if not as long as its
    /// pod's are.
    pub grace: Option<i64>,
}

/// How a probe asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProbeHandler {
    /// Runs a command. Its words may hold secrets, so only their number is kept.
    Exec {
        /// How many words the command has.
        words: u32,
    },
    /// GETs a URL. Header values are never read.
    HttpGet {
        /// `http` or `https`.
        scheme: Text,
        /// Empty for the pod's own address.
        host: Text,
        /// A number or a port's name.
        port: Text,
        /// With its query, as written.
        path: Text,
        /// The names of the headers it sends.
        headers: Vec<Text>,
    },
    /// Opens a connection.
    TcpSocket {
        /// Empty for the pod's own address.
        host: Text,
        /// A number or a port's name.
        port: Text,
    },
    /// Asks gRPC's health service.
    Grpc {
        /// Port number.
        port: Text,
        /// Service name, often empty.
        service: Text,
    },
    /// None is set.
    Unknown,
}

impl Probe {
    /// The same as a person would say it: `GET /predict on flask-port (5000) every 10 s after 15 s, waiting 1 s for
    /// the answer; 3 failures in a row restart it`. `ports` are its container's, by which a port's name is read.
    pub fn sentence(&self, ports: &[Port]) -> String {
        let asks = self.handler.sentence(ports);
        let after = if self.delay > 0 { format!(" after {} s", self.delay) } else { String::new() };
        let failures = match self.failure {
            1 => "1 failure".to_owned(),
            n => format!("{n} failures in a row"),
        };
        let then = match (self.kind, self.failure) {
            (ProbeKind::Readiness, 1) => "takes it out of its Services",
            (ProbeKind::Readiness, _) => "take it out of its Services",
            (_, 1) => "restarts it",
            _ => "restart it",
        };
        let grace = match (self.kind, self.grace) {
            (ProbeKind::Liveness | ProbeKind::Startup, Some(grace)) => format!(" within {grace} s"),
            _ => String::new(),
        };
        let successes = match self.success {
            ..2 => String::new(),
            n => format!(", {n} successes in a row bring it back"),
        };
        format!(
            "{asks} every {} s{after}, waiting {} s for the answer; {failures} {then}{grace}{successes}",
            self.period, self.timeout
        )
    }
}

impl ProbeHandler {
    /// The port it asks, a number or a port's name; `None` if it asks none.
    pub fn port(&self) -> Option<&Text> {
        match self {
            ProbeHandler::HttpGet { port, .. }
            | ProbeHandler::TcpSocket { port, .. }
            | ProbeHandler::Grpc { port, .. } => Some(port),
            ProbeHandler::Exec { .. } | ProbeHandler::Unknown => None,
        }
    }

    fn sentence(&self, ports: &[Port]) -> String {
        let of = |host: &Text| if host.is_empty() { String::new() } else { format!(" of {host}") };
        let port = |port: &Text| match ports.iter().find(|declared| declared.name == port.as_str()) {
            Some(declared) if !port.is_empty() => format!("{port} ({})", declared.number),
            _ => port.to_string(),
        };
        match self {
            ProbeHandler::Exec { words } => format!("runs a command of {words} words"),
            ProbeHandler::HttpGet { scheme, host, port: of_it, path, headers } => {
                let path = if path.is_empty() { "/" } else { path };
                let secure = if scheme.eq_ignore_ascii_case("https") { " over TLS" } else { "" };
                let names: Vec<&str> = headers.iter().map(Text::as_str).collect();
                let headers = match names.is_empty() {
                    true => String::new(),
                    false => format!(" with {} (values withheld)", names.join(", ")),
                };
                format!("GET {path} on {}{}{secure}{headers}", port(of_it), of(host))
            }
            ProbeHandler::TcpSocket { host, port: of_it } => {
                format!("opens a connection to {}{}", port(of_it), of(host))
            }
            ProbeHandler::Grpc { port, service } if service.is_empty() => {
                format!("asks gRPC health on {port}")
            }
            ProbeHandler::Grpc { port, service } => format!("asks gRPC health on {port} about {service}"),
            ProbeHandler::Unknown => "asks in a way that is not known here".to_owned(),
        }
    }
}

/// kubectl describe's own line, as kubectl 1.37 prints it (`pkg/describe/describe.go`, `DescribeProbe`).
/// An exec probe's words are withheld.
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.handler {
            ProbeHandler::Exec { words } => write!(f, "exec [{words} words withheld] ")?,
            ProbeHandler::HttpGet { scheme, host, port, path, .. } => {
                write!(f, "http-get {}://{}:{port}", scheme.to_ascii_lowercase(), Bracketed(host))?;
                write!(f, "{} ", EscapedPath(path))?;
            }
            ProbeHandler::TcpSocket { host, port } => write!(f, "tcp-socket {}:{port} ", Bracketed(host))?,
            ProbeHandler::Grpc { port, service } => write!(f, "grpc <pod>:{port} {service} ")?,
            ProbeHandler::Unknown => f.write_str("unknown ")?,
        }
        write!(
            f,
            "delay={}s timeout={}s period={}s successThreshold={} failureThreshold={}",
            self.delay, self.timeout, self.period, self.success, self.failure
        )
    }
}

/// `net.JoinHostPort` puts IPv6 addresses in brackets.
struct Bracketed<'a>(&'a str);

impl fmt::Display for Bracketed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(f, "[{}]", self.0) } else { f.write_str(self.0) }
    }
}

/// Go's `url.URL{Path: path}` printed: the query mark is part of the path and so gets escaped, and
/// a path without a leading slash gets one (`net/url`, `shouldEscape` in mode `encodePath`).
struct EscapedPath<'a>(&'a str);

impl fmt::Display for EscapedPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && !self.0.starts_with('/') {
            f.write_str("/")?;
        }
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => write!(f, "{}", byte as char)?,
                b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'@' => {
                    write!(f, "{}", byte as char)?;
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_reads_as_a_sentence() {
        let get = |port: &str, headers: &[&str]| ProbeHandler::HttpGet {
            scheme: "HTTP".into(),
            host: "".into(),
            port: port.into(),
            path: "/predict".into(),
            headers: headers.iter().map(|name| Text::from(*name)).collect(),
        };
        let ports = [Port { name: "flask-port".into(), number: 5000, host: 0, protocol: "TCP".into() }];
        let probe = Probe {
            kind: ProbeKind::Liveness,
            handler: get("flask-port", &[]),
            delay: 15,
            timeout: 1,
            period: 10,
            success: 1,
            failure: 3,
            grace: None,
        };
        assert_eq!(
            probe.sentence(&ports),
            "GET /predict on flask-port (5000) every 10 s after 15 s, waiting 1 s for the answer; 3 failures in a row restart it"
        );
        let ready = Probe {
            kind: ProbeKind::Readiness,
            handler: get("http", &["Authorization"]),
            delay: 0,
            failure: 1,
            success: 2,
            grace: Some(5),
            ..probe.clone()
        };
        assert_eq!(
            ready.sentence(&ports),
            "GET /predict on http with Authorization (values withheld) every 10 s, waiting 1 s for the answer; 1 failure takes it out of its Services, 2 successes in a row bring it back"
        );
        let startup = Probe {
            kind: ProbeKind::Startup,
            handler: ProbeHandler::Exec { words: 2 },
            failure: 30,
            grace: Some(5),
            delay: 0,
            ..probe
        };
        assert_eq!(
            startup.sentence(&ports),
            "runs a command of 2 words every 10 s, waiting 1 s for the answer; 30 failures in a row restart it within 5 s"
        );
    }
}
