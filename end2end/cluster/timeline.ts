import { writeFile } from 'node:fs/promises';
import { type Page, type TestInfo } from '@playwright/test';

/** How far the API says that a kind can be trusted. */
type Said = { kind: string; state: string; asOf: string };

/** What the API tells of a kind. */
type InApi = { at: number; status: number; state: string; asOf: string; names: string[] };

/** The kinds of which it is known what there is. A page that is looked at tells of pods alone. */
export type Known = 'pods' | 'services';

/** Who tells of one of them, and of which. */
const tellers = { page: 'pods', api: 'pods', services: 'services' } as const satisfies Record<string, Known>;
type Teller = keyof typeof tellers;
const called: Record<Teller, string> = { page: 'page', api: 'api', services: 'api of services' };

/** What was seen at one time, by who looks at the page, who asks the API, and who looks after the server. */
export type Look = {
  asked: number;
  answered: number;
  page: { chip: string; kinds: string; names: string[] };
  api: InApi;
  services: InApi;
  /** Every kind, those too that are not on the page. */
  index: { at: number; kinds: Said[] };
  ready: { status: number; text: string };
};

/** What has happened, and when. */
type Mark = { at: number; text: string };

/** From then on an object is there, or is not. */
type Truth = { kind: Known; name: string; there: boolean; since: number; within: number };

/** So old may be what is called live. */
export const fresh = 5_000;

/**
 * So much later than `fresh` no kind is called live any more, however something breaks. What is confirmed is as of when
 * that was asked, and the API counts from there. A page counts once a second.
 */
const margin = { api: 1_000, page: 2_000 };

/** How a claim is told that may not be, not even once: no second try makes it good. */
export const claim = 'says live';

/**
 * Writes down each second what Masthead claims of pods, on a page that is open and never loaded anew and in its API, and
 * there of Services too, and how fresh it calls every kind, beside what happened meanwhile, and holds the claims against that.
 */
export class Timeline {
  readonly looks: Look[] = [];
  /** What the console said, and whatever else is none of a page's business. */
  readonly troubles: string[] = [];
  private readonly marks: Mark[] = [];
  private readonly truths: Truth[] = [];
  private stopped = false;
  private looking?: Promise<void>;

  constructor(
    private readonly page: Page,
    private readonly url: string,
    private readonly namespace: string,
  ) {}

  /** Once the page is open. */
  begin() {
    this.page.on('console', (message) => message.type() === 'error' && this.troubles.push(`console: ${message.text()}`));
    this.page.on('pageerror', (error) => this.troubles.push(`uncaught: ${error.stack}`));
    this.page.on('load', () => this.troubles.push('the page was loaded anew'));
    this.looking = this.look();
  }

  private async look() {
    while (!this.stopped) {
      const asked = Date.now();
      const [page, api, services, index, ready] = await Promise.all([this.onPage(), this.inApi('pods'), this.inApi('services'), this.inIndex(), this.atProbe()]);
      this.looks.push({ asked, answered: Date.now(), page, api, services, index, ready });
      await new Promise((later) => setTimeout(later, asked + 1_000 - Date.now()));
    }
  }

  private onPage(): Promise<Look['page']> {
    return this.page.evaluate((namespace) => {
      const text = (element: Element | null) => element?.textContent?.trim() ?? '';
      const kinds = [...document.querySelectorAll('.freshness .popover tr')].map((row) => `${text(row.querySelector('th'))} ${text(row.querySelector('td'))}`);
      // Rows of a table, and tiles of the overview.
      const links = [...document.querySelectorAll<HTMLAnchorElement>(`main a[href*="/pods/${namespace}/"]`)].filter((link) => !link.closest('.gone'));
      const names = new Set(links.map(({ pathname }) => pathname.split('/').at(-1)!));
      return { chip: text(document.querySelector('.freshness summary .said')), kinds: kinds.join('; '), names: [...names] };
    }, this.namespace);
  }

