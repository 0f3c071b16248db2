//! A selector that is being typed: its parts, and what its last one lacks.

use super::{Parser, Token, is_space};

/// The requirement that is being typed at the end of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRequirement<'a> {
    /// Its key, once what is typed is a value.
    pub key: Option<&'a str>,
    /// Values of a list that stand before the one that is typed.
    pub listed: Vec<&'a str>,
    /// Behind a `!`.
    pub negated: bool,
    /// The byte where the word begins that is being typed; the end if none has begun.
    pub at: usize,
}

/// What is being typed at the end of `head`; `None` where no key and no value of a label can stand.
pub fn open_requirement(head: &str) -> Option<OpenRequirement<'_>> {
    if head.contains('\0') {
        return None;
    }
    let start = head.len() - parts(head).last().map_or(0, |part| part.len());
    let mut tokens = Parser::new(&head[start..]).tokens;
    tokens.pop(); // the end
    let begun = head.chars().next_back().is_some_and(|c| !is_space(c));
    let typed = match tokens.last().copied() {
        Some((Token::Word(word), _)) if begun => {
            tokens.pop();
            word
        }
        _ => "",
    };
    let at = head.len() - typed.len();
    let words: Vec<Token> = tokens.into_iter().map(|(token, _)| token).collect();
    let value = |key, listed| Some(OpenRequirement { key: Some(key), listed, negated: false, at });
    match &words[..] {
        [] => Some(OpenRequirement { key: None, listed: Vec::new(), negated: false, at }),
        [Token::Symbol("!")] => Some(OpenRequirement { key: None, listed: Vec::new(), negated: true, at }),
        [Token::Word(key), Token::Symbol("=" | "==" | "!=")] => value(*key, Vec::new()),
        [Token::Word(key), Token::Word("in" | "notin"), Token::Symbol("("), list @ ..]
            if matches!(list.last(), None | Some(Token::Symbol(","))) =>
        {
            let listed = list.iter().filter_map(|token| match token {
                Token::Word(word) => Some(*word),
                _ => None,
            });
            value(*key, listed.collect())
        }
        _ => None,
    }
}

/// A selector between those commas that are in no list.
pub fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0u32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
