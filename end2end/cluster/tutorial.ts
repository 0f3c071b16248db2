/** The tutorial's objects, as its manifests have them. */

const image = 'aishpra/simple-randomforest';
const plain = { name: 'simple-randomforest', image, ports: [{ containerPort: 5000 }] };
const named = { name: 'simple-randomforest', image, ports: [{ name: 'flask-port', containerPort: 5000 }] };

export const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'example-pod-randomforest', labels: { app: 'random-forest-app' } },
  spec: { containers: [plain] },
};

export const controller = {
  apiVersion: 'v1',
  kind: 'ReplicationController',
  metadata: { name: 'example-replicacontroller-randomforest' },
  spec: {
    replicas: 5,
    selector: { app: 'rc-randomforest' },
    template: { metadata: { labels: { app: 'rc-randomforest' } }, spec: { containers: [plain] } },
  },
};

const labels = { app: 'dep-randomforest' };
const deploymentOf = (name: string, container: object, more = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels },
  spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container], ...more } } },
});

export const deployment = deploymentOf('example-deployment-randomforest', plain);
export const selected = deploymentOf('example-deployment-randomforest', plain, { nodeSelector: { project: 'listingqc' } });

const probe = (path: string, more = {}) => ({ httpGet: { path, port: 'flask-port' }, ...more });
const patient = { initialDelaySeconds: 15, timeoutSeconds: 30 };
const works = '/predict?s_length=1&s_width=2&p_length=3&p_width=4';
const checked = (probes: object) => deploymentOf('example-deployment-randomforest-healthcheck', { ...named, ...probes });

export const live = checked({ livenessProbe: probe(works, patient) });
/** Its liveness probe asks without the four numbers, and is answered with 500. */
export const broken = checked({ livenessProbe: probe('/predict', patient) });
export const ready = checked({ livenessProbe: probe(works, patient), readinessProbe: probe(works, patient) });
export const slow = checked({
  startupProbe: probe(works, { failureThreshold: 30, periodSeconds: 10 }),
  livenessProbe: probe(works, patient),
  readinessProbe: probe(works, patient),
});
