// Keeps the page for times without a network, where the browser allows it: on https, or on this computer.

/** Whether a service worker keeps the page's small files; waits until it does. */
export async function keepForOffline() {
  try {
    const registration = await navigator.serviceWorker.register(new URL("../service-worker.js", import.meta.url));
    const worker = registration.active ?? registration.waiting ?? registration.installing;
    return await new Promise((resolve) => {
      const look = () => ["activated", "redundant"].includes(worker.state) && resolve(worker.state === "activated");
      worker.addEventListener("statechange", look);
      look();
    });
  } catch {
    return false;  // plain http, private windows and some settings have none; the page works all the same
  }
}
