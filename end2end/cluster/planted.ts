import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync, constants } from 'node:zlib';
import type { Written } from './corpus';
import { generate } from './generate';
import { kinds } from './kinds';
import type { Random } from './random';
import { merge } from './write';

/** Fields of every sort that objects can have, shared with the server's own canaries. */
const whole = JSON.parse(readFileSync(resolve(__dirname, '../../server/tests/fixtures/canary.json'), 'utf8')) as Record<string, { [field: string]: object }>;

const letters = 'bcdfghjklmnprstvwx';
const pattern = /zq[bcdfghjklmnprstvwx]{4}qz/g;

/** A word that stands nowhere else: where it was planted. */
export type Place = { kind: string; namespace: string; path: string };

/** What the API server hands out with nothing else in it: identities, versions, times and amounts, and one of a few words. */
const typed = new RegExp(
  `^(${[
    'apiVersion|kind|uid|resourceVersion|generateName|namespace|requests|limits|capacity|allocatable|allocatedResources|quantity|.*Time|.*Timestamp|caBundle',
    'type|status|operator|effect|protocol|scheme|phase|restartPolicy|imagePullPolicy|qosClass|addressType|podManagementPolicy|whenDeleted|whenScaled',
    'ipFamilyPolicy|ipFamilies|ipMode|sessionAffinity|externalTrafficPolicy|internalTrafficPolicy|unhealthyPodEvictionPolicy|strategy',
    'minAvailable|maxUnavailable|maxSurge|operatingSystem|architecture',
  ].join('|')})$`,
);

/** Nobody is shown these, signed in or not. */
const never = [
  /(^|\.)(env|envFrom|command|args|workingDir|volumes|volumeMounts|volumeDevices|lifecycle|imagePullSecrets|hostAliases|dnsConfig)(\.|$)/,
  /(^|\.)(seLinuxOptions|sysctls|windowsOptions|resourceClaims|terminationMessagePath|managedFields)(\.|$)/,
  /httpHeaders\.\[\]\.value$/,
  /(^|\.)(images|volumesInUse|volumesAttached)\.\[\]/,
  /nodeInfo\.(machineID|systemUUID|bootID)$/,
  /annotations\.(?!kubernetes\.io\/change-cause|kubectl\.kubernetes\.io\/restartedAt|deployment\.kubernetes\.io\/)/,
  /^(data|stringData)\.(password|token|key)$/,
  /^webhooks\./,
];
/** Free text, and names of what is not shared: whoever came by a link is not shown these either. */
const notToStrangers = [/(^|\.)(message|note|serviceAccountName|schedulerName|priorityClassName|runtimeClassName|change-cause|restartedAt)$/, /ownerReferences\.\[\]\.name$/];
const images = /(^|\.)(image|imageID)$/;
const addresses = /(^|\.)(podIPs?|hostIPs?|clusterIPs?|externalIPs|externalName|loadBalancerIP|ingress|addresses|podCIDRs?)(\.|$)/;
const nodeNames = /(^|\.)(nodeName|nominatedNodeName)$/;

/** Kinds that come with another, by which they are shared. */
const comesWith: Record<string, string[]> = {
  replicasets: ['deployments'],
  controllerrevisions: ['daemonsets', 'statefulsets'],
  endpointslices: ['services'],
};

/** What a link shows. */
export type Scope = { namespaces: string[]; kinds: string[]; hide: string[] };

/** Objects of every kind in each namespace, with a word in each of their texts. */
export class Planted {
  readonly places = new Map<string, Place>();
  /** Of kinds that are watched. */
  readonly objects: Written[] = [];
  /** Secrets and ConfigMaps. */
  readonly unwatched: Written[] = [];
  private count = 0;

