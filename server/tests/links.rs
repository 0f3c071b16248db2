//! Links and walls over real sockets and with the real command: who gets in by what, what they see, and when it ends.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod site;
mod viewer;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use app::wire::Frame;
use futures::StreamExt;
use server::{
    audience::{
        Door, Register, Sessions,
        door::{LIFETIME, Mode, proxy::Networks, token::Token},
        sessions::Clock,
    },
    demo::Fault,
    http::Access,
};
use site::{PATIENCE, Site, Socket};
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest};
use viewer::{Viewer, within};

const TOKEN: &str = "a-token-that-is-long-enough";

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("masthead-links-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that wants a token and keeps what is shared.
async fn guarded(folder: &Folder) -> Site {
    let file = folder.0.join("token");
    fs::write(&file, TOKEN).expect("a token");
    let mode = Mode::Token(Token::open(&file).expect("a token"));
    let register = Register::open(Some(folder.state()), Clock::default()).expect("a register");
    let site = Site::admitting(|access| Access {
        door: Door::new(mode, Sessions::default(), LIFETIME, Networks::default()),
        register,
        ..access
    })
    .await;
    site.get_until("/readyz", "200 OK").await;
    site
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn cookie(&self) -> String {
        let set = self.header("set-cookie").expect("a cookie");
        set.split(';').next().unwrap_or_default().to_owned()
    }
}

/// A request with further header lines; with a form, a POST from our own page.
async fn ask(site: &Site, path: &str, headers: &[(&str, &str)], form: Option<&str>) -> Answer {
    let method = if form.is_some() { "POST" } else { "GET" };
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}", site.address);
    for (name, value) in headers {
        head += &format!("\r\n{name}: {value}");
    }
    if let Some(form) = form {
        head += &format!(
            "\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        );
    }
    let answer = site.request(&head).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.get(9..12).and_then(|code| code.parse().ok()).expect("a status");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

const BEARER: (&str, &str) = ("Authorization", "Bearer a-token-that-is-long-enough");

/// Makes a link of pods with `app=web` and gives its id and its secret.
async fn made(site: &Site, form: &str) -> (String, String) {
    let draft = ask(site, "/links", &[BEARER], Some(form)).await;
    assert_eq!(draft.status, 303, "{}", draft.body);
    let id = draft.header("location").and_then(|at| at.strip_prefix("/links/")).expect("an id").to_owned();
    let handed = ask(site, &format!("/links/{id}/hand-out"), &[BEARER], Some("")).await;
    assert_eq!(handed.status, 200, "{}", handed.body);
    let (_, rest) = handed.body.split_once(&format!("/link#{id}.")).expect("an address");
    (id, rest.chars().take_while(char::is_ascii_alphanumeric).collect())
}

const WEB: &str =
    "name=for+the+auditors&namespaces=default&selector=app%3Dweb&show=pods&hide=node-names&for=1h&viewers=2";

async fn socket(site: &Site, path: &str, cookie: &str) -> Result<Socket, tungstenite::Error> {
    let mut request = format!("ws://{}{path}", site.address).into_client_request()?;
    let origin = format!("http://{}", site.address);
    request.headers_mut().insert("origin", origin.parse().expect("a header"));
    request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
    let (stream, _) = tokio_tungstenite::connect_async(request).await?;
    Ok(Socket { stream, viewer: Viewer::default() })
}

/// Waits until the server says that the right has ended, within the second that is promised and one to spare.
async fn ends(mut socket: Socket) {
    let ended = async {
        while let Some(Ok(message)) = socket.stream.next().await {
            let Message::Binary(bytes) = message else { continue };
            if let Ok(Frame::Bye { ended, .. }) = app::wire::frame(&bytes) {
                return ended;
            }
        }
        false
    };
    assert!(within(2, ended).await, "it did not say that the right has ended");
}

#[tokio::test]
async fn a_link_shows_its_part_to_whoever_has_its_secret_and_to_nobody_else() {
    let folder = Folder::new("life");
    let site = guarded(&folder).await;
    let (id, secret) = made(&site, WEB).await;
    let pods = format!("/link/{id}/api/v1/pods?output=name");

    assert_eq!(ask(&site, &pods, &[], None).await.status, 401);
    for wrong in ["", "0", &secret[1..], &format!("{secret}0")] {
        let form = format!("id={id}&secret={wrong}");
        assert_eq!(ask(&site, "/link", &[], Some(&form)).await.status, 401, "{wrong}");
    }
    let form = format!("id={id}&secret={secret}");
    let entered = ask(&site, "/link", &[], Some(&form)).await;
    assert_eq!(entered.status, 204, "{}", entered.body);
    let set = entered.header("set-cookie").expect("a cookie");
    for part in ["__Host-masthead-link-", "; Path=/;", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = entered.cookie();
    let mine = [("Cookie", cookie.as_str())];
    assert_eq!(ask(&site, &pods, &mine, None).await.body, "pod/a\npod/b\n");

    // nothing leads out of it
    for path in ["/api/v1/pods", "/live", "/metrics", "/links"] {
        let status = ask(&site, path, &mine, None).await.status;
        assert!(matches!(status, 401 | 303 | 426), "{path}: {status}");
    }
    for path in ["nodes", "events", "namespaces"] {
        let answer = ask(&site, &format!("/link/{id}/api/v1/{path}"), &mine, None).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.body);
    }
    for path in ["pods?namespace=kube-system", "pods?labelSelector=app=db&output=name"] {
        let answer = ask(&site, &format!("/link/{id}/api/v1/{path}"), &mine, None).await;
        assert!(!answer.body.contains("pod/c"), "{path}: {}", answer.body);
    }
    let metrics = ask(&site, &format!("/link/{id}/metrics"), &mine, None).await;
    assert!(!metrics.body.contains("masthead_"), "{}", metrics.body);

    // the page says who shared what, and is nobody's to keep
    let page = ask(&site, &format!("/link/{id}/pods"), &mine, None).await;
    assert_eq!(page.status, 200);
    for part in ["“for the auditors”, shared by token holder", "href=\"/link/"] {
        assert!(page.body.contains(part), "{part}");
    }
    assert!(!page.body.contains("worker"), "the node's name is hidden");
    for (name, value) in
        [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex")]
    {
        assert_eq!(page.header(name), Some(value));
    }

    let mut live = socket(&site, &format!("/link/{id}/live?kinds=pods"), &cookie).await.expect("a socket");
    live.until("its pods", |viewer| viewer.pods() == ["a", "b"]).await;
    site.demo.edit("pods", "default", "c", |pod| pod["metadata"]["labels"]["app"] = "web".into());
    live.until("one that walks in", |viewer| viewer.pods() == ["a", "b", "c"]).await;
    site.demo.edit("pods", "default", "a", |pod| pod["metadata"]["labels"]["app"] = "db".into());
    live.until("one that walks out", |viewer| viewer.pods() == ["b", "c"]).await;

    let used = ask(&site, &format!("/links/{id}"), &[BEARER], None).await;
    assert!(used.body.contains("2 pods") && used.body.contains("1 do."), "{}", used.body);
    let ended = ask(&site, &format!("/links/{id}/revoke"), &[BEARER], Some("")).await;
    assert_eq!(ended.status, 303);
    ends(live).await;
    assert_eq!(ask(&site, &pods, &mine, None).await.status, 401);
    assert!(socket(&site, &format!("/link/{id}/live"), &cookie).await.is_err());
}

#[tokio::test]
async fn only_who_sees_everything_makes_links_and_looks_at_them_first() {
    let folder = Folder::new("preview");
    let site = guarded(&folder).await;
    let draft = ask(&site, "/links", &[BEARER], Some(WEB)).await;
    let id = draft.header("location").and_then(|at| at.strip_prefix("/links/")).expect("an id").to_owned();
    let seen = ask(&site, &format!("/link/{id}/api/v1/pods?output=name"), &[BEARER], None).await;
    assert_eq!(seen.body, "pod/a\npod/b\n", "what they will see");
    let page = ask(&site, &format!("/link/{id}/"), &[BEARER], None).await;
    assert!(page.body.contains("Preview: this is what those will see"), "{}", page.status);
    // not from another site, not by those who came by a link
    let mut head = format!("POST /links HTTP/1.1\r\nHost: {}\r\nOrigin: http://evil.example", site.address);
    head += &format!("\r\n{}: {}\r\nContent-Length: 0", BEARER.0, BEARER.1);
    assert!(site.request(&head).await.starts_with("HTTP/1.1 403"));
    assert_eq!(ask(&site, "/links", &[], Some(WEB)).await.status, 303, "to the sign-in page");
    let wrong = ask(&site, "/links", &[BEARER], Some(&WEB.replace("show=pods", "show=secrets"))).await;
    assert!(
        wrong.status == 400 && wrong.body.contains("there is no kind &#x27;secrets&#x27;")
            || wrong.body.contains("no kind 'secrets'"),
        "{}",
        wrong.body
    );
    let stranger = ask(&site, &format!("/link/{id}/"), &[], None).await;
    assert_eq!(stranger.status, 401, "a draft is nobody's");
}

#[tokio::test]
async fn a_preview_ends_with_the_sign_in_of_whoever_looks_at_it_and_with_the_link() {
    let folder = Folder::new("signed-out");
    let site = guarded(&folder).await;
    let sign_in = async || {
        let signed_in = ask(&site, "/sign-in", &[], Some(&format!("secret={TOKEN}"))).await;
        assert_eq!(signed_in.status, 303, "{}", signed_in.body);
        signed_in.cookie()
    };
    let (id, secret) = made(&site, WEB).await;
    let live = format!("/link/{id}/live?kinds=pods");
    let open = async |cookie: &str| {
        let mut open = socket(&site, &live, cookie).await.expect("a socket");
        open.until("its pods", |viewer| viewer.pods() == ["a", "b"]).await;
        open
    };
    let (mine, others) = (sign_in().await, sign_in().await);
    let (preview, other) = (open(&mine).await, open(&others).await);
    let entered = ask(&site, "/link", &[], Some(&format!("id={id}&secret={secret}"))).await.cookie();
    let given = open(&entered).await;

    assert_eq!(ask(&site, "/sign-out", &[("Cookie", mine.as_str())], Some("")).await.status, 303);
    ends(preview).await;
    let pods = format!("/link/{id}/api/v1/pods?output=name");
    assert_eq!(ask(&site, &pods, &[("Cookie", mine.as_str())], None).await.status, 401);
    // Neither somebody else who is signed in, nor whoever has the secret.
    for cookie in [&others, &entered] {
        let seen = ask(&site, &pods, &[("Cookie", cookie.as_str())], None).await;
        assert_eq!(seen.body, "pod/a\npod/b\n");
    }
    assert_eq!(ask(&site, &format!("/links/{id}/revoke"), &[BEARER], Some("")).await.status, 303);
    ends(other).await;
    ends(given).await;
}

#[tokio::test]
async fn before_a_link_is_given_out_nothing_is_counted_that_is_not_known() {
    let folder = Folder::new("counts");
    let site = guarded(&folder).await;
    let draft = ask(&site, "/links", &[BEARER], Some(WEB)).await;
    let at = draft.header("location").expect("a link").to_owned();
    let says = async |part: &str| {
        let asking = async {
            loop {
                let page = ask(&site, &at, &[BEARER], None).await;
                if page.body.contains(part) {
                    return page.body;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.expect(part)
    };
    let known = says("Right now that is").await;
    assert!(known.contains("2 pods"), "{known}");
    let faults = site.demo.faults();
    faults.set("pods", Fault::Answer(403));
    faults.cut_watches("pods");
    let refused = says("Masthead may not list them: pods.").await;
    assert!(!refused.contains("Right now") && !refused.contains("0 pods"), "{refused}");
}

#[tokio::test]
async fn no_more_look_than_may_and_each_counts_until_gone() {
    let folder = Folder::new("viewers");
    let site = guarded(&folder).await;
    let (id, secret) = made(&site, WEB).await;
    let form = format!("id={id}&secret={secret}");
    let mut open = Vec::new();
    for _ in 0..2 {
        let cookie = ask(&site, "/link", &[], Some(&form)).await.cookie();
        let mut live =
            socket(&site, &format!("/link/{id}/live?kinds=pods"), &cookie).await.expect("a socket");
        live.until("its pods", |viewer| !viewer.pods().is_empty()).await;
        open.push(live);
    }
    let third = ask(&site, "/link", &[], Some(&form)).await;
    assert_eq!(third.status, 429, "{}", third.body);
    assert!(third.body.contains("As many people as this link allows"));
}

/// `masthead link …` on the same file.
fn command(state: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_masthead"));
    command
        .args(["link"])
        .args(args)
        .arg("--state")
        .arg(state)
        .args(["--public-url", "https://dash.example"]);
    command
}

const CREATE: [&str; 13] = [
    "create",
    "--namespace",
    "default",
    "--selector",
    "app=web",
    "--show",
    "pods,deployments",
    "--hide",
    "node-names,images",
    "--for",
    "7d",
    "--name",
    "for the auditors",
];

#[tokio::test]
async fn the_command_makes_links_for_a_server_that_runs_and_ends_them() {
    let folder = Folder::new("command");
    let site = guarded(&folder).await;
    let made = command(&folder.state(), &CREATE).output().expect("it runs");
    let printed = String::from_utf8_lossy(&made.stdout).into_owned();
    let fragment = printed.trim().strip_prefix("https://dash.example/link#").expect("an address");
    let (id, secret) = fragment.split_once('.').expect("an id and a secret");
    assert!(secret.len() >= 32, "at least 128 bits in hexadecimal digits");
    let form = format!("id={id}&secret={secret}");
    let entering = async {
        loop {
            // the server looks at the file four times a second
            let answer = ask(&site, "/link", &[], Some(&form)).await;
            if answer.status == 204 {
                return answer.cookie();
            }
            tokio::task::yield_now().await;
        }
    };
    let cookie = tokio::time::timeout(PATIENCE, entering).await.expect("let in");
    let mut live = socket(&site, &format!("/link/{id}/live?kinds=pods"), &cookie).await.expect("a socket");
    live.until("its pods", |viewer| viewer.pods() == ["a", "b"]).await;
    let listed = command(&folder.state(), &["list"]).output().expect("it runs");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.contains(id) && listed.contains("Shows pods, deployments, replicasets in default, of app=web"),
        "{listed}"
    );
    let revoked = command(&folder.state(), &["revoke", id]).status().expect("it runs");
    assert!(revoked.success());
    ends(live).await;
    let kept = fs::read_to_string(folder.state()).expect("the file");
    assert!(!kept.contains(secret) && !kept.contains(id));
    let wrong =
        command(&folder.state(), &["create", "--name", "x", "--show", "secrets"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        !wrong.status.success() && said.contains("there is no kind 'secrets' to show; there are nodes"),
        "{said}"
    );
}

#[test]
fn whenever_the_command_is_killed_the_file_is_the_one_before_or_the_one_after() {
    let folder = Folder::new("killed");
    let mut before = 0;
    for round in 0..60u64 {
        let mut creating = command(&folder.state(), &CREATE)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        // from before it opens the file until after it has ended
        let until = std::time::Instant::now() + Duration::from_micros(round * 400);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
        }
        let _ = creating.kill(); // SIGKILL
        creating.wait().expect("its end");
        let register = Register::open(Some(folder.state()), Clock::default()).expect("a whole file");
        let after = register.records().links.iter().filter(|link| !link.is_draft()).count();
        assert!(after == before || after == before + 1, "{before} became {after}");
        before = after;
    }
}
