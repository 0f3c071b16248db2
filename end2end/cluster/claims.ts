import { type Probe } from './kubelet';
import { type Container, type Moment } from './truth';

/** What was said of a probe, and between which times that was asked for. */
export type Claim = { where: 'api' | 'late' | 'page'; container: string; probe: Probe; words: string; asked: number; answered: number };

/** So old may news be: what is said was true at some moment of the last two seconds. */
const news = 2_000;
/** Stamps are whole seconds, rounded down. */
const second = 1_000;

type Rule = {
  claim: string;
  words: RegExp;
  of: Probe[];
  holds: (now: Moment, probe: Probe, said: string[]) => boolean;
  /** What comes by events, while the rest comes by the pod: each may be news of another moment. */
  heard?: (now: Moment, probe: Probe, said: string[]) => boolean;
};

const all: Probe[] = ['Startup', 'Liveness', 'Readiness'];
const ends: Probe[] = ['Startup', 'Liveness'];

/** An attempt that comes after a failure has ended by then, and an event of it is here. */
const lately = ({ container, time }: Moment, probe: Probe, at: number) =>
  time - at <= (container.asks[probe]!.periodSeconds + container.asks[probe]!.timeoutSeconds) * second + news + second;

/** `n of m`: at least n failures in a row were the last failures that counted. */
const run = (now: Moment, probe: Probe, [n, m]: string[]) =>
  Number(m) === now.container.asks[probe]!.failureThreshold && Number(n) >= 1 && (now.failed(probe)?.run ?? 0) >= Number(n);

/** `HH:MM:SS` is this second. */
const clock = (time: number) => new Date(time).toISOString().slice(11, 19);

