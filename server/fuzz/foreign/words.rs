//! Small grammars, one line each: selectors, quantities, versions, times and what the scheduler says. The first byte
//! chooses the grammar.

use std::sync::Arc;

use app::{
    api::{Kind, Labels, Pod, Text},
    field_selector::{FieldSelector, Term, open_term},
    placement::{
        Placement,
        asked::Asked,
        said::{compare, main_reason, said},
    },
    quantity,
    query::{InUse, Line, complete, skew::Skew},
    selector::{Operator, Requirement, Selector, open_requirement, parts},
};
use server::audience::links::{Wanted, lasts};

/// See the module.
pub fn check(data: &[u8]) {
    let Some((grammar, text)) = super::chosen(data) else { return };
    match grammar % 7 {
        0 => {
            labels(text);
            if let Some((one, other)) = text.split_once(';') {
                covering(one, other);
            }
        }
        1 => fields(text),
        2 => typed(text),
        3 => amount(text),
        4 => scheduler(text),
        5 => asked(text),
        _ => rest(text),
    }
}

fn labels(text: &str) {
    match Selector::parse(text) {
        Err(error) => {
            assert!(error.at <= text.chars().count(), "{error} points behind the end of {text:?}");
            assert!(!error.to_string().is_empty());
        }
        Ok(selector) => {
            let printed = selector.to_string();
            assert_eq!(Selector::parse(&printed).as_ref(), Ok(&selector), "{printed:?}");
            assert_eq!(selector.is_empty(), printed.is_empty());
            for labels in met_and_not(&selector) {
                let all = selector.requirements().iter().all(|one| one.matches(&labels));
                assert_eq!(selector.matches(&labels), all);
            }
            for requirement in selector.requirements() {
                opposed(requirement);
            }
            assert!(selector.covers(&selector));
        }
    }
}

/// What a selector surely covers it selects.
fn covering(one: &str, other: &str) {
    labels(one);
    let (Ok(one), Ok(other)) = (Selector::parse(one), Selector::parse(other)) else { return };
    if one.covers(&other) {
        for labels in met_and_not(&one).into_iter().chain(met_and_not(&other)) {
            assert!(
                one.matches(&labels) || !other.matches(&labels),
                "{one} does not cover {other}: {labels}"
            );
        }
    }
}

fn is_range(requirement: &Requirement) -> bool {
    matches!(requirement.operator, Operator::GreaterThan(_) | Operator::LessThan(_))
}

/// Of two opposites exactly one holds, whatever the labels.
fn opposed(requirement: &Requirement) {
    let Some(opposite) = requirement.opposite() else {
        return assert!(is_range(requirement));
    };
    assert_eq!(opposite.opposite().as_ref(), Some(requirement));
    let alone = Selector::of(vec![requirement.clone()]);
    for labels in met_and_not(&alone) {
        assert_ne!(requirement.matches(&labels), opposite.matches(&labels), "{requirement} {labels}");
    }
}

/// Labels near what a selector asks for: none, each value it names, and others.
fn met_and_not(selector: &Selector) -> Vec<Labels> {
    let of = |key: &Text, value: &str| [(key.clone(), Text::from(value))].into_iter().collect::<Labels>();
    let mut all = vec![Labels::default()];
    for Requirement { key, operator } in selector.requirements() {
        match operator {
            Operator::Exists | Operator::DoesNotExist => all.push(of(key, "")),
            Operator::Equals(value) | Operator::NotEquals(value) => all.push(of(key, value)),
            Operator::In(values) | Operator::NotIn(values) => {
                all.extend(values.iter().map(|value| of(key, value)));
            }
            Operator::GreaterThan(bound) | Operator::LessThan(bound) => {
                for value in [*bound, bound.saturating_add(1), bound.saturating_sub(1)] {
                    all.push(of(key, &value.to_string()));
                }
            }
        }
        all.push(of(key, "other"));
    }
    all
}

