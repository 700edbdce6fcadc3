import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Cluster, Redis } from 'ioredis';
import { createCluster } from 'redis';
import { startServer } from '../../scripts/services.mjs';
import type { OpenedClient } from './redis-clients.ts';
import { eventually, type PrivateServer } from './redis-stores.ts';

export interface RedisCluster {
  readonly urls: readonly string[];
  /** How many keys each of the servers holds. */
  sizes(): Promise<readonly number[]>;
  stop(): Promise<void>;
}

const SLOTS = 16_384;

/** Three masters, with a third of the slots each. */
export async function startCluster(): Promise<RedisCluster> {
  const started = await Promise.all([startNode(), startNode(), startNode()]);
  const servers = started.map(({ server }) => server);
  const nodes = servers.map(({ url }) => new Redis(url));
  const share = Math.ceil(SLOTS / nodes.length);
  for (const [index, node] of nodes.entries()) {
    await node.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    const last = Math.min(SLOTS, (index + 1) * share) - 1;
    await node.call('CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last));
  }
  for (const { server, busPort } of started) {
    const { port } = new URL(server.url);
    await nodes[0]?.call('CLUSTER', 'MEET', '127.0.0.1', port, String(busPort));
  }
  for (const node of nodes) {
    await eventually(async () => {
      const info = String(await node.call('CLUSTER', 'INFO'));
      if (!info.includes('cluster_state:ok') || !info.includes('cluster_known_nodes:3'))
        throw new Error(info);
    });
  }
  return {
    urls: servers.map(({ url }) => url),
    sizes: () => Promise.all(nodes.map((node) => node.dbsize())),
    async stop() {
      for (const node of nodes) node.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function startNode(): Promise<{ server: PrivateServer; busPort: number }> {
  const busPort = await freePort();
  // Of its own choice it would be 10,000 above the other port, and there may be none so high.
  const extra = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  return { server: await startServer('redis', { extra }), busPort };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface ClusterClientKind {
  readonly name: string;
  open(urls: readonly string[]): Promise<OpenedClient>;
}

export const clusterClientKinds: readonly ClusterClientKind[] = [
  {
    name: 'redis',
    async open(urls) {
      const client = createCluster({ rootNodes: urls.map((url) => ({ url })) });
      client.on('error', () => undefined);
      await client.connect();
      return {
        client,
        command: (...words) => client.sendCommand(undefined, false, words as string[]),
        close: () => void client.destroy(),
      };
    },
  },
  {
    name: 'ioredis',
    async open(urls) {
      const client = new Cluster([...urls]);
      client.on('error', () => undefined);
      return {
        client,
        command: (name = '', ...args) => client.call(name, args),
        close: () => client.disconnect(),
      };
    },
  },
];
