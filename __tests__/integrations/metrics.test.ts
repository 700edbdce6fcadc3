import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import { type DataPoint, type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { register } from 'prom-client';
import { Canary } from '../support/canary.ts';
import { loadDocumented } from '../support/documented-code.ts';
import { UNKNOWN_KEY } from '../support/key-bench.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

/** An accepted key twice, an unknown one, and one while the store is down. */
async function makeDecisions(): Promise<string> {
  const { apiKeys, key, store } = await openKeys();
  await apiKeys.verify(key);
  await apiKeys.verify(key);
  await apiKeys.verify(UNKNOWN_KEY);
  const { key: other } = await apiKeys.create({ name: 'Other', organization: { id: 'org_1' } });
  store.fault = new Error('down');
  await expect(apiKeys.verify(other)).rejects.toThrow();
  return key;
}

describe('Prometheus', () => {
  beforeAll(() => loadDocumented('docs/integrations.md', 'prom-client'));

  test('counts decisions by outcome, reason and cache, and holds no key and no id', async () => {
    const key = await makeDecisions();
    const text = await register.metrics();
    const lines = text.split('\n').filter((line) => line.startsWith('keystile_decisions_total{'));

    expect(lines.sort()).toEqual([
      'keystile_decisions_total{outcome="accepted",reason="",cache="hit"} 1',
      'keystile_decisions_total{outcome="accepted",reason="",cache="miss"} 1',
      'keystile_decisions_total{outcome="refused",reason="unknown",cache="miss"} 1',
      'keystile_decisions_total{outcome="unavailable",reason="temporarily_unavailable",cache="miss"} 1',
    ]);
    expect(text).toMatch(
      /^keystile_store_call_duration_seconds_count\{operation="findByDigest",ok="true"\} 2$/m,
    );
    expect(text).toMatch(
      /^keystile_store_call_duration_seconds_count\{operation="findByDigest",ok="false"\} 1$/m,
    );
    const canary = new Canary();
    canary.hideKey(key);
    expect(canary.leaksIn(text)).toEqual([]);
    expect(text).not.toContain('org_1');
  });
});

describe('OpenTelemetry', () => {
  const reader = new (class extends MetricReader {
    override onForceFlush = async () => undefined;
    override onShutdown = async () => undefined;
  })();

  beforeAll(async () => {
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    await loadDocumented('docs/integrations.md', '@opentelemetry/api');
  });

  test('counts decisions by result and error, and times them', async () => {
    await makeDecisions();
    const { resourceMetrics } = await reader.collect();
    const [metric, ...others] = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const points = (metric?.dataPoints ?? []) as DataPoint<Histogram>[];

    expect(others).toEqual([]);
    expect(metric?.descriptor).toMatchObject({ name: 'keystile.authentication.duration', unit: 's' });
    expect(points.map(({ attributes, value }) => [value.count, attributes])).toEqual([
      [1, { 'keystile.authentication.result': 'success', 'keystile.cache': 'miss' }],
      [1, { 'keystile.authentication.result': 'success', 'keystile.cache': 'hit' }],
      [1, { 'keystile.authentication.result': 'failure', 'keystile.cache': 'miss', 'error.type': 'unknown' }],
      [
        1,
        {
          'keystile.authentication.result': 'failure',
          'keystile.cache': 'miss',
          'error.type': 'temporarily_unavailable',
        },
      ],
    ]);
    expect(points.every(({ value }) => (value.sum ?? 0) > 0)).toBe(true);
  });
});
