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
