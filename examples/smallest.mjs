import express from 'express';
import { apiKeyAuth, createApiKeys, MemoryKeyStore, requireScope } from 'keystile';

const apiKeys = createApiKeys({ store: new MemoryKeyStore(), prefix: 'acme' });

const app = express();
app.use(apiKeyAuth(apiKeys));
app.get('/reports', requireScope('reports:read'), (req, res) => {
  res.json({ organization: req.apiKey.organization.id });
});

const { key } = await apiKeys.create({
  name: 'CI',
  organization: { id: 'org_1' },
  scopes: ['reports:read'],
});

const port = process.env.PORT ?? 3000;
app.listen(port, () => {
  console.log(`curl -i -H "Authorization: Bearer ${key}" http://localhost:${port}/reports`);
});
