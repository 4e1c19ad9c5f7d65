"use strict";
// Shows what status.json says, every two seconds. Text of the stack goes through textContent alone.

const EVERY_MS = 2000;
const CALM = new Set(["steady", "failed-over", "rejoined", "failback-ready"]);
const by = (id) => document.getElementById(id);

function made(tag, text, kind) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
}

function span(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "unknown";
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

function facts(pairs) {
  const list = made("dl");
  for (const [name, text] of pairs) list.append(made("dt", name), made("dd", text));
  return list;
}

// A side without an instance cannot be promoted; one that is busy may be, and says what it does.
function health(member, unfit) {
  if (member === null) return "unknown";
  if (member.instances === 0 || unfit.includes(member.status)) return "bad";
  return member.status === "available" ? "good" : "unknown";
}

function side(seen, name) {
  const region = seen.regions[name];
  const member = seen.members[name];
  const size = seen.capacity[name];
  const backup = seen.backups[name];
  const writes = seen.database && seen.database.writer === region;
  const users = seen.users_on === name;
  const kind = health(member, seen.unfit);
  const card = made("article", undefined, kind);
  const roles = [writes ? "writer" : "reader", users ? "users" : null].filter(Boolean).join(", ");
  card.append(made("h3", `${name}: ${region}`));
  card.append(
    facts([
      ["now", seen.database === null ? "unknown" : roles],
      ["database", member === null ? "unknown" : `${member.status}, ${member.instances} instances, ${member.version}`],
      ["instances", size === null ? "unknown" : `${size.in_service} of ${size.desired} in service, at most ${size.maximum}`],
      ["last backup", backup ? `${span(seen.at_s - backup.at_s)} old` : "none known"],
    ]),
  );
  return card;
}

function witness(seen) {
  const signal = seen.tick === null ? "unknown" : seen.tick.signals.witness_canary || "unknown";
  const card = made("article", undefined, signal);
  card.append(made("h3", "witness"));
  card.append(facts([["write through DNS", signal]]));
  return card;
}

function lag(seen) {
  const values = seen.lag_history_s || [];
  const last = values.length ? values[values.length - 1] : null;
  by("lag-now").textContent =
    last === null ? "unknown" : `${last.toFixed(2)} s now; the line is the last hour, at most ${Math.max(...values).toFixed(2)} s`;
  const most = Math.max(1, ...values);
  const step = values.length > 1 ? 600 / (values.length - 1) : 0;
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  line.setAttribute("points", values.map((value, n) => `${n * step},${78 - (76 * value) / most}`).join(" "));
  by("lag").replaceChildren(line);
  by("lag").toggleAttribute("hidden", values.length < 2);
}

function show(seen) {
  const state = seen.state;
  document.title = `${state.phase}: ${seen.application}`;
  by("title").textContent = `${seen.application} on ${seen.where}`;
  by("verdict").textContent = `${state.phase} for ${span(seen.at_s - state.since_s)}: ${seen.next_step}`;
  by("verdict").className = CALM.has(state.phase) ? "good" : "bad";
  by("map").replaceChildren(...Object.keys(seen.regions).map((name) => side(seen, name)), witness(seen));
  lag(seen);
  const signals = seen.tick === null ? {} : seen.tick.signals;
  by("signals").replaceChildren(
    ...Object.entries(signals).map(([name, value]) => {
      const item = made("li", `${name.replaceAll("_", " ")}: `);
      item.append(made("strong", value, value));
      return item;
    }),
  );
  by("timeline").replaceChildren(
    ...seen.revisions.map((each) => {
      const item = made("li");
      item.append(made("strong", each.phase), made("span", each.reason));
      return item;
    }),
  );
  by("drills").replaceChildren(
    ...seen.drills.map((each) => {
      const kind = { passed: "good", failed: "bad" }[each.verdict] || "unknown";
      const item = made("li");
      item.append(made("strong", each.verdict, kind));
      item.append(` ${each.scenario}: RTO ${span(each.rto_write_s)}, ${span(each.age_s)} ago`);
      return item;
    }),
  );
  if (!seen.drills.length) by("drills").append(made("li", "no report of a drill below this directory", "dim"));
  by("way").replaceChildren(...seen.in_the_way.map((text) => made("li", text, "unknown")));
  by("way-section").hidden = seen.in_the_way.length === 0;
  by("unread").replaceChildren(...seen.unread.map((text) => made("li", text, "unknown")));
  by("unread-section").hidden = seen.unread.length === 0;
}

let read_ms = null;

async function look() {
  try {
    const answer = await fetch("status.json", { cache: "no-store" });
    const seen = await answer.json();
    if (!answer.ok) throw new Error(seen.error);
    show(seen);
    read_ms = Date.now();
    by("age").textContent = seen.tick === null ? "no recent look of the orchestrator" : `signals of ${span(seen.at_s - seen.tick.at_s)} ago`;
  } catch (error) {
    const age = read_ms === null ? "" : `, last read ${span((Date.now() - read_ms) / 1000)} ago`;
    by("age").textContent = `unreadable just now${age}: ${error.message}`;
    if (read_ms === null) by("verdict").textContent = "unknown";
  }
  setTimeout(look, EVERY_MS);
}

look();
