// Finds words in what was published; the index is fetched when somebody wants to search, and nothing is sent anywhere.
const form = document.getElementById("busca");
const box = form.querySelector("input");
const found = document.getElementById("hallado");
const told = document.getElementById("cuantos");
const nonce = document.currentScript.nonce;
const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
let index = null;

function fetchIndex() {
  if (index) return;
  index = [];
  const script = document.createElement("script");
  script.nonce = nonce;
  script.src = document.getElementById("indice").href;
  script.addEventListener("load", () => {
    index = window.published.map((each) => ({ ...each, words: plain(`${each.title} ${each.text}`) }));
    show();
  });
  document.head.append(script);
}

function show() {
  const wanted = plain(box.value).split(/\s+/).filter((word) => word.length > 1);
  const hits = wanted.length ? index.filter((each) => wanted.every((word) => each.words.includes(word))) : [];
  document.getElementById("todas").hidden = wanted.length > 0;
  found.replaceChildren(...hits.slice(0, 50).map((each) => item(each, wanted)));
  told.textContent = wanted.length ? `${hits.length} ${hits.length === 1 ? told.dataset.one : told.dataset.many}` : "";
}

function item(hit, wanted) {
  const [row, link] = [document.createElement("li"), document.createElement("a")];
  const [title, about] = [document.createElement("span"), document.createElement("span")];
  const near = Math.max(plain(hit.text).indexOf(wanted[0]) - 60, 0);
  const at = near && hit.text.indexOf(" ", near) + 1;
  title.className = "month";
  title.textContent = hit.title;
  about.className = "about";
  about.textContent = `${hit.when} · ${at ? "…" : ""}${hit.text.slice(at, at + 160)}…`;
  link.href = hit.url;
  link.append(title, about);
  row.append(link);
  return row;
}

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
box.addEventListener("focus", fetchIndex);
box.addEventListener("input", () => { fetchIndex(); show(); });
