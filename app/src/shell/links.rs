//! The documents about what is shared: links and walls, a link before and when it is handed out, the ways in of both.
//! Plain HTML; of the cluster they carry names that are shared, and counts.

use leptos::prelude::*;

use super::door::{Paper, document};
use crate::{
    api::{Kind, KindState, Millis},
    format,
};

/// A link, to those who may make some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its public name.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it shows, in a sentence.
    pub shows: String,
    /// Who made it.
    pub by: String,
    /// When it ends.
    pub until: Millis,
    /// How many look by it now, and how many may.
    pub viewers: (usize, u32),
    /// When it was last used.
    pub used: Option<Millis>,
    /// Nobody has been given it yet.
    pub draft: bool,
}

/// A wall, to those who may let some in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wall {
    /// Its public name.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it shows, in a sentence.
    pub shows: String,
    /// Who let it in.
    pub by: String,
    /// When its right ends; never with `None`.
    pub until: Option<Millis>,
    /// When it was last used.
    pub used: Option<Millis>,
}

/// What the page of all of them is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// The newest first.
    pub links: Vec<Link>,
    /// The newest first.
    pub walls: Vec<Wall>,
    /// Whether they outlive this process.
    pub kept: bool,
    /// Kinds that can be shared, and whether they are chosen to begin with.
    pub kinds: Vec<(Kind, bool)>,
    /// What can be hidden: the word, and what it means.
    pub hide: Vec<(&'static str, &'static str)>,
    /// What is wrong with what was asked for, if anything.
    pub said: Option<String>,
    /// Where somebody comes to who need not sign in.
    pub open: bool,
    /// The server's clock.
    pub now: Millis,
}

