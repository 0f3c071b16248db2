//! Each kind's row as a grant shows it. Rows are taken apart field by field, so that a new field does not compile until
//! somebody has decided whether a stranger may see it.

use std::sync::Arc;

use app::api::{
    ControllerRevision, DaemonSet, Deployment, Detail, EndpointSlice, Event, Kind, KindState, Labels, Lease,
    Meta, Namespace, Needs, Node, Owner, Pod, PodDisruptionBudget, ReplicaSet, ReplicationController,
    ResourceList, Service, StatefulSet, StatefulSetRollout, Text,
    detail::{self, ContainerState, ContainerStatus, Terminated},
    endpoint_slice::Endpoint,
    needs::{HostPort, NameRequirement, NodeTerm, Toleration},
    node::Taint,
    pod::PodStatus,
    probe::{Probe, ProbeHandler},
    replicas::Replicas,
};

use super::{
    names::Names,
    words::{self, LEFT_OUT},
};

/// What a row is seen through: how names are shown, and which may stand in its texts.
pub struct Glass<'a> {
    /// How names are shown.
    pub names: Names,
    /// Whether all nodes are granted, and with them what messages count of them.
    pub counts: bool,
    /// Whether an object is granted: the controller of this row.
    pub owner: &'a dyn Fn(&Owner) -> bool,
    /// The name of another granted object of its namespace, as it is shown; `None` if there is none.
    pub other: &'a dyn Fn(&str) -> Option<String>,
    /// Whether there is a granted node of this name.
    pub node: &'a dyn Fn(&str) -> bool,
}

/// Names that texts about one row may have in them, and as what.
type Own = Vec<(Arc<str>, Arc<str>)>;

