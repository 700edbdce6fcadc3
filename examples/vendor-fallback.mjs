// A kind of credential of one's own: keys that a vendor issued and whose hashes it does not hand out. The first use of a
// key asks the vendor; a key that is good there is imported, and from then on is served, listed and revoked here.
import { createHash } from 'node:crypto';
import { createApiKeys } from 'keystile';

/** What the vendor makes: `vk_` and 32 letters and digits, which is 190 random bits. */
const SHAPE = /^vk_[0-9A-Za-z]{32}$/;
const RANDOM_BITS = 190;

/** Well within the ten seconds that a verifier is given. */
const VENDOR_TIMEOUT_MS = 3_000;

export function createVendorBackedKeys({ store, vendorUrl }) {
  const apiKeys = createApiKeys({ store, verifiers: [{ name: 'vendor', matches, examples, find }] });

  async function find(key, lookup) {
    const digest = `sha256:${createHash('sha256').update(key).digest('base64url')}`;
    const ours = lookup.digests(key);
    const digests = [...new Set([...ours, digest])];
    const rehash = ours[0];
    const known = await lookup.byDigest(digests);
    // Also one that was revoked: what the vendor says of it counts no longer.
    if (known !== undefined) return { record: known, rehash };

    const answer = await askVendor(vendorUrl, key);
    if (!answer.valid) return undefined;
    const { organizationId, scopes, expiresAt } = answer;
    const { rejected } = await apiKeys.import([
      {
        name: `Key of the vendor ${key.slice(-4)}`,
        organization: { id: organizationId },
        scopes,
        digest,
        randomBits: RANDOM_BITS,
        expiresAt: expiresAt ? new Date(expiresAt) : undefined,
        end: key.slice(-4),
      },
    ]);
    const [problem] = rejected;
    if (problem !== undefined) throw new Error(`The vendor's key cannot be imported: ${problem.reason}`);
    const record = await lookup.byDigest(digests);
    return record && { record, rehash };
  }

  return apiKeys;
}

const examples = [`vk_${'a1B2'.repeat(8)}`];
const matches = (text) => SHAPE.test(text);

/** Throws whatever is neither a yes nor a no, so that a vendor that is down is a 503 and never a 401. */
async function askVendor(url, key) {
  const headers = { Authorization: `Bearer ${key}` };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(VENDOR_TIMEOUT_MS) });
  /** @type {any} */
  const answer = response.ok ? await response.json() : undefined;
  if (typeof answer?.valid === 'boolean') return answer;
  throw new Error(`The vendor answered with status ${response.status} and neither yes nor no.`);
}
