import { type ApiObject, type Cluster } from './client';

/** What a moment of a scene is waited for by, and what the page says then. */
export type Look = (moment: string, says: (string | RegExp)[]) => Promise<void>;

/** What happens to a workload of real containers, and what who sees only its picture can say of it. */
export type Scene = { name: string; kind?: 'replicationcontroller' | 'daemonset' | 'statefulset'; spec?: object; container?: object; act: (on: Stage, look: Look) => Promise<void> };

/** A workload, to be acted on. */
export class Stage {
  constructor(
    readonly cluster: Cluster,
    readonly namespace: string,
    readonly scene: Scene,
  ) {}

  get kind() {
    return this.scene.kind ?? 'deployment';
  }

  kubectl(...args: string[]) {
    return this.cluster.kubectl(...args, '-n', this.namespace);
  }

  rollout(verb: string, ...args: string[]) {
    return this.kubectl('rollout', verb, `${this.kind}/${this.scene.name}`, ...args);
  }

  image(version: 'v2' | 'v3' | 'none') {
    return this.kubectl('set', 'image', `${this.kind}/${this.scene.name}`, `service=${this.cluster.image(version)}`);
  }

  /** Its container is changed. */
  container(patch: object) {
    return this.template({ containers: [{ name: 'service', ...patch }] });
  }

  template(spec: object) {
    return this.kubectl('patch', `deployment/${this.scene.name}`, '-p', JSON.stringify({ spec: { template: { spec } } }));
  }

  async pods(): Promise<ApiObject[]> {
    const list = await this.cluster.request<{ items: ApiObject[] }>('GET', `/api/v1/namespaces/${this.namespace}/pods?labelSelector=app%3D${this.scene.name}`);
    return list.items;
  }

  async create() {
    const { name, spec = {}, container = {} } = this.scene;
    const labels = { app: name };
    const template = {
      metadata: { labels },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'service', image: this.cluster.image('latest'), ...container }] },
    };
    const metadata = { name, namespace: this.namespace };
    const kind = { deployment: 'Deployment', replicationcontroller: 'ReplicationController', daemonset: 'DaemonSet', statefulset: 'StatefulSet' }[this.kind];
    await this.cluster.apply({
      apiVersion: kind === 'ReplicationController' ? 'v1' : 'apps/v1',
      kind,
      metadata,
      spec: {
        ...(kind !== 'DaemonSet' && { replicas: 2 }),
        ...(kind === 'StatefulSet' && { serviceName: name }),
        selector: kind === 'ReplicationController' ? labels : { matchLabels: labels },
        template,
        ...spec,
      },
    });
  }
}

const daemons = [/^succeeded$/m, /daemon set "everywhere" successfully rolled out/];
const through = [/^succeeded$/m, /successfully rolled out/];
const probe = (path: string) => ({ httpGet: { path, port: 5000 }, periodSeconds: 1, failureThreshold: 1 });
const env = (name: string, value: string) => ({ env: [{ name, value }] });

