import assert from "node:assert/strict";
import * as client from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env;
const options = { execute: [client.allowInsecureRequests] }; // loopback has no TLS

for (const authentication of [client.ClientSecretPost(CLIENT_SECRET), client.ClientSecretBasic(CLIENT_SECRET)]) {
  const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, authentication, options);
  assert.equal(config.serverMetadata().issuer, ISSUER);
  const tokens = await client.clientCredentialsGrant(config, { scope: "hs-code-classification" });
  assert.equal(tokens.token_type, "bearer"); // it lowers the case
  assert.equal(tokens.expires_in, 3600);
  assert.equal(tokens.scope, "hs-code-classification");
}

const wrong = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.ClientSecretPost("wrong"), options);
await assert.rejects(client.clientCredentialsGrant(wrong), (error) => error.error === "invalid_client" && error.status === 400);
