//! What is worth changing about probes: said only where the configuration itself, or what was seen, gives the
//! reason. At most one thing a container.

use super::probed::Asked;
use crate::api::{
    Container,
    container::{Cause, Phase, Span},
    probe::{Probe, ProbeHandler, ProbeKind},
};

/// One piece of advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What to change.
    pub what: String,
    /// What that follows from.
    pub why: String,
    /// Who says that it does: a page of Kubernetes' documentation, under `https://kubernetes.io/docs/`.
    pub source: &'static str,
}

const PROBES: &str = "concepts/workloads/pods/probes/";
const CONFIGURE: &str = "tasks/configure-pod-container/configure-liveness-readiness-startup-probes/";

/// The most important advice for what is asked of these containers.
pub fn advice(asked: &Asked) -> Option<Advice> {
    no_such_port(asked)
        .or_else(|| slow_start(asked))
        .or_else(|| times_out(asked))
        .or_else(|| no_readiness(asked))
        .or_else(|| alike(asked))
        .or_else(|| long_timeout(asked))
        .or_else(|| undeclared(asked))
}

fn probe(asked: &Asked, kind: ProbeKind) -> Option<&Probe> {
    asked.probes.iter().find(|probe| probe.kind == kind)
}

fn lower(kind: ProbeKind) -> String {
    kind.word().to_lowercase()
}

/// A port by a name that its container does not have: the kubelet cannot ask (`pkg/probe/util.go`,
/// `ResolveContainerPort` looks at that container alone).
fn no_such_port(asked: &Asked) -> Option<Advice> {
    let missing = |probe: &&Probe| {
        probe.handler.port().is_some_and(|port| {
            port.parse::<i64>().is_err() && !asked.ports.iter().any(|declared| declared.name == port.as_str())
        })
    };
    let probe = asked.probes.iter().find(missing)?;
    let port = probe.handler.port()?;
    Some(Advice {
        what: format!("name one of the container's ports in its {} probe", lower(probe.kind)),
        why: format!("container {} has no port named {port}, so it cannot be asked", asked.name),
        source: CONFIGURE,
    })
}

/// It was, or would be, ended while it still starts.
fn slow_start(asked: &Asked) -> Option<Advice> {
    let liveness = probe(asked, ProbeKind::Liveness)?;
    // without a readiness probe nothing tells when it had come up
    if probe(asked, ProbeKind::Startup).is_some() || probe(asked, ProbeKind::Readiness).is_none() {
        return None;
    }
    let allowed = liveness.delay.saturating_add(liveness.period.saturating_mul(liveness.failure));
    let never_ready: usize = asked.containers.iter().map(|one| ended_before_ready(one)).sum();
    let longest = asked.containers.iter().filter_map(|one| longest_start(one)).max().unwrap_or_default();
    let why = if never_ready > 0 {
        let times = if never_ready == 1 { "once".to_owned() } else { format!("{never_ready} times") };
        format!("its liveness probe ended it {times} before it was ever ready")
    } else if longest > allowed {
        format!("it took {longest} s to be ready once, and liveness ends it after {allowed} s of failures")
    } else {
        return None;
    };
    let what = "give it a startup probe, which holds liveness back until it has come up".to_owned();
    Some(Advice { what, why, source: PROBES })
}

/// Each start of a container: when it began, when it was first ready, and its end.
fn starts(container: &Container) -> Vec<(&Span, Option<&Span>, Option<&Span>)> {
    let mut starts: Vec<(&Span, Option<&Span>, Option<&Span>)> = Vec::new();
    let mut running = false;
    for span in &container.life {
        if span.phase.runs() && !running {
            starts.push((span, None, None));
        }
        if let Some((_, ready, ended)) = starts.last_mut() {
            match &span.phase {
                Phase::Ready => _ = ready.get_or_insert(span),
                Phase::Ended { .. } if running => *ended = Some(span),
                _ => {}
            }
        }
        running = span.phase.runs();
    }
    starts
}

/// How often liveness ended it without its ever having been ready. Of the first start that is known it may not be
/// known whether it had been.
fn ended_before_ready(container: &Container) -> usize {
    let over_liveness =
        |end: &&Span| matches!(end.phase, Phase::Ended { cause: Cause::Probe(ProbeKind::Liveness), .. });
    let watched = starts(container).into_iter().skip(1).filter(|(start, ..)| start.phase != Phase::Unwatched);
    watched.filter(|(_, ready, end)| ready.is_none() && end.as_ref().is_some_and(over_liveness)).count()
}

