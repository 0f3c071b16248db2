/**
 * A socket for a page whose clock is driven: its server is as old as the page.
 *
 * A driven clock would otherwise be worth little: the page shows the server's time, of which every frame tells, and
 * hears from it every two seconds, of which a driven hour has 1,800. So in each frame the server's time is replaced by
 * the page's, and in every two seconds of the page's the last beat is heard again, with the time at which that is.
 * Everything else is the server's own: its rows, its numbers and its hashes, which the page checks as ever. Changes
 * wait for the beat that follows them, so that a beat that is heard again is right about what is there.
 *
 * Runs inside the page, before its scripts and after Playwright's clock: `setInterval` and `Date` here are driven.
 */
export function age() {
  const Real = window.WebSocket;
  const clock = () => BigInt(Date.now());

  /** postcard's varints, and signed numbers in zigzag. No class has fields here: what compiles them away is not in the page. */
  const reader = (bytes: Uint8Array) => {
    const read = {
      at: 0,
      varint() {
        let value = 0n;
        for (let shift = 0n; ; shift += 7n) {
          const byte = bytes[read.at++];
          if (byte === undefined) throw new RangeError('the frame ends too early');
          value |= BigInt(byte & 0x7f) << shift;
          if (byte < 0x80) return value;
        }
      },
      signed() {
        const value = read.varint();
        return value & 1n ? -((value + 1n) >> 1n) : value >> 1n;
      },
      text() {
        const length = Number(read.varint());
        read.at += length;
      },
    };
    return read;
  };
  const varint = (value: bigint) => {
    const bytes: number[] = [];
    for (; value >= 0x80n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
    bytes.push(Number(value));
    return bytes;
  };
  const signed = (value: bigint) => varint(value < 0n ? -value * 2n - 1n : value * 2n);

  const hello = 0n;
  const snapshot = 1n;
  const changes = 2n;
  const beat = 3n;

  /** Hello with the page's time; `now` stands last. */
  const greet = (bytes: Uint8Array) => {
    const read = reader(bytes);
    read.varint();
    read.text(); // build
    read.varint(); // epoch
    read.text(); // context
    read.text(); // version
    read.at += 1; // demo
    for (let left = read.varint(); left > 0n; left--) read.text(); // namespaces
    for (let left = read.varint(); left > 0n; left--) {
      read.varint(); // apart: kind
      for (let names = read.varint(); names > 0n; names--) {
        read.text(); // where
        read.at += 1; // whether it may be
      }
    }
    read.signed(); // how far the API server's clock is ahead
    return new Uint8Array([...bytes.slice(0, read.at), ...signed(clock())]);
  };

  /** A beat at the page's time, each kind as fresh as it was. */
  const again = (bytes: Uint8Array) => {
    const read = reader(bytes);
    const out = [...varint(read.varint()), ...varint(read.varint())]; // beat, number of the last change
    const now = read.signed();
    out.push(...signed(clock()), ...varint(read.varint())); // hash
    const kinds = read.varint();
    out.push(...varint(kinds));
    for (let left = kinds; left > 0n; left--) {
      out.push(...varint(read.varint()));
      out.push(...signed(clock() - (now - read.signed())));
    }
    return new Uint8Array(out);
  };

  const state = window as unknown as { build?: string; beats: number; sockets: number; beating: boolean; mute?: boolean };
  state.beats = 0;
  state.sockets = 0;
  state.beating = false;

  /** Hello of another build, while the test says so. */
  const foreign = (bytes: Uint8Array) => {
    if (!state.build) return bytes;
    const length = bytes[1]!;
    bytes.set(new TextEncoder().encode(state.build.padEnd(length, 'x').slice(0, length)), 2);
    return bytes;
  };

  class Aged extends Real {
    constructor(url: string | URL) {
      super(url);
      state.sockets += 1;
      state.beating = false;
      let heard: ((event: MessageEvent) => void) | undefined;
      let last: Uint8Array | undefined;
      let held: Uint8Array[] = [];
      const say = (bytes: Uint8Array) => {
        state.beats += 1;
        heard?.call(this, new MessageEvent('message', { data: bytes.slice().buffer }));
      };
      const timer = window.setInterval(() => last && !state.mute && say(again(last)), 2_000);
      const take = (bytes: Uint8Array) => {
        try {
          const kind = reader(bytes).varint();
          if (kind === hello) return say(foreign(greet(bytes)));
          if (kind === changes) return void held.push(bytes);
          if (kind === beat) {
            const beats = again(bytes);
            for (const before of held) say(before);
            held = [];
            last = bytes;
            state.beating = true;
            return say(beats);
          }
          if (kind === snapshot) {
            // Of what comes after it no beat has told yet.
            held = [];
            last = undefined;
            state.beating = false;
          }
        } catch {
          // What is no frame is the page's to refuse.
        }
        say(bytes);
      };
      super.addEventListener('message', (event: MessageEvent<ArrayBuffer>) => take(new Uint8Array(event.data)));
      super.addEventListener('close', () => {
        clearInterval(timer);
        state.beating = false;
      });
      const [add, remove, close] = [super.addEventListener, super.removeEventListener, super.close].map((own) => own.bind(this) as (...given: unknown[]) => void);
      Object.assign(this, {
        addEventListener: (name: string, listener: (event: MessageEvent) => void) => {
          if (name === 'message') heard = listener;
          else add!(name, listener);
        },
        removeEventListener: (name: string, listener: unknown) => {
          if (name === 'message') heard = undefined;
          else remove!(name, listener);
        },
        close: () => {
          clearInterval(timer);
          close!();
        },
      });
    }
  }
  window.WebSocket = Aged as typeof WebSocket;

  // The program's memory, which it shows to nobody.
  const remember = (made: WebAssembly.WebAssemblyInstantiatedSource) => {
    (window as unknown as { memory?: unknown }).memory = made.instance.exports.memory;
    return made;
  };
  const { instantiate, instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (...given) => remember(await instantiateStreaming(...given));
  WebAssembly.instantiate = (async (...given: Parameters<typeof instantiate>) => {
    const made = await instantiate(...given);
    return made instanceof WebAssembly.Instance ? made : remember(made);
  }) as typeof instantiate;
}
