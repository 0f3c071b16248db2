import { type ApiObject } from './client';
import { type Deed, type Probe } from './kubelet';
import { type Line } from './trace';

/** A probe as its pod has it. */
export type Asks = { initialDelaySeconds: number; periodSeconds: number; timeoutSeconds: number; successThreshold: number; failureThreshold: number };
type Ended = { startedAt: string; finishedAt: string; exitCode: number; reason: string };
type Status = { name: string; restartCount: number; state: Record<string, { startedAt?: string } & Partial<Ended>>; lastState: { terminated?: Ended } };
type Told = { at: number; stamp: number };

/** From a container's start to its end: it ran at least until `until`, and from `gone` on it did not, and the API server said so. */
export type Start = { at: number; until: number; gone: number; deeds: Deed[]; end?: Ended };

const ms = (stamp: unknown) => Date.parse(String(stamp));

/** What became of a container, by the kubelet's log; when it ended and was deleted, by its pod; which failures anybody could hear of, by the events. */
export class Container {
  readonly starts: Start[] = [];
  readonly asks: Partial<Record<Probe, Asks>> = {};
  /** Failures that events told. */
  readonly told: Partial<Record<Probe, Told[]>> = {};
  /** When a warning about its pod was let through. */
  readonly warnings: number[] = [];
  /** Ends over a probe that events told, by their stamps. */
  readonly toldEnds: number[] = [];
  /** Whether it runs, by its status, and since when that was told. */
  readonly said: { at: number; runs: boolean }[] = [];
  /** When its pod was seen to be deleted. */
  deleting = Infinity;
  /** Stamps that its status ever had. */
  readonly stamps = { started: new Set<number>(), finished: new Set<number>(), ready: new Set<number>(), created: 0 };
  restartCount = 0;

  constructor(
    readonly pod: string,
    readonly name: string,
    lines: Line[],
    private readonly deeds: Deed[],
  ) {
    for (const deed of deeds) {
      if (deed.did === 'start') this.starts.push({ at: deed.at, until: Infinity, gone: Infinity, deeds: [] });
      else this.starts.at(-1)?.deeds.push(deed);
    }
    for (const { at, type, object } of lines) {
      if (object.kind === 'Event') this.event(at, object);
      else this.status(at, type, object);
    }
  }

  private status(at: number, type: string, { metadata, spec, status }: ApiObject) {
    const { containers, initContainers = [] } = spec as Record<string, { name: string; [probe: string]: unknown }[]>;
    for (const container of [...containers, ...initContainers]) {
      if (container.name !== this.name) continue;
      for (const probe of ['Startup', 'Liveness', 'Readiness'] as const) {
        const asks = container[`${probe.toLowerCase()}Probe`] as Asks | undefined;
        if (asks) this.asks[probe] = { ...asks, initialDelaySeconds: asks.initialDelaySeconds ?? 0 };
      }
    }
    this.stamps.created = ms(metadata.creationTimestamp);
    if (metadata.deletionTimestamp) this.deleting = Math.min(this.deleting, at);
    const { containerStatuses = [], initContainerStatuses = [], conditions = [] } = (status ?? {}) as Record<string, never[]>;
    for (const { type, status, lastTransitionTime } of conditions as { type: string; status: string; lastTransitionTime: string }[]) {
      if (type === 'ContainersReady' && status === 'True') this.stamps.ready.add(ms(lastTransitionTime));
    }
    for (const { name, state, lastState, restartCount } of [...containerStatuses, ...initContainerStatuses] as Status[]) {
      if (name !== this.name) continue;
      this.restartCount = restartCount;
      if (state.running) this.stamps.started.add(ms(state.running.startedAt));
      for (const end of [lastState.terminated, state.terminated]) if (end?.finishedAt) this.end(at, end as Ended);
      this.said.push({ at, runs: state.running !== undefined });
    }
    if (type === 'DELETED') {
      const last = this.starts.at(-1);
      if (last && last.gone === Infinity) Object.assign(last, { until: this.deleting, gone: at });
    }
  }

  private end(at: number, end: Ended) {
    const [started, finished] = [ms(end.startedAt), ms(end.finishedAt)];
    this.stamps.started.add(started);
    this.stamps.finished.add(finished);
    // The kubelet says that it started it a moment after it did; stamps are whole seconds.
    const start = this.starts.findLast(({ at }) => at >= started && at < started + 2_000 && at < finished + 1_000);
    if (start && start.gone === Infinity) Object.assign(start, { until: finished, gone: Math.max(finished + 1_000, at), end });
  }

  private event(at: number, { reason, message, lastTimestamp, involvedObject, ...event }: ApiObject) {
    if (event.type === 'Warning') this.warnings.push(at);
    if (!String((involvedObject as { fieldPath?: string }).fieldPath).endsWith(`{${this.name}}`)) return;
    const [, failed] = /^(?:\(combined from similar events\): )?(Startup|Liveness|Readiness) probe (?:failed|errored)/.exec(String(message)) ?? [];
    if (reason === 'Unhealthy' && failed) (this.told[failed as Probe] ??= []).push({ at, stamp: ms(lastTimestamp) });
    if (reason === 'Killing' && / failed (liveness|startup) probe/.test(String(message))) this.toldEnds.push(ms(lastTimestamp));
  }

