import assert from "node:assert/strict";
import * as client from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, USER_URL } = process.env;
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

const device = await client.discovery(new URL(ISSUER), "device", undefined, client.None(), options);
const poll = async (approve) => {
  const asked = await client.initiateDeviceAuthorization(device, { scope: "openid hs-code-classification" });
  assert.equal(asked.interval, 5);
  assert.equal(asked.verification_uri_complete, `${ISSUER}/device?userCode=${asked.user_code}`);
  const user = await fetch(`${USER_URL}/?user_code=${asked.user_code}&approve=${approve}`);
  assert.equal(user.status, 200);
  return client.pollDeviceAuthorizationGrant(device, { ...asked, interval: 1 });
};
const tokens = await poll(true);
assert.equal(tokens.scope, "openid hs-code-classification");
assert.equal(tokens.claims().sub, "alice"); // of the ID token
assert.deepEqual(await client.fetchUserInfo(device, tokens.access_token, "alice"), { sub: "alice" });
await assert.rejects(poll(false), (error) => error.error === "access_denied" && error.status === 400);
