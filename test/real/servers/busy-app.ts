/** An application that needs CPU time for each request: `node busy-app.ts <port> <ms> <address>…`. Started by tests. */
import { createServer } from 'node:http';

const [port, ms, ...addresses] = process.argv.slice(2);
const demandUs = Number(ms) * 1000;

for (const address of addresses) {
  createServer((_request, response) => {
    const before = process.cpuUsage();
    for (let used = 0; used < demandUs;) {
      const { user, system } = process.cpuUsage(before);
      used = user + system;
    }
    response.end('ok\n');
  }).listen(Number(port), address);
}
