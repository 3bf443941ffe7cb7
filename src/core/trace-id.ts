/**
 * The id that every probe carries in `X-Amzn-Trace-Id`. An ALB keeps its root and writes it to its access log (AWS:
 * "Request tracing for your Application Load Balancer"), as do most proxies when asked, so that a row can be found in
 * somebody else's log.
 */
export interface Trace {
  /** 8 hex digits. */
  readonly runId: string;
  readonly lane: number;
  readonly slot: number;
  readonly part: number;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** `1-<8 hex: seconds since 1970>-<24 hex: run id 8, lane 4, slot 8, part 4>`. */
export function traceId(runId: string, epochS: number, lane: number, slot: number, part: number): string {
  return `1-${hex(epochS >>> 0, 8)}-${runId}${hex(lane, 4)}${hex(slot, 8)}${hex(part, 4)}`;
}

const rootPattern = /Root=1-[0-9a-f]{8}-([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{8})([0-9a-f]{4})/;

/** What a header value says, wherever its root stands in it; null = not one of ours. */
export function traceOf(headerValue: string): Trace | null {
  const found = rootPattern.exec(headerValue);
  if (found === null) return null;
  const [, runId = '', lane = '', slot = '', part = ''] = found;
  return { runId, lane: Number.parseInt(lane, 16), slot: Number.parseInt(slot, 16), part: Number.parseInt(part, 16) };
}