/// The longest time in seconds from a start to being ready, both told by the cluster.
fn longest_start(container: &Container) -> Option<i64> {
    let took = |(start, ready, _): (&Span, Option<&Span>, Option<&Span>)| {
        let ready = ready.filter(|ready| !ready.seen && !start.seen)?;
        Some((ready.from.0 - start.from.0) / 1000)
    };
    // of a start that was not watched, being ready may be another time than the first
    starts(container).into_iter().skip(1).filter_map(took).max()
}

fn times_out(asked: &Asked) -> Option<Advice> {
    let slow = |probe: &&Probe| {
        probe.timeout == 1
            && asked.containers.iter().any(|one| {
                one.heard(probe.kind).and_then(|heard| heard.failure.as_ref()).is_some_and(|f| f.timed_out)
            })
    };
    let probe = asked.probes.iter().find(slow)?;
    Some(Advice {
        what: format!("give its {} probe more than timeoutSeconds: 1", lower(probe.kind)),
        why: "an answer was seen to take longer; 1 is what is used when nothing is said".to_owned(),
        source: CONFIGURE,
    })
}

fn no_readiness(asked: &Asked) -> Option<Advice> {
    (asked.served && probe(asked, ProbeKind::Readiness).is_none()).then(|| Advice {
        what: "give it a readiness probe".to_owned(),
        why: "a Service sends it requests as soon as it runs, whether or not it can answer".to_owned(),
        source: PROBES,
    })
}

fn alike(asked: &Asked) -> Option<Advice> {
    let (liveness, readiness) = (probe(asked, ProbeKind::Liveness)?, probe(asked, ProbeKind::Readiness)?);
    let limits = |probe: &Probe| (probe.period, probe.timeout, probe.failure);
    let asks = !matches!(liveness.handler, ProbeHandler::Exec { .. } | ProbeHandler::Unknown);
    (asks && liveness.handler == readiness.handler && limits(liveness) == limits(readiness)).then(|| Advice {
        what: "let liveness fail later than readiness, or ask something cheaper".to_owned(),
        why: "both ask the same within the same limits, so what is only busy is restarted as soon as it is taken out of its Services".to_owned(),
        source: PROBES,
    })
}

fn long_timeout(asked: &Asked) -> Option<Advice> {
    let probe = asked.probes.iter().find(|probe| probe.timeout > probe.period)?;
    Some(Advice {
        what: format!("ask its {} probe no more often than it may take to answer", lower(probe.kind)),
        why: format!(
            "it waits up to {} s for an answer but is to ask every {} s, so that failing takes up to {} s",
            probe.timeout,
            probe.period,
            probe.timeout.saturating_mul(probe.failure)
        ),
        source: CONFIGURE,
    })
}

