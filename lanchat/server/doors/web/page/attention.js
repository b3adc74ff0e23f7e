// What calls somebody back to a page that is not in view: a number in its title, a dot in its icon, a tone, vibration.
// A page that came over http may show no notifications.

const TONE = 0.15; // s
const VIBRATION = 80; // ms

class Attention {
  constructor() {
    this.store = new Storage(() => localStorage);
    this.title = "lanchat";
    this.unread = 0;
    this.audio = null;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.show(0);
    });
    const tone = find("tone");
    tone.checked = this.store.get("lanchat tone") === true;
    tone.addEventListener("change", () => {
      this.store.set("lanchat tone", tone.checked);
      if (tone.checked) this.play();
    });
    this.show(0);
  }

  name(title) {
    this.title = title;
    this.show(this.unread);
  }

  // Something has come for the person.
  call() {
    if (!document.hidden) return;
    this.show(this.unread + 1);
    if (navigator.vibrate) navigator.vibrate(VIBRATION);
    if (find("tone").checked) this.play();
  }

  show(unread) {
    this.unread = unread;
    document.title = unread ? `(${unread}) ${this.title}` : this.title;
    const dot = unread ? "<circle cx='52' cy='12' r='12' fill='#c8371b'/>" : "";
    const bubble = "M12 8h40a8 8 0 0 1 8 8v24a8 8 0 0 1-8 8H30L16 60V48h-4a8 8 0 0 1-8-8V16a8 8 0 0 1 8-8z";
    const picture = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 64 64'><path fill='#1f5fd0' d='${bubble}'/>${dot}</svg>`;
    find("icon").href = `data:image/svg+xml,${encodeURIComponent(picture)}`;
  }

  // Browsers allow it only after somebody has touched the page.
  play() {
    const Audio = window.AudioContext || window.webkitAudioContext;
    if (!Audio) return;
    try {
      this.audio = this.audio || new Audio();
      if (this.audio.resume) this.audio.resume().catch(() => {});
      const [tone, volume] = [this.audio.createOscillator(), this.audio.createGain()];
      const now = this.audio.currentTime;
      tone.frequency.value = 660;
      volume.gain.setValueAtTime(0.15, now);
      volume.gain.exponentialRampToValueAtTime(0.001, now + TONE);
      tone.connect(volume).connect(this.audio.destination);
      tone.start(now);
      tone.stop(now + TONE);
    } catch (error) {
      console.warn(String(error));
    }
  }
}