  private async inApi(kind: Known): Promise<InApi> {
    const answer = await fetch(`${this.url}/api/v1/${kind}?output=name&namespace=${this.namespace}`);
    const said = await answer.text();
    const names = answer.ok ? said.split('\n').filter(Boolean).map((name) => name.replace(/^(pod|service)\//, '')) : [];
    const header = (name: string) => answer.headers.get(name) ?? '';
    // When it was answered, to the second below: whoever reads it may have been busy.
    const at = Date.parse(header('date'));
    return { at, status: answer.status, state: header('masthead-state'), asOf: header('masthead-as-of'), names };
  }

  private async inIndex(): Promise<Look['index']> {
    const answer = await fetch(`${this.url}/api/v1`);
    const at = Date.parse(answer.headers.get('date') ?? '');
    if (!answer.ok) return { at, kinds: [] };
    const { kinds } = (await answer.json()) as { kinds: { kind: string; state: string | object; asOf: string | null }[] };
    // A state is a word, or a word and why.
    const word = (state: string | object) => (typeof state === 'string' ? state : Object.keys(state)[0]);
    return { at, kinds: kinds.map(({ kind, state, asOf }) => ({ kind, state: word(state), asOf: asOf ?? '' })) };
  }

  private async atProbe(): Promise<Look['ready']> {
    const answer = await fetch(`${this.url}/readyz`);
    return { status: answer.status, text: await answer.text() };
  }

  /** Something happened; when. */
  mark(text: string): number {
    const at = Date.now();
    this.marks.push({ at, text });
    return at;
  }

  /** From now on there is one of that name, or there is none; who says live knows it `within` that time. */
  fact(name: string, there: boolean, within = fresh, kind: Known = 'pods') {
    this.truths.push({ kind, name, there, since: this.mark(`${kind} ${name} is ${there ? 'there' : 'gone'}`), within });
  }

  /** Who claims at this look that what is told of pods is live. */
  private static claims({ page, api }: Look): ('page' | 'api')[] {
    return [...(page.chip === 'live' ? (['page'] as const) : []), ...(api.state === 'live' ? (['api'] as const) : [])];
  }

  /** The same, of all that is known. */
  private static tellers(look: Look): Teller[] {
    return [...Timeline.claims(look), ...(look.services.state === 'live' ? (['services'] as const) : [])];
  }

  private during(from: number, to: number): Look[] {
    return this.looks.filter(({ asked, answered }) => asked >= from && answered <= to);
  }

  /** Looks between two times, of which there must be as many as seconds, or nothing is proven. */
  private surely(from: number, to: number): { looks: Look[]; wrong: string[] } {
    const looks = this.during(from, to);
    const least = Math.floor(((to - from) / 1_000) * 0.6);
    return { looks, wrong: least < 1 || looks.length < least ? [`${looks.length} looks from ${clock(from)} to ${clock(to)}, which is too few`] : [] };
  }

  /**
   * Claims between these times, in which nothing could be confirmed: what is told of pods is not called live from `grace`
   * after the beginning, and no kind from a little after it may be.
   */
  claimed(from: number, to: number, grace = fresh): string[] {
    const { looks, wrong } = this.surely(from + grace, to);
    const ofPods = looks.flatMap((look) => Timeline.claims(look).map((who) => `${clock(look.asked)} the ${who} ${claim}`));
    const late = (who: keyof typeof margin) => this.during(from + fresh + margin[who], to);
    const inApi = late('api').flatMap((look) => [
      // Who names none proves nothing.
      ...(look.index.kinds.length ? [] : [`${clock(look.asked)} the api names no kinds`]),
      ...Timeline.claimOf(look.asked, 'api', live(look).map(({ kind, asOf }) => `${kind} as of ${asOf}`)),
      // It names those that are old: where it names none, all are current.
      ...(listed(look) && look.ready.text === 'ok\n' ? Timeline.claimOf(look.asked, 'readyz', ['everything']) : []),
    ]);
    const onPage = late('page').flatMap(({ asked, page }) => Timeline.claimOf(asked, 'page', page.kinds.split('; ').flatMap((line) => /^(\S+) live$/.exec(line)?.[1] ?? [])));
    return [...wrong, ...ofPods, ...inApi, ...onPage];
  }

  /** That it is claimed of these kinds, if there are any. */
  private static claimOf(at: number, who: string, kinds: string[]): string[] {
    return kinds.length ? [`${clock(at)} the ${who} ${claim} of ${kinds.join(', ')}`] : [];
  }

  /** Where the server was not called ready between these times, although it has all to show. */
  unready(from: number, to: number): string[] {
    const wrong = this.during(from, to).filter((look) => listed(look) && look.ready.status !== 200);
    return wrong.map(({ asked, ready }) => `${clock(asked)} readyz answers ${ready.status}: ${ready.text}`);
  }

  /** Where it was not said between these times, in which all was well, that what is told is live. */
  doubted(from: number, to: number): string[] {
    const { looks, wrong } = this.surely(from, to);
    const doubts = (look: Look) => (['page', 'api'] as const).filter((who) => !Timeline.claims(look).includes(who));
    return [...wrong, ...looks.flatMap((look) => doubts(look).map((who) => `${clock(look.asked)} the ${who} does not say live`))];
  }

  /** Claims that something is live which, for longer than that may be, has not been so, or has not been confirmed. */
  untrue(): string[] {
    const unconfirmed = (['api', 'services'] as const).flatMap((who) => {
      const old = this.looks.filter(({ [who]: api }) => api.state === 'live' && !(api.at - Date.parse(api.asOf) <= fresh));
      return old.map(({ asked, [who]: api }) => `${clock(asked)} the ${called[who]} ${claim} as of ${api.asOf}`);
    });
    const ofKinds = this.looks.flatMap((look) => {
      const kinds = live(look).filter(({ asOf }) => !(look.index.at - Date.parse(asOf) <= fresh));
      return Timeline.claimOf(look.asked, 'api', kinds.map(({ kind, asOf }) => `${kind} as of ${asOf}`));
    });
    const contradicted = this.looks.flatMap((look) =>
      Timeline.tellers(look).flatMap((who) => {
        const { names } = look[who];
        const last = new Map<string, Truth>();
        for (const truth of this.truths.filter(({ kind, since }) => kind === tellers[who] && since <= look.answered)) {
          // What has just become so may be known or not.
          if (truth.since + truth.within < look.asked) last.set(truth.name, truth);
          else last.delete(truth.name);
        }
        const wrong = [...last.values()].filter(({ name, there }) => names.includes(name) !== there);
        return wrong.map(({ name, there }) => `${clock(look.asked)} the ${called[who]} ${claim}, and ${name} ${there ? 'is missing' : 'is still shown'}`);
      }),
    );
    return [...unconfirmed, ...ofKinds, ...contradicted];
  }

  /** The last look. */
  get last(): Look | undefined {
    return this.looks.at(-1);
  }

  /** The kinds that the API does not call live at the last look, of all that it names. */
  get notLive(): string[] {
    const named = this.last?.index.kinds ?? [];
    return named.length ? named.filter(({ state }) => state !== 'live').map(({ kind, state }) => `${kind} ${state}`) : ['no kinds'];
  }

  /** Whether page and API claim at the last look that what they tell is live, and all that is known of it is so. */
  get recovered(): boolean {
    const look = this.last;
    if (!look) return false;
    const all = Object.keys(tellers) as Teller[];
    const claims = Timeline.tellers(look);
    return all.every((who) => {
      const now = new Map(this.truths.filter(({ kind }) => kind === tellers[who]).map(({ name, there }) => [name, there]));
      return claims.includes(who) && [...now].every(([name, there]) => look[who].names.includes(name) === there);
    });
  }

  async stop(info: TestInfo) {
    this.stopped = true;
    await this.looking;
    const path = info.outputPath('timeline.txt');
    await writeFile(path, this.text());
    await info.attach('timeline.txt', { path, contentType: 'text/plain' });
  }

  /** All of it, a line a second. */
  text(): string {
    const start = this.looks[0]?.asked ?? 0;
    const lines = this.looks.map((look) => ({ at: look.asked, text: told(look) })).concat(this.marks.map(({ at, text }) => ({ at, text: `--- ${text}` })));
    const sorted = lines.sort((a, b) => a.at - b.at);
    return `${sorted.map(({ at, text }) => `${clock(at)} ${((at - start) / 1_000).toFixed(1).padStart(6)} s  ${text}`).join('\n')}\n`;
  }
}

/** The kinds that the API calls live. */
const live = ({ index }: Look) => index.kinds.filter(({ state }) => state === 'live');

/**
 * Whether there are rows of every kind, however old they are. One that is refused is asked for again now and then, and
 * is not listed meanwhile: what a look says of that depends on which of its questions came first.
 */
const listed = ({ index }: Look) => index.kinds.length > 0 && index.kinds.every(({ state }) => state === 'live' || state === 'stale');

function told(look: Look): string {
  const { page, api, services, index, ready } = look;
  const kinds = live(look).map(({ kind }) => kind);
  const alive = kinds.length < index.kinds.length && kinds.length > 0 ? `: ${kinds.join(', ')}` : '';
  const age = api.asOf ? `as of ${((api.at - Date.parse(api.asOf)) / 1_000).toFixed(1)} s ago` : 'as of never';
  return `page [${page.chip}] ${page.names.length} pods (${page.kinds}) | api ${api.status} ${api.state} ${age}, ${api.names.length} pods, ${services.state} ${services.names.length} services, ${kinds.length} of ${index.kinds.length} kinds live${alive} | readyz ${ready.status}, ${ready.text.trim().split('\n').length} lines`;
}

const clock = (at: number) => new Date(at).toISOString().slice(11, 19);
