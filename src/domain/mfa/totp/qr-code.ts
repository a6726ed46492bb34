import { PNG } from "pngjs";
import { encode, renderSVG } from "uqr";

/** Light modules around the symbol: four of them, or some readers do not find it (ISO/IEC 18004 §9.1). */
const QUIET_ZONE = 4;
const PIXELS_PER_MODULE = 6;

/** A QR code of a text as SVG, in black on white: whatever a page's colours are, cameras read it. */
export function qrCodeSvg(text: string): string {
  return renderSVG(text, { ecc: "M", border: QUIET_ZONE, pixelSize: PIXELS_PER_MODULE });
}

/** The same as a PNG in a `data:` URL, for clients that show an image and nothing else. */
export function qrCodePngUrl(text: string): string {
  const { data, size } = encode(text, { ecc: "M", border: QUIET_ZONE });
  const side = size * PIXELS_PER_MODULE;
  const png = new PNG({ width: side, height: side });
  for (let y = 0; y < side; y++) {
    const row = data[Math.floor(y / PIXELS_PER_MODULE)];
    for (let x = 0; x < side; x++) {
      const shade = row?.[Math.floor(x / PIXELS_PER_MODULE)] ? 0 : 255;
      png.data.fill(shade, (y * side + x) * 4, (y * side + x) * 4 + 3);
      png.data[(y * side + x) * 4 + 3] = 255;
    }
  }
  // Grey without transparency, 1 channel: an eighth of the size.
  const file = PNG.sync.write(png, { colorType: 0, inputHasAlpha: true });
  return `data:image/png;base64,${file.toString("base64")}`;
}
