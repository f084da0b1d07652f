(() => {
  const data = JSON.parse(byId('data').textContent);
  const width = 960, height = 380, left = 52, right = 12, top = 12, bottom = 30;
  const losses = data.losses.filter(point => point[1] !== null), validations = data.validations.filter(point => point[1] !== null);
  const draw = (name, attributes, parent, text) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.appendChild(element);
    return element;
  };

  // A running mean that forgets: the share of the newest grows smaller with the number of points.
  const share = Math.min(1, 12 / Math.max(12, losses.length / 4));
  let mean = null;
  const means = losses.map(([step, loss]) => [step, mean = mean === null ? loss : mean + share * (loss - mean)]);

  const values = [...losses, ...validations].map(point => point[1]);
  let low = Math.min(...values), high = Math.max(...values);
  if (!values.length) [low, high] = [0, 1];
  if (high - low < 1e-3) [low, high] = [low - 0.5, high + 0.5];
  const last = losses.length ? losses[losses.length - 1][0] : 1;
  const x = step => left + (width - left - right) * step / last;
  const y = loss => top + (height - top - bottom) * (high - loss) / (high - low);
  const ticks = (from, to) => {
    let step = 10 ** Math.floor(Math.log10(to - from));
    step *= (to - from) / step < 2 ? 0.2 : (to - from) / step < 5 ? 0.5 : 1;
    const found = [];
    for (let i = Math.ceil(from / step); i * step <= to + step * 1e-9; i++) found.push(+(i * step).toPrecision(10));
    return found;
  };

  const svg = draw('svg', { viewBox: `0 0 ${width} ${height}` }, byId('chart'));
  for (const loss of ticks(low, high)) {
    draw('line', { class: 'grid', x1: left, x2: width - right, y1: y(loss), y2: y(loss) }, svg);
    draw('text', { x: left - 8, y: y(loss) + 4, 'text-anchor': 'end' }, svg, loss);
  }
  for (const step of ticks(0, last).filter(Number.isInteger)) draw('text', { x: x(step), y: height - bottom + 20, 'text-anchor': 'middle' }, svg, step.toLocaleString('en'));
  const line = (kind, points) => draw('polyline', { class: kind, points: points.map(([step, loss]) => x(step).toFixed(1) + ',' + y(loss).toFixed(1)).join(' ') }, svg);
  line('each', losses);
  line('mean', means);
  line('valid', validations);
  for (const [step, loss] of validations) draw('circle', { class: 'point', cx: x(step), cy: y(loss), r: 4 }, svg);

  const mark = draw('line', { class: 'at', y1: top, y2: height - bottom, visibility: 'hidden' }, svg);
  const told = byId('told'), chart = byId('chart');
  svg.setAttribute('aria-hidden', 'true');
  chart.setAttribute('aria-valuemin', losses[0]?.[0] ?? 0);
  chart.setAttribute('aria-valuemax', last);
  let at = losses.length - 1;
  function tell(index) {
    if (!losses.length) return;
    at = Math.max(0, Math.min(losses.length - 1, index));
    const [step, loss] = losses[at], validation = validations.filter(point => point[0] <= step).pop();
    mark.setAttribute('x1', x(step));
    mark.setAttribute('x2', x(step));
    mark.setAttribute('visibility', 'visible');
    told.textContent = `Step ${step.toLocaleString('en')}: training ${loss.toFixed(4)}, running mean ${means[at][1].toFixed(4)}`
      + (validation ? `, validation ${validation[1].toFixed(4)}` + (validation[0] === step ? '' : ` after step ${validation[0].toLocaleString('en')}`) : '');
    chart.setAttribute('aria-valuenow', step);
    chart.setAttribute('aria-valuetext', told.textContent);
  }
  tell(at);
  const nearest = event => {
    const box = svg.getBoundingClientRect(), step = ((event.clientX - box.left) / box.width * width - left) / (width - left - right) * last;
    let best = 0;
    for (let i = 1; i < losses.length; i++) if (Math.abs(losses[i][0] - step) < Math.abs(losses[best][0] - step)) best = i;
    return best;
  };
  svg.addEventListener('pointermove', event => tell(nearest(event)));
  chart.addEventListener('keydown', event => {
    const move = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - 25, PageUp: at + 25, Home: 0, End: losses.length - 1 }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    tell(move);
  });

  byId('samplesSection').hidden = data.samples.length === 0;
  for (const [step, text] of data.samples) {
    const item = byId('samples').appendChild(make('li'));
    item.append(make('span', 'step', 'step ' + step.toLocaleString('en')), make('span', 'text', text));
  }
  for (const [name, value] of data.facts) byId('facts').append(make('dt', '', name), make('dd', '', value));

  chooseTheme();
})();
