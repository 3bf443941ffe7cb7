/** What a forecast says in sentences: how long to keep the side, and what it assumes. */
import { countOf, countText, durationText, listText } from '../core/quantity-text.ts';
import type { Forecast, ServiceForecast } from './forecast.ts';
import type { Holder } from './forecast-user.ts';

export const holderWords: Readonly<Record<Holder, string>> = {
  'resolver-cache': 'resolver cache',
  'name-server': 'name server',
  'own-cache': 'own cache',
  'kept-connection': 'kept connection',
  'never-asks': 'never asks again',
};

/** Whole seconds from 100 s on: nothing here is known better. */
export function secondsText(s: number): string {
  return durationText((s < 100 ? s : Math.round(s)) * 1000);
}

/** Whole per cents, tenths below one; what is not none or all never says so. */
export function shareText(ratio: number): string {
  // Weights do not add up to 1 to the last bit.
  const perMille = Math.round(ratio * 1e9) / 1e6;
  if (perMille <= 0) return '0 %';
  if (perMille < 1) return '< 0.1 %';
  if (perMille > 990 && perMille < 1000) return `${(Math.floor(perMille) / 10).toFixed(1)} %`;
  return perMille < 10 ? `${(Math.round(perMille) / 10).toFixed(1)} %` : `${String(Math.round(perMille / 10))} %`;
}

/** What the side that is left is called. */
export function leavingText({ leaving: { side, title } }: Forecast): string {
  return title === side ? `the ${side} side` : title;
}

/** How long to keep the side that is left: what to do first, then why, and what becomes of whom. */
export function adviceOf(forecast: Forecast, service: ServiceForecast): readonly string[] {
  const title = leavingText(forecast);
  if (!service.leadsAway) {
    return [`Keep ${title}: in the end names lead users there still, or again, and they are down once it goes.`];
  }
  const { all, clients } = service;
  const staying = clients.filter(({ stayRatio }) => stayRatio > 0).map(({ client }) => client);
  return [
    ...keepingOf(title, service),
    ...(staying.length === 0
      ? []
      : [
          `${shareText(all.stayRatio)} of the users (${listText(staying)}) never ask DNS again: whenever ${title} goes, they are down from then on. Restart or mend them first.`,
        ]),
  ];
}

/** Those who stay apart. */
function keepingOf(title: string, service: ServiceForecast): readonly string[] {
  const { all, curve, horizonS, ledAwayT99S, ledAwayLastS } = service;
  const horizon = secondsText(horizonS);
  const longer = 'A longer --horizon-s shows until when.';
  if (all.stayRatio === 1) return [`Keep ${title}: nobody leaves it by himself.`];
  if (ledAwayLastS === null) {
    return [`Keep ${title} for longer than ${horizon} after the switch: DNS still leads users there then. ${longer}`];
  }
  const led = secondsText(ledAwayLastS);
  const most =
    ledAwayT99S !== null && ledAwayLastS > 1.1 * ledAwayT99S
      ? ` (no more than 1 % from ${secondsText(ledAwayT99S)} on)`
      : '';
  const down = `Before ${led} DNS still leads users there${most}: if ${title} goes, they are down until it leads them elsewhere.`;
  const breaking = `If ${title} goes, each connection breaks once: one request fails or is retried, then the user connects anew at the other side.`;
  if (all.lastS === null) {
    return [
      `Keep ${title} for longer than ${horizon} after the switch; ${led} is the very least. ${longer}`,
      down,
      `From ${led} on users are there only over connections they keep, ${shareText(all.laterRatio)} of all still at ${horizon}. ${breaking}`,
    ];
  }
  const last = secondsText(all.lastS);
  const connectedRatio = (curve.findLast(({ atS }) => atS <= ledAwayLastS)?.ratio ?? 0) - all.stayRatio;
  // A tenth more or less is no other advice.
  if (all.lastS <= 1.1 * ledAwayLastS) return [`Keep ${title} for ${last} after the switch.`, down];
  return [
    `Keep ${title} for ${last} after the switch; ${led} is the very least.`,
    down,
    `From ${led} to ${last} users are there only over connections they keep, ${shareText(connectedRatio)} of all at first. ${breaking}`,
  ];
}

/** Whatever nobody has measured is said. */
export function assumptionsOf(forecast: Forecast): readonly string[] {
  const { weightsAssumed, requestEveryS, populationCount, seed, services } = forecast;
  const userCount = services.reduce((sum, service) => sum + service.userCount, 0);
  const shareError = Math.max(0, ...services.map((service) => service.shareError));
  return [
    `${countText(userCount)} users in ${countOf(populationCount, 'population')} were simulated, seed ${String(seed)}: chance moves a share by ${shareText(shareError)} (standard error, at most).`,
    weightsAssumed
      ? 'Every client is counted as equally common: the scenario gives no weights.'
      : 'How common each client is, the scenario says; it is not measured here.',
    `A user sends a request every ${secondsText(requestEveryS)} on average, at random: assumed. His resolver is busy, and its caches are of any age when the switch comes.`,
    'Resolvers keep to their TTLs but where the scenario says otherwise. Real ones do not all: 8.7 % extend them (Bhowmick et al., PAM 2023), and with a TTL of 20 s 2 % of users had not moved after 15 min (Flavel et al., LANMAN 2014).',
  ];
}
