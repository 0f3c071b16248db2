//! How a Deployment, a DaemonSet or a StatefulSet replaces its pods.

use app::api::Text;

use super::{object, scalar::IntOrString};

object! {
    /// `strategy` of a Deployment, `updateStrategy` of the others.
    pub struct Strategy {
        /// `type`: `RollingUpdate`; `Recreate` of Deployments and (alpha in 1.37) StatefulSets; `OnDelete`
        /// of DaemonSets and StatefulSets
        #[serde(rename = "type")]
        pub kind: Text,
        /// `rollingUpdate`
        pub rolling_update: Option<RollingUpdate>,
    }

    /// The bounds of a rolling update.
    pub struct RollingUpdate {
        /// `maxUnavailable`
        pub max_unavailable: Option<IntOrString>,
        /// `maxSurge`; StatefulSets have none
        pub max_surge: Option<IntOrString>,
        /// `partition`, of StatefulSets: pods with a lower ordinal keep their template
        pub partition: Option<i64>,
    }
}

impl Strategy {
    /// Its type; the server's default is `RollingUpdate` (`pkg/apis/apps/v1/defaults.go`).
    pub fn name(&self) -> &str {
        if self.kind.is_empty() { "RollingUpdate" } else { &self.kind }
    }

    /// Whether pods are replaced a few at a time.
    pub fn rolls(&self) -> bool {
        self.name() == "RollingUpdate"
    }
}
