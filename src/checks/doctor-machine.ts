/** What this machine has, and what the lanes of the scenario need of it. */
import { countOf, countText } from '../core/quantity-text.ts';
import type { Lane } from '../core/scenario.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import { longestRunMs } from './doctor-platforms.ts';
import { doctorRows, type DoctorRow } from './doctor-row.ts';

export function machineRows(facts: DoctorFacts): readonly DoctorRow[] {
  return [
    openFilesRow(facts),
    localPortsRow(facts),
    ...processorRows(facts),
    diskRow(facts),
    ...ipv6Rows(facts),
    priorityRow(facts),
    ...proxyRows(facts),
  ];
}

// ── sockets ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** For what is no probe: Node itself, threads, the run folder, DNS questions, observers. */
const otherFileCount = 200;

/** When everything hangs at once each lane has as many probes under way as it may, each with a socket. */
function openFilesRow({ lanes, machine: { openFileCountMax } }: DoctorFacts): DoctorRow {
  const { pass, fail, unknown } = doctorRows('open-files');
  const neededCount = sum(lanes, ({ inFlightMax }) => inFlightMax) + otherFileCount;
  const needed = `${countOf(lanes.length, 'lane')} may need ${countText(neededCount)}`;
  if (openFileCountMax === null)
    return unknown('open files', `This system does not say how many may be open; ${needed}.`);
  if (openFileCountMax >= neededCount) {
    return pass('open files', `${countText(openFileCountMax)} may be open, and ${needed}.`);
  }
  return fail('open files', `Only ${countText(openFileCountMax)} files may be open, and ${needed} when all hang.`, {
    remedy: `ulimit -n ${neededCount} in the shell that starts the run (or LimitNOFILE of its unit).`,
  });
}

/** Linux keeps a closed connection's port from being used again to the same place for so long. */
const timeWaitS = 60;

/** A port is taken for each place (address and port) anew, so the busiest one counts. */
function localPortsRow({ lanes, machine: { localPortCount } }: DoctorFacts): DoctorRow {
  const { pass, fail, unknown } = doctorRows('local-ports');
  const byPlace = Map.groupBy(lanes, ({ check }) => `${check.hostname}:${check.port}`);
  const needs = [...byPlace].map(([place, own]) => ({ place, neededCount: Math.ceil(portsOf(own)) }));
  const { place, neededCount } = needs.reduce((most, one) => (one.neededCount > most.neededCount ? one : most), {
    place: 'nowhere',
    neededCount: 0,
  });
  const needed = `connections to ${place} may need ${countText(neededCount)}`;
  if (localPortCount === null) return unknown('local ports', `This system does not say how many there are; ${needed}.`);
  if (localPortCount >= neededCount) {
    return pass('local ports', `There are ${countText(localPortCount)}, and ${needed}.`);
  }
  return fail('local ports', `There are only ${countText(localPortCount)} local ports, and ${needed}.`, {
    remedy: 'Widen net.ipv4.ip_local_port_range, or lower ratePerSecond.',
  });
}

/** Those that connect anew for each probe leave one behind each time. */
function portsOf(lanes: readonly Lane[]): number {
  return sum(
    lanes,
    ({ archetype, ratePerSecond, inFlightMax }) =>
      inFlightMax + (archetype.connect.kind === 'new' ? ratePerSecond * timeWaitS : 0),
  );
}

// ── processors, disk ─────────────────────────────────────────────────────────────────────────────────────────────────

function processorRows({ lanes, machine: { processorCount, ratePerThread } }: DoctorFacts): readonly DoctorRow[] {
  const { pass, fail } = doctorRows('processors');
  const rate = sum(lanes, ({ ratePerSecond }) => ratePerSecond);
  const threadCount = Math.max(1, Math.ceil(rate / ratePerThread));
  const has = `${countOf(processorCount, 'processor')} for ${countText(Math.ceil(rate))} probes/s`;
  if (threadCount > processorCount) {
    return [
      fail('processors', `There are only ${has}, which take ${countOf(threadCount, 'thread')}: probes would be late.`, {
        remedy: 'Lower ratePerSecond, or watch from a larger machine, or from two.',
      }),
    ];
  }
  if (processorCount === 1) {
    return [
      fail('processors', `There is only one processor, so that reports and observers are in the way of probes.`, {
        decides: false,
        remedy: 'Watch from a machine with two processors or more.',
      }),
    ];
  }
  return [pass('processors', `There are ${has}.`)];
}

