// What is shown of one event; every text comes as text, never as markup.
const byId = id => document.getElementById(id);

function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) {
    element.className = className;
  }
  element.append(...content);
  return element;
}

// The page's policy allows no style attributes; setting a property is none.
const sized = (element, property, share) => {
  element.style[property] = `${Math.max(0, Math.min(share, 1)) * 100}%`;
  return element;
};

const number = value => value.toLocaleString('en');
const milliseconds = value => value == null ? '–'
  : value >= 1000 ? `${(value / 1000).toFixed(1)}\u00a0s`
  : `${value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0)}\u00a0ms`;
// A number stays with its unit.
const unbroken = text => text.replace(/(\d) (ms|%|times)/g, '$1\u00a0$2');
const words = reason => reason.replaceAll('_', ' ');

export function render(live) {
  renderState(live);
  renderVerdict(live);
  renderWork(live.work);
  renderDevices(live);
  renderBatches(live.batches);
  renderSlowest(live);
  byId('fallbacks').replaceChildren(reasons(live.fallbacks, 'No operation that was meant for a device was computed in software.'));
  byId('refusals').replaceChildren(reasons(live.refusals, 'No connection and no handshake was refused.'));
  renderCertificates(live);
}

function renderState(live) {
  const { state, path } = live.readiness;
  byId('live-path').textContent = state === 'serving' ? (path === 'device' ? 'Device path live' : 'Software path live') : state === 'draining' ? 'Draining' : 'Starting';
  byId('alarm').hidden = live.alarm == null;
  if (byId('alarm').textContent !== (live.alarm ?? '')) {
    byId('alarm').textContent = live.alarm ?? '';
  }
  byId('program').textContent = `warpproxy ${live.version}, up for ${duration(live.uptimeSeconds)}, path ${live.path}`;
}

