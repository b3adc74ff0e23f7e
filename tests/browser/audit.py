"""What is wrong with the page as it is shown: a program that runs in it, and gives a list of complaints."""

AUDIT = """() => {
    const found = [];
    const shown = (element) => element.getClientRects().length > 0;
    const top = document.querySelector("dialog[open]") || document.body;
    for (const control of top.querySelectorAll("button, input, textarea")) {
        if (!shown(control) || control.type === "checkbox") continue; // a checkbox is hit by its label
        const { width, height } = control.getBoundingClientRect();
        const name = control.getAttribute("aria-label") || control.textContent.trim() || (control.labels || []).length;
        if (!name) found.push(["has no name", control.id || control.className]);
        if (width < 44 || height < 44) found.push(["is small", control.id || control.textContent, width, height]);
    }
    for (const box of document.querySelectorAll("html, #log, #side, header, #composer, dialog[open]")) {
        if (shown(box) && box.scrollWidth > box.clientWidth + 1) found.push(["is too wide", box.id || box.tagName]);
    }
    const parts = (color) => {
        const numbers = color.match(/[0-9.]+/g).map(Number);
        return numbers.length < 4 ? [...numbers, 1] : numbers;
    };
    const over = (above, below) => [0, 1, 2].map((at) => above[at] * above[3] + below[at] * (1 - above[3]));
    const behind = (element) => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) layers.unshift(parts(getComputedStyle(at).backgroundColor));
        return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
    };
    const light = (color) => {
        const shares = color.map((value) => value / 255);
        const linear = shares.map((share) => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const texts = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !shown(element) || element.closest(".unseen")) continue;
        const back = behind(element);
        const front = over(parts(getComputedStyle(element).color), back);
        const [dark, bright] = [light(back), light(front)].sort((one, other) => one - other);
        const contrast = (bright + 0.05) / (dark + 0.05);
        if (contrast < 4.5) found.push(["has little contrast", texts.currentNode.data.slice(0, 20), contrast]);
    }
    return found;
}"""
