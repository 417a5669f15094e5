// Listens to the proxy and shows what it says. When the proxy is gone it says so, and tries again until it is back.
import { Charts } from '/charts.js';
import { render } from '/panels.js';

const silence = 5000;       // events come every second
const pause = 1500;

const charts = new Charts();
let source = null;
let version = null;
let heardAt = 0;
let lostAt = null;

function tell(state, text) {
  document.body.className = state;
  const connection = document.getElementById('connection');
  if (connection.textContent !== text) {
    connection.textContent = text;
  }
}

function lose(why) {
  source?.close();
  source = null;
  lostAt ??= new Date();
  tell('disconnected', why ?? `Disconnected since ${lostAt.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })}; trying again`);
  setTimeout(connect, pause);
}

function hear() {
  heardAt = performance.now();
  lostAt = null;
  tell('connected', 'Live');
}

function connect() {
  heardAt = performance.now();
  source = new EventSource('/live');
  source.addEventListener('history', event => {
    charts.setHistory(JSON.parse(event.data));
  });
  source.addEventListener('now', event => {
    const live = JSON.parse(event.data);
    if (version !== null && version !== live.version) {
      location.reload();      // this page belongs to another version
      return;
    }
    version = live.version;
    hear();
    charts.add(live.sample);
    render(live);
  });
  source.addEventListener('error', async () => {
    const failed = source;
    failed?.close();
    let why;
    try {
      const answer = await fetch('/status');
      if (answer.status === 401) {
        location.reload();      // the token has changed: the form asks for it
        return;
      }
      why = answer.ok && lostAt !== null ? 'As many pages are open as are served; trying again' : undefined;
    } catch {
      // The proxy is not there.
    }
    if (source === failed) {
      lose(why);
    }
  });
}

setInterval(() => {
  if (source !== null && performance.now() - heardAt > silence) {
    lose();
  }
}, 1000);

connect();