function duration(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  return days > 0 ? `${days} d ${hours} h` : hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min` : `${seconds} s`;
}

function renderVerdict({ verdict, comparison }) {
  byId('headline').textContent = unbroken(verdict.headline);
  byId('details').replaceChildren(...verdict.details.filter(text => text).map(text => make('p', '', unbroken(text))));
  const { device, software } = comparison;
  const key = comparison.bits ? `RSA-${comparison.bits}` : 'RSA';
  byId('comparison').hidden = device.count + software.count === 0;
  const cpu = block(`CPU per ${key} handshake`, device.cpu, software.cpu, [[device.ownCpu, 'device'], [device.engineCpu, 'engine']]);
  if (device.engineCpu != null) {
    cpu.append(make('p', 'note', `On the device path ${milliseconds(device.ownCpu)} in the proxy's threads and ${milliseconds(device.engineCpu)} in the device's engines (second shade).`));
  }
  byId('comparison').replaceChildren(
    cpu,
    block('Median latency', device.p50, software.p50, [[device.p50, 'device']]),
    block('99th percentile', device.p99, software.p99, [[device.p99, 'device']]),
    block('Handshakes in five minutes', device.count, software.count, [[device.count, 'device']], number));
}

function block(title, device, software, parts, format = milliseconds) {
  const most = Math.max(device ?? 0, software ?? 0) || 1;
  const bar = make('div', 'bar', ...parts.filter(([value]) => value).map(([value, kind]) => sized(make('i', kind), 'width', value / most)));
  const other = make('div', 'bar', sized(make('i', 'software'), 'width', (software ?? 0) / most));
  const pair = make('div', 'pair',
    make('span', 'path', make('span', 'dot device'), 'device'), bar, make('span', '', format(device)),
    make('span', 'path', make('span', 'dot software'), 'software'), other, make('span', '', format(software)));
  return make('div', '', make('h3', '', title), pair);
}

function renderWork(work) {
  const tile = (name, value, most) => make('div', '', make('dt', '', name), make('dd', '', number(value), most ? make('small', '', ` of ${number(most)}`) : ''));
  byId('work').replaceChildren(
    tile('Operations in flight', work.operationsInFlight),
    tile('Device slots in use', work.slotsInUse),
    tile('Lanes busy', work.lanesBusy, work.lanes),
    tile('Waiting for a lane', work.waiting),
    tile('Handshakes under way', work.handshaking, work.maxHandshakes),
    tile('Connections', work.connections, work.maxConnections));
}

function renderDevices({ devices, readiness }) {
  if (devices.length === 0) {
    byId('devices').replaceChildren(make('p', 'soft', `There is none: ${readiness.reason ?? 'software computes'}.`));
    return;
  }
  byId('devices').replaceChildren(...devices.map(device => {
    const isReady = device.state === 'ready';
    const card = make('div', 'device-card',
      make('div', '', make('code', '', device.uri), make('span', `badge ${isReady ? 'ready' : 'not-ready'}`, device.state)),
      make('p', 'soft', device.engine ? `${device.engine}; ${count(device.engines, 'engine')}, ${count(device.queues, 'queue')}` : 'Not seen yet'),
      make('p', 'soft', `${number(device.operations)} operations computed`));
    const breaker = device.breaker === 'closed'
      ? `Circuit breaker closed${device.openings > 0 ? `; it opened ${count(device.openings, 'time')}` : ''}`
      : `Circuit breaker ${words(device.breaker)}: ${(device.detail ?? 'it is probed before it gets work').replace(/\.$/, '')}`
        + (device.retryInSeconds > 0 ? `; probed again in ${Math.ceil(device.retryInSeconds)} s` : '');
    card.append(make('p', device.breaker === 'closed' ? 'soft' : 'bad', breaker));
    return card;
  }));
}

const count = (value, what) => `${number(value)} ${what}${value === 1 ? '' : 's'}`;

function renderBatches(batches) {
  const total = batches.reduce((sum, one) => sum + one, 0);
  // An operation in a batch of eight is an eighth of a batch.
  const mean = total / batches.reduce((sum, one, i) => sum + one / (i + 1), 0);
  byId('batches-note').textContent = total === 0
    ? 'No device has said how many operations it computed together in the last five minutes.'
    : `Operations of the last five minutes by how many the device computed together; on average ${mean.toFixed(1)}.`;
  byId('batches').hidden = total === 0;
  const length = Math.max(8, batches.findLastIndex(one => one > 0) + 1);
  const most = Math.max(...batches, 1);
  byId('batches').replaceChildren(...batches.slice(0, length).map((one, i) => {
    const share = one / (total || 1) * 100;
    return make('div', '', make('b', '', one === 0 ? '' : share < 1 ? '<1 %' : `${share.toFixed(0)} %`), sized(make('i'), 'height', one / most * .75), make('span', '', i === 15 ? '16+' : `${i + 1}`));
  }));
}

function renderSlowest({ slowest, certificateCount }) {
  const tellsCertificate = certificateCount > 1;
  const longest = Math.max(...slowest.map(one => one.proxyMs), .001);
  byId('slowest-key').hidden = slowest.length === 0;
  byId('slowest').replaceChildren(...(slowest.length === 0 ? [make('li', 'soft', 'None with an RSA operation yet.')] : slowest.map(one => {
    const what = make('div', 'what',
      make('b', '', milliseconds(one.proxyMs)),
      make('span', '', make('span', `dot ${one.path}`), `${one.path}, RSA-${one.bits}`),
      make('span', 'soft', `${duration(one.agoSeconds)} ago`),
      make('span', 'soft', `the client's part ${milliseconds(one.helloMs + one.clientMs)}`));
    if (one.fallback) {
      what.append(make('span', 'bad', `fell back: ${words(one.fallback)}`));
    }
    if (one.certificate && tellsCertificate) {
      what.append(make('span', 'soft', one.certificate));
    }
    const bar = make('div', 'steps', ...one.steps.map(step => sized(make('i', `kind-${step.kind}`), 'width', step.lengthMs / longest)));
    bar.setAttribute('aria-hidden', 'true');
    return make('li', '', what, bar, make('p', 'names', one.steps.map(step => `${step.name} ${milliseconds(step.lengthMs)}`).join(' · ')));
  })));
}

function reasons(list, none) {
  if (list.length === 0) {
    return make('p', 'soft', none);
  }
  return table(['Reason', '5 minutes', 'since the start'], list.map(one => [words(one.reason), number(one.recent), number(one.total)]));
}

function renderCertificates({ certificates, certificateCount, refusedCertificateCount }) {
  const parts = [table(['Name', 'ends in'], certificates.map(one => [
    make('span', '', one.name, make('br', ''), make('span', 'soft', one.subject)),
    make('span', one.days < 14 ? 'bad' : '', one.days < 0 ? 'has ended' : `${one.days < 10 ? one.days.toFixed(1) : Math.floor(one.days)} days`),
  ]))];
  if (certificateCount > certificates.length) {
    parts.push(make('p', 'note', `and ${number(certificateCount - certificates.length)} that end later`));
  }
  if (refusedCertificateCount > 0) {
    parts.push(make('p', 'bad', `${count(refusedCertificateCount, 'file')} cannot be used: the log says why.`));
  }
  byId('certificates').replaceChildren(...parts);
}

function table(heads, rows) {
  const head = make('tr', '', ...heads.map(text => make('th', '', text)));
  head.querySelectorAll('th').forEach(cell => cell.scope = 'col');
  return make('table', '', make('thead', '', head), make('tbody', '', ...rows.map(row => make('tr', '', ...row.map(cell => make('td', '', cell))))));
}
