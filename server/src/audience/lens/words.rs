//! Free text as a grant lets it through. Events, conditions and reasons are written by anybody and may name anything,
//! so no list of what to take out can be complete. What passes is listed instead: words that Kubernetes' own messages
//! are made of, small numbers and durations, and names that are granted. Every other word becomes `…`.

use std::{collections::HashSet, sync::LazyLock};

/// What stands for words that are not granted.
pub const LEFT_OUT: &str = "…";

/// Words of the kubelet's, the scheduler's and the controllers' messages, and of our own sentences about them, in lower
/// case. Single words are nobody's text; a name in quotes is never taken for one.
const VOCABULARY: &str = "
a about accepting access accessed active add added adding address addresses admission affinity after again age all
allocated allow allowed already always an and annotation another anti-affinity any api are as ask asks assigned at
attach attached attaching attempt attempts available availability awaiting back-off backoff be because becoming been
before begin begins begun being below budget but by can cannot cancelled capacity change changed check checking cleaning
client client.timeout cluster code combined complete completed condition conditions configuration configured conflict
connect connection container container's containerd containers context controller core could count cpu crash create
created creating current daemon data deadline deadlineexceeded default delay delete deleted deleting deletion deny
deployment desc describe desired detached detaching did didn't different disk disks disruption do does doesn't down
drain drained due during each effect either empty end ended ending endpoint endpoints enough ephemeral ephemeral-storage
error error: errored errors evict evicted evicting eviction exceed exceeded exceeding exec exist exists exit exited
expected extra fail failed failing fails failure failures fetch few field file finalizers find fit fits for forbidden
found free from full get gets given go gone got grace had handler handlers has hasn't have haven't having health
healthcheck healthy held helpful higher hold hook host hosts hours how http https id if image images in includes
including incoming incomplete init initialized inode inodes insufficient interface internal into invalid is isn't it its
job kernel kill killed killing kubelet labels large last least left less lifecycle limit limited limits list liveness
load log long low lower machine made maintenance many match matched matching max maximum may memory message metrics min
minimum minutes missing more most mount mounted mounting mounts much must name names namespace need needed needs negative
network never new newest next no node node's nodes none normal not nothing now object observed of off ok old older on
once one only open operation or order other out over own passed path paused peer pending per period permission phase pid
pids place plugin pod pod's podgroup pods policy poll port ports possible postStart posting preempt preempted preempting
preemption preferred present pressure prestop probe problem process processes progress progressed progressing protocol
provisioning pull pulled pulling pvc quantity quota range rate re-created read readiness ready reason received refused
registry reject rejected release remaining remove removed removing replace replaced replica replicas replicaset
replication reply report reported requested request requests require required requires reset resource resources response
restart restarted restarting restarts result resume resync retry return returned revision rolled rolling rollout root
rpc rule rules run running sandbox satisfied satisfy scale scaled scaling schedule scheduled scheduler scheduling
seconds secs see selector sent serving server service set sets several should shutdown shutting since size so some spec
stale start started starting startup state statefulset stateful status statuscode step still stop stopped stopping
storage success successful successfully successful. such sufficient surge sync synced system taint taints tainted taken
tcp template temporarily terminal terminate terminated terminating termination than that the their them then there they
this those threshold time timed timeout times to toleration tolerations tolerate tolerated too topology total transient
try trying two type udp unable unavailable unbound unexpected unhealthy unknown unmounted unmounting unready unreachable
unresponsive unschedulable until untolerated up update updated updating usage use used user using valid value version
victims volume volumes wait waiting waits wants warning was watch were what when where which while who whose will with
without within working would write wrong yet you your zero zone
affinity/selector anti-affinity connect: connection-refused eof i/o read: dial tcp: lookup desc: runtime
current desired older healthy readiness-gate gates gate daemonset replicationcontroller outside nobody said listed
confirmed answered silent answer answers refuses closed stream expired bookmark ended.
authentication authorization away balancer blocked bytes combined controllers cordoned corresponding denied digest
es events finish foregrounddeletion insufficient_scope kept layer manager manifest new-revision non-empty partitioned
recreated repository resolve resolved roll rootfs s signal similar unauthorized unpack unpacked
";

