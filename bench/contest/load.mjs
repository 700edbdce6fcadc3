// The load: a few connections, each with one request after the other. On plain sockets, as a client of node:http would
// take as much of a processor as the server does.
import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import { PATH } from './contenders.mjs';

/** @returns how many were answered, in how many seconds, and the milliseconds of each */
export async function sendLoad({ port, texts, status, connections, milliseconds }) {
  const requests = texts.map((text) =>
    Buffer.from(
      `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: application/json\r\n` +
        `Authorization: Bearer ${text}\r\nConnection: keep-alive\r\n\r\n`,
    ),
  );
  const latencies = [];
  const start = performance.now();
  const until = start + milliseconds;
  const clients = Array.from({ length: connections }, () =>
    keepAsking({ port, requests, status, until, latencies }),
  );
  await Promise.all(clients);
  return { count: latencies.length, seconds: (performance.now() - start) / 1_000, latencies };
}

/** What is under way at the end is waited for, so that the next one finds the server at rest. */
function keepAsking({ port, requests, status, until, latencies }) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let sentAt = 0;
    let answer = '';
    const ask = () => {
      answer = '';
      sentAt = performance.now();
      socket.write(requests[randomInt(requests.length)]);
    };
    socket.on('connect', ask);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server has closed a connection')));
    socket.on('data', (bytes) => {
      answer += bytes.latin1Slice();
      if (!isWhole(answer)) return;
      const now = performance.now();
      latencies.push(now - sentAt);
      if (!answer.startsWith(`HTTP/1.1 ${status} `)) {
        reject(new Error(`expected ${status}, but got ${answer.slice(0, 40)}`));
        socket.destroy();
      } else if (now < until) {
        ask();
      } else {
        resolve();
        socket.destroy();
      }
    });
  });
}

function isWhole(answer) {
  const end = answer.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const [, length] = /^content-length: (\d+)\r$/im.exec(answer.slice(0, end + 1)) ?? [];
  return answer.length >= end + 4 + Number(length);
}
