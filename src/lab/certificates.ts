/**
 * What the lab's HTTPS fronts show: an authority made at start, and certificates by it, each when it is first shown. Keys
 * stay in memory, and nothing outlives the lab.
 */
import 'reflect-metadata';
import { createHash, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from '@peculiar/x509';
import type { Side } from '../core/scenario.ts';
import type { ShownCertificate } from '../model/world-model.ts';

type Owner = ShownCertificate['side'];

export interface Certificates {
  /** PEM of the authority. */
  readonly caPem: string;
  /** Of the right certificate of each side: lower-case hex. */
  readonly sha256: Readonly<Record<Side, string>>;
  /** The same object while the same is shown. */
  pemOf(shown: ShownCertificate): Promise<Pem>;
  contextOf(shown: ShownCertificate): Promise<SecureContext>;
}

export interface Pem {
  readonly cert: string;
  readonly key: string;
}

interface Issued {
  readonly certificate: X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

interface Shown {
  readonly certificate: X509Certificate;
  readonly pem: Pem;
  readonly context: SecureContext;
}

interface Subject {
  readonly commonName: string;
  readonly names: readonly string[];
  /** Days from now. */
  readonly fromDays: number;
  readonly toDays: number;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const msPerDay = 86_400_000;

/** `names`: of the right certificate of each owner. */
export async function makeCertificates(names: Readonly<Record<Owner, readonly string[]>>): Promise<Certificates> {
  cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0]);
  const authority = await makeAuthority();
  const shownBefore = new Map<string, Promise<Shown>>();

  function keyOf({ kind, side, names: shownNames }: ShownCertificate): string {
    return kind === 'other-name' ? `${kind} ${shownNames.join()}` : kind === 'default' ? kind : `${kind} ${side}`;
  }

  function find(shown: ShownCertificate): Promise<Shown> {
    const key = keyOf(shown);
    const found = shownBefore.get(key) ?? make(shown);
    shownBefore.set(key, found);
    return found;
  }

  async function make(shown: ShownCertificate): Promise<Shown> {
    const { certificate, keys } = await issue(subjectOf(shown), shown.kind === 'default' ? null : authority);
    const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
    const pem = { cert: certificate.toString('pem'), key: String(key) };
    return { certificate, pem, context: createSecureContext(pem) };
  }

  function subjectOf({ kind, side, names: shownNames }: ShownCertificate): Subject {
    const valid = { fromDays: -1, toDays: 90 };
    const [rightName = 'nobody.test'] = names[side];
    switch (kind) {
      case 'right':
        return { ...valid, commonName: rightName, names: names[side] };
      case 'expired':
        return { commonName: rightName, names: names[side], fromDays: -91, toDays: -1 };
      case 'other-name':
        return { ...valid, commonName: shownNames[0] ?? 'other.test', names: shownNames };
      case 'default':
        // As ingress-nginx makes it for names that it knows no secret for.
        return { ...valid, commonName: 'Kubernetes Ingress Controller Fake Certificate', names: ['ingress.local'] };
    }
  }

  async function right(side: Side): Promise<string> {
    const { certificate } = await find({ kind: 'right', side, names: names[side] });
    return createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex');
  }

  return {
    caPem: `${authority.certificate.toString('pem')}\n`,
    sha256: { old: await right('old'), new: await right('new') },
    pemOf: async (shown) => (await find(shown)).pem,
    contextOf: async (shown) => (await find(shown)).context,
  };
}

async function makeAuthority(): Promise<Issued> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=cutwatch rehearsal',
    ...lifeOf({ fromDays: -1, toDays: 90 }),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate, keys };
}

/** `authority` null: signed by itself. */
async function issue(subject: Subject, authority: Issued | null): Promise<Issued> {
  const keys = await newKeys();
  const name = `CN=${subject.commonName}`;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: name,
    issuer: authority?.certificate.subject ?? name,
    ...lifeOf(subject),
    publicKey: keys.publicKey,
    signingKey: (authority?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new SubjectAlternativeNameExtension(
        subject.names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    ],
  });
  return { certificate, keys };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function lifeOf({ fromDays, toDays }: Pick<Subject, 'fromDays' | 'toDays'>): {
  readonly notBefore: Date;
  readonly notAfter: Date;
} {
  const nowMs = Date.now();
  return { notBefore: new Date(nowMs + fromDays * msPerDay), notAfter: new Date(nowMs + toDays * msPerDay) };
}

/** Positive, as RFC 5280 has it. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
