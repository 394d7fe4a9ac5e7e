"use strict";
// Every five seconds what is new takes the place of what is there, without a jump.
setInterval(async () => {
  const silent = document.getElementById("silent"), main = document.querySelector("main");
  let next = null;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    next = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main") : null;
  } catch {
    // It is said below.
  }
  silent.hidden = next !== null;
  if (next) main.replaceWith(next);
}, 5000);
