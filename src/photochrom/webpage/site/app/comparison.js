// Before and after under one slider: <photo-comparison>. The slider is a range input, so keys and readers work.

const MIDDLE = 50;

class PhotoComparison extends HTMLElement {
  connectedCallback() {
    this.beforeCanvas = this.querySelector(".before");
    this.afterCanvas = this.querySelector(".after");
    this.slider = this.querySelector("input");
    this.slider.addEventListener("input", () => this.split(this.slider.value));
    this.split(MIDDLE);
  }

  /** Shows the photograph as it was; until there is an after, all of it. */
  showBefore(bitmap) {
    this.style.setProperty("--aspect", `${bitmap.width} / ${bitmap.height}`);
    this.style.setProperty("--shape", bitmap.width / bitmap.height);
    draw(this.beforeCanvas, bitmap);
    this.afterCanvas.hidden = this.slider.disabled = true;
  }

  showAfter(bitmap) {
    draw(this.afterCanvas, bitmap);
    if (this.slider.disabled) this.split(MIDDLE);
    this.afterCanvas.hidden = this.slider.disabled = false;
  }

  split(percent) {
    this.slider.value = percent;
    this.style.setProperty("--split", `${percent}%`);
  }
}

function draw(canvas, bitmap) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("bitmaprenderer").transferFromImageBitmap(bitmap);
}

customElements.define("photo-comparison", PhotoComparison);