fn fields(text: &str) {
    let nobody = FieldSelector::parse(text, []);
    if let Err(error) = &nobody {
        assert!(error.at <= text.chars().count(), "{error} points behind the end of {text:?}");
    }
    for kind in Kind::ALL {
        match FieldSelector::parse_typed(text, [*kind]) {
            Err(error) => assert!(error.at <= text.chars().count(), "{error}"),
            Ok(selector) => {
                assert_eq!(FieldSelector::parse(&selector.to_string(), [*kind]).as_ref(), Ok(&selector));
                let pod = Pod { phase: "Running".into(), ..Pod::default() };
                if *kind == Kind::Pod {
                    selector.matches(&pod);
                }
            }
        }
    }
    if let Ok(selector) = nobody {
        assert_eq!(FieldSelector::parse(&selector.to_string(), []).as_ref(), Ok(&selector));
        for term in selector.terms() {
            assert_eq!(term.opposite().opposite(), *term);
            let _ = Term::escaped(&term.value);
        }
    }
}

/// A selector that is being typed, of either kind.
fn typed(text: &str) {
    let pod = |labels: Labels| {
        let mut pod = Pod { node: "node-1".into(), phase: "Running".into(), ..Pod::default() };
        pod.meta.labels = labels;
        Arc::new(pod)
    };
    let rows = ["web", "db"].map(|app| pod([("app".into(), app.into())].into_iter().collect()));
    let lines = || rows.iter().map(|row| &**row as &dyn Line);
    assert_eq!(parts(text).join(","), text);
    if let Some(open) = open_requirement(text) {
        assert!(text.is_char_boundary(open.at));
    }
    let (field, at) = open_term(text);
    assert!(text.is_char_boundary(at) && field.is_none_or(|field| text.contains(field)));
    let offered = complete::labels(text, &InUse::labels(lines()));
    let fields = complete::fields(text, &InUse::fields(Kind::Pod, lines()));
    for completion in offered.iter().chain(&fields) {
        assert!(completion.head.ends_with(&completion.shown) || completion.head.contains('\\'));
    }
}

fn amount(text: &str) {
    let (milli, value, nano) = (quantity::milli(text), quantity::value(text), quantity::nano(text));
    assert_eq!((milli.is_some(), value.is_some()), (nano.is_some(), nano.is_some()), "{text:?}");
    let (Some(milli), Some(value), Some(nano)) = (milli, value, nano) else { return };
    // rounding up twice is rounding up once
    let most = u128::from(i64::MAX as u64);
    assert_eq!(u128::from(value), nano.div_ceil(quantity::NANO).min(most), "{text:?}");
    if nano < most * quantity::NANO {
        assert_eq!(u128::from(milli), nano.div_ceil(quantity::NANO / 1000).min(most), "{text:?}");
    }
}

fn scheduler(text: &str) {
    let told = said(text);
    assert_eq!(told.message, text);
    assert!(!told.reasons.is_empty() || !told.message.is_empty() || text.is_empty());
    let _ = (main_reason(text), compare(&told, &Placement::default()));
}

/// What somebody asks of placement, a part a line.
fn asked(text: &str) {
    let mut asked = Asked::default();
    for (part, line) in Asked::PARTS.into_iter().zip(text.lines()) {
        asked.set_anew(part, line.to_owned());
        assert_eq!(asked.part(part), line);
    }
    for error in [asked.object().err(), asked.needs().err()].into_iter().flatten() {
        let length = asked.part(error.part).chars().count();
        assert!(error.at <= length, "{error} points behind the end of {:?}", asked.part(error.part));
    }
    if let Ok(needs) = asked.needs() {
        let _ = needs.tolerations_by_key();
    }
}

fn rest(text: &str) {
    if let Some((one, other)) = text.split_once(' ') {
        let skew = Skew::of(one, other);
        let _ = (skew.is_supported(), skew.sentence());
    }
    assert!(lasts(text).is_none_or(|milliseconds| milliseconds > 0));
    let mut lines = text.lines().map(str::to_owned);
    let mut next = || lines.next().unwrap_or_default();
    let list = |line: String| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let wanted = Wanted {
        name: next(),
        kinds: list(next()),
        namespaces: list(next()),
        selector: next(),
        hide: list(next()),
        lasts: next(),
        viewers: 1,
    };
    match wanted.read(app::api::Millis(0)) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok((grant, until)) => {
            assert!(until.0 > 0 && !grant.shown().is_empty());
            let json = serde_json::to_string(&grant).expect("grants are JSON");
            assert_eq!(serde_json::from_str::<server::audience::Grant>(&json).expect("a grant"), grant);
        }
    }
}
