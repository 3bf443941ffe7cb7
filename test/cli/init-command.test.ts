/** `cutwatch init` on the command line, and what it asks DNS. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock, DnsPort, DnsReply } from '../../src/core/ports.ts';
import { lookUpName } from '../../src/cli/init-command.ts';

const main = resolve('src/cli/main.ts');
const sides = ['--old', 'shop-1.elb.amazonaws.com', '10.0.1.0/24', '--new', '10.0.2.7'];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutwatch-init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function init(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, 'init', '--no-look-up', ...args], {
    cwd: folder,
    encoding: 'utf8',
    input: '',
  });
}

describe('of flags', () => {
  test('writes a scenario that plan reads', () => {
    const { status, stderr } = init('--url', 'https://orders.shop.example/ready', ...sides);
    expect([status, stderr]).toEqual([0, expect.stringContaining('next: cutwatch plan orders-shop-example.yaml')]);
    const planned = spawnSync(process.execPath, [main, 'plan', 'orders-shop-example.yaml'], { cwd: folder });
    expect(planned.status).toBe(0);
  });

  test('does not replace a file that is there, unless told to', () => {
    const path = join(folder, 'mine.yaml');
    writeFileSync(path, 'mine');
    const args = ['--url', 'https://orders.shop.example/', ...sides, '--out', 'mine.yaml'];
    expect(init(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining('is there already') as string });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(init(...args, '--force').status).toBe(0);
    expect(readFileSync(path, 'utf8')).toContain('services:');
  });

  test('prints it where the file is -', () => {
    const { stdout } = init('--url', 'https://orders.shop.example/', ...sides, '--out', '-');
    expect(stdout).toContain('dns:shop-1.elb.amazonaws.com');
  });

  test.for([
    [['--url', 'orders.shop.example', ...sides], '--url: found "orders.shop.example", expected a URL'],
    [['--url', 'https://me:secret@shop.example/', ...sides], 'a URL with credentials'],
    [['--url', 'https://a.example/', '--old', 'a b', '--new', '10.0.0.1'], '--old: found "a b"'],
    [['--url', 'https://a.example/', '--old', '10.0.0.1'], '--new: not given, and there is no terminal to ask'],
    [['--url', 'https://a.example/', ...sides, '--resolver', 'x'], '--resolver: found "x", expected an address'],
    [['--url', 'https://a.example/', ...sides, '--name', '-'], 'name'],
  ] as const)('what is wrong is said, and nothing is written: %j', ([args, text]) => {
    expect(init(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining(text) as string });
  });
});

describe('what DNS says of a name', () => {
  const clock: Clock = { nowNs: () => 0, at: () => () => undefined };
  const answered: Extract<DnsReply, { kind: 'answered' }> = {
    kind: 'answered',
    rcode: 'NOERROR',
    authoritative: false,
    ede: 0,
    answers: [],
    authority: [],
    chain: [],
    addresses: [],
    ttlS: 0,
    sentAtNs: 0,
    endedAtNs: 0,
  };
  const failed: DnsReply = { kind: 'failed', reason: 'timed-out', error: '', sentAtNs: 0, endedAtNs: 0 };

  /** `ns1` is deaf, `ns2` answers; the resolver has held the record for a while. */
  function port({ isDeaf }: { readonly isDeaf: boolean }): DnsPort {
    const addressOf: Readonly<Record<string, string>> = { 'ns1.example.': '10.9.9.1', 'ns2.example.': '10.9.9.2' };
    return {
      query: (server, { name, type }) => {
        const isResolver = server.kind === 'udp' && server.address === '10.0.0.2';
        const answer = (more: Partial<typeof answered>): Promise<DnsReply> => Promise.resolve({ ...answered, ...more });
        if (type === 'NS' && name === 'shop.example.') {
          const answers = ['ns1.example', 'ns2.example'].map((data) => ({ name: 'shop.example', type, ttlS: 9, data }));
          return answer({ answers });
        }
        const address = addressOf[name];
        if (type === 'A' && address !== undefined) return answer({ addresses: [address] });
        if (type !== 'A' || name !== 'orders.shop.example.') return answer({ rcode: 'NXDOMAIN' });
        const chain = ['shop-1.elb.example'];
        if (isResolver) return answer({ chain, addresses: ['10.0.1.7'], ttlS: 31 });
        if (isDeaf || (server.kind === 'udp' && server.address === '10.9.9.1')) return Promise.resolve(failed);
        const answers = [{ name: 'Orders.shop.example', type: 'CNAME', ttlS: 300, data: 'shop-1.elb.example' }];
        return answer({ authoritative: true, answers, chain, ttlS: 60 });
      },
    };
  }

  const look = (isDeaf: boolean): ReturnType<typeof lookUpName> =>
    lookUpName({ clock, dns: port({ isDeaf }) }, 'orders.shop.example', { kind: 'udp', address: '10.0.0.2', port: 53 });

  test("the TTL is that of the name's own record, from the first server that answers", async () => {
    expect(await look(false)).toEqual({
      leadsTo: ['shop-1.elb.example', '10.0.1.7'],
      zone: 'shop.example',
      authorityCount: 2,
      ttlS: 300,
      error: '',
    });
  });

  test('where no server answers it is not known, and what a resolver has left of it is no TTL', async () => {
    expect(await look(true)).toMatchObject({
      ttlS: null,
      error: 'its TTL is not known: none of the 2 name servers of shop.example answered',
    });
  });
});
