/** The page at `/`: what it says before it has fetched anything. */
import type { LivePage } from './live-server.ts';

export const livePage: LivePage = {
  html: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>cutwatch</title>
<p>The run as it stands: <a href="verdict?so-far">verdict so far</a>, <a href="metrics">metrics</a>, <a href="snapshot">everything</a>.</p>
</html>
`,
  contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
};
