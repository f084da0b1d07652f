(() => {
  const data = JSON.parse(byId('trace').textContent);
  const tokens = data.tokens, n = tokens.length, last = data.layers.length - 1;
  const state = { layer: -1, head: -1, token: n - 1, held: -1 }; // -1: the mean; no token

  // What was traced: by itself, or before and after the changes. What is said of one trace is of the last of them.
  const sides = (data.before ? [data.before, data] : [data]).map(trace => ({ ...trace, patterns: trace.attention ? decode(trace.attention) : null, means: new Map() }));
  const after = sides.at(-1), isCompared = sides.length > 1, sideName = i => isCompared ? ['before', 'after'][i] : '';

  // How much position t looks at position j: the lower triangles lie one after another, a byte a weight.
  const triangle = n * (n + 1) / 2;
  const at = (t, j) => t * (t + 1) / 2 + j;

  function decode(base64) {
    const text = atob(base64), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  // layer and head are places in data.layers and data.heads, or -1 for the mean over them
  function pattern(side, layer, head) {
    if (layer >= 0 && head >= 0) return side.patterns.subarray((layer * data.heads.length + head) * triangle).subarray(0, triangle);
    const key = layer + ' ' + head;
    if (side.means.has(key)) return side.means.get(key);
    const sum = new Float32Array(triangle);
    let count = 0;
    data.layers.forEach((_, l) => data.heads.forEach((_, h) => {
      if ((layer >= 0 && l !== layer) || (head >= 0 && h !== head)) return;
      const one = pattern(side, l, h);
      for (let i = 0; i < triangle; i++) sum[i] += one[i];
      count++;
    }));
    for (let i = 0; i < triangle; i++) sum[i] /= count;
    side.means.set(key, sum);
    return sum;
  }

  const nameOf = (layer, head) =>
    (layer < 0 ? (data.layers.length === 1 ? 'layer ' + data.layers[0] : 'mean of ' + data.layers.length + ' layers') : 'layer ' + data.layers[layer]) + ', ' +
    (head < 0 ? (data.heads.length === 1 ? 'head ' + data.heads[0] : 'mean of ' + data.heads.length + ' heads') : 'head ' + data.heads[head]);
  const quote = t => '“' + (tokens[t].trim() || tokens[t]) + '” (' + t + ')';
  const looks = j => sides.map(side => pattern(side, state.layer, state.head)[at(state.token, j)] / 255);
  const arrow = shares => shares.map(percent).join(' → ');

  const shade = share => Math.pow(Math.min(1, share), 0.6);

  // The weight that gets the full colour: few are greater. Long texts have small weights.
  function fullColour(one) {
    const counts = new Uint32Array(256);
    for (let i = 0; i < triangle; i++) counts[Math.ceil(Math.abs(one[i]))]++;
    let w = 255;
    for (let above = counts[w]; w > 8 && above < triangle / 200; above += counts[w]) w--;
    return w;
  }

  // a picture of a pattern or of a change of one, a pixel a weight, or the greatest of several where it is long
  function picture(one, most, isChange) {
    const step = Math.ceil(n / most), side = Math.ceil(n / step), full = fullColour(one), found = new Float32Array(side * side);
    for (let t = 0; t < n; t++) {
      const row = Math.floor(t / step) * side;
      for (let j = 0; j <= t; j++) {
        const i = row + Math.floor(j / step);
        if (Math.abs(one[at(t, j)]) > Math.abs(found[i])) found[i] = one[at(t, j)];
      }
    }
    const canvas = make('canvas'), [back, look, more, less] = ['--panel', '--look', '--more', '--less'].map(colour);
    canvas.width = canvas.height = side;
    const context = canvas.getContext('2d'), image = context.createImageData(side, side);
    found.forEach((w, i) => image.data.set([...mix(back, !isChange ? look : w < 0 ? less : more, shade(Math.abs(w) / full)), 255], 4 * i));
    context.putImageData(image, 0, 0);
    return canvas;
  }

  function change(layer, head) {
    const [from, to] = sides.map(side => pattern(side, layer, head)), difference = new Float32Array(triangle);
    for (let i = 0; i < triangle; i++) difference[i] = to[i] - from[i];
    return difference;
  }

  // The share of a mean row that looks elsewhere: half of what was added and taken away.
  const moved = layer => head => change(layer, head).reduce((sum, w) => sum + Math.abs(w), 0) / 255 / 2 / n;

  // every layer and head in small, to choose from
  function drawHeads() {
    const grid = byId('heads');
    const columns = data.heads.length > 1 ? [...data.heads.keys(), -1] : [0], rows = data.layers.length > 1 ? [...data.layers.keys(), -1] : [0];
    grid.replaceChildren();
    grid.style.gridTemplateColumns = 'max-content repeat(' + columns.length + ', minmax(22px, ' + (columns.length < 6 ? 76 : 56) + 'px))';
    grid.append(make('span'), ...columns.map(h => make('span', 'name', h < 0 ? 'mean' : data.heads[h])));
    const buttons = rows.map(layer => {
      grid.append(make('span', 'name row', layer < 0 ? 'mean' : 'layer ' + data.layers[layer]));
      return columns.map(head => {
        const button = make('button');
        button.type = 'button';
        button.title = nameOf(layer, head) + (isCompared ? ': ' + percent(moved(layer)(head)) + ' of its attention moved' : '');
        button.setAttribute('aria-label', button.title);
        button.dataset.key = layer + ' ' + head;
        button.append(picture(isCompared ? change(layer, head) : pattern(after, layer, head), 48, isCompared));
        button.addEventListener('click', () => choose(layer, head));
        grid.append(button);
        return button;
      });
    });
    const set = rove(grid, buttons);
    rows.forEach((layer, r) => columns.forEach((head, c) => { if (layer === state.layer && head === state.head) set(r, c); }));
  }

  function choose(layer, head) {
    state.layer = layer;
    state.head = head;
    byId('layer').value = layer;
    byId('head').value = head;
    drawMaps();
    update();
  }

  // the chosen pattern in large, of each side
  const maps = [];
  function makeMaps() {
    sides.forEach((side, i) => {
      const box = make('div'), canvas = make('canvas');
      canvas.setAttribute('role', 'img');
      if (isCompared) box.append(make('h3', '', sideName(i)));
      box.append(canvas);
      byId('maps').append(box);
      maps.push({ side, canvas, place: null, large: null, key: '' });
      canvas.addEventListener('mousemove', event => mapTip(event, maps[i]));
      canvas.addEventListener('mouseleave', hideTip);
    });
  }
  const drawMaps = () => maps.forEach(drawMap);

  function drawMap(map, i) {
    const { canvas } = map, ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth || 480, isLabelled = n <= 40, gutter = isLabelled ? 86 : 26, side = (width - gutter) / n;
    canvas.style.height = width + 'px';
    canvas.width = canvas.height = Math.round(width * ratio);
    canvas.setAttribute('aria-label', 'Attention' + (isCompared ? ' ' + sideName(i) : '') + ', ' + nameOf(state.layer, state.head) + '; the list of what the chosen token looks at tells its numbers');
    const c = canvas.getContext('2d');
    c.scale(ratio, ratio);
    c.imageSmoothingEnabled = false;
    const key = [state.layer, state.head, root.dataset.theme].join();
    if (key !== map.key) [map.large, map.key] = [picture(pattern(map.side, state.layer, state.head), 1024, false), key];
    c.drawImage(map.large, gutter, gutter, width - gutter, width - gutter);
    c.strokeStyle = css(colour('--line'));
    c.strokeRect(gutter + .5, gutter + .5, width - gutter - 1, width - gutter - 1);
    c.font = Math.min(12, Math.max(8, side * .8)) + 'px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace';
    c.textBaseline = 'middle';
    for (let t = 0; isLabelled && t < n; t++) {
      c.fillStyle = css(colour(t === state.token ? '--warmInk' : '--dim'));
      c.textAlign = 'right';
      c.fillText(short(tokens[t]), gutter - 6, gutter + (t + .5) * side);
      c.save();
      c.translate(gutter + (t + .5) * side, gutter - 6);
      c.rotate(-Math.PI / 2);
      c.textAlign = 'left';
      c.fillText(short(tokens[t]), 0, 0);
      c.restore();
    }
    c.strokeStyle = css(colour('--warm'));
    c.strokeRect(gutter + .5, gutter + state.token * side + .5, width - gutter - 1, Math.max(1, side - 1));
    map.place = { gutter, side };
  }
  const short = text => {
    const characters = [...text.trim() || text];
    return characters.length > 10 ? characters.slice(0, 9).join('') + '…' : characters.join('');
  };

  function mapTip(event, { canvas, place }) {
    const box = canvas.getBoundingClientRect();
    const j = Math.floor((event.clientX - box.left - place.gutter) / place.side), t = Math.floor((event.clientY - box.top - place.gutter) / place.side);
    if (t < 0 || t >= n || j < 0 || j > t) return hideTip();
    if (state.held < 0 && t !== state.token) select(t);
    const shares = sides.map(side => pattern(side, state.layer, state.head)[at(t, j)] / 255);
    showTip(event.clientX, event.clientY, quote(t) + ' looks at ' + quote(j), [], arrow(shares));
  }

  // the tip beside the pointer or a cell
  function showTip(x, y, what, rows, foot) {
    const tip = byId('tip');
    tip.replaceChildren(make('div', 'what', what));
    if (rows.length) {
      const list = make('div', 'rows');
      for (const [text, p] of rows) {
        const bar = make('span', 'bar');
        bar.style.width = Math.max(1, 90 * p) + 'px';
        list.append(make('span', '', text), bar, make('span', 'number', percent(p)));
      }
      tip.append(list);
    }
    if (foot) tip.append(make('div', 'foot', foot));
    tip.hidden = false;
    tip.style.left = Math.max(4, Math.min(x + 16, innerWidth - tip.offsetWidth - 8)) + 'px';
    tip.style.top = (y + 16 + tip.offsetHeight > innerHeight - 8 ? Math.max(4, y - tip.offsetHeight - 12) : y + 16) + 'px';
  }
  const hideTip = () => { byId('tip').hidden = true; };

  // the text
  const spans = tokens.map((text, t) => {
    const span = make('span', 'token' + (data.escaped[t] ? ' special' : ''), text);
    span.setAttribute('role', 'option');
    span.setAttribute('aria-label', quote(t));
    span.addEventListener('mouseenter', () => { if (state.held < 0) select(t); });
    span.addEventListener('click', () => hold(t));
    return span;
  });

  function hold(t) {
    state.held = state.held === t ? -1 : t;
    select(t);
  }

  function select(t) {
    state.token = t;
    update();
    drawMaps();
  }

  // What is told to those who do not see the colours.
  function tellToken() {
    const most = after.patterns ? order().slice(0, 3).map(j => quote(j) + ' ' + arrow(looks(j))).join(', ') : '';
    const next = data.says ? '. Next: ' + sides.map((side, i) => sideName(i) + ' ' + side.lens.texts[side.lens.rows[last][state.token].top[0][0]]).join(', ') : '';
    byId('status').textContent = quote(state.token) + (most && ' looks at ' + most) + next;
  }

  const order = () => [...Array(state.token + 1).keys()].sort((a, b) => Math.max(...looks(b)) - Math.max(...looks(a)));

  function update() {
    const one = after.patterns && pattern(after, state.layer, state.head);
    let most = 1020 / Math.max(8, state.token + 1); // four times an even look, so that one looks even
    for (let j = 0; one && j <= state.token; j++) most = Math.max(most, one[at(state.token, j)]);
    spans.forEach((span, j) => {
      const w = one && j <= state.token ? one[at(state.token, j)] : 0;
      if (w) tint(span, '--look', 0.7 * shade(w / most));
      else span.style.backgroundColor = span.style.color = '';
      span.classList.toggle('later', j > state.token && one !== null);
      span.classList.toggle('at', j === state.token);
      span.classList.toggle('pinned', j === state.held);
      span.setAttribute('aria-selected', j === state.token);
    });
    if (one) updateLooks();
    if (data.says) updateNext();
    lensHeads.forEach(heads => heads.forEach((head, t) => head.classList.toggle('at', t === state.token)));
    if (after.norms) {
      byId('normAt').setAttribute('d', path(i => after.norms[i][state.token]));
      if (isCompared) byId('normWas').setAttribute('d', path(i => sides[0].norms[i][state.token]));
      byId('normName').textContent = quote(state.token) + ': ' + sides.map(side => side.norms.at(-1)[state.token].toFixed(1)).join(' → ') + ' at the end';
    }
  }

  function updateLooks() {
    for (const button of byId('heads').querySelectorAll('button')) button.setAttribute('aria-pressed', button.dataset.key === state.layer + ' ' + state.head);
    byId('chosen').textContent = nameOf(state.layer, state.head);
    byId('looks').replaceChildren(...order().slice(0, 6).flatMap(j => {
      const shares = looks(j), bars = make('div', 'bars');
      shares.forEach((p, i) => {
        const bar = make('div', i < shares.length - 1 ? 'bar before' : 'bar');
        bar.style.width = 100 * p + '%';
        bars.append(bar);
      });
      return [make('span', 'mono', quote(j)), bars, make('span', 'number', arrow(shares))];
    }));
    byId('looker').textContent = quote(state.token) + ' looks at' + (isCompared ? ', before and after' : '');
  }

  // what the model says after the chosen token
  function updateNext() {
    byId('nextName').textContent = 'after ' + quote(state.token);
    const boxes = sides.map((side, i) => {
      const box = make('div'), list = make('div', 'likely'), cell = side.lens.rows[last][state.token];
      if (isCompared) box.append(make('h3', '', sideName(i)));
      for (const [id, p] of cell.top) {
        const bar = make('div', 'bar');
        bar.style.width = 100 * p + '%';
        list.append(make('span', 'mono', side.lens.texts[id]), bar, make('span', 'number', percent(p)));
      }
      box.append(list);
      return box;
    });
    const cells = sides.map(side => side.lens.rows[last][state.token]);
    const foot = make('p', 'foot', (cells[0].rank ? 'The text has ' + quote(state.token + 1) + ': ' + arrow(cells.map(cell => cell.next)) + ', place ' + cells.map(cell => cell.rank).join(' → ') + '. ' : '')
      + 'Undecided by ' + cells.map(cell => cell.entropy.toFixed(1)).join(' → ') + ' bits.');
    byId('next').replaceChildren(...boxes, foot);
    byId('next').className = isCompared ? 'sides' : '';
  }

  // the logit lens
  const lensHeads = [];
  function drawLens(side, i) {
    const table = make('table', 'lens'), head = make('tr'), lens = side.lens, heads = [];
    table.setAttribute('role', 'grid');
    table.setAttribute('aria-label', 'Logit lens' + (isCompared ? ' ' + sideName(i) : ''));
    head.append(make('th', '', 'reads'));
    tokens.forEach((text, t) => {
      const th = make('th', '', text);
      th.title = t + ': ' + text;
      th.scope = 'col';
      heads.push(th);
      head.append(th);
    });
    lensHeads.push(heads);
    table.createTHead().append(head);
    const body = table.createTBody();
    const cells = lens.rows.map((row, l) => {
      const line = make('tr'), name = make('th', '', 'layer ' + data.layers[l]);
      name.scope = 'row';
      line.append(name);
      body.append(line);
      return row.map((cell, t) => {
        const [id, p] = cell.top[0], other = sides[0].lens.rows[l][t].top[0][0];
        const isOther = i > 0 && lens.texts[id] !== sides[0].lens.texts[other];
        const td = make('td', (cell.rank === 1 ? 'hit' : '') + (isOther ? ' other' : ''), lens.texts[id]);
        themed.push(() => tint(td, '--lens', 0.06 + 0.94 * p));
        td.setAttribute('aria-label', 'after ' + quote(t) + ', layer ' + data.layers[l] + ': ' + cell.top.map(([id, p]) => lens.texts[id] + ' ' + percent(p)).join(', '));
        line.append(td);
        return td;
      });
    });
    const foot = make('tr');
    foot.append(make('th', '', 'the text'));
    tokens.forEach((_, t) => foot.append(make('td', '', t + 1 < n ? tokens[t + 1] : '–')));
    table.createTFoot().append(foot);
    const box = make('div'), scroll = make('div', 'scroll');
    if (isCompared) box.append(make('h3', '', sideName(i)));
    scroll.append(table);
    box.append(scroll);
    byId('lenses').append(box);
    table.addEventListener('mousemove', event => {
      const td = event.target.closest('tbody td');
      if (td) lensTip(side, td.parentElement.sectionRowIndex, td.cellIndex - 1, event.clientX, event.clientY);
      else hideTip();
    });
    table.addEventListener('mouseleave', hideTip);
    table.addEventListener('focusout', hideTip);
    rove(table, cells, (l, t) => {
      if (!cells[l][t].matches(':focus-visible')) return;
      const place = cells[l][t].getBoundingClientRect();
      lensTip(side, l, t, place.right, place.bottom);
    });
    return scroll;
  }

  function lensTip(side, l, t, x, y) {
    const cell = side.lens.rows[l][t];
    if (state.held < 0 && t !== state.token) select(t);
    showTip(
      x, y, 'after ' + quote(t) + ', layer ' + data.layers[l] + ' would say', cell.top.map(([i, p]) => [side.lens.texts[i], p]),
      'undecided by ' + cell.entropy.toFixed(1) + ' bits' + (cell.rank ? '\nthe text has ' + quote(t + 1) + ': ' + percent(cell.next) + ', place ' + cell.rank : ''));
  }

  // the norms of the residual stream, on a logarithmic scale
  let path = null;
  function drawNorms() {
    const svg = byId('norms'), all = sides.flatMap(side => side.norms.flat()).filter(v => v > 0), steps = after.norms.length - 1;
    const low = Math.floor(Math.log10(Math.min(...bounds(all))) * 2) / 2, high = Math.ceil(Math.log10(Math.max(...bounds(all))) * 2) / 2;
    const width = 1160, height = 260, left = 52, right = 12, top = 12, bottom = 30;
    const x = i => left + (width - left - right) * i / Math.max(1, steps);
    const y = v => top + (height - top - bottom) * (high - Math.log10(Math.max(v, 10 ** low))) / Math.max(.5, high - low);
    svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
    const draw = (name, attributes, text) => {
      const element = document.createElementNS('http://www.w3.org/2000/svg', name);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      if (text !== undefined) element.textContent = text;
      svg.append(element);
      return element;
    };
    const mean = i => after.norms[i].reduce((a, b) => a + b) / n;
    svg.setAttribute('aria-label', 'Mean norm of the residual stream: input ' + after.norms.map((_, i) => (i ? 'layer ' + (i - 1) + ' ' : '') + mean(i).toFixed(1)).join(', '));
    path = value => after.norms.map((_, i) => (i ? 'L' : 'M') + x(i).toFixed(1) + ' ' + y(value(i)).toFixed(1)).join('');
    for (let exponent = low; exponent <= high + .01; exponent += .5) {
      draw('line', { class: 'grid', x1: left, x2: width - right, y1: y(10 ** exponent), y2: y(10 ** exponent) });
      draw('text', { x: left - 8, y: y(10 ** exponent) + 4, 'text-anchor': 'end' }, (10 ** exponent).toPrecision(2) * 1);
    }
    const every = Math.ceil((steps + 1) / 16);
    after.norms.forEach((_, i) => { if (i % every === 0 || i === steps) draw('text', { x: x(i), y: height - 8, 'text-anchor': i === steps ? 'end' : i ? 'middle' : 'start' }, i ? 'layer ' + (i - 1) : 'input'); });
    const stride = Math.ceil(n / 200);
    for (let t = 0; t < n; t += stride) draw('path', { class: 'one', opacity: n > 60 ? .1 : .22, d: path(i => after.norms[i][t]) });
    draw('path', { class: 'mean', d: path(mean) });
    if (isCompared) draw('path', { class: 'was', id: 'normWas' });
    draw('path', { class: 'at', id: 'normAt' });
    if (isCompared) byId('normNote').textContent += ' Dotted: the chosen one before.';
  }
  const bounds = values => values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, 1e-6]);

  function fill(select, numbers, word) {
    if (numbers.length > 1) select.append(new Option('mean of all', -1));
    numbers.forEach((number, i) => select.append(new Option(word + ' ' + number, i)));
  }

  if (data.changes.length) {
    byId('changes').append(...data.changes.map(change => make('li', '', change)));
    byId('changesSection').hidden = false;
  }
  byId('text').append(...spans);
  const walkTo = rove(byId('text'), [spans], (_, t) => {
    if (!spans[t].matches(':focus-visible')) return;
    state.held = t;
    select(t);
    tellToken();
  });
  walkTo(0, state.token);
  byId('text').addEventListener('keydown', event => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    hold(state.token);
  });
  if (data.says) byId('nextSection').hidden = false;
  if (after.patterns) {
    state.layer = data.layers.length > 1 ? -1 : 0;
    state.head = data.heads.length > 1 ? -1 : 0;
    fill(byId('layer'), data.layers, 'layer');
    fill(byId('head'), data.heads, 'head');
    byId('layer').addEventListener('change', event => choose(Number(event.target.value), state.head));
    byId('head').addEventListener('change', event => choose(state.layer, Number(event.target.value)));
    byId('attention').hidden = false;
    byId('choice').hidden = false;
    byId('differenceNote').hidden = !isCompared;
    document.querySelector('.split').classList.toggle('compared', isCompared);
    makeMaps();
    addEventListener('resize', drawMaps);
  }
  if (after.lens) {
    byId('lenses').className = isCompared ? 'sides' : '';
    byId('otherNote').hidden = !isCompared;
    scrollTogether(sides.map(drawLens));
    byId('lensSection').hidden = false;
  }
  if (after.norms) {
    drawNorms();
    byId('normSection').hidden = false;
  }
  for (const grid of data.grids) {
    const section = make('section'), head = make('div', 'head');
    head.append(make('h2', '', grid.title));
    section.append(head);
    byId('grids').append(section);
    drawGrid(section, grid);
  }
  if (after.patterns) themed.push(drawHeads, drawMaps);
  themed.push(update);
  chooseTheme();
})();
