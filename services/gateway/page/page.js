"use strict";
// The page of the gateway. Text of users and models reaches the document through textContent alone.

const $ = (id) => document.getElementById(id);
const storageName = "hone.chat";
const fields = ["mode", "minimum", "maximum", "temperature", "tokens"];

/** Everything that survives a reload. The API key does not. */
let saved = { turns: [], settings: {} };
/** The stream underway, or null. */
let running = null;

function load() {
  try {
    const text = localStorage.getItem(storageName);
    if (text) saved = Object.assign(saved, JSON.parse(text));
  } catch { /* a damaged or forbidden store is an empty one */ }
  for (const name of fields) if (saved.settings[name] !== undefined) $(name).value = saved.settings[name];
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

function draftCard(answer, index) {
  const isLast = index === answer.drafts.length - 1;
  const isLive = answer.live === (index === 0 ? "answer0" : "revision" + index);
  const card = element("div", "card " + (isLast && answer.reason ? "shown" : isLast ? "" : "draft") + (isLive ? " live" : ""));
  card.append(element("div", "label", index === 0 ? "answer" : "revision " + index));
  const text = element("div", "text");
  if (index > 0 && !isLive) text.append(difference(answer.drafts[index - 1], answer.drafts[index]));
  else text.textContent = answer.drafts[index];
  card.append(text);
  return card;
}

function feedbackBlock(answer, index) {
  const isLive = answer.live === "feedback" + index;
  const block = element("details", "feedback" + (isLive ? " live" : ""));
  block.open = isLive;
  const summary = element("summary", "", "feedback " + (index + 1) + " ");
  if (answer.verdicts[index]) summary.append(verdictBadge(answer.verdicts[index]));
  block.append(summary, element("div", "text", answer.feedbacks[index]));
  return block;
}

function meter(answer) {
  if (answer.error) return element("div", "card error", answer.error);
  if (answer.stopped) return element("div", "meter", "stopped");
  if (!answer.reason) return null;
  const usage = answer.usage || {};
  const parts = ["answer", "feedback", "revision", "verdict"]
    .filter((name) => usage[name + "_tokens"]).map((name) => `${name} ${usage[name + "_tokens"]}`);
  const total = ["answer", "feedback", "revision", "verdict"].reduce((sum, name) => sum + (usage[name + "_tokens"] || 0), 0);
  let text = `${total} tokens (${parts.join(", ")}) · ended: ${answer.reason}`;
  if (answer.seconds) text += ` · ${(total / answer.seconds).toFixed(1)} tokens/s`;
  return element("div", "meter", text);
}

function show(turn) {
  const box = element("section", "turn");
  box.append(element("div", "mine", turn.question));
  const answer = turn.answer;
  for (let index = 0; index < answer.drafts.length || index < answer.feedbacks.length; index++) {
    if (answer.drafts[index] !== undefined) box.append(draftCard(answer, index));
    if (answer.feedbacks[index] !== undefined) box.append(feedbackBlock(answer, index));
  }
  const end = meter(answer);
  if (end) box.append(end);
  else if (answer.drafts.length === 0) box.append(element("div", "meter", "waiting for the model…"));
  return box;
}

/** Replaces what is shown of a turn; keeps the end in view if it was in view. */
function redraw(turn) {
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const fresh = show(turn);
  const opened = turn.box ? [...turn.box.querySelectorAll("details")].map((item) => item.open) : [];
  if (turn.box) turn.box.replaceWith(fresh); else log.append(fresh);
  fresh.querySelectorAll("details").forEach((item, index) => { if (opened[index]) item.open = true; });
  Object.defineProperty(turn, "box", { value: fresh, configurable: true, enumerable: false });
  $("empty").hidden = true;
  if (atEnd) log.scrollTop = log.scrollHeight;
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
    model: "hone", messages, stream: true, revision, temperature: number("temperature"),
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
  running = new AbortController();
  busy(true);
  redraw(turn);
  const began = performance.now();
  let frame = 0;
  const later = () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; redraw(turn); }); };
  try {
    const response = await fetch("/v1/chat/completions", { method: "POST", headers: headers(), body: request, signal: running.signal });
    if (!response.ok) throw new Error((await response.json()).error.message);
    for await (const chunk of events(response)) {
      if (chunk.error) throw new Error(chunk.error.message);
      if (chunk.revision) take(turn.answer, chunk.revision);
      later();
    }
  } catch (error) {
    turn.answer.live = null;
    if (error.name === "AbortError") turn.answer.stopped = true;
    else turn.answer.error = error.message || "the connection broke";
  }
  cancelAnimationFrame(frame);
  turn.answer.seconds = (performance.now() - began) / 1000;
  running = null;
  busy(false);
  redraw(turn);
  save();
}

function busy(isBusy) {
  $("send").hidden = isBusy;
  $("stop").hidden = !isBusy;
  $("clear").disabled = isBusy;
  if (!isBusy) $("prompt").focus();
}

function stop() { if (running) running.abort(); }

async function status() {
  try {
    const ready = await (await fetch("/readyz")).json();
    $("model").textContent = ready.ready ? ready.detail : "not ready: " + ready.detail;
  } catch { $("model").textContent = "the gateway cannot be reached"; }
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
  saved.turns = []; save();
  document.querySelectorAll(".turn").forEach((item) => item.remove());
  $("empty").hidden = false;
});
$("settings").addEventListener("click", () => {
  $("drawer").hidden = !$("drawer").hidden;
  $("settings").setAttribute("aria-expanded", String(!$("drawer").hidden));
});
$("drawer").addEventListener("submit", (event) => event.preventDefault());
$("drawer").addEventListener("change", save);

load();
for (const turn of saved.turns) redraw(turn);
status();
setInterval(status, 10000);
