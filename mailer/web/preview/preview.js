"use strict";
// Keeps the page in step with the files: an event says "saved", the edition is fetched and swapped in where the reader was.

const at = (id) => document.getElementById(id);
const said = JSON.parse(at("said").textContent);
const counted = (count, [one, many]) => count === 1 ? one : many.replace("{n}", count.toLocaleString(document.documentElement.lang));
const tabs = [...document.querySelectorAll("[role=tab]")];
const shown = { view: "desktop", reader: 0, saved: 0, anchor: "" };
let seats = [];
let turn = 0;

function address() {
  const [segment, language] = [at("segment").value, at("language").value];
  return `/edition/${segment}/${language}/${shown.view}?reader=${shown.reader}`;
}

function frame() {
  return document.querySelector("#frames iframe:not(.arriving)");
}

async function draw() {
  const mine = ++turn;
  const url = address();
  const answer = await fetch(url).catch(() => null);
  if (!answer || mine !== turn) return;
  if (!answer.ok) {
    at("problem").textContent = await answer.text();
    at("problem").hidden = false;
    at("frames").classList.add("stale");
    say(said.waiting, "");
    return;
  }
  at("problem").hidden = true;
  at("frames").classList.remove("stale");
  inbox(JSON.parse(answer.headers.get("X-Inbox")));
  swap(url, mine);
}

function inbox(told) {
  at("subject").textContent = told.subject;
  at("preheader").textContent = told.preheader;
  at("bytes").textContent = `${told.bytes.toLocaleString(document.documentElement.lang)} ${said.bytes}`;
}

// The new page is loaded behind the old one and takes its place, so that nothing flickers and nothing jumps.
function swap(url, mine) {
  for (const waiting of document.querySelectorAll("iframe.arriving")) waiting.remove();
  const old = frame();
  const next = document.createElement("iframe");
  next.className = "arriving";
  next.title = said.frame;
  next.setAttribute("sandbox", "allow-same-origin");
  next.addEventListener("load", () => {
    if (mine !== turn || !next.isConnected) return;
    const stays = old && old.dataset.view === shown.view;
    const place = old && old.contentWindow ? old.contentWindow.scrollY : 0;
    at("frames").classList.toggle("phone", shown.view === "phone");
    next.className = "";
    next.dataset.view = shown.view;
    if (old) old.remove();
    keepInside(next.contentDocument);
    if (stays) next.contentWindow.scrollTo(0, place);
    if (shown.anchor) point(shown.anchor, false);
    at("stage").dataset.drawn = String(shown.saved);
    say(said.live, "good");
  });
  next.src = url;
  at("frames").append(next);
}

// A link to a place in the mail goes there; any other shows where it would lead.
function keepInside(page) {
  page.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link) return;
    event.preventDefault();
    const href = link.getAttribute("href");
    const target = href.startsWith("#") && page.getElementById(decodeURIComponent(href.slice(1)));
    if (target) target.scrollIntoView();
    else say(href, "good");
  });
  page.addEventListener("keydown", keys);
}

function point(anchor, smooth = true) {
  const page = frame() && frame().contentDocument;
  const place = page && anchor && page.getElementById(anchor);
  if (!place) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  place.style.scrollMarginTop = "24px";
  place.scrollIntoView({ block: "start", behavior: smooth && !calm ? "smooth" : "auto" });
  for (const marked of page.querySelectorAll("[data-pointed]")) {
    marked.style.outline = "";
    marked.removeAttribute("data-pointed");
  }
  place.setAttribute("data-pointed", "");
  place.style.outline = `3px solid ${getComputedStyle(document.documentElement).getPropertyValue("--sun")}`;
  place.style.outlineOffset = "6px";
}

function say(text, mood) {
  at("live").textContent = text;
  at("live").className = mood;
}

async function judge() {
  const verdict = await (await fetch("/verdict")).json();
  languages(verdict.languages);
  at("verdict").textContent = verdict.problem
    ? said.unchecked
    : verdict.errors ? said.stopped : said.clear;
  at("counts").textContent = verdict.problem || [
    counted(verdict.errors, said.errors),
    counted(verdict.warnings, said.warnings),
    ...(verdict.waived ? [counted(verdict.waived, said.waived)] : []),
  ].join(", ");
  const list = document.createDocumentFragment();
  const order = new Map();
  for (const finding of verdict.findings) {
    const key = `${finding.language} ${finding.anchor}`;
    order.set(key, [...(order.get(key) || []), finding]);
  }
  const groups = [...order.values()].sort((one, other) => first(one) - first(other));
  for (const group of groups) list.append(...piece(group));
  at("findings").replaceChildren(list);
  document.body.dataset.checked = String(Number(document.body.dataset.checked || 0) + 1);
}

