// A client of the classification API as an application would have it.

const config = {
  tokenURL: process.env.HSHARNESS_TOKEN_URL,
  apiURL: process.env.HSHARNESS_API_URL,
  clientID: process.env.HSHARNESS_CLIENT_ID,
  clientSecret: process.env.HSHARNESS_CLIENT_SECRET,
};

let token;

async function accessToken() {
  if (token && Date.now() < token.until) return token.value;
  const response = await fetch(config.tokenURL, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: config.clientID,
      client_secret: config.clientSecret,
      scope: "hs-code-classification",
    }),
  });
  if (!response.ok) throw new Error(`token: status ${response.status}`);
  const answer = await response.json();
  token = { value: answer.access_token, until: Date.now() + (answer.expires_in - 300) * 1000 };
  return token.value;
}

/** The HS code of a product for imports into a country. */
export async function code(description, countryOfDestination) {
  const response = await fetch(`${config.apiURL}/hscode/classify`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${await accessToken()}` },
    body: JSON.stringify({ description, countryOfDestination }),
  });
  if (!response.ok) throw new Error(`classify "${description}": status ${response.status}`);
  return (await response.json()).hsCode;
}