impl Glass<'_> {
    /// What every object has; `node` is where it is, or what it is, if either.
    fn meta(&self, meta: Meta, node: &str) -> Meta {
        let Meta { uid, namespace, name, created, deleting, labels, owner } = meta;
        let owner = owner.map(|owner| Owner {
            name: if (self.owner)(&owner) { self.owner_name(&owner) } else { LEFT_OUT.into() },
            kind: if is_known(&owner.kind) { owner.kind } else { LEFT_OUT.into() },
            uid: owner.uid,
        });
        Meta {
            uid,
            namespace: self.names.text(&namespace),
            name: self.names.on_node(&name, node),
            created,
            deleting,
            labels: self.labels(&labels, node),
            owner,
        }
    }

    fn owner_name(&self, owner: &Owner) -> Text {
        if owner.kind == "Node" { self.names.node(&owner.name) } else { self.names.text(&owner.name) }
    }

    /// Labels, in which nodes may be named by whoever set them.
    fn labels(&self, labels: &Labels, node: &str) -> Labels {
        if !self.names.hides_nodes() {
            return self.names.labels(labels);
        }
        let is_node = |value: &str| !value.is_empty() && (value == node || (self.node)(value));
        let value = |key: &Text, value: &Text| match is_node(value) {
            true => self.names.node(value),
            false => self.names.label_value(key, value),
        };
        labels.iter().map(|(key, of)| (self.names.label_key(key), value(key, of))).collect()
    }

    /// The name of a node, if it is `own` or granted.
    fn node_of(&self, name: &Text, own: &str) -> Text {
        if name.is_empty() || **name == *own || (self.node)(name) {
            self.names.node(name)
        } else {
            LEFT_OUT.into()
        }
    }

    /// The names of the object itself, of its namespace, its controller and its containers.
    fn own(&self, meta: &Meta, detail: &Detail) -> Own {
        let mut own = vec![(meta.name.clone(), self.names.name(&meta.name))];
        let mut add = |name: &Text, shown: Text| own.push((name.as_str().into(), shown.into()));
        add(&meta.namespace, self.names.text(&meta.namespace));
        if let Some(owner) = meta.owner.as_ref().filter(|owner| (self.owner)(owner)) {
            add(&owner.name, self.owner_name(owner));
        }
        for container in &detail.containers {
            add(&container.name, self.names.text(&container.name));
            if !self.names.hides_images() {
                names_of(&container.image).for_each(|name| add(&name, name.clone()));
            }
        }
        own.retain(|(name, _)| !name.is_empty());
        own
    }

    fn words(&self, text: &str, own: &Own) -> String {
        let name = |word: &str| {
            let own = own.iter().find(|(name, _)| **name == *word).map(|(_, shown)| shown.to_string());
            own.or_else(|| (self.other)(word))
        };
        words::message(text, self.counts, &name)
    }

    fn text(&self, text: &Text, own: &Own) -> Text {
        if text.is_empty() { text.clone() } else { self.words(text, own).into() }
    }

    fn line(&self, text: &Arc<str>, own: &Own) -> Arc<str> {
        if text.is_empty() { text.clone() } else { self.words(text, own).into() }
    }

    /// What an object's own page shows. Identities of the API server's, whole templates and what names other objects
    /// (accounts, classes) stay behind.
    fn detail(&self, detail: &Detail, own: &Own, node: &str) -> Arc<Detail> {
        let Detail { uid: _, told_to_end, conditions, containers, needs, template, manifest: _, pace, facts } =
            detail.clone();
        let detail::Pace { min_ready, deadline, newest, scaled_for, partition } = pace;
        Arc::new(Detail {
            uid: Arc::from(""),
            told_to_end,
            conditions: conditions.into_iter().map(|condition| self.condition(condition, own)).collect(),
            containers: containers.into_iter().map(|container| self.container_spec(container, own)).collect(),
            needs: self.needs(needs, node),
            template: template.map(|template| self.template(template, own)),
            manifest: app::api::manifest::Manifest::default(),
            pace: detail::Pace {
                min_ready,
                deadline,
                newest: self.names.text(&newest),
                scaled_for,
                partition,
            },
            facts: facts.into_iter().filter(|(label, _)| FACTS.contains(&label.as_str())).collect(),
        })
    }

    fn condition(&self, condition: detail::Condition, own: &Own) -> detail::Condition {
        let detail::Condition { kind, status, reason, message, last_transition } = condition;
        detail::Condition {
            kind: words::word(&kind).into(),
            status: words::word(&status).into(),
            reason: words::word(&reason).into(),
            message: self.line(&message, own),
            last_transition,
        }
    }

    fn container_spec(&self, container: detail::Container, own: &Own) -> detail::Container {
        let detail::Container {
            name,
            role,
            image,
            ports,
            requests,
            limits,
            probes,
            seccomp,
            withheld,
            status,
        } = container;
        detail::Container {
            name: self.names.text(&name),
            role,
            image: self.names.image(&image),
            ports: ports.into_iter().map(|port| self.port(port)).collect(),
            requests: self.amounts(requests),
            limits: self.amounts(limits),
            probes: probes.into_iter().map(|probe| self.probe(probe)).collect(),
            seccomp: seccomp.map(|detail::Seccomp { kind, localhost }| detail::Seccomp {
                kind,
                localhost: left_out(&localhost),
            }),
            withheld,
            status: status.map(|status| self.status(status, own)),
        }
    }

    fn amounts(&self, amounts: Vec<(Text, Text)>) -> Vec<(Text, Text)> {
        amounts.into_iter().map(|(name, amount)| (self.names.resource(&name), amount)).collect()
    }

    fn resources(&self, list: &ResourceList) -> ResourceList {
        list.iter().map(|(name, amount)| (self.names.resource(name), amount)).collect()
    }

    fn port(&self, port: detail::Port) -> detail::Port {
        let detail::Port { name, number, host, protocol } = port;
        detail::Port { name: self.names.text(&name), number, host, protocol }
    }

    fn probe(&self, probe: Probe) -> Probe {
        let handler = match probe.handler {
            handler @ (ProbeHandler::Exec { words: _ } | ProbeHandler::Unknown) => handler,
            ProbeHandler::HttpGet { scheme, host, port, path, headers } => ProbeHandler::HttpGet {
                scheme,
                host: left_out(&host),
                port: self.port_of(&port),
                path: self.path(&path),
                headers: headers.iter().map(left_out).collect(),
            },
            ProbeHandler::TcpSocket { host, port } => {
                ProbeHandler::TcpSocket { host: left_out(&host), port: self.port_of(&port) }
            }
            ProbeHandler::Grpc { port, service } => ProbeHandler::Grpc { port, service: left_out(&service) },
        };
        Probe { handler, ..probe }
    }

    /// A path. Its query may hold anything, the rest may name something.
    fn path(&self, path: &Text) -> Text {
        match path.split_once('?') {
            _ if self.names.hides_names() && path.len() > 1 => format!("/{LEFT_OUT}").into(),
            Some((path, _)) => format!("{path}?{LEFT_OUT}").into(),
            None => path.clone(),
        }
    }

    /// A port's number, or its name.
    fn port_of(&self, port: &Text) -> Text {
        if port.bytes().all(|b| b.is_ascii_digit()) { port.clone() } else { self.names.text(port) }
    }

    fn status(&self, status: ContainerStatus, own: &Own) -> ContainerStatus {
        let ContainerStatus { ready, started, restarts, state, last, image_id } = status;
        let state = match state {
            state @ (ContainerState::Unknown | ContainerState::Running { since: _ }) => state,
            ContainerState::Waiting { reason, message } => ContainerState::Waiting {
                reason: words::word(&reason).into(),
                message: self.line(&message, own),
            },
            ContainerState::Terminated(end) => ContainerState::Terminated(self.ended(end)),
        };
        ContainerStatus {
            ready,
            started,
            restarts,
            state,
            last: last.map(|end| self.ended(end)),
            image_id: self.names.image(&image_id),
        }
    }

    /// The message of a container that has ended is its own program's.
    fn ended(&self, end: Terminated) -> Terminated {
        let Terminated { reason, message, exit_code, signal, started, finished } = end;
        let message = if message.is_empty() { message } else { LEFT_OUT.into() };
        Terminated { reason: words::word(&reason).into(), message, exit_code, signal, started, finished }
    }

    fn needs(&self, needs: Needs, node: &str) -> Needs {
        let Needs {
            node_name,
            scheduler,
            node_selector,
            affinity,
            tolerations,
            host_ports,
            requests,
            gates,
            host_network,
            unread,
        } = needs;
        let term = |term: NodeTerm| NodeTerm {
            labels: term.labels.iter().map(|requirement| self.names.requirement(requirement)).collect(),
            names: term
                .names
                .into_iter()
                .map(|NameRequirement { is, name }| NameRequirement { is, name: self.node_of(&name, node) })
                .collect(),
            never: term.never,
        };
        Needs {
            node_name: self.node_of(&node_name, node),
            scheduler: match scheduler.as_str() {
                "" | "default-scheduler" => scheduler,
                _ => LEFT_OUT.into(),
            },
            node_selector: self.labels(&node_selector, node),
            affinity: affinity.map(|terms| terms.into_iter().map(term).collect()),
            tolerations: tolerations
                .into_iter()
                .map(|Toleration { key, operator, value, effect, seconds }| Toleration {
                    value: self.names.label_value(&key, &value),
                    key: self.names.label_key(&key),
                    operator,
                    effect,
                    seconds,
                })
                .collect(),
            host_ports: self.host_ports(host_ports),
            requests: self.resources(&requests),
            gates: gates.iter().map(left_out).collect(),
            host_network,
            unread,
        }
    }

    fn host_ports(&self, ports: Vec<HostPort>) -> Vec<HostPort> {
        let hidden = |ip: &Text| self.names.hides_addresses() && *ip != HostPort::EVERY_ADDRESS;
        let one = |HostPort { ip, protocol, port }| HostPort {
            ip: if hidden(&ip) { LEFT_OUT.into() } else { ip },
            protocol,
            port,
        };
        ports.into_iter().map(one).collect()
    }

    fn template(&self, template: detail::Template, own: &Own) -> detail::Template {
        let detail::Template {
            labels,
            annotations,
            more_annotations,
            service_account,
            has_volumes,
            spread,
            priority_class,
            pod_group,
        } = template;
        detail::Template {
            labels: self.names.labels(&labels),
            annotations: annotations.into_iter().map(|(key, value)| (key, self.text(&value, own))).collect(),
            more_annotations,
            service_account: left_out(&service_account),
            has_volumes,
            spread: spread.iter().map(left_out).collect(),
            priority_class: left_out(&priority_class),
            pod_group: left_out(&pod_group),
        }
    }

    /// A pod.
    pub fn pod(&self, row: &Pod) -> Pod {
        let Pod {
            meta,
            ready,
            total,
            status,
            restarts,
            last_restart,
            phase,
            node,
            ip,
            nominated_node,
            is_ready,
            gates,
            images,
            requests,
            resizing,
            limits,
            host_ports,
            keeps_away,
            health,
            why,
            since,
            detail,
        } = row.clone();
        let mut own = self.own(&meta, &detail);
        own.insert(0, (meta.name.clone(), self.names.on_node(&meta.name, &node)));
        own.push((node.as_str().into(), self.names.node(&node).into()));
        own.retain(|(name, _)| !name.is_empty());
        Pod {
            ready,
            total,
            status: match status {
                PodStatus::Reason(reason) => PodStatus::Reason(words::word(&reason).into()),
                PodStatus::InitReason(reason) => PodStatus::InitReason(words::word(&reason).into()),
                other @ (PodStatus::Signal(_)
                | PodStatus::ExitCode(_)
                | PodStatus::InitSignal(_)
                | PodStatus::InitExitCode(_)
                | PodStatus::Init(..)) => other,
            },
            restarts,
            last_restart,
            phase: words::word(&phase).into(),
            node: self.names.node(&node),
            ip: self.names.address(&ip),
            nominated_node: self.node_of(&nominated_node, &node),
            is_ready,
            gates,
            images: self.names.images(&images),
            requests: self.resources(&requests),
            resizing: resizing.map(|list| self.resources(&list)),
            limits: self.resources(&limits),
            host_ports: self.host_ports(host_ports),
            keeps_away,
            health,
            why: self.text(&why, &own),
            since,
            detail: self.detail(&detail, &own, &node),
            meta: self.meta(meta, &node),
        }
    }

    /// A Deployment.
    pub fn deployment(&self, row: &Deployment) -> Deployment {
        let Deployment {
            meta,
            desired,
            current,
            ready,
            updated,
            available,
            images,
            selector,
            strategy,
            bounds,
            paused,
            revision,
            rollout,
            deadline,
            finished,
            health,
            why,
            since,
            detail,
        } = row.clone();
        let own = self.own(&meta, &detail);
        Deployment {
            desired,
            current,
            ready,
            updated,
            available,
            images: self.names.images(&images),
            selector: self.names.selector(&selector),
            strategy,
            bounds,
            paused,
            revision,
            rollout,
            deadline,
            finished,
            health,
            why: self.text(&why, &own),
            since,
            detail: self.detail(&detail, &own, ""),
            meta: self.meta(meta, ""),
        }
    }

    /// A DaemonSet.
    pub fn daemon_set(&self, row: &DaemonSet) -> DaemonSet {
        let DaemonSet {
            meta,
            desired,
            current,
            ready,
            updated,
            available,
            node_selector,
            images,
            selector,
            rollout,
            bounds,
            health,
            why,
            detail,
        } = row.clone();
        let own = self.own(&meta, &detail);
        DaemonSet {
            desired,
            current,
            ready,
            updated,
            available,
            node_selector: self.names.selector(&node_selector),
            images: self.names.images(&images),
            selector: self.names.selector(&selector),
            rollout,
            bounds,
            health,
            why: self.text(&why, &own),
            detail: self.detail(&detail, &own, ""),
            meta: self.meta(meta, ""),
        }
    }

    /// A StatefulSet.
    pub fn stateful_set(&self, row: &StatefulSet) -> StatefulSet {
        let StatefulSet {
            meta,
            desired,
            current,
            ready,
            updated,
            available,
            images,
            selector,
            rollout,
            bounds,
            health,
            why,
            detail,
        } = row.clone();
        let own = self.own(&meta, &detail);
        let rollout = match rollout {
            StatefulSetRollout::Updating { updated, revision } => {
                StatefulSetRollout::Updating { updated, revision: self.names.text(&revision) }
            }
            StatefulSetRollout::Complete { current, revision } => {
                StatefulSetRollout::Complete { current, revision: self.names.text(&revision) }
            }
            other @ (StatefulSetRollout::NotRolling
            | StatefulSetRollout::Unobserved
            | StatefulSetRollout::BecomingReady { .. }
            | StatefulSetRollout::UpdatingPartition { .. }
            | StatefulSetRollout::PartitionComplete { .. }) => other,
        };
        StatefulSet {
            desired,
            current,
            ready,
            updated,
            available,
            images: self.names.images(&images),
            selector: self.names.selector(&selector),
            rollout,
            bounds,
            health,
            why: self.text(&why, &own),
            detail: self.detail(&detail, &own, ""),
            meta: self.meta(meta, ""),
        }
    }

    fn replicas(&self, replicas: Replicas, own: &Own) -> Replicas {
        let Replicas {
            desired,
            current,
            ready,
            available,
            images,
            selector,
            revision,
            formerly,
            change_cause,
            health,
            why,
            detail,
        } = replicas;
        Replicas {
            desired,
            current,
            ready,
            available,
            images: self.names.images(&images),
            selector: self.names.selector(&selector),
            revision,
            formerly,
            change_cause: left_out(&change_cause),
            health,
            why: self.text(&why, own),
            detail: self.detail(&detail, own, ""),
        }
    }

    /// A ReplicaSet.
    pub fn replica_set(&self, row: &ReplicaSet) -> ReplicaSet {
        let ReplicaSet { meta, replicas } = row.clone();
        let own = self.own(&meta, &replicas.detail);
        ReplicaSet { replicas: self.replicas(replicas, &own), meta: self.meta(meta, "") }
    }

    /// A ReplicationController.
    pub fn replication_controller(&self, row: &ReplicationController) -> ReplicationController {
        let ReplicationController { meta, replicas } = row.clone();
        let own = self.own(&meta, &replicas.detail);
        ReplicationController { replicas: self.replicas(replicas, &own), meta: self.meta(meta, "") }
    }

    /// A ControllerRevision.
    pub fn controller_revision(&self, row: &ControllerRevision) -> ControllerRevision {
        let ControllerRevision { meta, controller, revision, images, change_cause, detail } = row.clone();
        let own = self.own(&meta, &detail);
        ControllerRevision {
            controller: self.names.qualified(&controller),
            revision,
            images: self.names.images(&images),
            change_cause: left_out(&change_cause),
            detail: self.detail(&detail, &own, ""),
            meta: self.meta(meta, ""),
        }
    }

    /// A node.
    pub fn node(&self, row: &Node) -> Node {
        let Node {
            meta,
            ready,
            unschedulable,
            roles,
            version,
            internal_ip,
            external_ip,
            os_image,
            kernel_version,
            architecture,
            container_runtime,
            taints,
            allocatable,
            capacity,
            changed,
            health,
            why,
            since,
            detail,
        } = row.clone();
        let shown = self.names.node(&Text::from(&*meta.name));
        let own = vec![(meta.name.clone(), shown.clone().into())];
        Node {
            ready,
            unschedulable,
            roles: roles.iter().map(|role| self.names.role(role)).collect(),
            version,
            internal_ip: internal_ip.map(|ip| self.names.address(&ip)),
            external_ip: external_ip.map(|ip| self.names.address(&ip)),
            os_image,
            kernel_version,
            architecture,
            container_runtime,
            taints: taints
                .into_iter()
                .map(|Taint { key, value, effect }| Taint {
                    value: self.names.label_value(&key, &value),
                    key: self.names.label_key(&key),
                    effect,
                })
                .collect(),
            allocatable: self.resources(&allocatable),
            capacity: self.resources(&capacity),
            changed,
            health,
            why: self.text(&why, &own),
            since,
            detail: self.detail(&detail, &own, ""),
            meta: Meta { name: shown.into(), ..self.meta(meta.clone(), &meta.name) },
        }
    }

    /// A node's Lease.
    pub fn lease(&self, row: &Lease) -> Lease {
        let Lease { meta, holder, renewed, duration } = row.clone();
        let name = self.names.node(&Text::from(&*meta.name)).into();
        Lease {
            holder: self.node_of(&holder, &meta.name),
            renewed,
            duration,
            meta: Meta { name, ..self.meta(meta.clone(), &meta.name) },
        }
    }

    /// A namespace.
    pub fn namespace(&self, row: &Namespace) -> Namespace {
        let Namespace { meta, phase, health } = row.clone();
        Namespace { meta: self.meta(meta, ""), phase, health }
    }

    /// A Service.
    pub fn service(&self, row: &Service) -> Service {
        let Service {
            meta,
            kind,
            cluster_ips,
            external_ips,
            ingress,
            external_name,
            ports,
            selector,
            publish_not_ready,
            health,
            why,
            detail,
        } = row.clone();
        let own = self.own(&meta, &detail);
        let addresses = |all: Vec<Arc<str>>| all.iter().map(|one| self.names.address(one)).collect();
        let ports = ports.into_iter().map(|mut port| {
            port.name = self.names.text(&port.name);
            port.target = self.port_of(&port.target);
            port.app_protocol = self.names.text(&port.app_protocol);
            port
        });
        Service {
            kind,
            cluster_ips: addresses(cluster_ips),
            external_ips: addresses(external_ips),
            ingress: addresses(ingress),
            external_name: self.names.address(&external_name),
            ports: ports.collect(),
            selector: selector.map(|selector| self.names.labels(&selector)),
            publish_not_ready,
            health,
            why: self.text(&why, &own),
            detail: self.detail(&detail, &own, ""),
            meta: self.meta(meta, ""),
        }
    }

    /// An EndpointSlice with those of its endpoints that are granted.
    pub fn endpoint_slice(&self, row: &EndpointSlice, granted: &dyn Fn(&Endpoint) -> bool) -> EndpointSlice {
        let EndpointSlice { meta, address_type, service, ports, endpoints, detail } = row.clone();
        let own = self.own(&meta, &detail);
        let ports = ports.into_iter().map(|mut port| {
            port.name = port.name.map(|name| self.names.text(&name));
            port.app_protocol = self.names.text(&port.app_protocol);
            port
        });
        let endpoints = endpoints.into_iter().filter(granted).map(|endpoint| {
            let Endpoint { addresses, target, node, zone, hostname, ready, serving, terminating } = endpoint;
            Endpoint {
                addresses: addresses.iter().map(|one| self.names.address(one)).collect(),
                target: target.map(|mut target| {
                    target.name = self.names.on_node(&target.name, &node);
                    target
                }),
                node: self.names.node(&node),
                zone: self.names.text(&zone),
                hostname: self.names.text(&hostname),
                ready,
                serving,
                terminating,
            }
        });
        EndpointSlice {
            address_type,
            service: self.names.text(&service),
            ports: ports.collect(),
            endpoints: endpoints.collect(),
            detail: self.detail(&detail, &own, ""),
            meta: self.meta(meta, ""),
        }
    }

    /// A PodDisruptionBudget.
    pub fn pod_disruption_budget(&self, row: &PodDisruptionBudget) -> PodDisruptionBudget {
        let PodDisruptionBudget {
            meta,
            min_available,
            max_unavailable,
            disruptions_allowed,
            current_healthy,
            desired_healthy,
            expected_pods,
            selector,
            unhealthy_pods,
            observed,
            health,
            why,
            detail,
        } = row.clone();
        let own = self.own(&meta, &detail);
        PodDisruptionBudget {
            min_available,
            max_unavailable,
            disruptions_allowed,
            current_healthy,
            desired_healthy,
            expected_pods,
            selector: selector.map(|selector| self.names.selector(&selector)),
            unhealthy_pods,
            observed,
            health,
            why: self.text(&why, &own),
            detail: self.detail(&detail, &own, ""),
            meta: self.meta(meta, ""),
        }
    }

    /// An event about a granted object, whose containers are `containers` and whose node is `node`.
    pub fn event(&self, row: &Event, about: &Meta, detail: Option<&Detail>, node: &str) -> Event {
        let Event {
            meta,
            first,
            last,
            count,
            kind,
            reason,
            object_kind,
            object_namespace: _,
            object_name: _,
            object_uid,
            subobject,
            source,
            component,
            reporting_component,
            message,
        } = row.clone();
        let mut own = self.own(about, detail.unwrap_or(&Detail::default()));
        let called: Arc<str> = match object_kind == "Node" {
            true => self.names.node(&Text::from(&*about.name)).into(),
            false => self.names.on_node(&about.name, node),
        };
        own.insert(0, (about.name.clone(), called.clone()));
        if !node.is_empty() {
            own.push((node.into(), self.names.node(&node.into()).into()));
        }
        let here = if object_kind == "Node" { &*about.name } else { node };
        let known = |component: &Text| match COMPONENTS.contains(&component.as_str()) {
            true => component.clone(),
            false => left_out(component),
        };
        let source = match source.split_once(", ") {
            Some((said_by, host)) => {
                format!("{}, {}", known(&Text::from(said_by)), self.node_of(&Text::from(host), here)).into()
            }
            None => known(&source),
        };
        let subobject = match subobject.strip_suffix('}').and_then(|subobject| subobject.split_once('{')) {
            Some((list @ ("spec.containers" | "spec.initContainers" | "spec.ephemeralContainers"), name))
                if detail.is_some_and(|detail| detail.containers.iter().any(|one| *one.name == *name)) =>
            {
                format!("{list}{{{}}}", self.names.text(&Text::from(name))).into()
            }
            _ => left_out(&subobject),
        };
        // called after its object, and after others where somebody wants to
        let name = match meta.name.strip_prefix(&*about.name) {
            Some(rest) if rest.starts_with('.') && rest.bytes().skip(1).all(|b| b.is_ascii_hexdigit()) => {
                format!("{called}{rest}").into()
            }
            _ => self.names.unlike(&meta.name).into(),
        };
        Event {
            first,
            last,
            count,
            kind: words::word(&kind).into(),
            reason: words::word(&reason).into(),
            object_kind,
            object_namespace: self.names.text(&about.namespace),
            object_name: called,
            object_uid,
            subobject,
            source,
            component: known(&component),
            reporting_component: known(&reporting_component),
            message: self.text(&message, &own),
            meta: Meta { name, labels: Labels::default(), owner: None, ..self.meta(meta, "") },
        }
    }
}

