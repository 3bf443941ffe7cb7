/**
 * Two nginx before one application, on a port of its own for each service. Each service is alike on both sides but for one
 * thing that an nginx of the new side does by its usual settings, or by wrong ones.
 */
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Side } from '../../src/core/scenario.ts';
import type { ScenarioInput } from '../../src/scenario/input.ts';
import { makeCertificates, type Certificate } from './servers/certificates.ts';
import { describeReal } from './servers/describe-real.ts';
import { startNamed, type Named } from './servers/named.ts';
import { startNginx, type Nginx } from './servers/nginx.ts';
import { freePorts } from './servers/ports.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { cutwatch } from './stage.ts';

const zone = 'shop.test';
const addresses: Readonly<Record<Side, string>> = { old: '127.0.1.1', new: '127.0.2.1' };
/** Longer than a proxy of this test waits, and shorter than anybody minds. */
const slowMs = 2300;

interface Conf {
  /** Directives of the server. */
  readonly server?: string;
  readonly listen?: string;
  readonly forwarded?: string;
  readonly certificate?: 'good' | 'ending' | 'wrong';
  /** On IPv6; left out: the same. */
  readonly certificateOnIpv6?: 'wrong';
  /** For who names no server; left out: the same. */
  readonly isFakeByDefault?: boolean;
  readonly app?: 'roomy' | 'usual';
}

interface Told {
  /** What is on the new side only. */
  readonly conf: Conf;
  /** What does not pass. */
  readonly expected: readonly string[];
  readonly says?: RegExp;
}

