//! The documents before and beside the page: signing in, and one's own sessions. Plain HTML; they work without
//! the page's program, and carry nothing of the cluster.

use leptos::prelude::*;

use super::{about_document, whole};
use crate::{api::Millis, components::bar::mark, format, query::Place};

/// What these documents are written on: where the site and its style sheet are.
#[derive(Clone, Debug)]
pub struct Paper {
    root: Place,
    stylesheet: &'static str,
}

impl Paper {
    /// Below `base`.
    pub fn below(base: &str, stylesheet: &'static str) -> Paper {
        Paper { root: Place::default().below(base), stylesheet }
    }

    pub(super) fn address(&self, path: &str) -> String {
        self.root.address(path)
    }
}

/// How somebody can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// With a secret that they type.
    Secret {
        /// What it is called: `Token`.
        label: String,
        /// Where it comes from, in a sentence.
        hint: String,
    },
    /// By going to another address of ours.
    Elsewhere {
        /// What it is called: `Sign in with Example`.
        label: String,
        /// A path of ours.
        href: String,
    },
    /// Not here: in a sentence, where.
    NotHere(String),
}

/// What the sign-in page is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// How.
    pub ways: Vec<Way>,
    /// The path of ours to go on to.
    pub next: String,
    /// What has happened, if anything, in words.
    pub said: Option<String>,
    /// It is something that was typed that is wrong.
    pub mistyped: bool,
}

/// One session, as it is shown to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its public name.
    pub handle: String,
    /// The browser, in a few words.
    pub browser: String,
    /// The address it began from.
    pub address: String,
    /// When it began.
    pub since: Millis,
    /// When it was last used.
    pub used: Millis,
    /// When it ends at the latest.
    pub until: Millis,
    /// Whether something of it is open right now.
    pub open: bool,
    /// The one that asks.
    pub this: bool,
}

/// What the page of one's sessions is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// Who asks.
    pub who: String,
    /// Theirs.
    pub sessions: Vec<Session>,
    /// Where somebody without a session is known from, in a sentence.
    pub otherwise: Option<String>,
    /// The server's clock.
    pub now: Millis,
}

/// The sign-in page.
pub fn sign_in(page: SignIn, paper: &Paper) -> String {
    let SignIn { ways, next, said, mistyped } = page;
    let said = said.map(|said| view! { <p class="said" id="said" role="alert">{said}</p> });
    let ways = ways.into_iter().map(|way| way_in(way, &next, mistyped, paper)).collect_view();
    let main = view! {
        <h1>"Sign in"</h1>
        <p class="why">"Masthead shows a Kubernetes cluster, live. It asks who you are before it shows anything."</p>
        {said}
        {ways}
    };
    document("Sign in".to_owned(), paper, "narrow", main.into_any())
}

fn way_in(way: Way, next: &str, mistyped: bool, paper: &Paper) -> AnyView {
    let next = next.to_owned();
    match way {
        Way::Secret { label, hint } => view! {
            <form method="post" action=paper.address("/sign-in")>
                <input type="hidden" name="next" value=next />
                <label for="secret">{label}</label>
                <input
                    id="secret"
                    name="secret"
                    type="password"
                    autocomplete="current-password"
                    autocapitalize="none"
                    spellcheck="false"
                    maxlength="6000"
                    required
                    autofocus
                    aria-invalid=mistyped.then_some("true")
                    aria-describedby=if mistyped { "said hint" } else { "hint" }
                />
                <p class="why" id="hint">{hint}</p>
                <button class="do" type="submit">"Sign in"</button>
            </form>
        }
        .into_any(),
        Way::Elsewhere { label, href } => view! { <p><a class="do" href=href>{label}</a></p> }.into_any(),
        Way::NotHere(sentence) => view! {
            <p>{sentence}</p>
            <p><a class="do" href=next>"Try again"</a></p>
        }
        .into_any(),
    }
}

/// One's own sessions.
pub fn sessions(page: Sessions, paper: &Paper) -> String {
    let Sessions { who, sessions, otherwise, now } = page;
    let several = sessions.len() > 1;
    let rows = sessions.into_iter().map(|session| row(session, now, paper)).collect::<Vec<_>>();
    let table = (!rows.is_empty()).then(|| {
        view! {
            <div class="wide" tabindex="0" role="region" aria-label="Sessions">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Browser"</th>
                            <th scope="col">"From"</th>
                            <th scope="col">"Since"</th>
                            <th scope="col">"Last used"</th>
                            <th scope="col">"Ends"</th>
                            <th scope="col"><span class="sr">"End it"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <div class="doing">
                <form method="post" action=paper.address("/sign-out")>
                    <button class="do" type="submit">"Sign out"</button>
                </form>
                {several.then(|| view! {
                    <form method="post" action=paper.address("/sign-out")>
                        <input type="hidden" name="everywhere" value="1" />
                        <button class="do" type="submit">"Sign out everywhere"</button>
                    </form>
                })}
            </div>
        }
    });
    let main = view! {
        <h1>"Your sessions"</h1>
        <p>"Signed in as "<strong>{who}</strong>"."</p>
        {otherwise.map(|sentence| view! { <p class="why">{sentence}</p> })}
        {table}
        <p><a href=paper.address("/")>"Back to the cluster"</a></p>
    };
    document("Your sessions".to_owned(), paper, "broad", main.into_any())
}

fn row(session: Session, now: Millis, paper: &Paper) -> impl IntoView + use<> {
    let end_at = paper.address("/sessions/end");
    let ago = |at: Millis| format!("{} ago", format::age(Some(at.seconds()), now.seconds()));
    let used = if session.open { "now".to_owned() } else { ago(session.used) };
    let until = format!("in {}", format::age(Some(now.seconds()), session.until.seconds()));
    let end = format!("End the session of {} since {}", session.browser, ago(session.since));
    view! {
        <tr>
            <td>{session.browser}{session.this.then(|| view! { " " <span class="badge">"this one"</span> })}</td>
            <td class="mono">{session.address}</td>
            <td title=session.since.to_string()>{ago(session.since)}</td>
            <td title=session.used.to_string()>{used}</td>
            <td title=session.until.to_string()>{until}</td>
            <td>
                <form method="post" action=end_at>
                    <input type="hidden" name="session" value=session.handle />
                    <button class="toggle" type="submit" aria-label=end>"End"</button>
                </form>
            </td>
        </tr>
    }
}

/// The way of a browser that came from another site, and therefore without its `SameSite=Strict` cookie, to come from
/// here instead.
pub fn again(href: String, paper: &Paper) -> String {
    let content = format!("0; url={href}");
    let owner = Owner::new();
    let html = owner.with(|| {
        view! {
            <html lang="en">
                <head>
                    {about_document("Masthead".to_owned(), &paper.root, paper.stylesheet)}
                    <meta http-equiv="refresh" content=content />
                </head>
                <body class="paper"><main id="content" class="narrow"><p><a href=href>"Go on"</a></p></main></body>
            </html>
        }
        .to_html()
    });
    owner.cleanup();
    whole(&html)
}

pub(super) fn document(title: String, paper: &Paper, width: &'static str, main: AnyView) -> String {
    let owner = Owner::new();
    let html = owner.with(|| {
        view! {
            <html lang="en">
                <head>{about_document(format!("{title} · Masthead"), &paper.root, paper.stylesheet)}</head>
                <body class="paper">
                    <header><span class="brand">{mark()}<span>"Masthead"</span></span></header>
                    <main id="content" class=width>{main}</main>
                </body>
            </html>
        }
        .to_html()
    });
    owner.cleanup();
    whole(&html)
}
