// axios: prints the code of each description.
import axios from "axios";

const { AVALARA_CLIENT_ID, AVALARA_CLIENT_SECRET } = process.env;
const client = axios.create({ validateStatus: (status) => status === 200 });

const form = { grant_type: "client_credentials", scope: "hs-code-classification", client_id: AVALARA_CLIENT_ID, client_secret: AVALARA_CLIENT_SECRET };
const token = await client.post("https://ai-sbx.avlr.sh/connect/token", new URLSearchParams(form));

const descriptions = process.argv.length > 2 ? process.argv.slice(2) : ["men's cotton t-shirt", "laptop computer"];
for (const description of descriptions) {
  const answer = await client.post("https://hscode.api.sbx.avalara.com/hscode/classify", { description, countryOfDestination: "US" }, { headers: { authorization: `Bearer ${token.data.access_token}` } });
  console.log(answer.data.hsCode);
}
