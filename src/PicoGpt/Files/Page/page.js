'use strict';
const root = document.documentElement;
const byId = id => document.getElementById(id);
const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const percent = p => p === null ? '' : p >= 0.995 ? '100 %' : p >= 0.0995 ? (100 * p).toFixed(0) + ' %' : p >= 0.001 ? (100 * p).toFixed(1) + ' %' : '< 0.1 %';

// One stop for the Tab key among items in rows; the arrow keys, Home and End walk from one to another.
const rove = (container, rows, reached) => {
  let at = [0, 0];
  const set = (row, column) => {
    rows[at[0]][at[1]].tabIndex = -1;
    rows[row][column].tabIndex = 0;
    at = [row, column];
  };
  rows.forEach((row, r) => row.forEach((item, c) => {
    item.tabIndex = -1;
    item.addEventListener('focus', () => {
      set(r, c);
      reached?.(r, c);
    });
  }));
  set(0, 0);
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  container.addEventListener('keydown', event => {
    if (event.altKey || event.metaKey) return;
    const step = steps[event.key], [row, column] = at;
    const next = step ? (rows.length === 1 ? [0, column + step[0] + step[1]] : [row + step[0], column + step[1]])
      : event.key === 'Home' ? [event.ctrlKey ? 0 : row, 0]
      : event.key === 'End' ? [event.ctrlKey ? rows.length - 1 : row, rows[row].length - 1] : null;
    if (!next) return;
    event.preventDefault();
    rows[next[0]]?.[next[1]]?.focus();
  });
  return set;
};

// A colour of the style by its name, as three numbers.
let colours = {};
const colour = name => colours[name] ??= (value => value.startsWith('#') ? [1, 3, 5].map(i => parseInt(value.slice(i, i + 2), 16)) : value.split(' ').map(Number))(getComputedStyle(root).getPropertyValue(name).trim());
const css = rgb => 'rgb(' + rgb.map(Math.round).join(' ') + ')';
const mix = (from, to, share) => from.map((value, i) => value + (to[i] - value) * share);

// How well one colour is read on another, 1 to 21, and the ink that is read on one: the page's own, or else black or white, whichever is better,
// which is never below 4.5 (W3C, "Web Content Accessibility Guidelines 2.2").
const luminance = rgb => rgb.map(value => value / 255).map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4).reduce((sum, value, i) => sum + [0.2126, 0.7152, 0.0722][i] * value, 0);
const contrast = (a, b) => (one => (Math.max(...one) + 0.05) / (Math.min(...one) + 0.05))([a, b].map(luminance));
const inkOn = back => contrast(colour('--ink'), back) >= 4.5 ? '' : contrast([0, 0, 0], back) > contrast([255, 255, 255], back) ? '#000' : '#fff';

// Colours what stands behind a text, and the text so that it can be read.
const paintBack = (element, back) => {
  element.style.backgroundColor = css(back);
  element.style.color = inkOn(back);
};
const tint = (element, name, share) => paintBack(element, mix(colour('--panel'), colour(name), share));

// The colours that the system asks for, and the button for the others; what colours by itself is called for each.
const themed = [];
const chooseTheme = () => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const set = name => {
    root.dataset.theme = name;
    colours = {};
    byId('theme').textContent = name === 'dark' ? 'light' : 'dark';
    byId('theme').setAttribute('aria-label', 'Show in ' + byId('theme').textContent + ' colours');
    themed.forEach(paint => paint());
  };
  dark.addEventListener('change', () => set(dark.matches ? 'dark' : 'light'));
  byId('theme').addEventListener('click', () => set(root.dataset.theme === 'dark' ? 'light' : 'dark'));
  set(dark.matches ? 'dark' : 'light');
};
