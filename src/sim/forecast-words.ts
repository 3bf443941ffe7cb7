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

/** How long to keep the side that is left. */
export function adviceOf(forecast: Forecast, service: ServiceForecast): readonly string[] {
  const title = leavingText(forecast);
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
