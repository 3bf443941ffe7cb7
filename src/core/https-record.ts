/** HTTPS records (RFC 9460), written as `DnsRecord.data` has them. */

/** Addresses that a browser may connect to without asking for A or AAAA (RFC 9460, 7.3). */
export function hintsOf(data: string): readonly string[] {
  return data.split(' ').flatMap((word) => {
    const [key, value = ''] = word.split('=', 2);
    return (key === 'ipv4hint' || key === 'ipv6hint') && value !== '' ? value.split(',') : [];
  });
}

/** The name that it leads to; null where it is the owner's own, or the data is not as the RFC says. */
export function targetOf(data: string): string | null {
  const [priority = '', target = '.'] = data.split(' ');
  return /^\d+$/.test(priority) && target !== '.' ? target : null;
}