/// How a kind stands, without what an error names.
pub fn state(state: &KindState) -> KindState {
    let text = |because: &Text| words::message(because, false, &|_| None).into();
    match state {
        KindState::Failing { because } => KindState::Failing { because: text(because) },
        KindState::Stale { since, because } => KindState::Stale { since: *since, because: text(because) },
        KindState::Forbidden { verb, resource, namespace: _ } => KindState::Forbidden {
            verb: verb.clone(),
            resource: resource.clone(),
            namespace: Text::default(),
        },
        // how many there are in all is not theirs to know
        KindState::Listing { seen: _ } => KindState::Listing { seen: 0 },
        state @ (KindState::Connecting | KindState::Live) => state.clone(),
    }
}

/// Whether a kind that owns others is one of Kubernetes' own: others are called as somebody named them.
fn is_known(kind: &str) -> bool {
    matches!(kind, "Job" | "CronJob") || Kind::ALL.iter().any(|known| known.name() == kind)
}

/// What runtimes call an image: as it is written, with the registry that it then comes from, and either without its
/// tag (distribution `reference/normalize.go`).
fn names_of(image: &Text) -> impl Iterator<Item = Text> {
    let (first, rest) = image.split_once('/').unwrap_or(("", image));
    let has_registry = first.contains(['.', ':']) || first == "localhost";
    let full = match (has_registry, first.is_empty()) {
        (true, _) => image.to_string(),
        (false, true) => format!("docker.io/library/{rest}"),
        (false, false) => format!("docker.io/{image}"),
    };
    let bare = |name: &str| match name.rsplit_once(':') {
        Some((bare, tag)) if !tag.contains('/') => bare.to_owned(),
        _ => name.to_owned(),
    };
    let untagged = [bare(image), bare(&full)];
    [image.to_string(), full].into_iter().chain(untagged).map(Text::from)
}

