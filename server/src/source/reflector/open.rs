//! How a watch begins: where the last one, or a list, ended, and only on an API server that has the history that was
//! told.

use std::time::Duration;

use app::api::Uid;

use super::{
    CATCH_UP, Over, Reflector,
    position::{Position, Witness},
};
use crate::source::{
    api_server::{ApiError, Watch},
    moment::Moment,
    pulse::TRUSTED,
    translate,
};

/// What a watch goes on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// A list. By the time that its watch is open that may be another API server's.
    List,
    /// A watch that ended as the API server ends watches: it may have ended it to make way for a restored etcd.
    End,
    /// A watch that was torn off. Nobody knows what has happened since, nor whether it is still the same API server.
    Torn,
}

/// What an API server says of the history that was told.
struct Witnessed {
    /// Its latest version, if it tells one.
    latest: Option<String>,
    /// Objects that were written or deleted since, which the watch has to tell by then.
    owed: Vec<Uid>,
}

/// A watch that has just been opened.
pub struct Open {
    pub watch: Watch,
    /// How long it is to last.
    pub timeout: Duration,
    /// When it was asked for.
    pub asked: Moment,
    /// When it was open. What is asked for later is answered after what had happened by then.
    pub opened: Moment,
    /// It first tells what has happened since it was last known what there is.
    pub catching_up: bool,
    /// It begins before things that have been told.
    pub again: bool,
    /// A version at which it has caught up.
    pub latest: Option<u64>,
    /// See [`Witnessed`].
    pub owed: Vec<Uid>,
}

impl Reflector {
    /// Opens a watch where what was `before` ended, if the API server that opens it still has the history that was told.
    pub(super) async fn open(&mut self, position: &mut Position, before: Before) -> Result<Open, Over> {
        let asked = Moment::now();
        let from = match before {
            Before::Torn => position.since_witness().ok_or(Over::Relist(ApiError::Unwitnessed))?,
            // What there is nothing of is listed as quickly.
            Before::End if position.has_no_witness() => return Err(Over::Again),
            Before::List | Before::End => position.version.clone(),
        };
        let again = position.is_past(&from);
        // What went with the last that is gone may not have been told.
        let from = match before {
            Before::End => position.before_gone().unwrap_or(from),
            Before::List | Before::Torn => from,
        };
        let mut catching_up = again || self.withheld || asked.since(self.known) > TRUSTED;
        let timeout = if catching_up { CATCH_UP } else { self.bookmarks.timeout() };
        let watch = self.api.watch(&self.collection, &from, timeout).await?;
        let opened = Moment::now();
        // Asked for now, and not before, when it could still have been replaced.
        let Witnessed { latest, owed } = self.witnessed(position, before).await?;
        if owed.is_empty() && !again && latest.as_ref() == Some(&from) {
            // Nothing has happened since, anywhere.
            self.known = opened;
            catching_up = self.withheld;
        }
        let latest = latest.and_then(|latest| latest.parse::<u64>().ok());
        position.begin(from);
        Ok(Open { watch, timeout, asked, opened, catching_up, again, latest, owed })
    }

    /// What an API server says of the history that was told; an error, if it has another. After a list, or a watch that
    /// ended by itself, whoever was written last may have been written again, or deleted: the watch will tell.
    async fn witnessed(&self, position: &Position, before: Before) -> Result<Witnessed, Over> {
        let (mut owed, mut latest) = (Vec::new(), String::new());
        if position.has_no_witness() {
            latest = self.still_none(position).await?;
        }
        for witness in position.witnesses() {
            let page = self.api.only(&self.collection, &witness.namespace, &witness.name).await?;
            // Where versions count back, what was told last may never have been: a deletion, say.
            if position.is_past(&page.resource_version) {
                return Err(Over::Relist(ApiError::Unwitnessed));
            }
            let (mut same, mut since) = (false, position.is_ahead(&page.resource_version));
            if let Some(json) = page.items()?.first() {
                let head = translate::head(json);
                since = position.is_ahead(&head.resource_version);
                same = Witness::of(head, translate::fingerprint(json)).as_ref() == Some(witness);
            }
            if !same && (!since || before == Before::Torn) {
                return Err(Over::Relist(ApiError::Unwitnessed));
            }
            latest = page.resource_version;
            if same {
                self.still_gone(position).await?;
                break;
            }
            owed.push(witness.uid);
        }
        Ok(Witnessed { latest: Some(latest).filter(|latest| !latest.is_empty()), owed })
    }

    /// Where nothing was listed, there is nothing, in the same history: the version of that. What there is by now may be
    /// of another history, and older than the list; the next list has it, and with it a witness.
    async fn still_none(&self, position: &Position) -> Result<String, Over> {
        let page = self.api.first(&self.collection).await?;
        if position.is_past(&page.resource_version) {
            return Err(Over::Relist(ApiError::Unwitnessed));
        }
        let is_witness = |json: &str| Witness::of(translate::head(json), 0).is_some();
        match page.items()?.into_iter().any(is_witness) {
            true => Err(Over::Relist(ApiError::Unwitnessed)),
            false => Ok(page.resource_version),
        }
    }

    /// What was deleted last is not there again.
    async fn still_gone(&self, position: &Position) -> Result<(), Over> {
        let Some(gone) = position.gone() else { return Ok(()) };
        let page = self.api.only(&self.collection, &gone.namespace, &gone.name).await?;
        match page.items()?.into_iter().any(|json| translate::head(json).uid == gone.uid) {
            true => Err(Over::Relist(ApiError::Unwitnessed)),
            false => Ok(()),
        }
    }
}
