//! What fuzzing begins with: the objects that the tests have, those of the demo, and a few words of each grammar.
//! `run seeds` writes them; of these `run keep` keeps those that reach something of their own.

use std::{fs, path::Path, time::Duration};

use app::{
    api::{Kind, Kinds, Millis, ObjectKey},
    scope::Scope,
    seed::Seed,
    wire::{self, About, Ask, Drawing, Frame},
};
use serde_json::Value;
use server::{
    audience::{Grant, register::Records},
    demo,
    hub::{Encoding, Hub},
    source::{
        Source,
        api_server::{ApiServer, Collection, PAGE},
    },
};
use tokio_util::sync::CancellationToken;

/// Of each kind of the demo's.
const SOME: usize = 4;

/// The letters of the kinds, as in the targets.
const LETTERS: [(char, Kind); 14] = [
    ('a', Kind::Node),
    ('b', Kind::Namespace),
    ('c', Kind::Pod),
    ('d', Kind::ReplicationController),
    ('e', Kind::Deployment),
    ('f', Kind::DaemonSet),
    ('g', Kind::StatefulSet),
    ('h', Kind::ReplicaSet),
    ('i', Kind::ControllerRevision),
    ('j', Kind::Service),
    ('k', Kind::EndpointSlice),
    ('l', Kind::PodDisruptionBudget),
    ('m', Kind::Lease),
    ('n', Kind::Event),
];

/// Writes all of them below `into`, a folder a target.
pub fn write(into: &Path) {
    let mut objects = fixtures();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (of_demo, frames) = runtime.block_on(demo());
    objects.extend(of_demo);
    let line = |(letter, json): &(char, String)| format!("{letter}{json}");
    let lines: Vec<String> = objects.iter().map(line).collect();
    let put = |target: &str, all: Vec<Vec<u8>>| {
        let folder = into.join(target);
        fs::create_dir_all(&folder).expect("a folder");
        for (number, bytes) in all.into_iter().enumerate() {
            fs::write(folder.join(format!("{number:03}")), bytes).expect("a file");
        }
    };
    let bytes = |texts: Vec<String>| texts.into_iter().map(String::into_bytes).collect();
    put("objects", bytes(lines.clone()));
    put("answers", answers(&objects));
    // neighbours in a cluster, and all that there is of the demo's
    let neighbours = lines.chunks(6).map(|lines| lines.join("\n"));
    put("clusters", bytes(neighbours.enumerate().map(|(n, text)| format!("{}\n{text}", whom(n))).collect()));
    put("frames", frames);
    put("files", files());
    put("addresses", bytes(each_base(include_str!("seeds/addresses"))));
    put("words", bytes(include_str!("seeds/words").split("\n\n").map(str::to_owned).collect()));
    put("requests", bytes(include_str!("seeds/requests").split("\n----\n").map(str::to_owned).collect()));
    put("sign_ins", bytes(include_str!("seeds/sign_ins").split("\n====\n").map(str::to_owned).collect()));
}

fn whom(number: usize) -> char {
    char::from(b'a' + (number % 26) as u8)
}

fn each_base(addresses: &str) -> Vec<String> {
    addresses
        .lines()
        .enumerate()
        .map(|(number, line)| format!("{}{line}", ["a", "b", "c", "d"][number % 4]))
        .collect()
}

/// Of `server/tests/fixtures`: cases have an object each, of `whole` every file is one.
fn fixtures() -> Vec<(char, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut found = Vec::new();
    for (letter, kind) in LETTERS {
        let read = |path: String| fs::read_to_string(folder.join(path)).ok();
        let value = |text: String| serde_json::from_str::<Value>(&text).expect("a fixture is JSON");
        let cases = read(format!("{}.json", kind.plural())).map(value);
        let cases = cases.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        let whole = read(format!("whole/{}.json", kind.singular())).map(value);
        let objects = cases.iter().filter_map(|case| case.get("object")).chain(&whole);
        found.extend(objects.map(|object| (letter, object.to_string())));
    }
    found
}

