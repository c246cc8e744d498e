"use strict";
// The page of the gateway. Text of users and models reaches the document through textContent alone.

const $ = (id) => document.getElementById(id);
const storageName = "hone.chat";
const fields = ["mode", "minimum", "maximum", "temperature", "tokens"];

/** Everything that survives a reload. The API key does not. */
let saved = { turns: [], settings: {}, conversation: newName() };
/** The stream underway, or null. */
let running = null;
/** Whether the page is being left, which breaks the stream: no failure to keep. */
let leaving = false;

function load() {
  try {
    const text = localStorage.getItem(storageName);
    if (text) saved = whole(JSON.parse(text));
  } catch { /* a damaged or forbidden store is an empty one */ }
  for (const name of fields) if (saved.settings[name] !== undefined) $(name).value = saved.settings[name];
}

/** Tells this conversation from others, so that its questions go to the replica that knows it. */
function newName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What of a stored value can be shown: whatever else it holds is left out. */
function whole(value) {
  const texts = (list) => (Array.isArray(list) ? list : []).map((text) => typeof text === "string" ? text : "");
  const turns = value && Array.isArray(value.turns) ? value.turns : [];
  return {
    settings: value && typeof value.settings === "object" && value.settings || {},
    conversation: value && typeof value.conversation === "string" && value.conversation || newName(),
    turns: turns.filter((turn) => turn && typeof turn.question === "string").map((turn) => {
      const answer = Object.assign(newAnswer(), turn.answer);
      const verdicts = Array.isArray(answer.verdicts) ? answer.verdicts : [];
      return { question: turn.question, answer: Object.assign(answer, {
        drafts: texts(answer.drafts), feedbacks: texts(answer.feedbacks),
        verdicts: verdicts.map((verdict) => verdict && typeof verdict === "object" ? verdict : null),
        live: null, interrupted: !answer.reason && !answer.error && !answer.stopped,
      }) };
    }),
  };
}

