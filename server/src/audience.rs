//! Who is looking, and what of the cluster they may see: decided before a byte is encoded.
//!
//! Every request that is answered from the cluster has a [`Visitor`], made by the [`Door`], and reads from the hub
//! that the [`Rooms`] have for their [`Grant`]: the whole cluster's, or one that has never been told anything but
//! what is granted.

mod audit;
pub mod door;
pub mod grant;
mod lens;
pub mod links;
pub mod register;
mod rooms;
pub mod sessions;
pub mod walls;

use std::sync::Arc;

use app::api::Text;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::{
    audit::{Audit, Sharer},
    door::Door,
    grant::Grant,
    links::Links,
    register::Register,
    rooms::{NoRoom, Rooms},
    sessions::Sessions,
    walls::Walls,
};

/// Somebody who is looking.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// As whom they came in.
    pub who: Who,
    /// What they may see; `None` is everything that is watched.
    pub grant: Option<Arc<Grant>>,
    /// Cancelled at the moment their right ends: signed out, revoked, expired. Open streams end with it.
    pub ended: CancellationToken,
    /// The same of what that right rests on, where it is another one: a preview of a link ends with the link, and with
    /// the sign-in of whoever looks at it.
    pub rests_on: CancellationToken,
    /// When an open stream has to end so that the next request is asked again who makes it: where somebody else
    /// knows when the right ends.
    pub ask_again: Option<Instant>,
    /// Held while they are there, by those who are counted.
    pub present: Option<Arc<()>>,
    /// The session they came in with. While a visitor is there, so is somebody who uses it.
    pub session: Option<sessions::Use>,
}

/// Why an open stream has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// There is no right to look any more.
    Ended,
    /// There may be: another request will tell.
    AskAgain,
}

impl Over {
    /// In words, for whoever reads the stream.
    pub fn why(self) -> &'static str {
        match self {
            Over::Ended => "your access has ended",
            Over::AskAgain => "who you are has to be asked again: connect anew",
        }
    }
}

impl Visitor {
    /// Whoever can reach the server, with a right that nothing ends.
    pub fn new(who: Who, grant: Option<Arc<Grant>>) -> Visitor {
        Visitor {
            who,
            grant,
            ended: CancellationToken::new(),
            rests_on: CancellationToken::new(),
            ask_again: None,
            present: None,
            session: None,
        }
    }

    /// Waits until an open stream of theirs, or an answer that is long in coming, has to end.
    pub async fn over(&self) -> Over {
        let ask_again = async {
            match self.ask_again {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.ended.cancelled() => Over::Ended,
            () = self.rests_on.cancelled() => Over::Ended,
            () = ask_again => Over::AskAgain,
        }
    }
}

/// As whom a visitor came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Who {
    /// Whoever can reach the server: `--auth none`.
    Anyone,
    /// Whoever has the token of `--auth token`.
    Holder,
    /// Somebody with a name.
    Person(Person),
    /// Whoever was given a link.
    Link(links::Shared),
    /// A screen that somebody let in.
    Wall(links::Shared),
}

/// Somebody whose name is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// What tells them from everybody else.
    pub id: Text,
    /// What they are called.
    pub name: Text,
    /// The groups they are known to be in.
    pub groups: Vec<Text>,
}

impl Who {
    /// For the page and the audit line.
    pub fn name(&self) -> Text {
        match self {
            Who::Anyone => Text::from("anyone"),
            Who::Holder => Text::from("token holder"),
            Who::Person(person) => person.name.clone(),
            Who::Link(shared) | Who::Wall(shared) => shared.name.clone(),
        }
    }

    /// Whether both are the same one, whatever has changed about them.
    pub fn same(&self, other: &Who) -> bool {
        match (self, other) {
            (Who::Person(one), Who::Person(other)) => one.id == other.id,
            _ => self == other,
        }
    }
}