const roomy = 'client_max_body_size 0; large_client_header_buffers 4 64k;';
const services: Readonly<Record<string, Told>> = {
  alike: { conf: {}, expected: [] },
  slow: {
    conf: { server: `${roomy} proxy_read_timeout 1s;` },
    expected: ['fail slow-request'],
    says: /\/slow ends with 504 after 1(?:\.\d)? s at 127\.0\.2\.1, and with 200 after \d\.?\d? s at ALB\/ECS/,
  },
  upload: {
    conf: { server: 'large_client_header_buffers 4 64k;' },
    expected: ['fail upload'],
    says: /POST \/files of 1,500,000 bytes gets 413 from 127\.0\.2\.1, and 204 from ALB\/ECS/,
  },
  cookies: {
    conf: { server: 'client_max_body_size 0;' },
    expected: ['fail header-size', 'warn header-size'],
    says: /Headers of 12,000 bytes in one get 400 from 127\.0\.2\.1, and 200 from ALB\/ECS/,
  },
  node: {
    conf: { app: 'usual' },
    expected: ['warn header-size'],
    says: /Headers of 17 KiB in three get 431 from 127\.0\.2\.1, and 200 from ALB\/ECS/,
  },
  client: {
    conf: { forwarded: 'proxy_set_header X-Forwarded-For $remote_addr;' },
    expected: ['fail forwarded'],
    says: /told x-forwarded-for: 127\.0\.0\.1; through ALB\/ECS x-forwarded-for: what the client claims, 127\.0\.0\.1/,
  },
  modern: {
    conf: { server: `${roomy} ssl_protocols TLSv1.3;` },
    expected: ['fail tls-versions'],
    says: /nothing newer than TLS 1\.2 \(tls-failed/,
  },
  plain: { conf: { listen: 'ssl' }, expected: ['fail http2'], says: /speaks http\/1\.1 to whoever offers HTTP\/2/ },
  unnamed: {
    conf: { isFakeByDefault: true },
    expected: ['warn no-server-name'],
    says: /fake certificate, and from ALB\/ECS: its certificate/,
  },
  ending: { conf: { certificate: 'ending' }, expected: ['fail certificate'], says: /ends in 1 day/ },
  six: {
    conf: { certificateOnIpv6: 'wrong' },
    expected: ['fail certificate'],
    says: /^::1 does not show a good certificate for six\.shop\.test: tls-failed \(wrong-name\)/,
  },
  wrong: {
    conf: { certificate: 'wrong' },
    expected: ['fail certificate'],
    says: /good certificate for wrong\.shop\.test: tls-failed \(wrong-name\), of elsewhere\.test/,
  },
};
const names = Object.keys(services);

interface Printed {
  readonly safeToSwitch: { readonly safe: string; readonly because: readonly string[] };
  readonly checks: readonly {
    readonly service: string;
    readonly check: string;
    readonly result: string;
    readonly decides: boolean;
    readonly text: string;
  }[];
}

/** What answers behind both sides. */
async function startApp(maxHeaderSize: number): Promise<Server> {
  const app = createServer({ maxHeaderSize }, (request, response) => {
    const path = request.url ?? '';
    response.setHeader('content-type', 'application/json');
    if (path === '/slow') setTimeout(() => response.end('{"rows":3}'), slowMs);
    else if (path === '/echo') response.end(JSON.stringify({ headers: request.headers }));
    else if (path === '/files') request.resume().on('end', () => response.writeHead(204).end());
    else if (path === '/ready') response.end('{"ready":true}');
    else response.writeHead(404).end('{}');
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  return app;
}

describeReal('the edges of both sides', ['nginx', 'named', 'nsupdate', 'openssl'], () => {
  const stack = new AsyncDisposableStack();
  const nginx: Partial<Record<Side, Nginx>> = {};
  let named: Named;
  let scenario: ScenarioInput;
  let folder = '';

  beforeAll(async () => {
    folder = stack.use(await makeTemporaryFolder()).path;
    const [httpPort = 0, ...ports] = await freePorts(names.length + 1);
    const hostnames = names.map((name) => `${name}.${zone}`);
    const { leaves: certificates, caPath } = await makeCertificates(
      folder,
      { good: hostnames, wrong: ['elsewhere.test'], ending: hostnames },
      { good: 90, wrong: 90 },
    );
    const otherFolder = stack.use(await makeTemporaryFolder()).path;
    const fakeName = 'Kubernetes Ingress Controller Fake Certificate';
    const other = await makeCertificates(otherFolder, { fake: [fakeName] });
    const apps = { roomy: await startApp(65_536), usual: await startApp(16_384) };
    stack.defer(() => void Object.values(apps).map((app) => app.close()));

    const block = (side: Side, name: string, port: number): string => {
      const conf: Conf = side === 'old' ? {} : (services[name]?.conf ?? {});
      const { server = roomy, listen = 'ssl http2', app = 'roomy', certificate = 'good' } = conf;
      const { forwarded = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;' } = conf;
      const shown = ({ certificatePath, keyPath }: Certificate): string =>
        `ssl_certificate ${certificatePath}; ssl_certificate_key ${keyPath};`;
      const to = `proxy_pass http://127.0.0.1:${(apps[app].address() as AddressInfo).port};`;
      const protocols = server.includes('ssl_protocols') ? '' : 'ssl_protocols TLSv1.2 TLSv1.3;';
      const ats = [`${addresses[side]}:${port}`, ...(side === 'new' ? [`[::1]:${port}`] : [])];
      return ats
        .map((at) => {
          const own = at.startsWith('[') ? (conf.certificateOnIpv6 ?? certificate) : certificate;
          const fake = `server { listen ${at} ${listen} default_server; ${protocols} ${shown(other.leaves.fake)} return 404; }`;
          return `${conf.isFakeByDefault === true ? fake : ''}
            server {
              listen ${at} ${listen}; server_name ${name}.${zone}; ${protocols} ${shown(certificates[own])} ${server}
              add_header X-Served-By ${side} always;
              location / {
                ${to} proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme; ${forwarded}
              }
            }`;
        })
        .join('\n');
    };
    for (const side of ['old', 'new'] as const) {
      const more = names.map((name, i) => block(side, name, ports[i] ?? 0)).join('\n');
      nginx[side] = stack.use(await startNginx({ addresses: [addresses[side]], httpPort, side, more }));
    }
    named = stack.use(await startNamed({ zone, records: names.map((name) => `${name} 60 A ${addresses.old}`) }));
    const server = `${named.address}:${named.port}`;
    scenario = {
      name: 'edges',
      defaults: { preflight: { slowPath: '/slow', uploadPath: '/files', writes: true, echoPath: '/echo' } },
      services: names.map((name, i) => ({
        name,
        url: `https://${name}.${zone}:${ports[i] ?? 0}/ready`,
        tls: { ca: caPath },
        ...(name === 'cookies' ? { preflight: { headerBytes: 12_000 } } : {}),
      })),
      sides: {
        old: { title: 'ALB/ECS', addresses: [addresses.old], marker: { 'x-served-by': 'old' } },
        new: { title: 'nginx/EKS', addresses: [addresses.new, '::1'], marker: { 'x-served-by': 'new' } },
      },
      resolvers: [{ name: 'vpc', address: server }],
      authorities: [server],
      change: { ttlS: 60, ttlBeforeS: 60, ttlLoweredAt: '2026-11-20T10:00:00Z' },
    };
  });
  afterAll(() => stack.disposeAsync());

  async function preflight(
    of: ScenarioInput,
    ...flags: readonly string[]
  ): Promise<{ readonly exitCode: number; readonly stderr: string; readonly found: Printed }> {
    const path = join(folder, 'scenario.yaml');
    await writeFile(path, JSON.stringify(of));
    const said = await cutwatch('preflight', path, '--json', '--memory', join(folder, 'memory.json'), ...flags);
    return { ...said, found: JSON.parse(said.stdout) as Printed };
  }

  test('of each service exactly that does not pass which is wrong with it', async () => {
    const { exitCode, found, stderr } = await preflight(scenario);
    const notPassed = found.checks.filter(({ result }) => result !== 'pass');
    const told = Object.fromEntries(
      names.map((name) => {
        const own = notPassed.filter(({ service }) => service === name);
        return [name, [...new Set(own.map(({ check, result, decides }) => `${decides ? result : 'warn'} ${check}`))]];
      }),
    );
    expect(told).toEqual(Object.fromEntries(Object.entries(services).map(([name, { expected }]) => [name, expected])));
    for (const [name, { says }] of Object.entries(services)) {
      const texts = notPassed.filter(({ service }) => service === name).map(({ text }) => text);
      if (says !== undefined) expect(texts).toContainEqual(expect.stringMatching(says));
    }
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^NO, because slow: /m);
    expect(stderr).toMatch(/; 3 of them with a body of 1,500,000 bytes; some may take up to 90 s$/m);
  });

  test('the way back is open where the old side is well, though the new one is gone', async () => {
    const rest = { ...scenario, services: scenario.services.filter(({ name }) => name === 'alike') };
    await named.setAddresses(`alike.${zone}`, [addresses.new], 60);
    await nginx.new?.stop();
    const { exitCode, found, stderr } = await preflight(rest, '--rollback');
    expect(found.safeToSwitch).toMatchObject({ safe: 'yes' });
    expect(stderr).toMatch(/^SAFE TO SWITCH BACK\nedges, from nginx\/EKS to ALB\/ECS, as of /m);
    expect(exitCode).toBe(0);
  });
});
