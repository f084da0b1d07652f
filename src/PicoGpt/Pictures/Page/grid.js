(() => {
  const grid = JSON.parse(byId('data').textContent), nameOf = drawGrid(byId('grid'), grid), limit = greatest([grid]);
  const all = grid.values.flatMap((row, r) => row.map((value, c) => [value ?? 0, r, c])).filter(([value]) => show(value) !== '0').sort((a, b) => Math.abs(b[0]) - Math.abs(a[0]));
  for (const [value, row, column] of all.slice(0, 10)) {
    const item = byId('rank').appendChild(make('li')), size = make('span', value < 0 ? 'size less' : 'size');
    size.style.width = (100 * Math.abs(value) / limit).toFixed(1) + '%';
    const name = make('span', 'name', nameOf(row, column));
    name.title = name.textContent;
    item.append(name, size, make('span', 'number', show(value)));
  }
  byId('largest').hidden = !byId('rank').children.length;
  chooseTheme();
})();