/// Reasons and types: each is a word of its own in Kubernetes' sources, in the letters in which it is written there.
/// First the codes of gRPC, which container runtimes answer with.
const REASONS: &str = "
OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted
FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated
AbortedSuccessfully AddedInterface Available BackOff BackoffLimitExceeded CannotRun Completed CompletedIndexes
Container ContainerCannotRun ContainerCreating ContainerGCFailed ContainerStatusUnknown ContainersNotInitialized
ContainersNotReady ContainersReady CrashLoopBackOff CreateContainerConfigError CreateContainerError
CreatePodSandboxError Created DaemonSet DeadlineExceeded DeletingNode Deployment DeploymentPaused
DeploymentResumed DeploymentRollback DisruptionAllowed DisruptionTarget EndpointSlice ErrImageNeverPull ErrImagePull
Error Evicted EvictionByEvictionAPI DeletionByPodGC DeletionByTaintManager Exec Failed FailedAttachVolume
FailedBinding FailedComplete FailedCreate FailedCreatePodContainer FailedCreatePodSandBox FailedDaemonPod FailedDelete
FailedKillPod FailedMapVolume FailedMount FailedPostStartHook FailedPreStopHook FailedScheduling FailedSync
FailedToCreateEndpoint FailedToUpdateEndpoint FailedToUpdateEndpointSlices FailedUnMount FailedValidation
FoundNewReplicaSet FreeDiskSpaceFailed Generic HostPortConflict ImageGCFailed ImageInspectError ImagePullBackOff
Initialized InsufficientPods InvalidDiskCapacity InvalidEnvironmentVariableNames InvalidImageName Job JobSuspended
KillContainer KillPodSandbox Killing KubeletHasDiskPressure KubeletHasInsufficientMemory KubeletHasInsufficientPID
KubeletHasNoDiskPressure KubeletHasSufficientDisk KubeletHasSufficientMemory KubeletHasSufficientPID KubeletNotReady
KillContainerError KubeletReady KubeletSetupFailed DiskPressure MemoryPressure PIDPressure NetworkUnavailable MinimumReplicasAvailable
MinimumReplicasUnavailable MissingClusterDNS NetworkNotReady NetworkPluginNotReady NewReplicaSetAvailable
NewReplicaSetCreated NewReplicaSetReason NoPods Node NodeAffinity NodeAllocatableEnforced NodeHasDiskPressure
NodeHasInsufficientMemory NodeHasInsufficientPID NodeHasNoDiskPressure NodeHasSufficientMemory NodeHasSufficientPID
NodeLost NodeNotReady NodeNotSchedulable NodeReady NodeSchedulable NodeShutdown NodeStatusNeverUpdated
NodeStatusUnknown NodeUnreachable NoExecute NoSchedule NotReady NotTriggerScaleUp OOMKilled OOMKilling OutOfcpu
OutOfdisk OutOfephemeral-storage OutOfmemory OutOfpods OwnerRefInvalidNamespace Pod PodCompleted PodFailed
PodInitializing PodReadyToStartContainers PodScheduled PodSandboxChanged PodHasNetwork PodResizePending
PodResizeInProgress Infeasible Deferred PostStartHookError PreCreateHookError PreStartContainer PreStartHookError
PreStopHookError Preempted Preempting PreemptionByScheduler PreferNoSchedule ProbeError ProbeWarning Progressing
ProgressDeadlineExceeded Pulled Pulling Ready ReadinessGatesNotReady Rebooted Reloading Recreated RecreatingFailedPod
RecreatingTerminatedPod RegisteredNode RegistryUnavailable RemovingNode ReplicaFailure ReplicaSet ReplicaSetCreateError
ReplicaSetUpdated ReplicationController ResourceVersion Resumed Running RunContainerError SandboxChanged
ScalingReplicaSet Scheduled SchedulerError SchedulingGated SelectingAll Service ShutdownDelayed Started Starting
StartError StartUp StartupCompleted StatefulSet StatefulSetUpdate Succeeded SuccessfulAttachVolume SuccessfulCreate
SuccessfulDelete SuccessfulMountVolume SufficientPods SystemOOM TaintManagerEviction Terminated TerminationByKubelet
Terminating TooManyReplicas TopologyAffinityError TopologyAwareHintsDisabled TopologyAwareHintsEnabled
TriggeredScaleUp UnexpectedAdmissionError Unhealthy Unknown Unschedulable UnschedulableReason VolumeResizeFailed Waiting
WaitForFirstConsumer WaitForPodScheduled Warning NetworkReady Pending Evict Normal True False Shutdown
InsufficientCapacity ProvisioningFailed RecreateCompleted RecreateInProgress RolloutFailed SyncFailed AllowedToRestart StaleEndpointSlice SyncLoadBalancerFailed
EnsuringLoadBalancer EnsuredLoadBalancer UpdatedLoadBalancer DeletingLoadBalancer DeletedLoadBalancer
";

