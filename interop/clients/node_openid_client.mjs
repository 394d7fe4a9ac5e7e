// openid-client, which finds the token endpoint by discovery and compares the issuer:
// prints the code of each description.
import * as client from "openid-client";

const { AVALARA_CLIENT_ID, AVALARA_CLIENT_SECRET } = process.env;
const config = await client.discovery(new URL("https://ai-sbx.avlr.sh"), AVALARA_CLIENT_ID, undefined, client.ClientSecretPost(AVALARA_CLIENT_SECRET));
const { access_token } = await client.clientCredentialsGrant(config, { scope: "hs-code-classification" });

const descriptions = process.argv.length > 2 ? process.argv.slice(2) : ["men's cotton t-shirt", "laptop computer"];
for (const description of descriptions) {
  const body = JSON.stringify({ description, countryOfDestination: "US" });
  const answer = await client.fetchProtectedResource(config, access_token, new URL("https://hscode.api.sbx.avalara.com/hscode/classify"), "POST", body, new Headers({ "content-type": "application/json" }));
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  console.log((await answer.json()).hsCode);
}
