(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const MOST = 12; // bits; more have the last colour

  // what was expected has the page's own colour, what was not goes over yellow and orange to red
  const heat = { light: [[255, 255, 255], [254, 240, 190], [253, 186, 116], [239, 90, 70], [150, 20, 60]], dark: [[25, 28, 32], [66, 34, 74], [140, 44, 90], [226, 108, 60], [252, 220, 118]] };
  function heatOf(bits) {
    const stops = heat[root.dataset.theme], place = Math.min(Math.max(bits / MOST, 0), 1) * (stops.length - 1);
    const i = Math.min(Math.floor(place), stops.length - 2), t = place - i;
    return mix(stops[i], stops[i + 1], t);
  }
  function paint(element, bits) {
    if (bits !== null) paintBack(element, heatOf(bits));
  }

  // A token in the middle of a character goes with the one in which the character began.
  const places = []; // { element, tokens }
  data.forEach(text => {
    const section = make('section');
    if (data.length > 1 || text.name) {
      const head = make('div', 'head');
      head.append(make('h2', '', text.name || 'A text'), make('span', 'note', text.totals));
      section.append(head);
    }
    const box = make('div', 'text');
    box.setAttribute('dir', 'auto');
    box.setAttribute('role', 'listbox');
    box.setAttribute('aria-label', text.name || 'Text');
    let last = null;
    text.tokens.forEach(token => {
      if (token[0] === '' && last) {
        last.tokens.push(token);
        return;
      }
      const element = make('span', 'token');
      token[0].split('\n').forEach((part, i) => {
        if (i > 0) element.append(make('span', 'end', '↵'), '\n');
        element.append(part);
      });
      last = { element, tokens: [token] };
      element.dataset.place = places.length;
      element.tabIndex = -1;
      element.setAttribute('role', 'option');
      element.setAttribute('aria-selected', 'false');
      places.push(last);
      box.append(element);
    });
    section.append(box);
    byId('texts').append(section);
  });
  const bitsOf = place => place.tokens.reduce((most, token) => token[2] === null ? most : Math.max(most ?? 0, token[2]), null);

  const tip = byId('tip');
  let at = -1;
  function describe(place) {
    const parts = [];
    place.tokens.forEach(token => {
      const facts = token[2] === null ? 'not measured: nothing stands before it'
        : token[2].toFixed(2) + ' bits · ' + percent(token[3]) + ' · rank ' + token[4] + ' · entropy ' + token[5].toFixed(2);
      parts.push(make('div', 'what', '“' + token[1] + '”  ' + facts));
      const rows = make('div', 'rows');
      token[6].forEach(([text, p, isHit]) => {
        const bar = make('span', 'bar');
        bar.style.width = Math.round(90 * (p ?? 0)) + 'px';
        rows.append(make('span', isHit ? 'hit' : '', text), bar, make('span', '', percent(p)));
      });
      parts.push(rows);
    });
    return parts;
  }
  const mark = (element, isAt) => {
    element.classList.toggle('at', isAt);
    element.setAttribute('aria-selected', isAt);
  };
  function show(i) {
    if (at >= 0) mark(places[at].element, false);
    at = i;
    tip.hidden = i < 0;
    if (i < 0) return;
    const place = places[i], box = place.element.getBoundingClientRect();
    mark(place.element, true);
    tip.replaceChildren(...describe(place));
    const left = Math.min(Math.max(8, box.left), innerWidth - tip.offsetWidth - 8);
    const below = box.bottom + 8, above = box.top - tip.offsetHeight - 8;
    tip.style.left = left + 'px';
    tip.style.top = (below + tip.offsetHeight < innerHeight || above < 0 ? below : above) + 'px';
  }
  function walk(i) {
    if (places.length === 0) return;
    i = Math.min(Math.max(i, 0), places.length - 1);
    places[i].element.tabIndex = 0;
    if (at >= 0 && at !== i) places[at].element.tabIndex = -1;
    places[i].element.scrollIntoView({ block: 'nearest' });
    places[i].element.focus({ preventScroll: true });
    show(i);
  }
  const placeOf = target => { const token = target.closest?.('.token'); return token ? Number(token.dataset.place) : -1; };
  byId('texts').addEventListener('mouseover', event => show(placeOf(event.target)));
  byId('texts').addEventListener('mouseleave', () => show(-1));
  byId('texts').addEventListener('click', event => { const i = placeOf(event.target); if (i >= 0) walk(i); });
  byId('texts').addEventListener('focusin', event => { const i = placeOf(event.target); if (i >= 0) show(i); });
  addEventListener('scroll', () => { if (at >= 0) show(at); }, { passive: true });
  addEventListener('keydown', event => {
    const step = { ArrowRight: at + 1, ArrowLeft: at < 0 ? 0 : at - 1, Home: 0, End: places.length - 1 }[event.key];
    if (event.key === 'Escape') show(-1);
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    walk(step);
  });

  const most = places.map((place, i) => [i, bitsOf(place)]).filter(([, bits]) => bits !== null).sort((a, b) => b[1] - a[1]).slice(0, 10);
  byId('most').hidden = most.length < 2;
  most.forEach(([i, bits]) => {
    const item = make('li'), button = make('button', '', places[i].tokens[0][places[i].tokens.length > 1 ? 0 : 1]);
    button.type = 'button';
    button.addEventListener('click', () => walk(i));
    item.append(button, make('span', 'number', ' ' + bits.toFixed(1)));
    byId('list').append(item);
  });

  themed.push(() => {
    places.forEach(place => paint(place.element, bitsOf(place)));
    byId('scale').replaceChildren(...[0, 3, 6, 9, 12].map(bits => {
      const step = make('span', '', bits + (bits === MOST ? '+' : ''));
      paint(step, bits);
      return step;
    }));
  });
  chooseTheme();
  if (places.length > 0) places[0].element.tabIndex = 0;
})();