  at(time: number): Moment {
    return new Moment(this, time, this.starts.findLast(({ at }) => at <= time));
  }

  /** Attempts of a probe after a time, whichever start they are of. */
  attemptsAfter(probe: Probe, time: number): Deed[] {
    return this.deeds.filter((deed) => deed.at > time && attempt(deed, probe));
  }

  /** Moments between two at which something is different from the one before. */
  turns(from: number, to: number): number[] {
    const told = Object.values(this.told).flat();
    const turns = [...this.deeds, ...this.said, ...told].map(({ at }) => at).concat(this.deleting, ...this.starts.flatMap(({ until, gone }) => [until, gone]));
    return [from, ...turns.flatMap((at) => [at - 1, at]).filter((at) => at > from && at < to), to];
  }
}

const attempt = (deed: Deed, probe: Probe) => (deed.did === 'success' || deed.did === 'failure' || deed.did === 'error') && deed.probe === probe;

/** A container at a moment. */
export class Moment {
  constructor(
    readonly container: Container,
    readonly time: number,
    private readonly start?: Start,
  ) {}

  /** Since when it runs, if it does. */
  get started(): number | undefined {
    return this.start && this.time < this.start.gone ? this.start.at : undefined;
  }

  /** Whether it runs without a doubt, and the API server has said so: a kubelet tells of a pod's containers only when all have begun. */
  get surelyRuns(): boolean {
    const said = this.container.said.findLast(({ at }) => at <= this.time);
    return this.start !== undefined && this.time < this.start.until && said?.runs === true;
  }

  private get past(): Deed[] {
    return this.start?.deeds.filter(({ at }) => at <= this.time) ?? [];
  }

  /** Attempts in this start up to now, of those that count if `counted`. */
  attempts(probe: Probe, counted = false): Deed[] {
    return this.past.filter((deed) => attempt(deed, probe) && !(counted && deed.did === 'error'));
  }

  succeeded(probe: Probe): boolean {
    return this.attempts(probe).some(({ did }) => did === 'success');
  }

  succeededLast(probe: Probe): boolean {
    return this.attempts(probe, true).at(-1)?.did === 'success';
  }

  /** The last failure that counts, and how many in a row it is the last of. */
  failed(probe: Probe): { at: number; run: number } | undefined {
    const attempts = this.attempts(probe, true);
    const last = attempts.findLastIndex(({ did }) => did === 'failure');
    if (last < 0) return undefined;
    const before = attempts.slice(0, last + 1).findLastIndex(({ did }) => did === 'success');
    return { at: attempts[last].at, run: last - before };
  }

  /** The result that is in effect, as the kubelet counts (`worker.go`, `doProbe`). */
  effect(probe: Probe): 'success' | 'failure' | undefined {
    const { successThreshold, failureThreshold } = this.container.asks[probe]!;
    let [effect, run]: ['success' | 'failure' | undefined, number] = [undefined, 0];
    let last: string | undefined;
    for (const { did } of this.attempts(probe, true) as { did: 'success' | 'failure' }[]) {
      run = did === last ? run + 1 : 1;
      last = did;
      if (run >= (did === 'success' ? successThreshold : failureThreshold)) effect = did;
    }
    return effect;
  }

  /** The kubelet said in this start that it ends the container over this probe, and whether to start it again. */
  ending(probe: Probe, again: boolean): boolean {
    return this.past.some((deed) => deed.did === 'kill' && deed.probe === probe && deed.again === again);
  }

  /** When an attempt last failed, or could not be made, in this start. */
  trouble(probe: Probe): number | undefined {
    return this.attempts(probe).findLast(({ did }) => did !== 'success')?.at;
  }

  /** The stamp of the last failure in this start that an event has told by now. */
  told(probe: Probe): number | undefined {
    if (!this.start) return undefined;
    const own = this.start.deeds.filter((deed) => attempt(deed, probe) && deed.did !== 'success');
    const stamps = (this.container.told[probe] ?? []).filter(({ at, stamp }) => at <= this.time && own.some((deed) => Math.floor(deed.at / 1000) * 1000 === stamp));
    return stamps.length > 0 ? Math.max(...stamps.map(({ stamp }) => stamp)) : undefined;
  }
}

/** Each container of a trace, by `POD/CONTAINER`. */
export function containers(lines: Line[], deeds: Deed[]): Map<string, Container> {
  const found = new Map<string, Container>();
  const names = new Map<string, Set<string>>();
  for (const { object } of lines.filter(({ object }) => object.kind === 'Pod')) {
    const { containers, initContainers = [] } = object.spec as Record<string, { name: string }[]>;
    names.set(object.metadata.name, new Set([...containers, ...initContainers].map(({ name }) => name)));
  }
  for (const [pod, of] of names) {
    const own = lines.filter(({ object }) => ((object.involvedObject ?? object.metadata) as { name: string }).name === pod);
    for (const name of of) found.set(`${pod}/${name}`, new Container(pod, name, own, deeds.filter((deed) => deed.pod === pod && deed.container === name)));
  }
  return found;
}
