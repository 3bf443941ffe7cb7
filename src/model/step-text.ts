/** What a step of the change script is called, in the words of people who would do it or suffer it. */
import type { StepAction } from '../core/world.ts';

export function stepText(action: StepAction): string {
  switch (action.kind) {
    case 'lower-ttl':
      return `the TTL of the records is set to ${action.ttlS} s`;
    case 'switch-dns':
      return `DNS ${whose(action.services)} is switched to the ${action.to} side`;
    case 'shift-weights':
      return `${percent(action.newRatio)} of all DNS answers are of the new side`;
    case 'delete-and-create-record':
      return `the records are deleted, and ${action.gapS} s later created anew for the ${action.to} side`;
    case 'lower-connection-age':
      return `connections to the ${action.side} side may live ${action.clientKeepAliveS} s from now on`;
    case 'deploy':
      return `a new version ${whose(action.services)} is rolled out on the ${action.side} side${deregistration(action)}`;
    case 'remove-load-balancer':
      return `the ${action.side} side's load balancer is removed${meeting(action.how)}${lasting(action.forS)}`;
    case 'suspend-schedules':
      return `scheduled jobs of the ${action.side} side are suspended`;
    case 'resume-schedules':
      return `scheduled jobs of the ${action.side} side are resumed`;
    case 'lose-targets':
      return `the ${action.side} side has no targets left ${whose(action.services)}${lasting(action.forS)}`;
    case 'lose-zone':
      return `zone ${action.zone} of the ${action.side} side is lost${meeting(action.how)}${lasting(action.forS)}`;
    case 'fail-app':
      return `the application ${whose(action.services)} on the ${action.side} side answers ${percent(action.ratio)} of requests with ${action.status}${lasting(action.forS)}`;
    case 'slow-app':
      return `the application ${whose(action.services)} on the ${action.side} side takes ${action.byMs} ms longer${lasting(action.forS)}`;
    case 'throttle-cpu':
      return `the ${action.side} side may use ${action.quotaMs} ms of processor time in each 100 ms, and a request needs ${action.demandMs} ms${lasting(action.forS)}`;
    case 'show-wrong-certificate':
      return `the ${action.side} side shows ${certificateText[action.certificate]}${lasting(action.forS)}`;
    case 'cut-off-resolver':
      return `resolver ${action.resolver} reaches no authoritative server${lasting(action.forS)}`;
    case 'fail-resolver':
      return `resolver ${action.resolver} ${action.how === 'silent' ? 'does not answer' : 'answers SERVFAIL'}${lasting(action.forS)}`;
    case 'fail-name-server':
      return `name server ${action.nameServer} does not answer${lasting(action.forS)}`;
    case 'degrade-network':
      return `the network to the ${action.side} side ${degradation(action)}${lasting(action.forS)}`;
    case 'lose-own-network':
      return `the prober's own network is lost${lasting(action.forS)}`;
    case 'fail-platform-api':
      return `${apiText[action.api ?? 'both']} nothing of the ${action.side} side${lasting(action.forS)}`;
  }
}

const apiText = { aws: 'AWS tells', kubernetes: 'Kubernetes tells', both: 'AWS and Kubernetes tell' } as const;

const certificateText = {
  default: "the ingress controller's default certificate",
  'other-name': 'a certificate for another name',
  expired: 'an expired certificate',
} as const;

function whose(services: readonly string[] | null): string {
  return services === null ? 'of every service' : `of ${services.join(', ')}`;
}

function meeting(how: 'refused' | 'silent'): string {
  return how === 'refused' ? ', connections are refused' : ', nothing answers there';
}

function lasting(forS: number | null): string {
  return forS === null ? '' : ` for ${forS} s`;
}

function deregistration({ deregisters, lateS }: { readonly deregisters: string; readonly lateS: number }): string {
  if (deregisters === 'never') return ', and ended pods stay in the target group';
  return deregisters === 'late' ? `, and ended pods leave the target group ${lateS} s late` : '';
}

interface Degradation {
  readonly lossRatio: number;
  readonly resetRatio: number;
  readonly addedMs: number;
}

/** `loses 3 % of requests, resets 30 % of requests and adds 80 ms`, of which what is zero is left out. */
function degradation({ lossRatio, resetRatio, addedMs }: Degradation): string {
  const parts = [
    ...(lossRatio > 0 ? [`loses ${percent(lossRatio)} of requests`] : []),
    ...(resetRatio > 0 ? [`resets ${percent(resetRatio)} of requests`] : []),
    ...(addedMs > 0 ? [`adds ${addedMs} ms`] : []),
  ];
  if (parts.length < 2) return parts[0] ?? 'stays as it is';
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))} %`;
}
