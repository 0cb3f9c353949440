/** What runs while no page is open: shows what was pushed, and opens the feed where it is touched. Nothing is kept here,
 * and no request passes through. */

self.addEventListener("push", (event) => {
  const { id, title, body } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { body, tag: id, icon: "/app/icon.svg" }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow("/app/notifications"));
});
