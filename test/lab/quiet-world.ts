/** A world in which all is well and nothing happens; tests put in what they are about. */
import type { Places, Setting } from '../../src/core/world.ts';
import type { Served, WorldModel } from '../../src/model/world-model.ts';

export const places: Places = {
  sides: { old: ['127.0.1.1', '127.0.1.2'], new: ['127.0.2.1'] },
  nameServers: { ns1: '127.0.3.1', ns2: '127.0.3.2' },
  resolvers: { vpc: '127.0.4.1' },
  references: { 'status.test': '127.0.5.1' },
};

export const setting: Setting = {
  sites: [
    { service: 'shop', hostname: 'shop.test', answers: {} },
    { service: 'pay', hostname: 'pay.test', answers: {} },
  ],
  loadBalancerNames: { old: ['old.elb.test'], new: ['new.elb.test'] },
  markers: { old: [], new: [] },
  referenceHostnames: ['status.test'],
  places,
};

export type Answered = Extract<Served, { kind: 'answered' }>;

export function answered(some: Partial<Answered> = {}): Answered {
  return {
    kind: 'answered',
    afterNs: 0,
    status: 200,
    reason: 'OK',
    headers: ['Content-Type', 'text/plain'],
    body: 'ready\n',
    closes: false,
    fault: null,
    ...some,
  };
}

export function quietWorld(some: Partial<WorldModel> = {}): WorldModel {
  return {
    places,
    change: () => {},
    advance: () => {},
    nextEventNs: () => null,
    ask: () => null,
    dial: () => ({ kind: 'accepted', afterNs: 0 }),
    certificate: (_, serverName) => ({ kind: 'right', side: 'old', names: [serverName] }),
    serve: () => answered(),
    idleEndNs: () => null,
    cut: () => null,
    recordCut: () => {},
    seen: () => [],
    isApiDown: () => false,
    rttNs: () => 0,
    end: () => {},
    ...some,
  };
}
