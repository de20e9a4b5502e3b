// A line to the api that can be cut, or fall silent without being cut: what phones meet in a tunnel.

import net from 'node:net';

/** Opens a proxy to a URL. `cut` refuses and ends everything, `hush` lets nothing through, `mend` heals both. */
export async function openLine(target) {
  const {hostname, port} = new URL(target);
  const pairs = new Set();
  let [isCut, isSilent] = [false, false];
  const server = net.createServer((client) => {
    if (isCut) return client.destroy();
    const api = net.connect(Number(port), hostname);
    const pair = [client, api];
    pairs.add(pair);
    const end = () => (pairs.delete(pair), client.destroy(), api.destroy());
    for (const [from, to] of [[client, api], [api, client]]) {
      from.on('data', (data) => isSilent || to.write(data));
      from.on('close', end);
      from.on('error', end);
    }
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut() {
      isCut = true;
      for (const pair of pairs) pair.forEach((socket) => socket.destroy());
      pairs.clear();
    },
    hush: () => void (isSilent = true),
    mend: () => void ([isCut, isSilent] = [false, false]),
    close: () => new Promise((closed) => {
      server.close(closed);
      for (const pair of pairs) pair.forEach((socket) => socket.destroy());
    }),
  };
}
