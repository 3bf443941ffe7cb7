import { Resolver } from 'node:dns/promises';
import type { OwnProcess } from './own-process.ts';
import { waitUntil } from './wait-until.ts';

/** Returns when a resolver answers for the zone; only the name of the name server is in its cache then. */
export async function answersOn(given: {
  readonly title: string;
  readonly server: OwnProcess;
  readonly address: string;
  readonly port: number;
  readonly zone: string;
}): Promise<void> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`${given.address}:${given.port}`]);
  await waitUntil(`${given.title} answers`, () => {
    if (!given.server.isRunning) throw new Error(`${given.title} ended: ${given.server.output()}`);
    const name = `ns.${given.zone}`;
    return resolver.resolve4(name).catch(() => null);
  });
}
