/** What a forecast says in sentences: how long to keep the side, and what it assumes. */
import { countOf, countText, durationText, listText, ratioText } from '../core/quantity-text.ts';
import type { Forecast, ServiceForecast } from './forecast.ts';
import type { Holder } from './forecast-user.ts';

export const holderWords: Readonly<Record<Holder, string>> = {
  'resolver-cache': 'resolver cache',
  'name-server-lag': 'name server lag',
  'own-cache': 'own cache',
  'kept-connection': 'kept connection',
  'never-asks': 'never asks again',
};

export function secondsText(s: number): string {
  return durationText(s * 1000);
}

/** Whole per cents, but what is not none or all never says so. */
export function shareText(ratio: number): string {
  if (ratio > 0 && ratio < 0.01) return ratioText(Math.max(ratio, 0.0001), 'up');
  if (ratio < 1 && ratio > 0.99) return `${(Math.floor(ratio * 1000) / 10).toFixed(1)} %`;
  return `${String(Math.round(ratio * 100))} %`;
}

/** How long to keep the side that is left. */
export function adviceOf(forecast: Forecast, service: ServiceForecast): readonly string[] {
  const { title } = forecast.leaving;
  const { leaversT99S, ledAwayT99S, all, clients } = service;
  const lines: string[] = [];
  if (ledAwayT99S === null || leaversT99S === null) {
    lines.push(
      `Keep ${title}: within ${secondsText(service.horizonS)} of the switch nothing leads its users away for good.`,
    );
  } else {
    lines.push(
      `Keep ${title} at least ${secondsText(leaversT99S)} after the switch: by then 99 % of the users who leave by themselves have left.`,
    );
    // A tenth more or less is no other advice.
    if (leaversT99S > 1.1 * ledAwayT99S) {
      lines.push(
        `DNS leads 99 % of them elsewhere after ${secondsText(ledAwayT99S)}; the others hold a connection. It breaks when ${title} goes, and is opened anew at the other side.`,
      );
    }
  }
  const staying = clients.filter(({ stayRatio }) => stayRatio > 0).map(({ client }) => client);
  if (staying.length > 0 && ledAwayT99S !== null) {
    lines.push(
      `${shareText(all.stayRatio)} of the users (${listText(staying)}) are still there ${secondsText(service.horizonS)} after the switch: restart or mend them before ${title} goes.`,
    );
  }
  return lines;
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
