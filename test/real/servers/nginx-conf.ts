import type { Certificate } from './certificates.ts';

export interface NginxConf {
  /** Every address it listens on. */
  readonly addresses: readonly string[];
  readonly httpPort: number;
  /** With a certificate it also listens here. */
  readonly tlsPort?: number;
  readonly certificate?: Certificate;
  readonly isHttp2Offered?: boolean;
  /** Sent as `X-Served-By`, and in the body. */
  readonly side: string;
  /** Replaces what `/` answers: `return 503;`, `proxy_pass http://127.0.0.1:20123;` … */
  readonly answer?: string;
  /** More directives of the `http` block, and of the `server` block. */
  readonly more?: string;
  readonly server?: string;
}

/** Closes the connection by RST instead of an answer. */
export const answerByReset = 'reset_timedout_connection on; return 444;';

const logFields = {
  // Time of the log line, which nginx writes when it has sent the answer.
  endedAtS: '$msec',
  tookS: '$request_time',
  traceId: '"$http_x_amzn_trace_id"',
  status: '$status',
  request: '"$request"',
  host: '"$http_host"',
  connection: '$connection',
  connectionRequests: '$connection_requests',
  remotePort: '$remote_port',
  serverAddress: '"$server_addr"',
  serverPort: '$server_port',
  bytesSent: '$bytes_sent',
  completion: '"$request_completion"',
} as const;

/** The whole nginx.conf; paths are relative to the prefix folder. */
export function nginxConf(conf: NginxConf): string {
  const protocols = conf.isHttp2Offered === true ? 'ssl http2' : 'ssl';
  const listens = conf.addresses.flatMap((address) => [
    `listen ${address}:${conf.httpPort};`,
    ...(conf.certificate === undefined || conf.tlsPort === undefined
      ? []
      : [`listen ${address}:${conf.tlsPort} ${protocols};`]),
  ]);
  const tls =
    conf.certificate === undefined
      ? []
      : [
          `ssl_certificate ${conf.certificate.certificatePath};`,
          `ssl_certificate_key ${conf.certificate.keyPath};`,
          'ssl_protocols TLSv1.2 TLSv1.3;',
        ];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`);
  const log = Object.entries(logFields)
    .map(([name, value]) => `"${name}":${value}`)
    .join(',');
  return [
    // As root, workers would else become a user who may not enter the prefix folder.
    ...(process.getuid?.() === 0 ? ['user root root;'] : []),
    'daemon off;',
    'worker_processes 1;',
    'pid nginx.pid;',
    'error_log error.log notice;',
    'events { worker_connections 4096; }',
    'http {',
    ...temporary,
    'default_type text/plain;',
    `log_format evidence escape=json '{${log}}';`,
    'access_log access.log evidence;',
    conf.more ?? '',
    'server {',
    ...listens,
    ...tls,
    conf.server ?? '',
    `add_header X-Served-By ${conf.side} always;`,
    `location / { ${conf.answer ?? `return 200 "ok from ${conf.side}\\n";`} }`,
    '}',
    '}',
    '',
  ].join('\n');
}

/** One request as nginx saw it. */
export interface AccessEntry {
  /** Wall clock, ms since 1970: when nginx had read the first byte of it, and when it had answered. To the ms. */
  readonly arrivedAtMs: number;
  readonly endedAtMs: number;
  /** Of `X-Amzn-Trace-Id`; '' = it had none. */
  readonly traceId: string;
  readonly status: number;
  /** `GET /ready HTTP/1.1`. */
  readonly request: string;
  readonly host: string;
  /** nginx's serial number of the connection, and which request on it this was, from 1. */
  readonly connection: number;
  readonly connectionRequests: number;
  readonly remotePort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly bytesSent: number;
  /** The whole answer was sent. */
  readonly isComplete: boolean;
}

/** The access log, without a last line that is still being written. */
export function parseAccessLog(text: string): readonly AccessEntry[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { endedAtS, tookS, completion, ...rest } = JSON.parse(line) as Omit<AccessEntry, 'isComplete'> & {
        readonly endedAtS: number;
        readonly tookS: number;
        readonly completion: string;
      };
      const endedAtMs = Math.round(endedAtS * 1000);
      const arrivedAtMs = endedAtMs - Math.round(tookS * 1000);
      return { ...rest, endedAtMs, arrivedAtMs, isComplete: completion === 'OK' };
    });
}
