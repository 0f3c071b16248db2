//! A pod template as kubectl describes it (kubectl 1.37 `pkg/describe/describe.go`, `DescribePodTemplate`),
//! byte for byte but for what Masthead does not read: there `<withheld>` stands.

use std::{collections::BTreeMap, fmt::Write as _};

use app::api::{
    Detail, Labels, Text,
    detail::{Container, Port, Role, Template},
};

use crate::source::object::meta::Annotations;

/// Longer annotations get lines of their own (`maxAnnotationLen`).
const LONG_ANNOTATION: usize = 140;

/// What `kubectl rollout history --revision` prints below its first line. The cause of the change is put among
/// the template's annotations, as kubectl does.
pub fn describe(detail: &Detail, change_cause: &str) -> String {
    let nothing = Template::default();
    let template = detail.template.as_ref().unwrap_or(&nothing);
    let mut out = String::from("Pod Template:\n");
    pairs(&mut out, "Labels", &template.labels);
    annotations(&mut out, template, change_cause);
    fact(&mut out, "Service Account", &template.service_account);
    let (init, regular): (Vec<_>, Vec<_>) =
        detail.containers.iter().partition(|container| matches!(container.role, Role::Init | Role::Sidecar));
    if !init.is_empty() {
        containers(&mut out, "Init Containers", &init);
    }
    containers(&mut out, "Containers", &regular);
    out.push_str(if template.has_volumes { "  Volumes:\n   <withheld>\n" } else { "  Volumes:\t<none>\n" });
    if !template.spread.is_empty() {
        let _ = writeln!(out, "  Topology Spread Constraints:\t{}", template.spread.join("\n  \t"));
    }
    fact(&mut out, "Priority Class Name", &template.priority_class);
    pairs(&mut out, "Node-Selectors", &detail.needs.node_selector);
    let tolerations = detail.needs.tolerations_by_key();
    if tolerations.is_empty() {
        out.push_str("  Tolerations:\t<none>\n");
    } else {
        let _ = writeln!(out, "  Tolerations:\t{}", tolerations.join("\n\t"));
    }
    if !template.pod_group.is_empty() {
        let _ = writeln!(out, "  SchedulingGroup:\n  PodGroupName:\t{}", template.pod_group);
    }
    // what a terminal would obey (cli-runtime `pkg/printers/terminal.go`, `WriteEscaped`)
    out.replace('\u{1b}', "^[").replace('\r', "\\r")
}

fn fact(out: &mut String, label: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(out, "  {label}:\t{value}");
    }
}

fn pairs(out: &mut String, label: &str, pairs: &Labels) {
    let lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let text = if lines.is_empty() { "<none>".to_owned() } else { lines.join("\n\t") };
    let _ = writeln!(out, "  {label}:\t{text}");
}

/// `printAnnotationsMultiline`.
fn annotations(out: &mut String, template: &Template, change_cause: &str) {
    let mut all: BTreeMap<&str, &str> =
        template.annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    if !change_cause.is_empty() {
        all.insert(Annotations::CHANGE_CAUSE, change_cause);
    }
    if all.is_empty() && !template.more_annotations {
        return;
    }
    let mut lines = Vec::new();
    for (key, value) in all {
        let value = value.strip_suffix('\n').unwrap_or(value);
        if value.len() + key.len() + 2 <= LONG_ANNOTATION && !value.contains('\n') {
            lines.push(format!("{key}: {value}"));
            continue;
        }
        lines.push(format!("{key}:"));
        lines.extend(value.split('\n').map(|line| format!("  {}", shortened(line))));
    }
    if template.more_annotations {
        lines.push("<withheld>".to_owned());
    }
    let _ = writeln!(out, "  Annotations:\t{}", lines.join("\n\t"));
}

fn shortened(line: &str) -> String {
    const MOST: usize = LONG_ANNOTATION - 2;
    if line.len() <= MOST {
        return line.to_owned();
    }
    // kubectl cuts bytes, also within a character; what is left of that one is left out here
    let end = (0..=MOST).rev().find(|end| line.is_char_boundary(*end)).unwrap_or_default();
    format!("{}...", &line[..end])
}

fn containers(out: &mut String, label: &str, containers: &[&Container]) {
    let none = if containers.is_empty() { " <none>" } else { "" };
    let _ = writeln!(out, "  {label}:{none}");
    for container in containers {
        self::container(out, container);
    }
}

fn container(out: &mut String, container: &Container) {
    let _ = writeln!(out, "   {}:\n    Image:\t{}", container.name, container.image);
    ports(out, "Port", &container.ports, |port| port.number);
    ports(out, "Host Port", &container.ports, |port| port.host);
    if let Some(seccomp) = &container.seccomp {
        let _ = writeln!(out, "    SeccompProfile:\t{}", seccomp.kind);
        if seccomp.kind == "Localhost" {
            let _ = writeln!(out, "      LocalhostProfile:\t{}", seccomp.localhost);
        }
    }
    let withheld = &container.withheld;
    for (label, there) in [("Command", withheld.command), ("Args", withheld.args)] {
        if there {
            let _ = writeln!(out, "    {label}:\n      <withheld>");
        }
    }
    quantities(out, "Limits", &container.limits);
    quantities(out, "Requests", &container.requests);
    for probe in &container.probes {
        let _ = writeln!(out, "    {}:\t{probe}", probe.kind.word());
    }
    if withheld.environment_from {
        out.push_str("    Environment Variables from:\n      <withheld>\n");
    }
    let block = |there: bool| if there { "\n      <withheld>" } else { "\t<none>" };
    let _ = writeln!(out, "    Environment:{}", block(withheld.environment));
    let _ = writeln!(out, "    Mounts:{}", block(withheld.mounts));
    if withheld.devices {
        // kubectl says <none> here when there are no mounts
        let none = if withheld.mounts { "" } else { "\t<none>" };
        let _ = writeln!(out, "    Devices:{none}\n      <withheld>");
    }
}

fn ports(out: &mut String, label: &str, ports: &[Port], number: fn(&Port) -> i64) {
    let texts: Vec<String> = ports
        .iter()
        .map(|port| match port.name.as_str() {
            "" => format!("{}/{}", number(port), port.protocol),
            name => format!("{}/{} ({name})", number(port), port.protocol),
        })
        .collect();
    match texts.as_slice() {
        [] => _ = writeln!(out, "    {label}:\t<none>"),
        [one] => _ = writeln!(out, "    {label}:\t{one}"),
        several => _ = writeln!(out, "    {label}s:\t{}", several.join(", ")),
    }
}

fn quantities(out: &mut String, label: &str, quantities: &[(Text, Text)]) {
    if quantities.is_empty() {
        return;
    }
    let _ = writeln!(out, "    {label}:");
    for (name, quantity) in quantities {
        let _ = writeln!(out, "      {name}:\t{quantity}");
    }
}