/// A port by a number that no container of the pod declares. It need not, but often that is a slip.
fn undeclared(asked: &Asked) -> Option<Advice> {
    if asked.declared.is_empty() {
        return None;
    }
    let missing = |probe: &&Probe| {
        let own = !matches!(&probe.handler, ProbeHandler::HttpGet { host, .. } | ProbeHandler::TcpSocket { host, .. } if !host.is_empty());
        let number = probe.handler.port().and_then(|port| port.parse::<i64>().ok());
        own && number.is_some_and(|number| !asked.declared.iter().any(|(_, declared)| *declared == number))
    };
    let probe = asked.probes.iter().find(missing)?;
    Some(Advice {
        what: format!("check the port of its {} probe", lower(probe.kind)),
        why: format!("no container of its pod declares port {}", probe.handler.port()?),
        source: CONFIGURE,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::{
        Millis, Timestamp,
        container::{Failure, Heard},
        detail::Port,
    };

    fn probe(kind: ProbeKind, port: &str) -> Probe {
        let handler = ProbeHandler::HttpGet {
            scheme: "http".into(),
            host: "".into(),
            port: port.into(),
            path: "/".into(),
            headers: Vec::new(),
        };
        Probe { kind, handler, delay: 0, timeout: 2, period: 10, success: 1, failure: 3, grace: None }
    }

    fn asked(probes: Vec<Probe>) -> Asked {
        let port = Port { name: "http".into(), number: 80, host: 0, protocol: "TCP".into() };
        Asked {
            owner: None,
            template: None,
            namespace: "shop".into(),
            name: "web".into(),
            probes: probes.into(),
            ports: [port.clone()].into(),
            declared: vec![(port.name, port.number)],
            served: false,
            health: crate::api::Health::Healthy,
            containers: vec![Arc::default()],
        }
    }

    fn span(seconds: i64, phase: Phase) -> Span {
        Span { from: Millis(seconds * 1000), seen: false, phase }
    }

    fn living(asked: &mut Asked, life: Vec<Span>) {
        asked.containers = vec![Arc::new(Container { life, ..Container::default() })];
    }

    fn ended(cause: Cause) -> Phase {
        Phase::Ended { reason: "Error".into(), exit_code: 137, signal: 0, cause }
    }

    fn what(asked: &Asked) -> Option<String> {
        advice(asked).map(|advice| advice.what)
    }

    use ProbeKind::{Liveness, Readiness, Startup};

    #[test]
    fn probes_that_give_no_reason_are_left_alone() {
        let mut fine = asked(vec![probe(Liveness, "http"), Probe { failure: 2, ..probe(Readiness, "80") }]);
        assert_eq!(what(&fine), None);
        fine.served = true;
        assert_eq!(what(&fine), None);
        // it was ready before liveness ended it: not a slow start
        living(
            &mut fine,
            vec![
                span(0, Phase::Running),
                span(1, ended(Cause::Unknown)),
                span(2, Phase::Running),
                span(5, Phase::Ready),
                span(50, Phase::Running),
                span(60, ended(Cause::Probe(Liveness))),
            ],
        );
        assert_eq!(what(&fine), None);
    }

    #[test]
    fn a_port_that_is_not_there_cannot_be_asked() {
        let what = what(&asked(vec![probe(Readiness, "metrics")])).expect("advice");
        assert!(what.contains("name one of the container's ports"), "{what}");
        let slip = advice(&asked(vec![probe(Readiness, "8080")])).expect("advice");
        assert!(slip.why.contains("no container of its pod declares port 8080"), "{slip:?}");
        // where nothing is declared nothing can be compared
        let mut bare = asked(vec![probe(Readiness, "8080")]);
        (bare.ports, bare.declared) = ([].into(), Vec::new());
        assert_eq!(advice(&bare), None);
    }

    #[test]
    fn a_slow_start_that_liveness_ends_wants_a_startup_probe() {
        let both = || vec![probe(Liveness, "http"), Probe { failure: 2, ..probe(Readiness, "http") }];
        let killed = vec![
            span(0, Phase::Running),
            span(30, ended(Cause::Probe(Liveness))),
            span(31, Phase::Running),
            span(61, ended(Cause::Probe(Liveness))),
        ];
        let mut slow = asked(both());
        living(&mut slow, killed.clone());
        let said = advice(&slow).expect("advice");
        assert!(said.what.contains("startup probe") && said.why.contains("ended it once"), "{said:?}");

        let late = vec![
            span(0, Phase::Ready),
            span(10, ended(Cause::Unknown)),
            span(11, Phase::Running),
            span(52, Phase::Ready),
        ];
        living(&mut slow, late);
        let said = advice(&slow).expect("advice");
        assert!(said.why.contains("took 41 s") && said.why.contains("after 30 s"), "{said:?}");

        let mut held = asked([both(), vec![probe(Startup, "http")]].concat());
        living(&mut held, killed);
        assert_eq!(what(&held), None);
    }

    #[test]
    fn a_timeout_of_one_second_is_questioned_where_it_was_seen() {
        let probe = Probe { timeout: 1, ..probe(Readiness, "http") };
        let mut slow = asked(vec![probe]);
        assert_eq!(what(&slow), None);
        let failure = Failure {
            at: Timestamp(1),
            message: "Readiness probe failed: context deadline exceeded".into(),
            run: 1,
            since: Timestamp(1),
            heard: 1,
            errored: false,
            timed_out: true,
        };
        let heard = vec![Heard { kind: Readiness, failure: Some(failure), killed: None }];
        slow.containers = vec![Arc::new(Container { heard, ..Container::default() })];
        assert!(what(&slow).is_some_and(|what| what.contains("timeoutSeconds: 1")));
    }

    #[test]
    fn what_a_service_sends_requests_to_wants_a_readiness_probe() {
        let mut served = asked(vec![probe(Liveness, "http")]);
        assert_eq!(what(&served), None);
        served.served = true;
        assert_eq!(what(&served), Some("give it a readiness probe".to_owned()));
    }

    #[test]
    fn the_same_question_twice_and_long_waits_are_pointed_out() {
        let same = asked(vec![probe(Liveness, "http"), probe(Readiness, "http")]);
        assert!(advice(&same).is_some_and(|advice| advice.why.contains("both ask the same")));
        let long = asked(vec![Probe { timeout: 30, ..probe(Liveness, "http") }]);
        assert!(advice(&long).is_some_and(|advice| advice.why.contains("failing takes up to 90 s")));
    }
}
