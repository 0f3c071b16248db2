import { readFile } from 'node:fs/promises';

export const probes = ['Startup', 'Liveness', 'Readiness'] as const;
export type Probe = (typeof probes)[number];

/** What the kubelet did to a container and when, in ms: an attempt of a probe, a start, an end over a probe. */
export type Deed = { at: number; pod: string; container: string } & (
  | { did: 'success' | 'failure' | 'error'; probe: Probe }
  | { did: 'start' }
  | { did: 'kill'; probe: Probe; again: boolean }
);

const header = /^[IWE](\d\d)(\d\d) (\d\d:\d\d:\d\d\.\d{6}) +\d+ (?:prober|event)\.go:\d+\] "([^"]+)" (.*)$/;
const outcomes: Record<string, 'success' | 'failure' | 'error'> = {
  'Probe succeeded': 'success',
  'Probe succeeded with a warning': 'success',
  'Probe failed': 'failure',
  'Probe unknown without error': 'failure',
  'Probe errored': 'error',
};

/** One field of a line as klog writes it. */
const field = (fields: string, name: string) => new RegExp(`(?:^| )${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(fields)?.[1] ?? '';

/**
 * What the kubelet did in a namespace, by its own log: each attempt at its end (`prober.go`, `probe`), starts and
 * ends as it first said them, before its recorder held any of them back (`event.go`, `StartStructuredLogging`).
 */
export async function deeds(log: string, namespace: string): Promise<Deed[]> {
  const year = new Date().getFullYear();
  const found: Deed[] = [];
  for (const line of (await readFile(log, 'utf8')).split('\n')) {
    const [, month, day, time, message, fields] = header.exec(line) ?? [];
    if (fields === undefined) continue;
    const at = Date.parse(`${year}-${month}-${day}T${time}`);
    const [space, pod] = (field(fields, 'pod') || field(fields, 'object')).split('/');
    if (space !== namespace) continue;
    const did = outcomes[message];
    if (did) found.push({ at, pod, container: field(fields, 'containerName'), did, probe: field(fields, 'probeType') as Probe });
    const [, container] = /\{(.*)\}$/.exec(field(fields, 'fieldPath')) ?? [];
    if (message !== 'Event occurred' || !container) continue;
    const said = field(fields, 'message');
    const [, probe] = / failed (liveness|startup) probe/.exec(said) ?? [];
    if (field(fields, 'reason') === 'Started') found.push({ at, pod, container, did: 'start' });
    if (field(fields, 'reason') === 'Killing' && probe) {
      // a sidecar's is started again whatever its pod's policy, which goes without saying
      const again = said.endsWith(', will be restarted') || said.startsWith('Init container ');
      found.push({ at, pod, container, did: 'kill', probe: probe === 'startup' ? 'Startup' : 'Liveness', again });
    }
  }
  return found.sort((a, b) => a.at - b.at);
}
