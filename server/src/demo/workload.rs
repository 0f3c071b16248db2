//! What the programs in the containers do. No image is ever run: a few environment variables,
//! the same as those of the tutorial's stand-in image, say how long a start takes or when it ends.

use serde_json::Value;

use super::admission::tag;
use super::random::digest;

/// A program's behaviour, read from its container.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    /// Port closed until then (`START_AFTER`).
    start_after: i64,
    /// `/ready` answers 503 until then (`READY_AFTER`).
    ready_after: Option<i64>,
    /// `/healthz` answers 503 from then on (`FAIL_AFTER`).
    fail_after: Option<i64>,
    /// It ends then (`EXIT_AFTER`), with this code (`EXIT_CODE`).
    pub(super) exit: Option<(i64, i64)>,
    forest: bool,
}

impl Workload {
    pub(super) fn of(container: &Value) -> Workload {
        let env = container["env"].as_array().map_or(&[][..], Vec::as_slice);
        let text = |name: &str| {
            let entry = env.iter().find(|entry| entry["name"] == name)?;
            entry["value"].as_str()
        };
        let duration = |name: &str| text(name).and_then(go_milliseconds);
        let forest = container["image"].as_str().is_some_and(|image| image.contains("simple-randomforest"));
        // Python takes its time to load a forest.
        let default_start = if forest { 1800 } else { 0 };
        let code = text("EXIT_CODE").and_then(|code| code.parse().ok()).unwrap_or(0);
        Workload {
            start_after: duration("START_AFTER").unwrap_or(default_start),
            ready_after: duration("READY_AFTER"),
            fail_after: duration("FAIL_AFTER"),
            exit: duration("EXIT_AFTER").map(|after| (after, code)),
            forest,
        }
    }

    /// The outcome of a GET, `elapsed` ms after the start: nothing, or the probe's failure text.
    pub(super) fn get(&self, address: &str, path: &str, elapsed: i64) -> Result<(), String> {
        if elapsed < self.start_after {
            let host = address.trim_start_matches("http://");
            return Err(format!("Get \"{address}{path}\": dial tcp {host}: connect: connection refused"));
        }
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        let code = match route {
            "/ready" if self.ready_after.is_some_and(|after| elapsed < after) => 503,
            "/healthz" if self.fail_after.is_some_and(|after| elapsed >= after) => 503,
            "/predict" if self.forest && !has_sizes(query) => 500,
            _ => return Ok(()),
        };
        Err(format!("HTTP probe failed with statuscode: {code}"))
    }

    /// True once no answer will change any more, so that nobody has to go on asking.
    pub(super) fn steady(&self, elapsed: i64) -> bool {
        let later = [Some(self.start_after), self.ready_after, self.fail_after];
        later.into_iter().flatten().all(|at| elapsed >= at)
    }
}

fn has_sizes(query: &str) -> bool {
    ["s_length", "s_width", "p_length", "p_width"].iter().all(|name| {
        let given = query.split('&').filter_map(|pair| pair.split_once('='));
        given.into_iter().any(|(key, value)| key == *name && value.parse::<f64>().is_ok())
    })
}

/// `90s`, `1m30s`, `1500ms`.
fn go_milliseconds(text: &str) -> Option<i64> {
    let (mut total, mut number, mut letters) = (0.0, String::new(), text.chars().peekable());
    while let Some(letter) = letters.next() {
        if letter.is_ascii_digit() || letter == '.' {
            number.push(letter);
            continue;
        }
        let value: f64 = std::mem::take(&mut number).parse().ok()?;
        total += value
            * match letter {
                'h' => 3_600_000.0,
                'm' if letters.next_if_eq(&'s').is_some() => 1.0,
                'm' => 60_000.0,
                's' => 1000.0,
                _ => return None,
            };
    }
    number.is_empty().then_some(total as i64)
}

/// An image of the tutorial's registry that cannot be pulled: the name is mistyped.
pub(super) fn pull_error(image: &str) -> Option<String> {
    let missing = image.contains("randomfrost") || tag(image) == "missing";
    let full = full_name(image);
    let repository = full.rsplit_once(':').map_or(full.as_str(), |(repository, _)| repository);
    missing.then(|| format!(
        "failed to pull and unpack image \"{full}\": failed to resolve image: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed: {}",
        repository.trim_start_matches("docker.io/")
    ))
}

/// `simple` → `docker.io/library/simple:latest`.
pub(super) fn full_name(image: &str) -> String {
    let (first, rest) = image.split_once('/').unwrap_or(("", image));
    let name = match first {
        "" => format!("docker.io/library/{rest}"),
        host if host.contains(['.', ':']) => image.to_owned(),
        _ => format!("docker.io/{image}"),
    };
    let tagged = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if tagged { name } else { format!("{name}:latest") }
}

pub(super) fn image_id(image: &str) -> String {
    let full = full_name(image);
    let repository = full.rsplit_once(':').map_or(full.as_str(), |(repository, _)| repository);
    format!("{repository}@sha256:{}", digest(&full))
}
