/** A small authority for tests: its zone is text, one record a line, as in a zone file without shortcuts. */
import type { DnsQuestion, DnsRecord } from '../../src/core/ports.ts';
import type { DnsContent } from '../../src/model/world-model.ts';

export interface TextZone {
  /** Another zone from now on. */
  set(text: string): void;
  ask(question: DnsQuestion): DnsContent;
}

/** `text`: lines of `name ttl type data`, names in full without a dot at their end; one SOA, whose name is the zone's. */
export function newTextZone(text: string): TextZone {
  let records = recordsOf(text);

  function ask(question: DnsQuestion): DnsContent {
    const answers: DnsRecord[] = [];
    let { name } = question;
    for (;;) {
      const own = records.filter((record) => record.name === name);
      const alias = question.type === 'CNAME' ? undefined : own.find(({ type }) => type === 'CNAME');
      if (alias !== undefined) {
        answers.push(alias);
        name = alias.data;
        continue;
      }
      const wanted = own.filter(({ type }) => type === question.type);
      answers.push(...wanted);
      const isNegative = wanted.length === 0;
      return {
        rcode: own.length === 0 ? 'NXDOMAIN' : 'NOERROR',
        authoritative: true,
        ede: 0,
        answers,
        authority: isNegative ? records.filter(({ type }) => type === 'SOA') : [],
      };
    }
  }

  return {
    set: (other) => {
      records = recordsOf(other);
    },
    ask,
  };
}

function recordsOf(text: string): readonly DnsRecord[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/ +/))
    .filter(([name]) => name !== undefined && name !== '')
    .map(([name = '', ttlS = '', type = '', ...data]) => ({ name, ttlS: Number(ttlS), type, data: data.join(' ') }));
}
