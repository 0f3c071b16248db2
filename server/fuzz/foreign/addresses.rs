//! Addresses of pages: a path with its query, or what stands before it. The first byte chooses the base.

use app::{
    api::Kind,
    query::{Page, Place, kubectl, percent_decode, wall::Plan},
    selector::Selector,
};
use server::http::Base;

/// Below which the site may lie.
const BASES: [&str; 3] = ["", "/masthead", "/team/masthead/link/ab12"];

/// See the module.
pub fn check(data: &[u8]) {
    let Some((base, text)) = super::chosen(data) else { return };
    match BASES.get(base % 4) {
        Some(base) => address(base, text),
        None => prefix(text),
    }
}

fn address(base: &str, text: &str) {
    let bare = Place::parse(text);
    let place = bare.clone().below(base);
    let href = place.href();
    assert!(href.starts_with(base) && href[base.len()..].starts_with('/'), "{href} is not below {base}");
    assert!(href.bytes().all(|byte| byte.is_ascii_graphic()), "{href:?} is no address");
    assert_eq!(Place::parse(&bare.href()), bare, "{text:?}");
    assert_eq!(place.beside(&href).as_ref(), Some(&place), "{text:?}");
    for page in Page::VIEWS.into_iter().map(|(page, _)| page).chain([place.page.view()]) {
        let there = place.elsewhere(page);
        assert_eq!(place.beside(&there.href()), Some(there));
    }
    leads(&place);
}

/// Where one can go on to from it.
fn leads(place: &Place) {
    let _ = (place.page.title(), place.page.kinds(), place.page.tables(), place.drawing());
    if let Some(key) = place.looks_at() {
        assert!(!key.name.is_empty());
    }
    assert!(place.unasked().unfiltered());
    assert!(kubectl(place).iter().all(|line| !line.is_empty()));
    let _ = Plan::of(place);
    for requirement in place.requirements() {
        assert_eq!(place.with_requirement(&requirement), *place);
        if let Some(opposite) = requirement.opposite() {
            let turned = place.with_requirement(&opposite);
            assert!(turned.requirements().contains(&opposite), "{} {opposite}", place.selector);
        }
        let without = place.without_requirement(&requirement);
        assert!(Selector::parse(&without.selector).is_ok(), "{}", without.selector);
        assert!(!without.requirements().contains(&requirement), "{}", without.selector);
    }
    for term in place.terms() {
        let without = place.with_term(&term, None);
        assert!(!without.terms().contains(&term), "{}", without.fields);
        assert!(place.with_term(&term, Some(&term)).terms().contains(&term));
    }
    for kind in Kind::ALL {
        let _ = place.page.has_any([*kind].into_iter().collect());
    }
}

/// What may be said with `--base-path`, and escapes.
fn prefix(text: &str) {
    if let Ok(base) = text.parse::<Base>() {
        assert_eq!(base.as_str(), text);
        let address = base.address("/pods");
        assert!(address.parse::<http::Uri>().is_ok_and(|uri| uri.path() == address));
        assert_eq!(Place::default().below(text).beside(&address).map(|place| place.page), Some(Page::Pods));
    }
    let decoded = percent_decode(text);
    if !text.contains('%') {
        assert_eq!(decoded, text);
    }
    assert!(decoded.len() <= 3 * text.len(), "U+FFFD has three bytes");
}
