//! The audit trail: one line for each time somebody came in, was refused, or went.

use std::net::IpAddr;

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
}

impl Audit<'_> {
    /// Writes the line, under the target `audit`. A session is named by the start of its hash.
    pub fn line(self, who: Option<&Who>, from: Option<IpAddr>, session: Option<&Handle>) {
        let (what, why) = match self {
            Audit::SignIn => ("sign-in", None),
            Audit::Refused(why) => ("refused", Some(why)),
            Audit::SignOut => ("sign-out", None),
            Audit::SessionEnd(why) => ("session-end", Some(why)),
        };
        let who = who.map(Who::name);
        tracing::info!(
            target: "audit",
            what,
            why,
            who = who.as_deref(),
            from = from.map(tracing::field::display),
            session = session.map(tracing::field::display),
        );
    }
}
