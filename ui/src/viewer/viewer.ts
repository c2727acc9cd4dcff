import { Niivue, SHOW_RENDER, SLICE_TYPE } from "@niivue/niivue";

/** Which colours the masks of a scan get, in their order. */
const MASK_COLOURS = ["red", "cyan", "green", "violet"];
const MASK_OPACITY = 0.5;
const CROSS_COLOUR = [0.49, 0.77, 0.84, 0.6];

/** NiiVue on one canvas. It asks the server of the page for the scan, and nobody else for anything. */
export class Viewer {
  private constructor(private readonly niivue: Niivue) {}

  static async on(canvas: HTMLCanvasElement): Promise<Viewer> {
    // The page's own keys would otherwise turn NiiVue's views and clip planes too.
    const noKeys = { viewModeHotKey: "", clipPlaneHotKey: "" };
    const looks = { backColor: [0, 0, 0, 1], crosshairColor: CROSS_COLOUR, crosshairWidth: 0.5, loadingText: "" };
    const niivue = new Niivue({ ...noKeys, ...looks, multiplanarShowRender: SHOW_RENDER.NEVER, dragAndDropEnabled: false, isResizeCanvas: true });
    await niivue.attachToCanvas(canvas);
    niivue.setSliceType(SLICE_TYPE.MULTIPLANAR);
    return new Viewer(niivue);
  }

  /** Show a scan with its masks in the place of the one before. */
  async show(url: string, masks: string[], masksOn: boolean): Promise<void> {
    const layers = masks.map((mask, place) => ({ url: mask, colormap: MASK_COLOURS[place % MASK_COLOURS.length] ?? "red", opacity: masksOn ? MASK_OPACITY : 0 }));
    await this.niivue.loadVolumes([{ url }, ...layers]);
  }

  masks(on: boolean): void {
    for (let place = 1; place < this.niivue.volumes.length; place++) this.niivue.setOpacity(place, on ? MASK_OPACITY : 0);
  }
}
