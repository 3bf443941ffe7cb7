/**
 * A world on loopback sockets, for any client: name servers and resolvers over UDP and TCP, both sides and the references
 * over HTTP and HTTPS, each at its address of the world and all of a kind at one port.
 */
import type { Cancel, Clock } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import type { Setting } from '../core/world.ts';
import type { WorldModel } from '../model/world-model.ts';
import type { Certificates } from './certificates.ts';
import { newConnections } from './connections.ts';
import { startControl } from './control.ts';
import { newDnsServer } from './dns-server.ts';
import { newDoor, type Door } from './door.ts';
import { listenOnOnePort, type Listening } from './listening.ts';
import { newMuteDoors } from './mute-doors.ts';
import { newSecureFront } from './secure-front.ts';

export interface LabOptions {
  readonly world: WorldModel;
  readonly setting: Setting;
  /** HTTPS as well as HTTP. */
  readonly isTls: boolean;
  /** The run's own: its zero is the world's. */
  readonly clock: Clock;
  /** Traces of this run only are taken for ours; null = of any run. */
  readonly runId: string | null;
}

export interface LabPorts {
  readonly dns: number;
  readonly http: number;
  /** null: no HTTPS. */
  readonly https: number | null;
}

export interface Lab extends AsyncDisposable {
  readonly ports: LabPorts;
  /** The authority of every certificate shown; null without HTTPS. */
  readonly caPem: string | null;
  /** Of the right certificate of each side; '' without HTTPS. */
  readonly certificateSha256: Readonly<Record<Side, string>>;
  /** A POST here makes the change, for a wrapped command; a second one is answered 409. */
  readonly changeUrl: string;
  /** The operator makes the change. Once; false when it was made before. */
  change(): boolean;
  /** The last word of the truth: what happens afterwards is not in it. The servers go on. */
  end(): void;
  /** The most that an HTTP answer left after its time, ns: how busy this thread was. */
  readonly lateNsMax: number;
}

export async function startLab(options: LabOptions): Promise<Lab> {
  const { world, setting, clock } = options;
  const { places } = setting;
  const connections = newConnections(options);
  const certificates = options.isTls ? await certificatesFor(setting) : null;
  const fronts = [...places.sides.old, ...places.sides.new, ...Object.values(places.references)];
  const doors = {
    http: fronts.map((address) => newDoor(address, (socket) => connections.accept(socket, address, null))),
    https: certificates === null ? [] : fronts.map((address) => secureDoor(address, certificates)),
  };
  const dnsServers = [
    ...Object.values(places.nameServers).flatMap((address) => dnsServer(address, false)),
    ...Object.values(places.resolvers).flatMap((address) => dnsServer(address, true)),
  ];
  const all: readonly Listening[] = [...dnsServers, ...doors.http, ...doors.https];
  const mute = newMuteDoors();
  let cancelFollow: Cancel | null = null;
  let isChanged = false;
  let isEnded = false;

  function secureDoor(address: string, shown: Certificates): Door {
    const front = newSecureFront(shown, (serverName) => world.certificate(address, serverName, clock.nowNs()));
    return newDoor(address, (socket) => connections.accept(socket, address, front));
  }

  function dnsServer(address: string, recursionAvailable: boolean): readonly Listening[] {
    return newDnsServer({
      address,
      clock,
      recursionAvailable,
      ask: (question) => world.ask(address, question, clock.nowNs()),
    });
  }

  /** Does what the world does by itself, when it is due: doors close and open, connections are cut. */
  function follow(): void {
    const nowNs = clock.nowNs();
    world.advance(nowNs);
    const silent: Door[] = [];
    for (const door of [...doors.http, ...doors.https]) {
      const { kind } = world.dial(door.address, nowNs);
      door.refuse(kind === 'refused');
      if (kind === 'silent') silent.push(door);
    }
    mute.set(silent);
    connections.follow();
    const nextNs = world.nextEventNs();
    cancelFollow?.();
    cancelFollow = nextNs === null ? null : clock.at(nextNs, follow);
  }

  function change(): boolean {
    if (isChanged) return false;
    isChanged = true;
    world.change(clock.nowNs());
    follow();
    return true;
  }

  function end(): void {
    if (!isEnded) world.end(clock.nowNs());
    isEnded = true;
  }

  async function close(): Promise<void> {
    cancelFollow?.();
    connections.close();
    await mute[Symbol.asyncDispose]();
    await Promise.all(all.map((one) => one.close()));
  }

  try {
    const ports = {
      dns: await listenOnOnePort(dnsServers),
      http: await listenOnOnePort(doors.http),
      https: certificates === null ? null : await listenOnOnePort(doors.https),
    };
    const control = await startControl(change);
    follow();
    return {
      ports,
      caPem: certificates?.caPem ?? null,
      certificateSha256: certificates?.sha256 ?? { old: '', new: '' },
      changeUrl: control.url,
      change,
      end,
      get lateNsMax() {
        return connections.lateNsMax;
      },
      async [Symbol.asyncDispose]() {
        end();
        await Promise.all([control[Symbol.asyncDispose](), close()]);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The library for certificates is loaded only where it is needed: it costs a tenth of a second. */
async function certificatesFor({ sites, referenceHostnames }: Setting): Promise<Certificates> {
  const { makeCertificates } = await import('./certificates.ts');
  const hostnames = sites.map(({ hostname }) => hostname);
  return makeCertificates({ old: hostnames, new: hostnames, reference: referenceHostnames });
}
