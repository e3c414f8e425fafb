// Solves the form's puzzle while it is filled in. Without this script the form works too, under lower limits.
(function () {
  "use strict";
  var script = document.currentScript, form = document.getElementById("join");
  var waiting = document.getElementById("waiting"), field = form.elements.number;
  var parts = form.elements.puzzle.value.split(".")[0].split("-"), salt = parts[2], wanted = parts[3];
  var effort = +script.dataset.effort, next = 0, isStarted = false, isSent = false;
  var K = [], primes = 0;
  function root(n, p) { return (Math.pow(n, p) * 4294967296) | 0; }
  for (var n = 2, H0 = []; primes < 64; n++) {
    for (var d = 2; d * d <= n && n % d; d++);
    if (d * d > n) { if (primes < 8) H0.push(root(n, 1 / 2)); K[primes++] = root(n, 1 / 3); }
  }
  function sha256(text) { // of fewer than 56 ASCII characters: one block is enough
    var w = new Int32Array(64), h = H0.slice(), i, t, s;
    for (i = 0; i < text.length; i++) w[i >> 2] |= text.charCodeAt(i) << (24 - (i % 4) * 8);
    w[i >> 2] |= 128 << (24 - (i % 4) * 8);
    w[15] = text.length * 8;
    function turn(x, by) { return (x >>> by) | (x << (32 - by)); }
    for (i = 16; i < 64; i++) {
      t = w[i - 15]; s = w[i - 2];
      w[i] = w[i - 16] + (turn(t, 7) ^ turn(t, 18) ^ (t >>> 3)) + w[i - 7] + (turn(s, 17) ^ turn(s, 19) ^ (s >>> 10));
    }
    for (i = 0; i < 64; i++) {
      t = h[7] + (turn(h[4], 6) ^ turn(h[4], 11) ^ turn(h[4], 25)) + ((h[4] & h[5]) ^ (~h[4] & h[6])) + K[i] + w[i];
      s = (turn(h[0], 2) ^ turn(h[0], 13) ^ turn(h[0], 22)) + ((h[0] & h[1]) ^ (h[0] & h[2]) ^ (h[1] & h[2]));
      h = [(t + s) | 0, h[0], h[1], h[2], (h[3] + t) | 0, h[4], h[5], h[6]];
    }
    return h.map(function (x, j) { return ("0000000" + ((x + H0[j]) >>> 0).toString(16)).slice(-8); }).join("");
  }
  function work() {
    for (var end = Math.min(next + 500, effort); next < end; next++) {
      if (sha256(salt + "-" + next).slice(0, 32) === wanted) { field.value = next; break; }
    }
    if (field.value === "" && next < effort) return setTimeout(work);
    if (isSent) form.submit();
  }
  function start() { if (!isStarted) { isStarted = true; setTimeout(work); } }
  form.addEventListener("focusin", start);
  form.addEventListener("submit", function (event) {
    start();
    if (field.value !== "" || next >= effort) return;
    event.preventDefault();
    isSent = true;
    waiting.textContent = script.dataset.wait;
  });
})();