/// A table in a frame that scrolls by itself.
fn table(label: &'static str, headings: &[&'static str], rows: Vec<AnyView>) -> impl IntoView + use<> {
    let headings: Vec<_> = headings.iter().map(|heading| view! { <th scope="col">{*heading}</th> }).collect();
    view! {
        <div class="wide" tabindex="0" role="region" aria-label=label>
            <table>
                <thead>
                    <tr>{headings}<th scope="col"><span class="sr">"End it"</span></th></tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

fn ago(at: Option<Millis>, now: Millis) -> String {
    at.map_or_else(
        || "never".to_owned(),
        |at| format!("{} ago", format::age(Some(at.seconds()), now.seconds())),
    )
}

fn ahead(at: Millis, now: Millis) -> String {
    format!("in {}", format::age(Some(now.seconds()), at.seconds()))
}

/// All links and walls, and the forms for others.
pub fn shared(page: Shared, paper: &Paper) -> String {
    let Shared { links, walls, kept, kinds, hide, said, open, now } = page;
    let said = said.map(|said| view! { <p class="said" role="alert">{said}</p> });
    let warning = open.then(|| view! {
        <p class="said">
            "Masthead was started with --auth none: whoever can reach it sees everything, with or without a link. \
             Links keep something apart only from people who have to sign in."
        </p>
    });
    let lost = (!kept).then(|| {
        view! {
            <p class="why">"They end when Masthead is restarted. Started with --state FILE it keeps them."</p>
        }
    });
    let none = links.is_empty().then(|| view! { <p class="why">"There is none."</p> });
    let rows: Vec<_> = links.into_iter().map(|link| link_row(link, now, paper)).collect();
    let links = (!rows.is_empty())
        .then(|| table("Links", &["Name", "Shows", "By", "Looking", "Last used", "Ends"], rows));
    let no_wall = walls.is_empty().then(|| view! { <p class="why">"There is none."</p> });
    let rows: Vec<_> = walls.into_iter().map(|wall| wall_row(wall, now, paper)).collect();
    let walls =
        (!rows.is_empty()).then(|| table("Walls", &["Name", "Shows", "By", "Last used", "Ends"], rows));
    let main = view! {
        <h1>"Links and walls"</h1>
        {said}
        {warning}
        {lost}
        <h2>"Links"</h2>
        {none}
        {links}
        <h2>"Share a part of the cluster"</h2>
        {link_form(kinds, hide, paper)}
        <h2>"Walls"</h2>
        {no_wall}
        {walls}
        <h2>"Let a wall in"</h2>
        {wall_form(paper)}
        <p><a href=paper.address("/")>"Back to the cluster"</a></p>
    };
    document("Links and walls".to_owned(), paper, "broad", main.into_any())
}

fn link_row(link: Link, now: Millis, paper: &Paper) -> AnyView {
    let href = paper.address(&format!("/links/{}", link.id));
    let (looking, most) = link.viewers;
    view! {
        <tr>
            <td><a href=href>{link.name.clone()}</a>{link.draft.then(|| view! { " " <span class="badge">"draft"</span> })}</td>
            <td class="shows">{link.shows}</td>
            <td>{link.by}</td>
            <td>{format!("{looking} of {most}")}</td>
            <td>{ago(link.used, now)}</td>
            <td title=link.until.to_string()>{ahead(link.until, now)}</td>
            <td>{end_form(paper, &format!("/links/{}/revoke", link.id), "End", &format!("End {}", link.name))}</td>
        </tr>
    }
    .into_any()
}

fn wall_row(wall: Wall, now: Millis, paper: &Paper) -> AnyView {
    let until = wall.until.map_or_else(|| "never".to_owned(), |until| ahead(until, now));
    view! {
        <tr>
            <td>{wall.name.clone()}</td>
            <td class="shows">{wall.shows}</td>
            <td>{wall.by}</td>
            <td>{ago(wall.used, now)}</td>
            <td>{until}</td>
            <td>{end_form(paper, &format!("/walls/{}/revoke", wall.id), "End", &format!("End {}", wall.name))}</td>
        </tr>
    }
    .into_any()
}

fn end_form(paper: &Paper, path: &str, word: &'static str, label: &str) -> impl IntoView + use<> {
    let (action, label) = (paper.address(path), label.to_owned());
    view! {
        <form method="post" action=action>
            <button class="toggle" type="submit" aria-label=label>{word}</button>
        </form>
    }
}

fn link_form(
    kinds: Vec<(Kind, bool)>,
    hide: Vec<(&'static str, &'static str)>,
    paper: &Paper,
) -> impl IntoView + use<> {
    let kinds = kinds
        .into_iter()
        .map(|(kind, chosen)| {
            view! {
                <label><input type="checkbox" name="show" value=kind.plural() checked=chosen />{kind.plural()}</label>
            }
        })
        .collect_view();
    let hide = hide
        .into_iter()
        .map(|(word, means)| view! { <label><input type="checkbox" name="hide" value=word />{means}</label> })
        .collect_view();
    view! {
        <form method="post" action=paper.address("/links") class="share">
            <label for="name">"Name"</label>
            <input id="name" name="name" required maxlength="80" autocomplete="off" aria-describedby="name-why" />
            <p class="why" id="name-why">"Those who open the link read it."</p>
            <label for="namespaces">"Namespaces"</label>
            <input id="namespaces" name="namespaces" autocomplete="off" spellcheck="false" aria-describedby="namespaces-why" />
            <p class="why" id="namespaces-why">"Separated by commas; all if none is named."</p>
            <label for="selector">"Label selector"</label>
            <input id="selector" name="selector" autocomplete="off" spellcheck="false" aria-describedby="selector-why" />
            <p class="why" id="selector-why">"As in kubectl get -l: app=web,tier!=cache. Events follow what they are about."</p>
            <fieldset><legend>"Show"</legend>{kinds}</fieldset>
            <fieldset><legend>"Hide"</legend>{hide}</fieldset>
            <label for="for">"For"</label>
            <select id="for" name="for">
                <option value="1h">"an hour"</option>
                <option value="24h" selected>"a day"</option>
                <option value="7d">"a week"</option>
                <option value="30d">"30 days"</option>
                <option value="90d">"90 days"</option>
            </select>
            <label for="viewers">"Viewers at a time"</label>
            <input id="viewers" name="viewers" type="number" min="1" max="1000" value="20" />
            <button class="do" type="submit">"Preview"</button>
        </form>
    }
}

fn wall_form(paper: &Paper) -> impl IntoView + use<> {
    view! {
        <form method="post" action=paper.address("/walls") class="share">
            <label for="code">"Code on the wall"</label>
            <input id="code" name="code" required maxlength="9" autocomplete="off" autocapitalize="characters" spellcheck="false" aria-describedby="code-why" />
            <p class="why" id="code-why">{format!("Open {} on the wall; it shows one.", paper.address("/wall"))}</p>
            <label for="wall-name">"Name"</label>
            <input id="wall-name" name="name" required maxlength="80" autocomplete="off" />
            <label for="wall-namespaces">"Namespaces"</label>
            <input id="wall-namespaces" name="namespaces" autocomplete="off" spellcheck="false" aria-describedby="wall-why" />
            <p class="why" id="wall-why">"Separated by commas; everything if none is named."</p>
            <label for="wall-for">"For"</label>
            <select id="wall-for" name="for">
                <option value="1d">"a day"</option>
                <option value="30d">"30 days"</option>
                <option value="90d" selected>"90 days"</option>
                <option value="forever">"until somebody ends it"</option>
            </select>
            <button class="do" type="submit">"Let it in"</button>
        </form>
    }
}

/// How many a link shows of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Of which.
    pub kind: Kind,
    /// As far as they are known.
    pub count: usize,
    /// How far that can be trusted.
    pub state: KindState,
    /// Until when it is known to be so.
    pub as_of: Option<Millis>,
}

impl Counted {
    fn said(&self) -> String {
        format!("{} {}", self.count, self.kind.plural())
    }
}

/// What a link shows, in sentences: how many there are now of what is known to be current, and of all else why that is
/// not said. Nothing is not the same as not known.
fn counted(all: &[Counted]) -> (Option<String>, Vec<String>) {
    let (mut now, mut not_now) = (Vec::new(), Vec::new());
    let (mut unlisted, mut refused) = (Vec::new(), Vec::new());
    for counted in all {
        match &counted.state {
            KindState::Live => now.push(counted.said()),
            KindState::Stale { .. } => not_now.push(match counted.as_of {
                Some(at) => format!("As of {}: {}.", at.seconds().date_and_time(), counted.said()),
                None => format!("As last seen: {}.", counted.said()),
            }),
            KindState::Connecting | KindState::Listing { .. } | KindState::Failing { .. } => {
                unlisted.push(counted.kind.plural());
            }
            KindState::Forbidden { .. } => refused.push(counted.kind.plural()),
        }
    }
    if !unlisted.is_empty() {
        not_now.push(format!("Not known yet: {}.", unlisted.join(", ")));
    }
    if !refused.is_empty() {
        not_now.push(format!("Masthead may not list them: {}.", refused.join(", ")));
    }
    ((!now.is_empty()).then(|| now.join(", ")), not_now)
}

/// One link: what it shows, and what can be done with it.
pub fn link(link: Link, counts: Vec<Counted>, now: Millis, paper: &Paper) -> String {
    let (counts, not_now) = counted(&counts);
    let counts = counts.map(|counts| view! { <p>"Right now that is "<strong>{counts}</strong>"."</p> });
    let not_now: Vec<_> = not_now.into_iter().map(|said| view! { <p class="why">{said}</p> }).collect();
    let look = paper.address(&format!("/link/{}/", link.id));
    let path = |what: &str| paper.address(&format!("/links/{}/{what}", link.id));
    let doing = if link.draft {
        view! {
            <form method="post" action=path("hand-out")><button class="do" type="submit">"Make the link"</button></form>
            <form method="post" action=path("revoke")><button class="toggle" type="submit">"Discard"</button></form>
        }
        .into_any()
    } else {
        view! {
            <form method="post" action=path("revoke")><button class="do" type="submit">"End it for everybody"</button></form>
        }
        .into_any()
    };
    let (looking, most) = link.viewers;
    let main = view! {
        <h1>{link.name.clone()}</h1>
        {link.draft.then(|| view! { <p class="why">"Nobody has been given it yet."</p> })}
        <p>{link.shows}"."</p>
        {counts}
        {not_now}
        <p>{format!("It ends {}, at {}. At most {most} may look at a time; {looking} do.", ahead(link.until, now), link.until.seconds().date_and_time())}</p>
        <p><a class="look" href=look target="_blank">"See what they will see"</a></p>
        <div class="doing">{doing}</div>
        <p><a href=paper.address("/links")>"All links and walls"</a></p>
    };
    document(link.name, paper, "narrow", main.into_any())
}

/// A link's address, which is shown this once.
pub fn handed_out(name: &str, address: String, paper: &Paper) -> String {
    let main = view! {
        <h1>"The link"</h1>
        <p>{format!("Give this address to those who are to see {name}. Whoever has it can look, and it is shown only now.")}</p>
        <label for="address">"Address"</label>
        <input id="address" class="mono" readonly value=address />
        <p><a href=paper.address("/links")>"All links and walls"</a></p>
    };
    document("The link".to_owned(), paper, "narrow", main.into_any())
}

/// The way in of a link: its script hands the secret over.
pub fn enter(script: &str, paper: &Paper) -> String {
    let main = view! {
        <h1>"A shared view"</h1>
        <p id="said" role="status">"Opening…"</p>
        <noscript><p>"A link is opened by a script, and scripts are off in this browser."</p></noscript>
        <script type="module" src=paper.address(script)></script>
    };
    document("A shared view".to_owned(), paper, "narrow", main.into_any())
}

/// The way in of a wall: its script shows a code until somebody confirms it.
pub fn pair(script: &str, paper: &Paper) -> String {
    let main = view! {
        <h1>"This wall is not let in yet"</h1>
        <p class="code" id="code" aria-live="polite">"…"</p>
        <p id="said" role="status">{format!("Somebody who is signed in enters this code at {}.", paper.address("/links"))}</p>
        <noscript><p>"A wall is let in by a script, and scripts are off in this browser."</p></noscript>
        <script type="module" src=paper.address(script)></script>
    };
    document("Wall".to_owned(), paper, "pairing", main.into_any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Text;

    #[test]
    fn what_is_not_known_is_not_counted() {
        let counted_as = |kind, count, state, as_of| Counted { kind, count, state, as_of };
        let stale = || KindState::Stale { since: Millis(0), because: Text::from("no answer") };
        let [verb, resource, namespace] = ["list", "events", ""].map(Text::from);
        let forbidden = KindState::Forbidden { verb, resource, namespace };
        let live = [
            counted_as(Kind::Pod, 2, KindState::Live, Some(Millis(0))),
            counted_as(Kind::Deployment, 0, KindState::Live, Some(Millis(0))),
        ];
        assert_eq!(counted(&live), (Some("2 pods, 0 deployments".to_owned()), Vec::new()));
        let others = [
            counted_as(Kind::Pod, 3, stale(), Some(Millis(60_000))),
            counted_as(Kind::Node, 1, stale(), None),
            counted_as(Kind::Service, 0, KindState::Connecting, None),
            counted_as(Kind::Namespace, 0, KindState::Listing { seen: 0 }, None),
            counted_as(Kind::Event, 0, forbidden, None),
        ];
        let said = [
            "As of 1970-01-01 00:01 UTC: 3 pods.",
            "As last seen: 1 nodes.",
            "Not known yet: services, namespaces.",
            "Masthead may not list them: events.",
        ];
        assert_eq!(counted(&others), (None, said.map(str::to_owned).to_vec()));
    }
}