/// The demo's objects, and what a viewer of it is sent and sends.
async fn demo() -> (Vec<(char, String)>, Vec<Vec<u8>>) {
    let options =
        demo::Options { speed: 30.0, epoch_ms: Some(1_795_446_202_000), ..demo::Options::default() };
    let demo = demo::start(options);
    let api = ApiServer::in_process(demo.router());
    let stop = CancellationToken::new();
    let (hub, owner) = Hub::new(About::default(), stop.clone());
    tokio::spawn(owner);
    let source = Source {
        api: api.clone(),
        namespaces: Vec::new(),
        fallback: None,
        about: About::default(),
        metrics: Default::default(),
    };
    tokio::spawn(source.run(hub.clone()));
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for kinds in [Kinds::all(), [Kind::Pod, Kind::Event].into_iter().collect()] {
        let seat = hub.subscribe(Scope { kinds, ..Scope::all() }, Encoding::Binary).await.expect("a seat");
        let key = ObjectKey { kind: Kind::Pod, namespace: "default".to_owned(), name: "web".to_owned() };
        seat.look(Some(key)).await.expect("a hub");
        let until = tokio::time::Instant::now() + Duration::from_secs(4);
        let mut stream = Vec::new();
        while let Ok(Ok(outgoing)) = tokio::time::timeout_at(until, seat.next()).await {
            sent(&outgoing.bytes().await, &mut frames, &mut stream);
        }
        frames.push([b"e", &*stream].concat());
    }
    let view = hub.view().await.expect("a hub");
    let seed = Seed::choose(&view.cluster, "/pods?q=web", &view.about, 1, &view.as_of, Millis(1));
    frames.push(format!("f{}", seed.to_text()).into_bytes());
    frames.push(format!("f<script id=\"seed\">{}</script>", Seed::default().to_text()).into_bytes());
    frames.extend(asks().iter().map(|ask| [b"b", &*wire::to_bytes(ask)].concat()));
    let mut objects = Vec::new();
    for (letter, kind) in LETTERS {
        let within = kind.only_in().map(Into::into);
        let page = api.list(&Collection { kind, within }, PAGE, "").await.expect("a list");
        let items = page.items().expect("items");
        objects.extend(items.into_iter().take(SOME).map(|json| (letter, json.to_owned())));
    }
    stop.cancel();
    (objects, frames)
}

/// A frame by itself, what is in it, and as a part of its stream.
fn sent(bytes: &[u8], frames: &mut Vec<Vec<u8>>, stream: &mut Vec<u8>) {
    /// Longer ones are slow to try, and say the same.
    const LONG: usize = 4_000;
    let mut frame = wire::frame(bytes).expect("a frame");
    if let Frame::Snapshot { packed, .. } = &mut frame {
        let mut raw = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed.0[..]), &mut raw).expect("gzip");
        frames.push([b"c", &raw[..]].concat());
        packed.0 = raw;
    }
    if let Frame::Changes { changes, .. } = &frame {
        frames.push([b"d", &changes.0[..]].concat());
    }
    let bytes = wire::to_bytes(&frame);
    if let (Ok(length), true) = (u16::try_from(bytes.len()), stream.len() < 4 * LONG) {
        stream.extend(length.to_le_bytes());
        stream.extend(&bytes);
    }
    if bytes.len() < LONG {
        frames.push([b"a", &bytes[..]].concat());
    }
}

fn asks() -> Vec<Ask> {
    let key = ObjectKey { kind: Kind::Deployment, namespace: "default".to_owned(), name: "web".to_owned() };
    let drawing = Drawing { key: key.clone(), between: Some((1, -3)) };
    vec![
        Ask::Resync,
        Ask::Kinds(Kinds::all()),
        Ask::Look(None),
        Ask::Look(Some(key)),
        Ask::Draw(Some(drawing)),
    ]
}

