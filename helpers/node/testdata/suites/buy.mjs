// What every test of the suites does: a fault and a clock of its own, and one product
// that nobody else asks for.

/** Asks for the code of a product and returns the status. */
export async function classify(h, description, token) {
  const response = await fetch(`${h.apiUrl}/hscode/classify`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ description, countryOfDestination: 'US' }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** The statuses of three requests: the first is faulted, the token of the second is
 * expired, the third costs a unit. */
export async function each(h, description) {
  const token = await h.token();
  await h.fault({ on: 'api', status: 503, times: 1 });
  const statuses = [await classify(h, description, token)];
  await h.advance('66m');
  statuses.push(await classify(h, description, token));
  statuses.push(await classify(h, description, await h.token()));
  await h.expectCalls(3);
  await h.expectSpend(1);
  return statuses.join(' ');
}
