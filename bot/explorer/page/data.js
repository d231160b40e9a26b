// Served, the page asks the API. `segue explore --export` writes the answers here instead.
window.SEGUE_DATA = null;