/** What each claim says of what the kubelet did. */
export const rules: Rule[] = [
  // Ready is what the kubelet counted together: enough successes in a row in this start, and not enough failures since.
  // A failure that was told since, and that no success has followed, is said.
  {
    claim: 'passing',
    words: /^passing$/,
    of: ['Readiness'],
    holds: (now, probe) => now.started !== undefined && now.effect(probe) === 'success' && (now.succeededLast(probe) || now.told(probe) !== second * Math.floor(now.failed(probe)!.at / second)),
  },
  {
    claim: 'passing, but failed',
    words: /^passing, but failed (\d+) of (\d+)$/,
    of: ['Readiness'],
    holds: (now, probe) => now.started !== undefined && now.effect(probe) === 'success',
    // An attempt that succeeded since is not told by anything.
    heard: (now, probe, said) => run(now, probe, said) && lately(now, probe, now.failed(probe)!.at),
  },
  // A slow start, or what is not ready, goes on failing until it is told otherwise; a liveness probe has no such news.
  { claim: 'failing', words: /^failing (\d+) of (\d+)$/, of: ['Startup'], holds: (now, probe) => now.started !== undefined && !now.succeeded(probe), heard: run },
  {
    claim: 'failing',
    words: /^failing (\d+) of (\d+)$/,
    of: ['Readiness'],
    holds: (now, probe) => now.started !== undefined && now.effect(probe) !== 'success',
    // All of them it has failed too if that was before, and it has not succeeded as often as it takes since.
    heard: (now, probe, said) => run(now, probe, said) || (said[0] === said[1] && now.effect(probe) === 'failure'),
  },
  { claim: 'failing', words: /^failing (\d+) of (\d+)$/, of: ['Liveness'], holds: (now, probe, said) => now.started !== undefined && run(now, probe, said) && lately(now, probe, now.failed(probe)!.at) },
  { claim: 'passed', words: /^passed$/, of: ['Startup'], holds: (now, probe) => now.started !== undefined && now.succeeded(probe) },
  {
    claim: 'held back',
    words: /^held back by startup$/,
    of: ['Liveness', 'Readiness'],
    holds: (now, probe) => now.started !== undefined && now.container.asks.Startup !== undefined && !now.succeeded('Startup') && now.attempts(probe).length === 0,
  },
  {
    claim: 'not asked before',
    words: /^not asked before (\d\d:\d\d:\d\d)$/,
    of: all,
    // The start's own stamp may be a second before the kubelet says that it started.
    holds: (now, probe, [at]) => {
      const { started = NaN, container, time } = now;
      const until = started + container.asks[probe]!.initialDelaySeconds * second;
      return now.attempts(probe).length === 0 && time < until && [clock(until), clock(until - second)].includes(at);
    },
  },
  // Where a failure of this start was told, that is said.
  {
    claim: 'no success yet',
    words: /^no success yet$/,
    of: all,
    holds: (now, probe) => now.started !== undefined && !now.succeeded(probe) && !(now.told(probe)! > now.started),
  },
  {
    claim: 'not so many successes yet',
    words: /^not (\d+) successes in a row yet$/,
    of: ['Readiness'],
    holds: (now, probe, [n]) => now.started !== undefined && now.container.asks[probe]!.successThreshold === Number(n) && now.effect(probe) !== 'success' && !(now.told(probe)! > now.started),
  },
  // An error is no failure, nor does it take one back.
  {
    claim: 'could not be asked',
    words: /^could not be asked$/,
    of: all,
    holds: (now, probe) => {
      const error = now.attempts(probe).findLast(({ did }) => did === 'error');
      return error !== undefined && now.effect(probe) === undefined && (probe !== 'Liveness' || lately(now, probe, error.at));
    },
  },
  // None that was not seen either: where the kubelet's recorder holds events back, which it does after 25, nothing is said.
  { claim: 'no failure seen', words: /^no failure seen$/, of: ['Liveness'], holds: (now, probe) => now.started !== undefined && now.trouble(probe) === undefined },
  {
    claim: 'no failure seen since',
    words: /^no failure seen since (\d\d:\d\d:\d\d)$/,
    of: ['Liveness'],
    // One in the second of a start may be of the start before: that one is not said to be of this.
    holds: (now, probe, [at]) => now.started !== undefined && clock(now.trouble(probe) ?? now.started) === at,
  },
  { claim: 'unknown', words: /^unknown$/, of: ['Liveness'], holds: ({ container, time }) => container.warnings.filter((at) => at <= time).length >= 25 },
  { claim: 'being restarted', words: /^failed: being restarted$/, of: ends, holds: (now, probe) => now.started !== undefined && now.ending(probe, true) },
  { claim: 'being ended', words: /^failed: being ended$/, of: ends, holds: (now, probe) => now.started !== undefined && now.ending(probe, false) },
  // The kubelet hears of the deletion when it does, and an attempt that is under way then still ends.
  {
    claim: 'not asked any more',
    words: /^not asked any more$/,
    of: ends,
    holds: ({ container, time }, probe) => time >= container.deleting && container.attemptsAfter(probe, time + news).length === 0,
  },
  { claim: 'not running', words: /^not asked: not running$/, of: all, holds: (now) => !now.surelyRuns },
  { claim: 'no probe', words: /^<none>$/, of: all, holds: ({ container }, probe) => container.asks[probe] === undefined },
];

/** The claim that these words make. */
export function ruleOf({ probe, words }: Claim): { rule: Rule; said: string[] } | undefined {
  const rule = rules.find((rule) => rule.of.includes(probe) && rule.words.test(words));
  return rule && { rule, said: rule.words.exec(words)!.slice(1) };
}

/** Whether a claim was true at some moment that it may be news of. */
export function holds(claim: Claim, container: Container): boolean {
  const found = ruleOf(claim);
  if (!found) return false;
  // The page puts all containers together anew, which it does at most once a second.
  const late = news + (claim.where === 'page' ? second : 0);
  const moments = container.turns(claim.asked - late, claim.answered).map((time) => container.at(time));
  if (container.asks[claim.probe] === undefined && found.rule.claim !== 'no probe') return false;
  const { holds, heard = () => true } = found.rule;
  return [holds, heard].every((part) => moments.some((now) => part(now, claim.probe, found.said)));
}
