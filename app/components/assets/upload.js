// One file in chunks: HEAD tells how much arrived, PATCH appends, DELETE gives up.
// State lives on the root element, because this function is called again at every rerun of the page.

const RETRY_SECONDS = [0.5, 1, 2, 4, 8, 15];

const size = (bytes) =>
  bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  // a ZIP has an address and a cap of its own
  const pickKind = (now, file) =>
    now.archives.some((suffix) => file.name.toLowerCase().endsWith(suffix)) ? now.kinds.archive : now.kinds.table;
  const root = parentElement.querySelector(".drop");
  const find = (name) => root.querySelector(`.${name}`);
  const words = data.words;

  root.latest = { data, setTriggerValue };
  find("label").textContent = words.label;
  find("types").textContent = words.types;
  find("file").accept = data.accept;
  root.setAttribute("aria-label", words.label);
  if (root.isReady) return;
  root.isReady = true;

  const show = (busy) => {
    find("idle").hidden = busy;
    find("busy").hidden = !busy;
  };
  const fault = (text, file = null) => {
    find("fault").textContent = text;
    find("fault").hidden = !text;
    root.unsent = file;
    find("again").hidden = !file;
  };
  const draw = (sent, total) => {
    const share = total ? Math.round((100 * sent) / total) : 100;
    find("bar").style.width = `${share}%`;
    find("track").setAttribute("aria-valuenow", share);
    find("amount").textContent = `${size(sent)} / ${size(total)} ${words.sending}`;
  };

  async function askOffset(address, signal) {
    const answer = await fetch(address, { method: "HEAD", signal, cache: "no-store" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return Number(answer.headers.get("Upload-Offset"));
  }

  async function sendChunk(address, file, offset, chunkBytes, signal) {
    const answer = await fetch(address, {
      method: "PATCH",
      body: file.slice(offset, offset + chunkBytes),
      headers: { "Upload-Offset": String(offset), "Content-Type": "application/octet-stream" },
      signal,
    });
    if (answer.ok) return Number(answer.headers.get("Upload-Offset"));
    if (answer.status === 409 || answer.status === 408) return askOffset(address, signal);
    const body = await answer.json().catch(() => ({}));
    const error = new Error(body.error || `HTTP ${answer.status}`);
    error.isFinal = true;
    throw error;
  }

  // A chunk that was broken off may hold the upload for a moment: 409 says so.
  async function discard(address) {
    for (let attempt = 0; attempt < 20; attempt++) {
      const answer = await fetch(address, { method: "DELETE" });
      if (answer.status !== 409) return;
      await pause(0.25);
    }
  }

  async function send(file, goesOn = false) {
    const { data: now } = root.latest;
    if (root.isBusy) return;
    fault("");
    const { address, max_bytes, too_large } = pickKind(now, file);
    if (file.size > max_bytes)
      return fault(too_large.replace("{name}", () => file.name).replace("{size}", size(file.size)));
    root.isBusy = true;
    root.stop = new AbortController();
    const signal = root.stop.signal;
    find("name").textContent = file.name;
    find("note").textContent = "";
    show(true);
    find("cancel").focus();
    draw(0, file.size);
    try {
      let failures = 0;
      let offset = await askOffset(address, signal);
      if (offset > 0 && !goesOn) {
        // what lies there belongs to an attempt that was given up
        await discard(address);
        offset = 0;
      }
      do {
        try {
          offset = await sendChunk(address, file, offset, now.chunk_bytes, signal);
          failures = 0;
          find("note").textContent = "";
          draw(offset, file.size);
        } catch (error) {
          if (signal.aborted || error.isFinal || failures >= RETRY_SECONDS.length) throw error;
          find("note").textContent = words.retrying;
          await pause(RETRY_SECONDS[failures++]);
          if (signal.aborted) throw error;
          offset = await askOffset(address, signal).catch(() => offset);
        }
      } while (offset < file.size);
      root.latest.setTriggerValue("done", { upload: now.upload, name: file.name, size: file.size });
    } catch (error) {
      if (signal.aborted) await discard(address).catch(() => {});
      else fault(`${words.failed} ${error.isFinal ? error.message : words.lost}`, error.isFinal ? null : file);
    } finally {
      root.isBusy = false;
      show(false);
      find(root.unsent ? "again" : "choose").focus();
    }
  }

  find("choose").onclick = () => find("file").click();
  find("again").onclick = () => root.unsent && send(root.unsent, true);
  find("cancel").onclick = () => root.stop && root.stop.abort();
  find("file").onchange = (event) => {
    const file = event.target.files[0];
    event.target.value = ""; // the same file may be chosen again, mended
    if (file) send(file);
  };
  root.ondragover = (event) => {
    event.preventDefault();
    root.classList.add("over");
  };
  root.ondragleave = () => root.classList.remove("over");
  root.ondrop = (event) => {
    event.preventDefault();
    root.classList.remove("over");
    const file = event.dataTransfer.files[0];
    if (file) send(file);
  };
}
