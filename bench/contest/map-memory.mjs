// node --expose-gc bench/contest/map-memory.mjs KEYS: the bytes that each key holds in a Map of an application's own, from the
// key or its SHA-256 to an object with the same fields as in bench/memory.mjs.
import { createHash } from 'node:crypto';
import { copied } from '../requests.mjs';

const keys = Number(process.argv[2]);
const figures = { plain: bytesOf((text) => text), sha256: bytesOf(sha256) };
console.log(JSON.stringify(figures));

function bytesOf(nameOf) {
  const before = heapUsed();
  const map = new Map();
  for (let i = 0; i < keys; i += 1) {
    map.set(copied(nameOf(`key${String(i).padStart(40, '0')}`)), objectOf(i));
  }
  const held = heapUsed() - before;
  if (map.size !== keys) throw new Error('two keys were one');
  return Math.round(held / keys);
}

function objectOf(i) {
  return {
    id: copied(`01890a5d-ac96-774b-bcce-${String(i).padStart(12, '0')}`),
    name: copied(`Key number ${i}`),
    organization: { id: copied(`org_${Math.floor(i / 100)}`), slug: copied(`tenant-${Math.floor(i / 100)}`) },
    owner: { type: 'user', id: copied(`user_${Math.floor(i / 3)}`) },
    scopes: ['read', 'write', 'list'].map((verb) => copied(`role${i % 20}:${verb}`)),
    createdAt: new Date(1_700_000_000_000 + i),
    updatedAt: new Date(1_710_000_000_000 + i),
    expiresAt: new Date(1_900_000_000_000 + i),
  };
}

function sha256(text) {
  return createHash('sha256').update(text).digest('base64url');
}

function heapUsed() {
  for (let i = 0; i < 4; i += 1) globalThis.gc();
  return process.memoryUsage().heapUsed;
}