static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| VOCABULARY.split_whitespace().collect());
static EXACT: LazyLock<HashSet<&str>> = LazyLock::new(|| REASONS.split_whitespace().collect());

/// What a message goes on with is a matter of others: how many nodes there are, what a namespace's quota is used for.
const ENDS_WITH: [&str; 2] = ["nodes are available", "exceeded quota"];

/// A reason, a type, a status: one word as it is written, or [`LEFT_OUT`].
pub fn word(word: &str) -> &str {
    if word.is_empty() || EXACT.contains(word) { word } else { LEFT_OUT }
}

/// A message. `name` says how a name may be shown, if at all: it is asked about every word that is not of the
/// vocabulary, and about all in quotes. With `whole` nothing follows from what a message counts.
pub fn message(text: &str, counts: bool, name: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let text = if counts { text } else { without_counts(text, &mut out) };
    let mut quoted = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        if end > 0 {
            let (found, after) = rest.split_at(end);
            push_word(&mut out, found, quoted, name);
            rest = after;
            continue;
        }
        quoted ^= first == '"';
        if is_plain(first) {
            out.push(first)
        } else {
            leave_out(&mut out)
        }
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// The words of a message that may be names.
pub fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !in_word(c)).map(bare).filter(|word| !word.is_empty())
}

/// A word without what ends a sentence, which is no part of it.
fn bare(word: &str) -> &str {
    word.trim_end_matches(['.', ':', '\''])
}

/// The part of a message that says nothing about others, where it goes on with what does.
fn without_counts<'a>(text: &'a str, out: &mut String) -> &'a str {
    for end in ENDS_WITH {
        if let Some(at) = text.find(end) {
            if end.starts_with("nodes") {
                out.push_str("… nodes are available: …");
                return "";
            }
            return &text[..at + end.len()];
        }
    }
    text
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '%' | '+' | '\'')
}

fn is_plain(c: char) -> bool {
    matches!(
        c,
        ' ' | '"'
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '<'
            | '>'
            | ','
            | ';'
            | '='
            | '!'
            | '?'
            | '`'
            | '|'
            | '*'
            | '&'
            | '\n'
    )
}

fn leave_out(out: &mut String) {
    if !out.ends_with(LEFT_OUT) {
        out.push_str(LEFT_OUT);
    }
}

fn push_word(out: &mut String, found: &str, quoted: bool, name: &dyn Fn(&str) -> Option<String>) {
    let bare = bare(found);
    let tail = &found[bare.len()..];
    match shown(bare, quoted, name) {
        Some(shown) => out.push_str(&shown),
        None => leave_out(out),
    }
    out.push_str(tail);
}

fn shown(word: &str, quoted: bool, name: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    if word.is_empty() {
        return Some(String::new());
    }
    if let Some(name) = name(word) {
        return Some(name);
    }
    if !quoted && (is_vocabulary(word) || is_small(word))
        || is_status(word)
        || !word.contains(char::is_alphanumeric)
    {
        return Some(word.to_owned());
    }
    // `namespace/name`, `name_namespace`: each of its parts a name
    let names: Option<Vec<String>> = word.split(['/', '_']).map(name).collect();
    let mut names = names?.into_iter();
    let joints = word.matches(['/', '_']);
    let first = names.next()?;
    Some(joints.zip(names).fold(first, |all, (joint, name)| all + joint + &name))
}

