/** The page at `/`: it has no numbers of its own, and fetches them. */
import { livePageHtml, livePagePolicy } from '../report/html.ts';
import type { LivePage } from './live-server.ts';

export const livePage: LivePage = {
  html: livePageHtml(),
  contentSecurityPolicy: `${livePagePolicy}; frame-ancestors 'none'`,
};
