// Module https of Node: prints the code of each description.
import https from "node:https";

const { AVALARA_CLIENT_ID, AVALARA_CLIENT_SECRET } = process.env;

function post(url, headers, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method: "POST", headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      answer.on("end", () => (answer.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(`${url}: ${answer.statusCode} ${text}`))));
    });
    request.on("error", reject).end(body);
  });
}

const form = { grant_type: "client_credentials", scope: "hs-code-classification", client_id: AVALARA_CLIENT_ID, client_secret: AVALARA_CLIENT_SECRET };
const { access_token } = await post("https://ai-sbx.avlr.sh/connect/token", { "content-type": "application/x-www-form-urlencoded" }, String(new URLSearchParams(form)));

const descriptions = process.argv.length > 2 ? process.argv.slice(2) : ["men's cotton t-shirt", "laptop computer"];
for (const description of descriptions) {
  const headers = { authorization: `Bearer ${access_token}`, "content-type": "application/json" };
  const { hsCode } = await post("https://hscode.api.sbx.avalara.com/hscode/classify", headers, JSON.stringify({ description, countryOfDestination: "US" }));
  console.log(hsCode);
}
