//! What a real kubelet did, and what the API server told of it meanwhile: traces that `end2end/tests/cluster/probes.spec.ts`
//! recorded.

pub mod claims;
mod truth;

use std::{cmp::Ordering, collections::BTreeMap, path::Path};

use app::api::{
    Namespace, Timestamp,
    probe::ProbeKind::{self, Liveness, Readiness, Startup},
};
use serde::Deserialize;
use serde_json::{Value, json};
use server::source::translate;
pub use truth::{Moment, Start, Truth};

const SECOND: i64 = 1000;

/// A trace, all its times in ms since 1970.
pub struct Trace {
    pub began: i64,
    pub ended: i64,
    pub told: Vec<Told>,
    /// What the kubelet did to each container, `POD/CONTAINER`.
    pub deeds: BTreeMap<String, Vec<Deed>>,
}

/// One change that a watch told, and when.
pub struct Told {
    pub at: i64,
    pub gone: bool,
    pub object: Value,
}

/// What the kubelet did to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    pub at: i64,
    pub did: Did,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    Start,
    Attempt(ProbeKind, Outcome),
    /// It said that it ends it over this probe, and whether to start it again.
    End(ProbeKind, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
    /// It could not be made, and counts for nothing.
    Error,
}

#[derive(Deserialize)]
struct Written {
    began: i64,
    lasts: i64,
    kubelet: BTreeMap<String, BTreeMap<String, Vec<i64>>>,
    told: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    at: i64,
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

impl Trace {
    /// Reads a trace as if it began an hour from now. A hub has its own clock: what is only seen must not come between
    /// the times that the trace tells.
    pub fn read(path: &Path, now: i64) -> Trace {
        let text = std::fs::read_to_string(path).expect("a trace");
        let written: Written = serde_json::from_str(&text).expect("a trace");
        let later = (now - written.began) / SECOND + 3600;
        let began = written.began + later * SECOND;
        let mut specs: BTreeMap<String, Value> = BTreeMap::new();
        let mut told = Vec::new();
        for mut line in written.told {
            move_times(&mut line.object, later);
            name(&mut line.object["metadata"]);
            if line.object["kind"] == "Event" {
                name(&mut line.object["involvedObject"]);
                line.object["involvedObject"]["kind"] = "Pod".into();
                line.object["source"] = json!({"component": "kubelet"});
                let kind = if line.object["reason"] == "Killing" { "Normal" } else { "Warning" };
                line.object["type"] = kind.into();
            } else {
                let of = line.object["metadata"]["name"].to_string();
                match line.object.get("spec") {
                    Some(spec) => _ = specs.insert(of, spec.clone()),
                    None => line.object["spec"] = specs[&of].clone(),
                }
            }
            told.push(Told { at: began + line.at, gone: line.kind == "DELETED", object: line.object });
        }
        told.sort_by_key(|told| told.at);
        let deeds = written.kubelet.into_iter().map(|(container, of)| {
            let times = |(words, times): (String, Vec<i64>)| {
                let did = did(&words);
                times.into_iter().map(move |at| Deed { at: began + at, did })
            };
            let mut deeds: Vec<Deed> = of.into_iter().flat_map(times).collect();
            deeds.sort_by_key(|deed| deed.at);
            (container, deeds)
        });
        Trace { began, ended: began + written.lasts, told, deeds: deeds.collect() }
    }

    /// Each container as it really was.
    pub fn containers(&self) -> BTreeMap<String, Truth> {
        let names = self.told.iter().filter(|told| told.object["kind"] == "Pod").flat_map(|told| {
            let pod = text(&told.object["metadata"]["name"]);
            let spec = &told.object["spec"];
            let all = list(&spec["containers"]).chain(list(&spec["initContainers"]));
            all.map(move |container| (pod.to_owned(), text(&container["name"]).to_owned()))
        });
        let mut containers: BTreeMap<String, Truth> = BTreeMap::new();
        for (pod, name) in names {
            let key = format!("{pod}/{name}");
            let deeds = self.deeds.get(&key).cloned().unwrap_or_default();
            containers.entry(key).or_insert_with(|| Truth::of(&pod, &name, &self.told, deeds));
        }
        containers
    }
}

/// What a trace leaves out since it follows from the name.
fn name(of: &mut Value) {
    of["namespace"] = "default".into();
    of["uid"] = of["name"].clone();
}

fn move_times(value: &mut Value, later: i64) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| move_times(value, later)),
        Value::Array(values) => values.iter_mut().for_each(|value| move_times(value, later)),
        Value::String(text) => {
            if let Some(at) = stamp(&Value::String(text.clone())) {
                *text = Timestamp(at / SECOND + later).to_string();
            }
        }
        _ => {}
    }
}

fn did(words: &str) -> Did {
    let words: Vec<&str> = words.split(' ').collect();
    let kind = match words.get(1) {
        Some(&"Liveness") => Liveness,
        Some(&"Readiness") => Readiness,
        _ => Startup,
    };
    match words[0] {
        "start" => Did::Start,
        "kill" => Did::End(kind, words.len() > 2),
        "success" => Did::Attempt(kind, Outcome::Success),
        "failure" => Did::Attempt(kind, Outcome::Failure),
        "error" => Did::Attempt(kind, Outcome::Error),
        other => panic!("a kubelet that did {other}"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// In ms.
fn stamp(value: &Value) -> Option<i64> {
    let text =
        value.as_str().filter(|text| text.len() == "2026-01-01T00:00:00Z".len() && text.ends_with('Z'))?;
    let row: Namespace =
        translate::row(&json!({"metadata": {"creationTimestamp": text}}).to_string()).ok()?;
    row.meta.created.map(|at| at.0 * SECOND)
}

/// Later ones last, pods before events: as lists and then watches come.
pub fn listed_order(a: &Told, b: &Told) -> Ordering {
    let event = |told: &Told| told.object["kind"] == "Event";
    event(a).cmp(&event(b)).then(a.at.cmp(&b.at))
}
