//! ⑦ One file a view.

mod containers;
mod images;
mod labels;
mod listing;
mod node;
mod object;
mod overview;
mod placement;
mod pod;
mod probes;
mod rollout;
mod rollouts;
mod selecting;
mod services;
mod wall;
mod workload;
mod workloads;

use leptos::prelude::*;

use crate::{api::Kind, components::here::Here, query::Page};

/// The view of a page.
pub fn view(page: Page) -> AnyView {
    match page {
        Page::Overview => view! { <overview::Overview /> }.into_any(),
        Page::Pods => view! { <listing::Listing kind=Kind::Pod /> }.into_any(),
        Page::Services => view! { <services::Services /> }.into_any(),
        Page::EndpointSlices => view! { <listing::Listing kind=Kind::EndpointSlice /> }.into_any(),
        Page::Nodes => view! { <node::Nodes /> }.into_any(),
        Page::Namespaces => view! { <listing::Listing kind=Kind::Namespace /> }.into_any(),
        Page::Events => view! { <listing::Listing kind=Kind::Event /> }.into_any(),
        Page::Workloads => view! { <workloads::Workloads /> }.into_any(),
        Page::Rollouts => view! { <rollouts::Rollouts /> }.into_any(),
        Page::Probes => view! { <probes::Probes /> }.into_any(),
        Page::Rollout(key) => view! { <rollout::RolloutPage key /> }.into_any(),
        Page::Placement => view! { <placement::PlacementPage /> }.into_any(),
        Page::Labels => view! { <labels::LabelsPage /> }.into_any(),
        Page::Images => view! { <images::Images /> }.into_any(),
        Page::Object(key) => match key.kind {
            Kind::Pod => view! { <pod::PodPage key /> }.into_any(),
            Kind::Node => view! { <node::NodePage key /> }.into_any(),
            Kind::Service => view! { <services::ServicePage key /> }.into_any(),
            Kind::EndpointSlice => view! { <services::EndpointSlicePage key /> }.into_any(),
            _ => view! { <workload::WorkloadPage key /> }.into_any(),
        },
        Page::Wall => view! { <wall::Wall /> }.into_any(),
        Page::Nowhere => view! { <Nowhere /> }.into_any(),
    }
}

/// No view has this path.
#[component]
fn Nowhere() -> impl IntoView {
    let home = Here::get().place_now().elsewhere(Page::Overview).href();
    view! {
        <section class="panel">
            <h1>"Nothing here"</h1>
            <p>"No view of Masthead has this address. " <a href=home>"To the overview"</a></p>
        </section>
    }
}
