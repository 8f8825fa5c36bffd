// A clock in a worker: timers of a page that nobody looks at are slowed down to one a second, a worker's are not.

setInterval(() => self.postMessage(null), 1000 / 30);
