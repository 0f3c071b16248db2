//! The audit trail: one line for each time somebody came in, was refused, or went.

use std::net::IpAddr;

use app::api::Text;

use super::{Who, sessions::Handle};

/// What happened at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audit<'a> {
    /// A session begins.
    SignIn,
    /// Somebody was not let in, and why.
    Refused(&'a str),
    /// They ended this session themselves.
    SignOut,
    /// The session came to an end otherwise, and why.
    SessionEnd(&'a str),
    /// A link was handed out, or a wall let in: its name.
    Shared(&'a str),
    /// Somebody came by a link.
    Entered(&'a str),
    /// A link or a wall was ended before its time.
    Revoked(&'a str),
}

/// Whoever changes what is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharer {
    /// What they are called.
    pub name: Text,
    /// Where they are, if not at a terminal.
    pub from: Option<IpAddr>,
}

impl Audit<'_> {
    /// Writes the line of a link or a wall, `id`, that `sharer` changed.
    pub fn by(self, sharer: &Sharer, id: &Text) {
        self.write(Some(&sharer.name), sharer.from, Some(id));
    }

    /// Writes the line, under the target `audit`. A session is named by the start of its hash.
    pub fn line(self, who: Option<&Who>, from: Option<IpAddr>, session: Option<&Handle>) {
        self.write(who.map(Who::name).as_deref(), from, session);
    }

    fn write(self, who: Option<&str>, from: Option<IpAddr>, session: Option<&Handle>) {
        let (what, why, shared) = match self {
            Audit::SignIn => ("sign-in", None, None),
            Audit::Refused(why) => ("refused", Some(why), None),
            Audit::SignOut => ("sign-out", None, None),
            Audit::SessionEnd(why) => ("session-end", Some(why), None),
            Audit::Shared(name) => ("share", None, Some(name)),
            Audit::Entered(name) => ("enter", None, Some(name)),
            Audit::Revoked(name) => ("revoke", None, Some(name)),
        };
        tracing::info!(
            target: "audit",
            what,
            why,
            shared,
            who,
            from = from.map(tracing::field::display),
            session = session.map(tracing::field::display),
        );
    }
}
