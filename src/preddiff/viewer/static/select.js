"use strict";
/* The elements of the page, by CSS selectors. */

const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
