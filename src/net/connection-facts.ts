import type { Connection } from '../core/ports.ts';

/** What the dialer knows of a connection. */
export type ConnectionFacts = Pick<
  Connection,
  | 'dialledAtNs'
  | 'connectedAtNs'
  | 'securedAtNs'
  | 'localPort'
  | 'address'
  | 'certificateSha256'
  | 'certificateToMs'
  | 'alpn'
  | 'tlsVersion'
>;