/// Lists, watches, errors and reviews; before each what was asked, the status, and where it is cut.
fn answers(objects: &[(char, String)]) -> Vec<Vec<u8>> {
    let few: Vec<&str> = objects.iter().take(3).map(|(_, json)| json.as_str()).collect();
    let list =
        |metadata: &str| format!(r#"{{"kind":"PodList","metadata":{metadata},"items":[{}]}}"#, few.join(","));
    let event = |kind: &str, object: &str| format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n");
    let bookmark = event("BOOKMARK", r#"{"kind":"Pod","metadata":{"resourceVersion":"12"}}"#);
    let gone = event("ERROR", r#"{"kind":"Status","code":410,"reason":"Expired","message":"too old"}"#);
    let watch =
        [event("ADDED", few[0]), event("MODIFIED", few[1]), event("DELETED", few[2]), bookmark].concat();
    let user = r#"{"username":"ann","groups":["ops"]}"#;
    let rules = r#"{"verbs":["list","watch"],"apiGroups":[""],"resources":["pods"],"resourceNames":[]}"#;
    let all = [
        (&b"a\0\x03@\x80\x81"[..], list(r#"{"resourceVersion":"7"}"#)),
        (&b"a\0\x01\x10"[..], list(r#"{"resourceVersion":"7","continue":"a/b%?&#\u00fc"}"#)),
        (&b"a\x01\0"[..], r#"{"kind":"Status","message":"no","reason":"Forbidden","code":403}"#.to_owned()),
        (&b"b\0\x03\x60\x80\xc0"[..], watch.clone()),
        (&b"b\0\x01\x60"[..], format!("{watch}\n \r\n{gone}")),
        (&b"b\0\0"[..], watch.trim_end().to_owned()),
        (&b"b\x04\0"[..], gone),
        (&b"c\0\x01\x20"[..], r#"{"major":"1","gitVersion":"v1.37.2"}"#.to_owned()),
        (
            &b"d\0\0"[..],
            format!(r#"{{"spec":{{}},"status":{{"authenticated":true,"user":{user},"allowed":true}}}}"#),
        ),
        (
            &b"d\0\0"[..],
            format!(
                r#"{{"spec":{{}},"status":{{"userInfo":{user},"allowed":false,"resourceRules":[{rules}],"nonResourceRules":[],"incomplete":true}}}}"#
            ),
        ),
        (&b"d\x02\0"[..], r#"{"message":"no"}"#.to_owned()),
        (
            &b"@Thu, 26 Nov 2026 10:00:00 GMT\n30\na\x05\0"[..],
            r#"{"kind":"Status","message":"wait","reason":"TooManyRequests","code":429}"#.to_owned(),
        ),
        (
            &b"@26 Nov 2026 10:00:00 GMT|26 Nov 2025 10:00:00 -0000|31 Dec 9999 23:59:60 +2359|1 Jan 0001 00:00 EST\n18446744073709551615\nc\x07\0"[..],
            r#"{"message":"later"}"#.to_owned(),
        ),
        (&b"@\nFri, 27 Nov 2026 10:00:00 GMT\nb\x07\0"[..], r#"{"message":"later"}"#.to_owned()),
    ];
    all.into_iter().map(|(head, body)| [head, body.as_bytes()].concat()).collect()
}

fn files() -> Vec<Vec<u8>> {
    let mut records = Records::default();
    let grant = serde_json::to_value(Grant::default()).expect("a grant");
    let link = serde_json::json!({"id": "ab12", "name": "for ann", "hash": "00", "grant": grant, "by": "bob",
        "since": 1, "until": 9_000, "viewers": 2, "used": null});
    let wall = serde_json::json!({"id": "cd34", "name": "a wall", "hash": "01", "grant": null, "by": "bob",
        "since": 1, "until": null, "used": 3});
    records.links.push(serde_json::from_value(link).expect("a link"));
    records.walls.push(serde_json::from_value(wall).expect("a wall"));
    let state = serde_json::to_string(&records).expect("records");
    let texts = [
        format!("a{}", include_str!("seeds/kubeconfig")),
        format!("a{}", include_str!("seeds/kubeconfig-inline")),
        format!("b{state}"),
        "b{\"version\":2}".to_owned(),
        "ca-token-that-is-long-enough\n".to_owned(),
        "cshort".to_owned(),
    ];
    texts.into_iter().map(String::into_bytes).collect()
}
