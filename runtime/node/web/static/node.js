"use strict";
// Fetches the part of the page that changes, whenever the node says that something did.
const rows = document.getElementById("rows");
const live = document.getElementById("live");
async function refresh() {
  try {
    const answer = await fetch("/rows" + rows.dataset.query);
    if (answer.ok) rows.innerHTML = await answer.text();
  } catch (error) {
    live.textContent = "not live";
  }
}
const events = new EventSource("/api/v1/events?stream");
events.addEventListener("changed", refresh);
events.onopen = () => { live.textContent = "live"; };
events.onerror = () => { live.textContent = "not live"; };