export const scenes: Scene[] = [
  {
    name: 'good',
    spec: { replicas: 3, minReadySeconds: 4 },
    act: async (on, look) => {
      await on.image('v2');
      await look('under way', [/^in progress$/m, /out of 3 new replicas have been updated/, 'Revision 1 (old)', 'Revision 2 (new)', /ready, but not yet for minReadySeconds \(4 s\)/]);
      await look('through', [...through, 'Revision 2 begins', 'The rollout succeeded', 'image: masthead/service:v2']);
    },
  },
  {
    name: 'no-image',
    act: async (on, look) => {
      await on.image('none');
      await look('stuck', [/^in progress$/m, /A pod cannot get its image \((ErrImagePull|ImagePullBackOff)\)/, /service:none/]);
    },
  },
  {
    name: 'not-alive',
    spec: { minReadySeconds: 5 },
    act: async (on, look) => {
      // `/predict` without its four numbers is answered with 500, as in the tutorial.
      await on.container({ livenessProbe: probe('/predict') });
      await look('restarted', [/^in progress$/m, /A pod: a container ends again and again \(CrashLoopBackOff\)/, /shortly before: Liveness probe failed: HTTP probe failed with statuscode: 500/]);
    },
  },
  {
    name: 'never-ready',
    spec: { progressDeadlineSeconds: 15 },
    act: async (on, look) => {
      await on.container({ readinessProbe: probe('/ready'), ...env('READY_AFTER', '1h') });
      await look('before its deadline', [/^in progress$/m, /without progress, of 15s/, /A pod is not ready, and a probe fails/, /Readiness probe failed: HTTP probe failed with statuscode: 503/]);
      await look('after it', [/^exceeded its deadline$/m, /exceeded its progress deadline/, 'The rollout exceeded its deadline', /Readiness probe failed/]);
    },
  },
  {
    name: 'paused',
    act: async (on, look) => {
      await on.rollout('pause');
      await on.image('v2');
      await look('paused', [/^paused$/m, /It is paused: changes of its template wait for kubectl rollout resume/]);
      await on.rollout('resume');
      await look('resumed', [...through, 'Paused', 'Resumed', 'Revision 2 begins']);
    },
  },
  {
    name: 'undone',
    act: async (on, look) => {
      await on.image('v2');
      await look('updated', [...through, 'Revision 2 begins', 'The rollout succeeded']);
      await on.rollout('undo');
      await look('undone', [...through, /The rollout succeeded[^]*Undone: revision 1 became 3, a rollout begins[^]*The rollout succeeded/, 'undone to: it was revision 1']);
    },
  },
  {
    name: 'undone-to',
    act: async (on, look) => {
      for (const version of ['v2', 'v3'] as const) {
        await on.image(version);
        await look(`updated to ${version}`, [...through, `image: masthead/service:${version}`]);
      }
      await on.rollout('undo', '--to-revision=1');
      await look('undone', [...through, 'Undone: revision 1 became 4, a rollout begins']);
    },
  },
  {
    name: 'restarted',
    act: async (on, look) => {
      await on.rollout('restart');
      await look('restarted', [...through, 'Revision 2 begins: kubectl rollout restart', 'kubectl.kubernetes.io/restartedAt']);
    },
  },
  {
    name: 'scaled',
    spec: { replicas: 3, minReadySeconds: 6 },
    act: async (on, look) => {
      await on.image('v2');
      await look('under way', [/^in progress$/m, 'Revision 2 begins']);
      await on.kubectl('scale', 'deployment/scaled', '--replicas=5');
      await look('scaled meanwhile', [/^in progress$/m, 'Scaled from 3 to 5, which is no rollout', /of 5 new replicas|out of 5/]);
      await look('through', [...through, /Now 0 old and 5 new/]);
    },
  },
  {
    name: 'autoscaled',
    spec: { replicas: 2, minReadySeconds: 6 },
    act: async (on, look) => {
      await on.image('v2');
      // It has no metrics here, and needs none to see that there are fewer than the least it allows.
      await on.cluster.apply({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'autoscaled', namespace: on.namespace },
        spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'autoscaled' }, minReplicas: 4, maxReplicas: 5 },
      });
      await look('through', [...through, 'Scaled from 2 to 4, which is no rollout', 'The rollout succeeded', /Now 0 old and 4 new/]);
    },
  },
  {
    name: 'quota',
    act: async (on, look) => {
      // Of their CPU only this one's pods are counted: no others ask for any.
      await on.cluster.apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'few', namespace: on.namespace }, spec: { hard: { 'requests.nvidia.com/gpu': '0' } } });
      await on.container({ image: on.cluster.image('v2'), resources: { limits: { 'nvidia.com/gpu': '1' } } });
      await look('refused', [/A quota does not allow more pods/, /exceeded quota: few/]);
    },
  },
  {
    name: 'no-node',
    act: async (on, look) => {
      await on.template({ nodeSelector: { disk: 'ssd' } });
      await look('pending', [/^in progress$/m, /A pod fits on no node/, /didn't match Pod's node affinity\/selector/]);
    },
  },
  {
    name: 'crashing',
    spec: { minReadySeconds: 5 },
    act: async (on, look) => {
      await on.container(env('EXIT_AFTER', '100ms'));
      await on.container({ env: [{ name: 'EXIT_AFTER', value: '100ms' }, { name: 'EXIT_CODE', value: '3' }] });
      await look('crashing', [/A pod: a container ends again and again \(CrashLoopBackOff\)/, /exit code 3/, 'The rollout was replaced by a newer one before it was through']);
    },
  },
  {
    name: 'recreated',
    spec: { strategy: { type: 'Recreate' } },
    act: async (on, look) => {
      await on.image('v2');
      await look('through', [...through, 'Revision 1 (old)', 'Revision 2 (new)', 'Revision 2 begins', /keeps at least 0 available and at most 2 in all/]);
    },
  },
  {
    name: 'everywhere',
    kind: 'daemonset',
    act: async (on, look) => {
      await on.image('v2');
      await look('updated', [...daemons, 'Revision 2 begins', 'The rollout succeeded', 'image: masthead/service:v2']);
      await on.rollout('undo');
      await look('undone', [...daemons, 'Revision 3 begins: undone to: it was an earlier revision', /The rollout succeeded[^]*The rollout succeeded/]);
    },
  },
  {
    name: 'ordered',
    kind: 'statefulset',
    spec: { updateStrategy: { rollingUpdate: { partition: 1 } } },
    act: async (on, look) => {
      await on.image('v2');
      await look('in part', [/^succeeded$/m, /partitioned roll out complete: 1 new pods have been updated/, 'Its partition is 1', 'Revision 1 (old)', 'Revision 2 (new)']);
      await on.kubectl('patch', 'statefulset/ordered', '-p', JSON.stringify({ spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } }));
      await look('through', [/^succeeded$/m, /partitioned roll out complete: 2 new pods have been updated/, 'The rollout succeeded']);
    },
  },
  {
    name: 'rf',
    kind: 'replicationcontroller',
    act: async (on, look) => {
      const [{ metadata }] = await on.pods();
      await on.kubectl('delete', 'pod', metadata.name, '--wait=false');
      await look('a pod deleted', [/^complete$/m, `In place of ${metadata.name}, ready`, /kubectl rolling-update, which did this step by step, no longer exists/]);
    },
  },
];
