import type { ApiKeys } from '../api-keys.ts';
import type { ApiKey } from '../keys/api-key.ts';

/** A key as this interface shows it, all ten members of it. */
export interface ShownKey {
  readonly object: 'api_key';
  readonly id: string;
  readonly owner: ShownOwner;
  readonly name: string;
  readonly obfuscated_value: string;
  readonly last_used_at: string | null;
  readonly expires_at: string | null;
  readonly permissions: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly [name: string]: string | null | readonly string[] | ShownOwner;
}

type ShownOwner =
  | { readonly type: 'organization'; readonly id: string }
  | { readonly type: 'user'; readonly id: string; readonly organization_id: string };

const ID_PREFIX = 'api_key_';

/** @param end - of the text that was sent, where that is not the key's own */
export function shownKey(apiKey: ApiKey, end: Date | undefined = apiKey.expiresAt): ShownKey {
  return {
    object: 'api_key',
    id: shownId(apiKey.id),
    owner: shownOwner(apiKey),
    name: apiKey.name,
    obfuscated_value: `${apiKey.start}...${apiKey.end}`,
    last_used_at: apiKey.lastUsedAt?.toISOString() ?? null,
    expires_at: end?.toISOString() ?? null,
    permissions: apiKey.scopes,
    created_at: apiKey.createdAt.toISOString(),
    updated_at: apiKey.updatedAt.toISOString(),
  };
}

/** There are two kinds of owners here, so the key of a service is one of its organization. */
function shownOwner({ owner, organization }: ApiKey): ShownOwner {
  if (owner.type === 'user') return { type: 'user', id: owner.id, organization_id: organization.id };
  return { type: 'organization', id: organization.id };
}

/** Our id behind the prefix that all ids of keys have here; one that was imported with it stays as it is. */
export function shownId(id: string): string {
  return id.startsWith(ID_PREFIX) ? id : ID_PREFIX + id;
}

/** The ids that are shown as this one, the likelier one first. */
export function idsShownAs(shown: string): readonly string[] {
  if (!shown.startsWith(ID_PREFIX)) return [];
  const bare = shown.slice(ID_PREFIX.length);
  // Ours hold hyphens and the vendor's hold none.
  return bare.includes('-') ? [bare, shown] : [shown, bare];
}

/** The key that is shown under an id, among those that `isThere` lets be seen. */
export async function findShown(
  apiKeys: ApiKeys,
  shown: string,
  isThere: (apiKey: ApiKey) => boolean,
): Promise<ApiKey | undefined> {
  for (const id of idsShownAs(shown)) {
    const apiKey = await apiKeys.get(id);
    if (apiKey !== undefined && isThere(apiKey)) return apiKey;
  }
  return undefined;
}