function save() {
  for (const name of fields) saved.settings[name] = $(name).value;
  try { localStorage.setItem(storageName, JSON.stringify(saved)); } catch { /* full or forbidden */ }
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// ---- One answer: what the events build, and what is shown of it ----

/** An answer as data: drafts, feedback, verdicts; `live` names the segment that grows. */
function newAnswer() {
  return { drafts: [], feedbacks: [], verdicts: [], live: null, reason: null, usage: null, error: null };
}

/** Takes one `revision` field of a chunk. */
function take(answer, event) {
  const segment = event.segment;
  const list = segment && segment.kind === "feedback" ? answer.feedbacks : answer.drafts;
  const place = segment && (segment.kind === "revision" ? segment.index + 1 : segment.index);
  switch (event.event) {
    case "segment_started": list[place] = ""; answer.live = segment.kind + place; break;
    case "delta": list[place] = (list[place] || "") + event.text; break;
    case "segment_done": if (event.text) list[place] = event.text; answer.live = null; break;
    case "verdict": answer.verdicts[segment.index] = event.verdict; break;
    case "finished": answer.reason = event.stop_reason; answer.usage = event.usage; answer.live = null; break;
  }
}

function verdictBadge(verdict) {
  const share = Math.round(100 * (verdict.needed ? verdict.probability : 1 - verdict.probability));
  let text = verdict.needed ? "revision needed" : "no revision needed";
  text += verdict.forced ? " (enforced)" : ` ${share} %`;
  return element("span", "verdict " + (verdict.needed ? "needed" : "done"), text);
}

/** The words of `text`, those that follow the previous draft in order marked as kept. */
function difference(before, text) {
  const old = before.split(/(\s+)/), now = text.split(/(\s+)/);
  const out = document.createDocumentFragment();
  if (old.length * now.length > 4e6) { out.append(text); return out; }
  const width = now.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      common[i * width + j] = old[i] === now[j]
        ? common[(i + 1) * width + j + 1] + 1
        : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
  let i = 0;
  for (let j = 0; j < now.length; j++) {
    while (i < old.length && old[i] !== now[j] && common[(i + 1) * width + j] >= common[i * width + j + 1]) i++;
    const kept = i < old.length && old[i] === now[j];
    if (kept) i++;
    if (/^\s*$/.test(now[j])) out.append(now[j]);
    else out.append(element("span", kept ? "kept" : "new", now[j]));
  }
  return out;
}

// ---- What is shown: each part is made once, and changed where it changed ----

/** What is on the page of a turn: its box, its parts by name, and how each was drawn last. */
const views = new WeakMap();

/** The part of a name, made where it is not there; `draw` runs if what it shows has changed. */
function part(view, name, make, state, draw) {
  let item = view.parts.get(name);
  if (!item) {
    item = { node: make(), drawn: null };
    view.parts.set(name, item);
    view.box.append(item.node);
  }
  if (item.drawn === state) return;
  draw(item.node, item.drawn);
  item.drawn = state;
}

/** Shows a text that grows: what stands there already, and may be selected, stays. */
function grow(box, text) {
  const old = box.firstChild;
  if (box.childNodes.length === 1 && old.nodeType === Node.TEXT_NODE && text.startsWith(old.data)) {
    if (text.length > old.data.length) old.appendData(text.slice(old.data.length));
  } else box.textContent = text;
}

function makeDraft(index) {
  const card = element("div", "card");
  card.append(element("div", "label", index === 0 ? "answer" : "revision " + index), element("div", "text"));
  return card;
}

function drawDraft(view, answer, index) {
  const isLast = index === answer.drafts.length - 1;
  const isLive = answer.live === (index === 0 ? "answer0" : "revision" + index);
  const kind = isLast && answer.reason ? "shown" : isLast ? "" : "draft";
  const text = answer.drafts[index];
  const compares = index > 0 && !isLive;
  part(view, "draft" + index, () => makeDraft(index), [kind, isLive, compares, text].join("\n"), (card) => {
    card.className = "card " + kind + (isLive ? " live" : "");
    const box = card.lastChild;
    if (!compares) grow(box, text);
    else if (box.dataset.compared !== text) {
      box.replaceChildren(difference(answer.drafts[index - 1], text));
      box.dataset.compared = text;
    }
  });
}

function makeFeedback(index) {
  const block = element("details", "feedback");
  const summary = element("summary", "", "feedback " + (index + 1) + " ");
  summary.addEventListener("click", () => { block.dataset.touched = "yes"; });
  block.append(summary, element("div", "text"));
  return block;
}

function drawFeedback(view, answer, index) {
  const isLive = answer.live === "feedback" + index;
  const verdict = answer.verdicts[index];
  const text = answer.feedbacks[index];
  const state = [isLive, JSON.stringify(verdict), text].join("\n");
  part(view, "feedback" + index, () => makeFeedback(index), state, (block) => {
    block.className = "feedback" + (isLive ? " live" : "");
    // Open while it is written, unless somebody has decided otherwise.
    if (!block.dataset.touched) block.open = isLive;
    grow(block.lastChild, text);
    const summary = block.firstChild;
    if (verdict && !summary.querySelector(".verdict")) summary.append(verdictBadge(verdict));
  });
}

function meterText(answer) {
  if (answer.error) return answer.error;
  if (answer.stopped) return "stopped";
  if (answer.interrupted) return "interrupted: the page was left before the answer was finished";
  if (!answer.reason) return answer.drafts.length === 0 ? "waiting for the model…" : "";
  const usage = answer.usage || {};
  const parts = ["answer", "feedback", "revision", "verdict"]
    .filter((name) => usage[name + "_tokens"]).map((name) => `${name} ${usage[name + "_tokens"]}`);
  const total = ["answer", "feedback", "revision", "verdict"].reduce((sum, name) => sum + (usage[name + "_tokens"] || 0), 0);
  let text = `${total} tokens (${parts.join(", ")}) · ended: ${answer.reason}`;
  if (answer.seconds) text += ` · ${(total / answer.seconds).toFixed(1)} tokens/s`;
  return text;
}

/** Brings what is shown of a turn up to date; keeps the end in view if it was in view. */
function redraw(turn) {
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  let view = views.get(turn);
  if (!view) {
    view = { box: element("section", "turn"), parts: new Map() };
    view.box.append(element("div", "mine", turn.question));
    log.append(view.box);
    views.set(turn, view);
    $("empty").hidden = true;
  }
  const answer = turn.answer;
  view.box.setAttribute("aria-busy", String(running !== null && running.turn === turn));
  for (let index = 0; index < answer.drafts.length || index < answer.feedbacks.length; index++) {
    if (answer.drafts[index] !== undefined) drawDraft(view, answer, index);
    if (answer.feedbacks[index] !== undefined) drawFeedback(view, answer, index);
  }
  const text = meterText(answer);
  part(view, "meter", () => element("div", "meter"), text + (answer.error ? "!" : ""), (box) => {
    box.className = answer.error ? "card error" : "meter";
    box.textContent = text;
    box.hidden = !text;
  });
  const last = view.parts.get("meter").node;
  if (last !== view.box.lastChild) view.box.append(last);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/** Tells those who do not see the page what has happened, one line at a time. */
function announce(text) {
  if ($("status").textContent !== text) $("status").textContent = text;
}

/** The line for an event; empty for those that need none. */
function announcement(event) {
  const number = event.segment ? event.segment.index + 1 : 0;
  switch (event.event) {
    case "segment_started": return event.segment.kind === "answer" ? "answer" : `${event.segment.kind} ${number}`;
    case "verdict": return event.verdict.needed ? "revision needed" : "no revision needed";
    case "finished": return `finished, revisions: ${event.count}`;
    default: return "";
  }
}

// ---- Asking ----

function body(question) {
  const messages = [];
  for (const turn of saved.turns) {
    const last = turn.answer.drafts[turn.answer.drafts.length - 1];
    if (!last || turn.answer.error) continue;
    messages.push({ role: "user", content: turn.question }, { role: "assistant", content: last });
  }
  messages.push({ role: "user", content: question });
  const mode = $("mode").value, number = (id) => Number($(id).value);
  const revision = { mode };
  if (mode !== "off") {
    revision.minimum = number("minimum");
    revision.maximum = Math.max(number("maximum"), number("minimum"));
  }
  return {
    model: "hone", messages, stream: true, revision, conversation: saved.conversation, temperature: number("temperature"),
    max_tokens: Math.max(1, number("tokens")),
  };
}

function headers() {
  const key = $("key").value;
  return Object.assign({ "Content-Type": "application/json" }, key ? { Authorization: "Bearer " + key } : {});
}

/** The JSON values of a stream of server-sent events. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const data = line.slice(6);
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}

async function ask(question) {
  const request = JSON.stringify(body(question));
  const turn = { question, answer: newAnswer() };
  saved.turns.push(turn);
  const controller = new AbortController();
  running = { controller, turn };
  busy(true);
  redraw(turn);
  save();
  const began = performance.now();
  let frame = 0;
  const later = () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; redraw(turn); }); };
  try {
    const response = await fetch("/v1/chat/completions", { method: "POST", headers: headers(), body: request, signal: controller.signal });
    if (!response.ok) throw new Error(await refusal(response));
    for await (const chunk of events(response)) {
      if (chunk.error) throw new Error(chunk.error.message);
      if (chunk.revision) {
        take(turn.answer, chunk.revision);
        const line = announcement(chunk.revision);
        if (line) announce(line);
      }
      later();
    }
    if (!turn.answer.reason) throw new Error("the answer broke off before it was finished");
  } catch (error) {
    if (leaving) return;
    turn.answer.live = null;
    if (error.name === "AbortError") turn.answer.stopped = true;
    else turn.answer.error = error.message || "the connection broke";
    announce(turn.answer.error || "stopped");
  }
  cancelAnimationFrame(frame);
  turn.answer.seconds = (performance.now() - began) / 1000;
  running = null;
  busy(false);
  redraw(turn);
  save();
}

/** Why a request was refused, as far as the answer says. */
async function refusal(response) {
  try { return (await response.json()).error.message; } catch { return "the gateway answered " + response.status; }
}

function busy(isBusy) {
  $("send").hidden = isBusy;
  $("stop").hidden = !isBusy;
  $("clear").disabled = isBusy;
  // Whoever is reading elsewhere stays there.
  if (!isBusy && [document.body, $("send"), $("stop")].includes(document.activeElement)) $("prompt").focus();
}

function stop() { if (running) running.controller.abort(); }

async function status() {
  let text;
  try {
    const ready = await (await fetch("/readyz")).json();
    text = ready.ready ? ready.detail : "not ready: " + ready.detail;
  } catch { text = "the gateway cannot be reached"; }
  if ($("model").textContent !== text) $("model").textContent = text;
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = $("prompt").value.trim();
  if (!question || running) return;
  $("prompt").value = "";
  ask(question);
});
$("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("composer").requestSubmit(); }
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });
$("stop").addEventListener("click", stop);
$("clear").addEventListener("click", () => {
  saved.turns = []; saved.conversation = newName(); save();
  document.querySelectorAll(".turn").forEach((item) => item.remove());
  $("empty").hidden = false;
});
$("settings").addEventListener("click", () => {
  $("drawer").hidden = !$("drawer").hidden;
  $("settings").setAttribute("aria-expanded", String(!$("drawer").hidden));
});
$("drawer").addEventListener("submit", (event) => event.preventDefault());
$("drawer").addEventListener("change", save);

addEventListener("pagehide", () => { leaving = true; save(); });
addEventListener("pageshow", () => { leaving = false; });

load();
for (const turn of saved.turns) redraw(turn);
status();
setInterval(status, 10000);