const first = (group) => Math.min(...group.map((finding) => finding.line));

function piece(group) {
  const heading = document.createElement("h3");
  heading.textContent = group[0].title || said.whole;
  if (group[0].title) heading.lang = group[0].language;
  const item = document.createElement("li");
  item.append(heading, ...group.map(told));
  return [item];
}

function told(finding) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = finding.is_error ? "error" : "warning";
  const kind = document.createElement("em");
  kind.textContent = finding.is_error ? `${said.error} ` : "";
  const place = document.createElement("small");
  place.textContent = `${finding.where} · ${finding.code}`;
  button.append(kind, finding.message, place);
  button.addEventListener("click", () => go(button, finding));
  return button;
}

function go(button, finding) {
  for (const other of document.querySelectorAll("#findings [aria-current]")) other.removeAttribute("aria-current");
  button.setAttribute("aria-current", "true");
  shown.anchor = finding.anchor;
  const elsewhere = finding.language && finding.language !== at("language").value;
  if (elsewhere) at("language").value = finding.language;
  if (["text", "source"].includes(shown.view)) choose(tabs[0], false);
  else if (elsewhere) draw();
  else point(finding.anchor);
}

function languages(known) {
  const select = at("language");
  const wanted = known.length ? known : [document.body.dataset.language];
  if ([...select.options].map((option) => option.value).join() === wanted.join()) return;
  const before = select.value;
  select.replaceChildren(...wanted.map((language) => new Option(language, language)));
  select.value = wanted.includes(before) ? before : wanted[0];
  if (select.value !== before) draw();
}

function choose(tab, focus = true) {
  for (const each of tabs) {
    each.setAttribute("aria-selected", String(each === tab));
    each.tabIndex = each === tab ? 0 : -1;
  }
  shown.view = tab.dataset.view;
  at("stage").setAttribute("aria-labelledby", tab.id);
  if (focus) tab.focus();
  draw();
}

async function seek() {
  const answer = await fetch(`/readers/${at("segment").value}?q=${encodeURIComponent(at("reader").value)}`);
  seat(await answer.json());
}

function seat(found) {
  seats = [...found, ...seats.filter((old) => !found.some((each) => each.id === old.id))].slice(0, 200);
  at("readers").replaceChildren(...found.map((each) => {
    const option = new Option(`${each.greeting} — ${each.institution || said.nowhere}`, each.address);
    return option;
  }));
}

function take() {
  const asked = at("reader").value.trim();
  const found = seats.find((each) => each.address === asked);
  const reader = found ? found.id : 0;
  if (reader === shown.reader) return;
  shown.reader = reader;
  draw();
}

async function extreme(index) {
  const answer = await fetch(`/readers/${at("segment").value}?extremes`);
  const found = await answer.json();
  if (!found[index]) {
    say(said.nobody, "");
    return;
  }
  seat(found);
  at("reader").value = found[index].address;
  take();
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName || "")) return;
  const number = Number(event.key);
  if (number >= 1 && number <= tabs.length) choose(tabs[number - 1]);
  else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  else if (event.key === "r") { at("reader").focus(); event.preventDefault(); }
}

function step(by) {
  const all = [...document.querySelectorAll("#findings button")];
  const now = all.findIndex((button) => button.hasAttribute("aria-current"));
  const next = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(now + by, 0), all.length - 1)];
  if (!next) return;
  next.focus();
  next.click();
}

function arrows(event) {
  const now = tabs.indexOf(document.activeElement);
  const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined || now < 0) return;
  event.preventDefault();
  choose(tabs[(to + tabs.length) % tabs.length]);
}

function listen() {
  const events = new EventSource("/events");
  events.addEventListener("message", (event) => {
    const told = JSON.parse(event.data);
    if (told.saved !== shown.saved) {
      shown.saved = told.saved;
      draw();
    }
    if (told.checked) judge();
  });
  events.addEventListener("error", () => say(said.ended, "lost"));
}

for (const tab of tabs) tab.addEventListener("click", () => { shown.anchor = ""; choose(tab); });
document.querySelector("[role=tablist]").addEventListener("keydown", arrows);
document.addEventListener("keydown", keys);
at("segment").addEventListener("change", () => { shown.reader = 0; at("reader").value = ""; seats = []; draw(); seek(); });
at("language").addEventListener("change", draw);
at("reader").addEventListener("focus", seek, { once: true });
at("reader").addEventListener("input", () => { take(); clearTimeout(seek.soon); seek.soon = setTimeout(seek, 150); });
at("reader").addEventListener("change", take);
for (const button of document.querySelectorAll("[data-extreme]"))
  button.addEventListener("click", () => extreme(Number(button.dataset.extreme)));
listen();
