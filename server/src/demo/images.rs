//! Pulling images, and holding off when that fails
//! (kubernetes `pkg/kubelet/images/image_manager.go`).

use super::clock::go_duration;
use super::cluster::Cluster;
use super::kubelet::{FIRST_BACK_OFF_MS, LAST_BACK_OFF_MS, SYNC_MS, Step};
use super::run::State;
use super::workload::{full_name, pull_error};

impl Cluster {
    pub(super) fn pull(&mut self, uid: &str, index: usize) {
        let Some(run) = self.runs.get(uid) else {
            return;
        };
        let Some(container) = run.containers.get(index) else {
            return;
        };
        let (image, always) = (container.image.clone(), container.always_pull);
        let present = self.images.contains(&(run.node.clone(), full_name(&image)));
        if present && !always {
            self.record_container(uid, index, false, "Pulled", |_| {
                format!(
                    "Container image \"{image}\" already present on machine and can be accessed by the pod"
                )
            });
            let create = self.random.between(60, 200);
            return self.plan(uid, create, Step::Start(index));
        }
        self.record_container(uid, index, false, "Pulling", |_| format!("Pulling image \"{image}\""));
        if pull_error(&image).is_some() {
            let took = self.random.between(700, 1900);
            return self.plan(uid, took, Step::PullFailed(index));
        }
        // Where the layers are already, only the manifest is asked for.
        let took = if present { self.random.between(450, 1100) } else { self.random.between(3000, 9000) };
        self.plan(uid, took, Step::Pulled { container: index, took });
    }

    pub(super) fn pulled(&mut self, uid: &str, index: usize, took: i64) {
        let Some(run) = self.runs.get(uid) else {
            return;
        };
        let Some(container) = run.containers.get(index) else {
            return;
        };
        let (node, image) = (run.node.clone(), container.image.clone());
        self.images.insert((node, full_name(&image)));
        let size = 40_000_000 + i64::from(image.len() as u32) * 6_511_733;
        let took = go_duration(took);
        self.record_container(uid, index, false, "Pulled", |_| {
            format!("Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {size} bytes.")
        });
        let create = self.random.between(60, 200);
        self.plan(uid, create, Step::Start(index));
    }

    pub(super) fn pull_failed(&mut self, uid: &str, index: usize) {
        let Some(container) = self.container(uid, index) else {
            return;
        };
        let Some(error) = pull_error(&container.image) else {
            return;
        };
        let image = container.image.clone();
        container.state = State::Waiting { reason: "ErrImagePull", message: error.clone() };
        container.pull_back_off = (container.pull_back_off * 2).clamp(FIRST_BACK_OFF_MS, LAST_BACK_OFF_MS);
        let until = container.pull_back_off;
        self.record_container(uid, index, true, "Failed", |_| {
            format!("Failed to pull image \"{image}\": {error}")
        });
        self.record_container(uid, index, true, "Failed", |_| "Error: ErrImagePull".to_owned());
        self.report_pod(uid);
        let (soon, until) = (self.random.between(900, 2500), self.now + until);
        self.plan(uid, soon, Step::PullBackOff { container: index, until });
    }

    pub(super) fn pull_back_off(&mut self, uid: &str, index: usize, until: i64) {
        let Some(container) = self.container(uid, index) else {
            return;
        };
        let image = container.image.clone();
        let cause = pull_error(&image).unwrap_or_default();
        let message = format!("Back-off pulling image \"{image}\": ErrImagePull: {cause}");
        container.state = State::Waiting { reason: "ImagePullBackOff", message };
        self.record_container(uid, index, false, "BackOff", |_| {
            format!("Back-off pulling image \"{image}\"")
        });
        self.record_container(uid, index, true, "Failed", |_| "Error: ImagePullBackOff".to_owned());
        self.report_pod(uid);
        let left = until - self.now;
        match left > SYNC_MS {
            true => self.plan(uid, SYNC_MS, Step::PullBackOff { container: index, until }),
            false => self.plan(uid, left.max(0), Step::Pull(index)),
        }
    }
}
