//! The string table: what makes a row small.
//!
//! Inside [`encode`] each [`Text`] is written as a number. The first time it occurs it is written
//! as 0 with the string behind it, and both ends give it the next number. A table lives as long as
//! a subscription's stream: changes refer to strings that the snapshot, or an earlier change,
//! brought.
//!
//! serde has no room for such a context, so it lives in a thread-local for the length of one call;
//! nothing awaits in between.

use std::{cell::RefCell, collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer, Serializer,
    de::{Error as _, SeqAccess, Visitor},
    ser::SerializeTuple,
};

use crate::api::Text;

/// The writing end's table.
#[derive(Clone, Debug, Default)]
pub struct Written {
    numbers: HashMap<Text, u32>,
    order: Vec<Text>,
    /// Of each number, whether it has been written since [`Written::begin`].
    used: Vec<bool>,
}

impl Written {
    /// Every string so far, in the order of their numbers.
    pub fn all(&self) -> &[Text] {
        &self.order
    }

    /// Notes from now on which strings are written.
    pub fn begin(&mut self) {
        self.used.clear();
        self.used.resize(self.order.len(), false);
    }

    /// Forgets all strings that have not been written since [`Written::begin`]: whoever comes now shall not read what
    /// was there before. Their numbers stay taken by nothing, since others know them by these.
    pub fn forget_unused(&mut self) {
        for (number, text) in self.order.iter_mut().enumerate() {
            if !self.used.get(number).copied().unwrap_or(true) && !text.is_empty() {
                self.numbers.remove(text);
                *text = Text::default();
            }
        }
    }

    /// How many strings it holds.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// How many of them have not been forgotten.
    pub fn in_use(&self) -> usize {
        self.numbers.len()
    }

    /// Nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

/// The reading end's table.
#[derive(Clone, Debug, Default)]
pub struct Read {
    texts: Vec<Text>,
}

impl Read {
    /// A table that already holds `texts`.
    pub fn of(texts: Vec<Text>) -> Read {
        Read { texts }
    }
}

enum Context {
    Off,
    Writing(Written),
    Reading(Read),
}

thread_local! {
    static CONTEXT: RefCell<Context> = const { RefCell::new(Context::Off) };
}

/// Puts the context back to `Off` also when the closure panics.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        CONTEXT.with(|context| *context.borrow_mut() = Context::Off);
    }
}

/// Runs `work` with every [`Text`] it serializes going through `table`.
pub fn encode<R>(table: &mut Written, work: impl FnOnce() -> R) -> R {
    CONTEXT.with(|context| *context.borrow_mut() = Context::Writing(std::mem::take(table)));
    let restore = Restore;
    let result = work();
    CONTEXT.with(|context| {
        if let Context::Writing(written) = context.replace(Context::Off) {
            *table = written;
        }
    });
    drop(restore);
    result
}

/// Runs `work` with every [`Text`] it deserializes going through `table`.
pub fn decode<R>(table: &mut Read, work: impl FnOnce() -> R) -> R {
    CONTEXT.with(|context| *context.borrow_mut() = Context::Reading(std::mem::take(table)));
    let restore = Restore;
    let result = work();
    CONTEXT.with(|context| {
        if let Context::Reading(read) = context.replace(Context::Off) {
            *table = read;
        }
    });
    drop(restore);
    result
}

enum Form {
    Plain,
    Known(u32),
    New,
}

pub(crate) fn serialize<S: Serializer>(text: &Text, serializer: S) -> Result<S::Ok, S::Error> {
    let form = CONTEXT.with(|context| match &mut *context.borrow_mut() {
        Context::Writing(written) => match written.numbers.get(text) {
            Some(number) => {
                let number = *number;
                if let Some(used) = written.used.get_mut(number as usize - 1) {
                    *used = true;
                }
                Form::Known(number)
            }
            None => {
                written.order.push(text.clone());
                let number = written.order.len() as u32;
                written.numbers.insert(text.clone(), number);
                Form::New
            }
        },
        _ => Form::Plain,
    });
    match form {
        Form::Plain => serializer.serialize_str(text),
        Form::Known(number) => serializer.serialize_u32(number),
        Form::New => {
            let mut pair = serializer.serialize_tuple(2)?;
            pair.serialize_element(&0u32)?;
            pair.serialize_element(text.as_str())?;
            pair.end()
        }
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    let reading = CONTEXT.with(|context| matches!(&*context.borrow(), Context::Reading(_)));
    if reading {
        deserializer.deserialize_tuple(2, Numbered)
    } else {
        String::deserialize(deserializer).map(Text::from)
    }
}

struct Numbered;

impl<'de> Visitor<'de> for Numbered {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string's number, or 0 and the string")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
        let number: u32 = seq.next_element()?.ok_or_else(|| A::Error::custom("a string is missing"))?;
        if number == 0 {
            let text: String = seq.next_element()?.ok_or_else(|| A::Error::custom("a string is missing"))?;
            let text = Text::from(text);
            CONTEXT.with(|context| {
                if let Context::Reading(read) = &mut *context.borrow_mut() {
                    read.texts.push(text.clone());
                }
            });
            return Ok(text);
        }
        CONTEXT
            .with(|context| match &*context.borrow() {
                Context::Reading(read) => read.texts.get(number as usize - 1).cloned(),
                _ => None,
            })
            .ok_or_else(|| A::Error::custom(format_args!("string {number} was never sent")))
    }
}
