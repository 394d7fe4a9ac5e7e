// node-fetch 2, which Avalara's SDK for TypeScript uses: prints the code of each description.
import { Agent } from "node:https";
import fetch from "node-fetch";

const { AVALARA_CLIENT_ID, AVALARA_CLIENT_SECRET } = process.env;

// A connection for each request: with some releases of Node it takes the end of one that
// is kept for a broken answer, whoever answers (nodejs/node#63989).
const agent = new Agent();

async function post(url, request) {
  const answer = await fetch(url, { method: "POST", agent, ...request });
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const form = { grant_type: "client_credentials", scope: "hs-code-classification", client_id: AVALARA_CLIENT_ID, client_secret: AVALARA_CLIENT_SECRET };
const { access_token } = await post("https://ai-sbx.avlr.sh/connect/token", { body: new URLSearchParams(form) });

const descriptions = process.argv.length > 2 ? process.argv.slice(2) : ["men's cotton t-shirt", "laptop computer"];
for (const description of descriptions) {
  const { hsCode } = await post("https://hscode.api.sbx.avalara.com/hscode/classify", {
    headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
    body: JSON.stringify({ description, countryOfDestination: "US" }),
  });
  console.log(hsCode);
}