/// What a condition is, which some messages have in quotes.
fn is_status(word: &str) -> bool {
    matches!(word, "True" | "False" | "Unknown")
}

fn is_vocabulary(word: &str) -> bool {
    EXACT.contains(word) || WORDS.contains(word.to_ascii_lowercase().as_str())
}

/// Numbers of at most five digits, with a unit or as a ratio: exit codes, status codes, durations, percentages. An
/// address or a version is none: it has more than one point.
fn is_small(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '/'));
    let number = &word[..word.len() - unit.len()];
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let joints = number.len() - digits;
    let durations =
        || !unit.is_empty() && word.split_inclusive(|c: char| c.is_ascii_alphabetic()).all(is_duration);
    let units = ["", "s", "ms", "m", "h", "d", "%", "x", "Ki", "Mi", "Gi", "Ti", "st", "nd", "rd", "th"];
    (1..=5).contains(&digits)
        && joints <= 1
        && (units.contains(&unit) || digits + unit.len() <= 12 && durations())
}

/// `1m`, `20s`: a part of what Go prints.
fn is_duration(part: &str) -> bool {
    let number = part.trim_end_matches(['h', 'm', 's']);
    !number.is_empty()
        && number.len() < part.len()
        && number.len() <= 6
        && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> String {
        let name = |word: &str| match word {
            "web" | "demo" | "web-1" => Some(word.to_owned()),
            "worker-3" => Some("node-x".to_owned()),
            "example/web:1" => Some("example/web:1".to_owned()),
            _ => None,
        };
        message(text, false, &name)
    }

    #[test]
    fn kubernetes_own_words_and_granted_names_pass() {
        for text in [
            "Liveness probe failed: HTTP probe failed with statuscode: 500",
            "Container web failed liveness probe, will be restarted",
            "back-off 1m20s restarting failed container=web",
            "exit code 137 (OOMKilled); back-off 5m0s restarting failed container=web",
            "Successfully pulled image \"example/web:1\" in 1.25s (1.25s including waiting)",
            "containers with unready status: [web]",
            "Deployment does not have minimum availability.",
            "2 of 3 containers are ready",
            "2 current / 3 desired",
            "corresponding condition of pod readiness gate does not have status \"True\".",
        ] {
            assert_eq!(seen(text), text);
        }
        assert_eq!(
            seen("Successfully assigned demo/web-1 to worker-3"),
            "Successfully assigned demo/web-1 to node-x"
        );
    }

    #[test]
    fn everything_else_is_left_out() {
        for (text, shows) in [
            (
                "MountVolume.SetUp failed for volume \"creds\" : secret \"db-password\" not found",
                "… failed for volume \"…\" : … \"…\" not found",
            ),
            (
                "Get \"http://10.1.2.3:8080/health\": context deadline exceeded",
                "Get \"…\": context deadline exceeded",
            ),
            ("Readiness probe failed: hunter2", "Readiness probe failed: …"),
            ("Readiness probe failed: \"container\"", "Readiness probe failed: \"…\""),
            ("exit code 123456789", "exit code …"),
            ("lookup db on 10.0.0.2: no such host", "lookup … on …: no such host"),
            ("10.0.0.2 1.37.2 1/2/3", "… … …"),
            ("to другой node", "to … node"),
            (
                "0/5 nodes are available: 1 node(s) had untolerated taint {team: fraud}, 4 Insufficient cpu",
                "… nodes are available: …",
            ),
            (
                "pods \"web-\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=9, limited: pods=9",
                "pods \"…\" is forbidden: exceeded quota",
            ),
            ("other/web-1", "…"),
            ("a\u{202e}b", "a……"),
        ] {
            let seen = seen(text);
            assert_eq!(seen.replace("……", "…"), shows.replace("……", "…"), "{text}");
        }
        assert_eq!(word("CrashLoopBackOff"), "CrashLoopBackOff");
        assert_eq!(word("Hunter2"), LEFT_OUT);
        assert_eq!(word(""), "");
    }
}
