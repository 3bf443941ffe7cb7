/**
 * Why AWS did not answer, as a sentence that says what to do. Names and codes are looked at and never a message: that of a
 * wrong signature quotes the request with its session token.
 */
import type { AwsAccess } from './aws-client.ts';
import { notTold, type NotTold } from './told.ts';

const deniedNames = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'UnauthorizedOperation',
  'NotAuthorized',
  'AuthorizationError',
]);
/** There are credentials, and AWS does not take them. */
const refusedNames = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'IncompleteSignature',
  'MissingAuthenticationToken',
  'AuthFailure',
]);
const throttledNames = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'PriorRequestNotComplete',
  'SlowDown',
]);

export function awsTrouble(error: unknown, action: string, { profile }: AwsAccess): NotTold {
  const { name, code, status, isAboutSso, isAboutRegion } = factsOf(error);
  const whose = profile === null ? 'the AWS credentials in use' : `the AWS profile ${profile}`;
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    if (isAboutSso) return notTold('no-credentials', `${whose} must sign in again: aws sso login`);
    const where =
      profile === null
        ? 'there are no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or name a profile in the scenario'
        : `there are no credentials for the AWS profile ${profile}`;
    return notTold('no-credentials', where);
  }
  if (isAboutRegion) {
    return notTold('no-region', 'no AWS region is known: name one in the scenario, or set AWS_REGION');
  }
  if (refusedNames.has(name)) {
    return notTold('no-credentials', `AWS does not accept ${whose} (${name}): they may have expired`);
  }
  if (deniedNames.has(name)) return notTold('denied', `${whose} may not do ${action}: allow it in IAM`);
  if (throttledNames.has(name) || status === 429) {
    return notTold('throttled', `AWS throttles ${action}: others of the account ask too much`);
  }
  // The SDK calls these timeouts, too.
  const isCut = code === 'ECONNRESET' || code === 'EPIPE';
  if ((name === 'TimeoutError' && !isCut) || code === 'ETIMEDOUT') {
    return notTold('timed-out', `AWS did not answer ${action} in time`);
  }
  if (/^(NoSuch|.*NotFound)/.test(name))
    return notTold('missing', `AWS does not know what ${action} asks for (${name})`);
  if (/^E[A-Z_]+$/.test(code)) return notTold('unreachable', `AWS cannot be reached for ${action} (${code})`);
  return notTold('other', `AWS answered ${action} with ${status === 0 ? '' : `HTTP ${status}, `}${name}`);
}

interface ErrorFacts {
  readonly name: string;
  /** Of the operating system; '' = none. */
  readonly code: string;
  /** 0 = there was no HTTP answer. */
  readonly status: number;
  readonly isAboutSso: boolean;
  readonly isAboutRegion: boolean;
}

function factsOf(error: unknown): ErrorFacts {
  if (!(error instanceof Error))
    return { name: 'no reason', code: '', status: 0, isAboutSso: false, isAboutRegion: false };
  const { name, message } = error;
  const { code, $metadata } = error as { code?: unknown; $metadata?: { httpStatusCode?: unknown } };
  return {
    // It is the answer's: an error is called what the server wrote.
    name: /^[\w.#:-]{1,80}$/.test(name) ? name.replace(/^.*[#:]/, '') : 'an unknown error',
    code: typeof code === 'string' ? code : '',
    status: typeof $metadata?.httpStatusCode === 'number' ? $metadata.httpStatusCode : 0,
    isAboutSso: /\bSSO\b/.test(message),
    isAboutRegion: message.startsWith('Region is missing') || name === 'ConfigError',
  };
}
