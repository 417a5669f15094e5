// Three charts of the last ten minutes. Columns, as the server sends them:
// 0 time, 1 device/s, 2 software/s, 3 others/s, 4 device p50, 5 software p50, 6 device p99, 7 software p99.
const seconds = 600;
const fewest = 120;        // a proxy that has just begun is not shown as a thin line at the edge
const height = 190;

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rate = value => value == null ? '–' : value.toFixed(value < 10 ? 1 : 0);
const time = value => value == null ? '–' : value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0);

// A point that stands alone has no line, and would not be seen.
function alone(chart, index) {
  const values = chart.data[index];
  const found = [];
  for (let i = 0; i < values.length; i++) {
    if (values[i] != null && values[i - 1] == null && values[i + 1] == null) {
      found.push(i);
    }
  }
  return found;
}

const series = (label, variable, value) => ({
  label,
  width: 1.75,
  stroke: () => colour(variable),
  fill: value === rate ? () => colour(variable) + '22' : undefined,
  value: (_, number) => value(number),
  points: { show: true, size: 5, width: 0, fill: () => colour(variable), filter: alone },
});

const axis = extra => ({
  stroke: () => colour('--soft'),
  font: '12px system-ui, sans-serif',
  grid: { stroke: () => colour('--grid'), width: 1 },
  ticks: { show: false },
  ...extra,
});

function span(chart) {
  const times = chart.data[0];
  const last = times.at(-1) ?? Date.now() / 1000;
  return [last - Math.min(Math.max(last - (times[0] ?? last), fewest), seconds), last];
}

function makeChart(element, columns, list, least) {
  const chart = new uPlot({
    width: element.clientWidth,
    height,
    padding: [8, 16, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    legend: { markers: { width: 0, fill: (_, i) => `var(${list[i - 1].variable})` } },
    scales: {
      x: { time: true, range: span },
      y: { range: (_, low, high) => [0, Math.max((high ?? 0) * 1.12, least)] },
    },
    axes: [
      axis({ space: 70, incrs: [60, 120, 300], values: (_, ticks) => ticks.map(tick => new Date(tick * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })), size: 26 }),
      axis({ size: 42, space: 36 }),
    ],
    series: [{}, ...list.map(one => series(one.label, one.variable, one.value))],
  }, [[], ...list.map(() => [])], element);
  return { chart, element, columns, list };
}

export class Charts {
  constructor() {
    const device = value => ({ label: 'device', variable: '--device', value });
    const software = value => ({ label: 'software', variable: '--software', value });
    this.columns = Array.from({ length: 8 }, () => []);
    this.charts = [
      makeChart(document.getElementById('chart-rate'), [1, 2, 3], [device(rate), software(rate), { label: 'others', variable: '--other', value: rate }], 4),
      makeChart(document.getElementById('chart-p50'), [4, 5], [device(time), software(time)], 1),
      makeChart(document.getElementById('chart-p99'), [6, 7], [device(time), software(time)], 1),
    ];
    const resize = new ResizeObserver(entries => {
      for (const { chart, element } of this.charts) {
        if (entries.some(entry => entry.target === element)) {
          chart.setSize({ width: element.clientWidth, height });
        }
      }
    });
    this.charts.forEach(({ element }) => resize.observe(element));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.charts.forEach(({ chart }) => chart.redraw(false)));
  }

  setHistory(columns) {
    this.columns = columns;
    this.draw();
  }

  add(sample) {
    const last = this.columns[0].at(-1);
    if (!sample[0] || sample[0] <= last) {
      return;     // a page that is opened is sent the last second twice
    }
    sample.forEach((value, i) => {
      this.columns[i].push(value);
      if (this.columns[i].length > seconds) {
        this.columns[i].shift();
      }
    });
    this.draw();
  }

  draw() {
    for (const { chart, element, columns, list } of this.charts) {
      chart.setData([this.columns[0], ...columns.map(i => this.columns[i])]);
      if (chart.cursor.idx == null || chart.cursor.left < 0) {
        chart.setLegend({ idx: this.columns[0].length - 1 }, false);
      }
      const now = list.map((one, i) => `${one.label} ${one.value(this.columns[columns[i]].at(-1))}`).join(', ');
      element.setAttribute('aria-label', `${element.parentElement.querySelector('figcaption').textContent}, now: ${now}`);
    }
  }
}
