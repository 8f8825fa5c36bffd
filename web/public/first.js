// Runs before the first paint, so that a chosen theme and language never flash by. Knows nothing else.
(function () {
  try {
    var theme = localStorage.getItem("symposia.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    var language = localStorage.getItem("symposia.language") || navigator.language || "en";
    document.documentElement.lang = /^zh\b/i.test(language) ? "zh-CN" : "en";
  } catch (_) {
    // Storage may be forbidden; the page then follows the device.
  }
})();