  constructor(random: Random, namespaces: string[]) {
    for (const namespace of namespaces) {
      for (const kind of Object.keys(kinds)) {
        if (kinds[kind]!.only) continue;
        for (let at = 0; at < 2; at++) this.put(generate[kind]!(random, namespace, at), namespace);
      }
      this.plain({ apiVersion: 'v1', kind: 'Secret', metadata: { name: '' }, stringData: { password: '', token: '' } }, namespace);
      this.plain({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '' }, data: { key: '' } }, namespace);
    }
  }

  private plain(object: Written, namespace: string) {
    const place = { kind: `${object.kind.toLowerCase()}s`, namespace };
    const planted = this.plant(object, place, []) as Written;
    this.unwatched.push({ ...planted, metadata: { name: this.word({ ...place, path: 'metadata.name' }), namespace } });
  }

  private put(object: Written, namespace: string) {
    const { apiVersion, kind, metadata, status, stored, ...rest } = object;
    const place = { kind: `${kind.toLowerCase()}s`, namespace };
    const name = this.word({ ...place, path: 'metadata.name' });
    const spec = rest.spec as { template?: object } | undefined;
    const own = {
      Pod: { spec: whole.podSpec, status: whole.podStatus },
      Node: { spec: whole.node!.spec, status: whole.node!.status },
      Event: { message: 'm', reason: 'r' },
      ControllerRevision: { data: { spec: { template: { spec: whole.podSpec } } } },
    }[kind];
    const inTemplate = spec?.template ? { spec: { template: { spec: whole.podSpec } } } : {};
    const { ownerReferences, annotations, managedFields } = whole.metadata!;
    const over = this.plant(
      merge(merge({ ...rest, ...(status ? { status } : {}), metadata: { labels: metadata.labels ?? {}, annotations, ownerReferences, managedFields } }, own ?? {}), inTemplate),
      place,
      [],
    );
    this.objects.push({ ...object, metadata: { ...metadata, name }, stored: over as object });
  }

  /** The value with a word in the place of each text that may be any. */
  private plant(value: unknown, place: Omit<Place, 'path'>, path: string[]): unknown {
    const key = path.findLast((part) => part !== '[]') ?? '';
    const walked = typeof value === 'object' && /^(status|strategy)$/.test(key);
    if ((typed.test(key) && !walked) || (path.length === 2 && path.join('.') === 'metadata.name')) return value;
    if (typeof value === 'string') {
      return /^\d{4}-\d\d-\d\dT/.test(value) ? value : this.word({ ...place, path: path.join('.') });
    }
    if (Array.isArray(value)) return value.map((item) => this.plant(item, place, [...path, '[]']));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([field, inner]) => [field, this.plant(inner, place, [...path, field])] as const);
    const label = key === 'labels' ? [[this.word({ ...place, path: [...path, 'key'].join('.') }), 'there'] as const] : [];
    return Object.fromEntries([...entries, ...label]);
  }

  private word(place: Place): string {
    const number = this.count++;
    const letter = (at: number) => letters[Math.floor(number / letters.length ** at) % letters.length];
    const word = `zq${letter(3)}${letter(2)}${letter(1)}${letter(0)}qz`;
    this.places.set(word, place);
    return word;
  }

  /** A webhook whose address is a secret; it is asked about nothing there is. */
  webhook(name: string): object {
    const word = () => this.word({ kind: 'validatingwebhookconfigurations', namespace: '', path: 'webhooks.[].clientConfig.url' });
    return {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        {
          name: 'nothing.example.com',
          clientConfig: { url: `https://hooks.example.com/${word()}/${word()}` },
          rules: [{ apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothing'] }],
          failurePolicy: 'Ignore',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    };
  }

  /** Whether somebody may see what stands there: without a scope, whoever is signed in. */
  mayBeSeen(word: string, scope?: Scope): boolean {
    const place = this.places.get(word);
    if (!place || never.some((one) => one.test(place.path)) || place.kind === 'secrets' || place.kind === 'configmaps') return false;
    if (!scope) return true;
    const { namespaces, kinds: shown, hide } = scope;
    const hides = (what: string) => hide.includes(what) || hide.includes('names');
    if (hide.includes('names') && !/(^|\.)(osImage|kernelVersion|containerRuntimeVersion|kubeletVersion|kubeProxyVersion)$/.test(place.path)) return false;
    if (hides('images') && images.test(place.path)) return false;
    if (hides('addresses') && addresses.test(place.path)) return false;
    if (hides('node-names') && (nodeNames.test(place.path) || (place.kind === 'nodes' && place.path === 'metadata.name'))) return false;
    if (notToStrangers.some((one) => one.test(place.path))) return false;
    const granted = [place.kind, ...(comesWith[place.kind] ?? [])].some((kind) => shown.includes(kind));
    const within = namespaces.length === 0 || place.kind === 'nodes' || namespaces.includes(place.namespace);
    return granted && within;
  }

  /** How many words nobody may see. */
  get hidden(): number {
    return [...this.places.keys()].filter((word) => !this.mayBeSeen(word)).length;
  }
}

/** As Secrets come: the same words in base64, which is eleven letters of which the first and the last are always the same. */
const encoded = /enF[\w+/]{5}cXo/g;

function words(text: string): string[] {
  const decoded = (text.match(encoded) ?? []).map((word) => Buffer.from(word, 'base64').toString('latin1'));
  return [...(text.match(pattern) ?? []), ...(decoded.join(' ').match(pattern) ?? [])];
}

/** The planted words in what was sent, also in what is packed in it. */
export function heard(sent: string | Buffer): Set<string> {
  const bytes = Buffer.isBuffer(sent) ? sent : Buffer.from(sent);
  const found = new Set(words(bytes.toString('latin1')));
  for (let at = bytes.indexOf('1f8b08', 0, 'hex'); at >= 0; at = bytes.indexOf('1f8b08', at + 1, 'hex')) {
    try {
      // what follows the packed part is not looked at
      const unpacked = gunzipSync(bytes.subarray(at), { finishFlush: constants.Z_SYNC_FLUSH });
      for (const word of words(unpacked.toString('latin1'))) found.add(word);
    } catch {
      // those three bytes were something else
    }
  }
  return found;
}
