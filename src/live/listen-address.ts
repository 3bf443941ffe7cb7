/** Where `--listen` listens. */
import { isIP } from 'node:net';

export interface ListenAddress {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  /** 0 = any that is free. */
  readonly port: number;
  /** Nobody but this machine can reach it. */
  readonly isLoopback: boolean;
}

/** Any free port, for this machine alone. */
export const defaultListenAddress: ListenAddress = { address: '127.0.0.1', port: 0, isLoopback: true };

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080`, `8080`, `0.0.0.0`; null = none of these. */
export function parseListenAddress(text: string): ListenAddress | null {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (inBrackets === undefined && plain === undefined) return null;
  const isPortAlone = plain !== undefined && /^\d{1,5}$/.test(plain) && port === undefined;
  const host = isPortAlone ? '' : (inBrackets ?? plain ?? '');
  const address = host === '' || host === 'localhost' ? defaultListenAddress.address : host;
  const number = Number(isPortAlone ? plain : (port ?? 0));
  if (isIP(address) !== (inBrackets === undefined ? 4 : 6) || number > 65_535) return null;
  return { address, port: number, isLoopback: isLoopback(address) };
}

/** An IP address as it stands in a URL. */
export function hostText(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./i.test(address) || address === '::1';
}

export function isEveryAddress(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