/** Measured: 60 bytes a row, and the file is written anew when a run ends, so that it is there twice. */
const bytesPerRow = 60;
const copyCount = 2;
/** Journal and reports. */
const otherBytes = 64 * 1024 * 1024;

function diskRow(facts: DoctorFacts): DoctorRow {
  const { freeBytes, folder } = facts.machine;
  const { pass, fail, unknown } = doctorRows('disk');
  const rate = sum(facts.lanes, ({ ratePerSecond }) => ratePerSecond);
  const neededBytes = Math.ceil((rate * longestRunMs(facts)) / 1000) * bytesPerRow * copyCount + otherBytes;
  const needed = `the longest run may need ${mebibytes(neededBytes, 'up')}`;
  if (freeBytes === null) return unknown('disk', `The free space below ${folder} is not known; ${needed}.`);
  const free = mebibytes(freeBytes, 'down');
  if (freeBytes >= neededBytes) return pass('disk', `${free} are free in ${folder}, and ${needed}.`);
  return fail('disk', `Only ${free} are free in ${folder}, and ${needed}.`, {
    remedy: 'Make room, or name another folder with --out.',
  });
}

function mebibytes(bytes: number, rounding: 'up' | 'down'): string {
  const count = bytes / (1024 * 1024);
  return `${countText(rounding === 'up' ? Math.ceil(count) : Math.floor(count))} MiB`;
}

// ── what is only told ────────────────────────────────────────────────────────────────────────────────────────────────

/** Asked for by an address that a side has, or by lanes that were made of one. */
function ipv6Rows({ scenario, lanes, machine: { ipv6 } }: DoctorFacts): readonly DoctorRow[] {
  const given = Object.values(scenario.sides).flatMap(({ addresses }) =>
    addresses.flatMap((one) => (one.kind === 'address' ? [one.address] : [])),
  );
  const addresses = [...given, ...lanes.flatMap(({ address }) => address ?? [])].filter((one) => one.includes(':'));
  const [first] = addresses;
  if (first === undefined) return [];
  const { pass, fail } = doctorRows('ipv6');
  const isLoopback = addresses.every((address) => address === '::1');
  if (ipv6 === 'global' || (isLoopback && ipv6 === 'loopback')) return [pass('IPv6', 'This machine has IPv6.')];
  return [
    fail('IPv6', `This machine has no IPv6, and a side has ${first}: what users meet there is not seen from here.`, {
      decides: false,
      remedy: 'Watch from a machine with IPv6, too.',
    }),
  ];
}

function priorityRow({ machine: { mayRaisePriority } }: DoctorFacts): DoctorRow {
  const { pass, fail } = doctorRows('priority');
  if (mayRaisePriority) return pass('priority', 'Probing threads may go ahead of other processes.');
  return fail('priority', 'Probing threads may not go ahead of other processes: on a busy machine probes are later.', {
    decides: false,
    remedy: 'Leave the machine idle, or allow a nice value of -7 (limits.conf, LimitNICE).',
  });
}

function proxyRows({ proxyVariables }: DoctorFacts): readonly DoctorRow[] {
  if (proxyVariables.length === 0) return [];
  const { fail } = doctorRows('proxy');
  return [
    fail('proxy', `${proxyVariables.join(', ')} set, and not used: probes and questions go out directly.`, {
      decides: false,
      remedy: 'Nothing where the direct way is open; else watch from a machine outside of the proxy.',
    }),
  ];
}

function sum(lanes: readonly Lane[], of: (lane: Lane) => number): number {
  return lanes.reduce((total, lane) => total + of(lane), 0);
}
