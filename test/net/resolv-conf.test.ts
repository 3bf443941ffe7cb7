import { describe, expect, test } from 'vitest';
import { candidates } from '../../src/net/dns-system.ts';
import { parseHosts } from '../../src/net/hosts-file.ts';
import { parseResolvConf } from '../../src/net/resolv-conf.ts';

const defaults = {
  nameservers: ['127.0.0.1'],
  search: [],
  ndots: 1,
  timeoutS: 5,
  attemptCount: 2,
  rotate: false,
  useVc: false,
};

describe('resolv.conf is read as glibc reads it', () => {
  test.for<[what: string, text: string, conf: Partial<typeof defaults> | { readonly search: string[] }]>([
    ['nothing', '', {}],
    [
      'a pod of Kubernetes',
      'search shop.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
      {
        nameservers: ['10.96.0.10'],
        search: ['shop.svc.cluster.local', 'svc.cluster.local'],
        ndots: 5,
      },
    ],
    [
      'four servers, of which three count',
      'nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4',
      {
        nameservers: ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
      },
    ],
    [
      'IPv6, with a scope too',
      'nameserver 2001:db8::53\nnameserver fe80::1%eth0',
      { nameservers: ['2001:db8::53', 'fe80::1%eth0'] },
    ],
    ['a name where an address belongs', 'nameserver dns.example', {}],
    [
      'comments',
      '# nameserver 10.0.0.1\n; nameserver 10.0.0.2\nnameserver 10.0.0.3 # this one',
      { nameservers: ['10.0.0.3'] },
    ],
    ['a keyword that does not begin its line', ' nameserver 10.0.0.1', {}],
    [
      'tabs and carriage returns',
      'nameserver\t10.0.0.1\r\nsearch\ta.example \r\n',
      { nameservers: ['10.0.0.1'], search: ['a.example'] },
    ],
    ['the last of search and domain', 'search a.example b.example\ndomain c.example', { search: ['c.example'] }],
    ['the last of domain and search', 'domain c.example\nsearch a.example', { search: ['a.example'] }],
    [
      'options on several lines',
      'options timeout:1 attempts:4\noptions rotate use-vc',
      { timeoutS: 1, attemptCount: 4, rotate: true, useVc: true },
    ],
    [
      'options beyond what glibc allows',
      'options ndots:99 timeout:99 attempts:99',
      { ndots: 15, timeoutS: 30, attemptCount: 5 },
    ],
    ['options of no use', 'options timeout:0 attempts:0 ndots:x edns0 trust-ad', { timeoutS: 1, attemptCount: 1 }],
    ['ndots:0', 'options ndots:0', { ndots: 0 }],
  ])('%s', ([, text, conf]) => {
    expect(parseResolvConf(text)).toEqual({ ...defaults, ...conf });
  });

  test('without a search list the domain of the host is it', () => {
    expect(parseResolvConf('', 'web-7.corp.example').search).toEqual(['corp.example']);
    expect(parseResolvConf('', 'web-7').search).toEqual([]);
    expect(parseResolvConf('search a.example', 'web-7.corp.example').search).toEqual(['a.example']);
  });
});

describe('the search list comes before or after the name itself', () => {
  const search = ['a.example', 'b.example.'];
  test.for([
    { name: 'orders', ndots: 1, names: ['orders.a.example.', 'orders.b.example.', 'orders.'] },
    { name: 'orders.shop', ndots: 1, names: ['orders.shop.', 'orders.shop.a.example.', 'orders.shop.b.example.'] },
    { name: 'orders.shop', ndots: 2, names: ['orders.shop.a.example.', 'orders.shop.b.example.', 'orders.shop.'] },
    { name: 'orders.shop.', ndots: 5, names: ['orders.shop.'] },
    { name: 'orders', ndots: 0, names: ['orders.', 'orders.a.example.', 'orders.b.example.'] },
  ])('$name with ndots:$ndots', ({ name, ndots, names }) => {
    expect(candidates(name, { search, ndots })).toEqual(names);
  });

  test('a root in the list is the name itself, and what would be too long is left out', () => {
    expect(candidates('orders', { search: ['', 'a.example'], ndots: 1 })).toEqual(['orders.', 'orders.a.example.']);
    expect(candidates('orders', { search: [`${'a.'.repeat(126)}a`], ndots: 1 })).toEqual(['orders.']);
  });
});

test('a hosts file has names in any case, several on a line, one on several lines', () => {
  const hosts = parseHosts(
    [
      '127.0.0.1 localhost # not this',
      '::1\tlocalhost ip6-localhost',
      '# 10.0.0.1 commented',
      '10.0.0.7 Orders.Shop.Example orders\r',
      '10.0.0.7 orders',
      'not-an-address orders',
      '10.0.0.13',
      '   10.0.0.9   orders',
    ].join('\n'),
  );
  expect(Object.fromEntries(hosts)).toEqual({
    localhost: ['127.0.0.1', '::1'],
    'ip6-localhost': ['::1'],
    'orders.shop.example': ['10.0.0.7'],
    orders: ['10.0.0.7', '10.0.0.9'],
  });
});
