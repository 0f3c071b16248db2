//! The picture in its small form: what it waits for first, and a line of shapes a lane.

use leptos::prelude::*;

use super::lanes::is_gone;
use crate::{
    api::{
        Picture,
        picture::{Lane, Tile},
    },
    components::icon,
    format::visible,
};

/// The lanes that take part, the newest last, with at most so many pods each; the rest is counted.
pub fn small(picture: &Picture, most: usize) -> impl IntoView + use<> {
    let taking: Vec<&Lane> = picture.lanes.iter().filter(|lane| lane.takes_part).collect();
    let several = picture.lanes.len() > 1;
    let lanes = taking.into_iter().map(|lane| line(lane, several, most)).collect_view();
    let waits = picture.causes.first().map(|cause| {
        let said = visible(&cause.says).into_owned();
        view! { <p class="waits-for">{format!("It waits: {said}")}</p> }
    });
    view! {
        <ul class="small-lanes">{lanes}</ul>
        {waits}
    }
}

fn line(lane: &Lane, several: bool, most: usize) -> impl IntoView + use<> {
    let there: Vec<&Tile> = lane.tiles.iter().filter(|tile| !is_gone(tile)).collect();
    let count = there.len() + lane.hidden as usize;
    let role = match (several, lane.newest) {
        (false, _) => "pods",
        (true, true) => "new",
        (true, false) => "old",
    };
    let revision = match lane.revision {
        Some(revision) if revision > 0 => format!(" (revision {revision})"),
        _ => String::new(),
    };
    let shapes = there.iter().take(most).map(|tile| icon::state(tile.health)).collect_view();
    let more = count.saturating_sub(there.len().min(most));
    view! {
        <li class:newest=lane.newest>
            <span class="role">{format!("{count} {role}{revision}")}</span>
            <span class="shapes">{shapes}</span>
            {(more > 0).then(|| view! { <span class="more">{format!("and {more} more")}</span> })}
        </li>
    }
}
