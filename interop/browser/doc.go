// Package browser looks at our HTML pages in a real browser, a headless
// Chromium. Everything in it is a test; it is in a module of its own so that
// nobody who uses hsharness depends on what drives the browser.
package browser