/// That there is something, and not what.
fn left_out(text: &Text) -> Text {
    if text.is_empty() { text.clone() } else { LEFT_OUT.into() }
}

/// Facts of `kubectl describe` that name nothing but themselves.
const FACTS: [&str; 25] = [
    "Allowed disruptions",
    "Architecture",
    "Container Runtime Version",
    "Current",
    "Desired",
    "Kernel Version",
    "Kubelet Version",
    "Max unavailable",
    "Min available",
    "MinReadySeconds",
    "Number of Nodes Misscheduled",
    "OS Image",
    "Operating System",
    "Priority",
    "Progress Deadline",
    "QoS Class",
    "Restart Policy",
    "Revision History Limit",
    "RollingUpdateStrategy",
    "Start Time",
    "StrategyType",
    "Termination Grace Period",
    "Total",
    "Unhealthy Pod Eviction Policy",
    "Update Strategy",
];

/// Who reports events in every cluster.
const COMPONENTS: [&str; 20] = [
    "attachdetach-controller",
    "controllermanager",
    "cronjob-controller",
    "daemonset-controller",
    "default-scheduler",
    "deployment-controller",
    "endpoint-controller",
    "endpoint-slice-controller",
    "horizontal-pod-autoscaler",
    "job-controller",
    "kube-proxy",
    "kubelet",
    "node-controller",
    "persistentvolume-controller",
    "replicaset-controller",
    "replication-controller",
    "service-controller",
    "statefulset-controller",
    "taint-eviction-controller",
    "node-lifecycle-controller",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_there_are_in_the_whole_is_not_said_of_a_part() {
        assert_eq!(state(&KindState::Listing { seen: 7 }), KindState::Listing { seen: 0 });
        assert_eq!(state(&KindState::Live), KindState::Live);
    }

    #[test]
    fn an_image_is_called_by_all_its_names() {
        let names =
            |image: &str| names_of(&Text::from(image)).map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names("web:1"), ["web:1", "docker.io/library/web:1", "web", "docker.io/library/web"]);
        assert_eq!(names("me/web"), ["me/web", "docker.io/me/web", "me/web", "docker.io/me/web"]);
        let own = "localhost:5000/web:1";
        assert_eq!(names(own), [own, own, "localhost:5000/web", "localhost:5000/web"]);
    }
}
