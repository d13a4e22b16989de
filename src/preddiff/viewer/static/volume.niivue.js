"use strict";
/* Planes and rendering by NiiVue. It gets the scan, and the map as finished colours: NiiVue's own
   colour maps and thresholds would follow rules of their own, and differ from the figures. */

const LAYOUTS = { axial: 0, coronal: 1, sagittal: 2, planes: 3, all: 3, rendering: 4 };

const TWO_BY_TWO = 2; // arrangement of the planes, however wide the page

const ANTIALIAS = false; // slices are pixels, and without a GPU it costs time

const GREYS = { scan: [0, 255], reversed: [255, 0] };

const ALPHA = [0, 15]; // in the rendering: air is transparent, and tissue lets evidence be seen

class NiivueRenderer {
  /** Whether a canvas has WebGL2. The canvas itself is asked: a second context would cost memory. */
  static works(canvas) {
    return canvas.getContext("webgl2", { alpha: true, antialias: ANTIALIAS }) !== null;
  }

  /** Load NiiVue from the page; the policy allows it by its hash. */
  static async load() {
    const library = document.createElement("script");
    library.textContent = new TextDecoder().decode(await unpackElement("niivue"));
    document.head.append(library);
  }

  constructor(canvas, onPick) {
    this.canvas = canvas;
    this.niivue = new niivue.Niivue({
      backColor: [0, 0, 0, 1],
      crosshairColor: [0.1, 0.75, 0.2, 1],
      crosshairGap: 6,
      crosshairWidth: 0.4,
      dragAndDropEnabled: false,
      fontColor: [0.8, 0.8, 0.8, 1],
      isForceMouseClickToVoxelCenters: true,
      isNearestInterpolation: true,
      loadingText: "",
      logLevel: "silent",
      multiplanarLayout: TWO_BY_TWO,
      multiplanarPadPixels: 24,
      tileMargin: 8,
      renderOverlayBlend: 0.4,
      showAllOrientationMarkers: true,
      scrollRequiresFocus: true,
    });
    for (const [name, [dark, bright]] of Object.entries(GREYS)) {
      const levels = [dark, bright];
      this.niivue.addColormap(name, { R: levels, G: levels, B: levels, A: ALPHA, I: [0, 255] });
    }
    const interpolate = this.niivue.updateInterpolation.bind(this.niivue);
    this.niivue.updateInterpolation = (layer, isLinear) => interpolate(layer, isLinear || layer === 0);
    // Slices of the scan are smoothed, those of the map are not: its voxels are what was computed.
    this.niivue.onLocationChange = ({ vox }) => onPick(inside([...vox]));
  }

  async start() {
    await this.niivue.attachToCanvas(this.canvas, ANTIALIAS);
    await new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)));
    // Its canvas has now got its size, so that the first picture is not drawn twice.
  }

  redraw() {
    this.niivue.drawScene();
  }

  async draw(view) {
    const before = this.shown ?? {};
    const differs = (...names) => names.some((name) => view[name] !== before[name]);
    this.shown = view;
    if (differs("grey")) await this.load(view);
    if (differs("reversed")) this.paintScan(view);
    if (differs("reversed", "overlay", "opacity")) this.paintMap(view);
    const { opts, scene } = this.niivue;
    opts.sliceType = LAYOUTS[view.layout];
    opts.multiplanarShowRender = view.layout === "all" ? 1 : 0;
    opts.isRadiologicalConvention = view.radiological;
    opts.isOrientationTextVisible = opts.isOrientCube = facts.scan.oriented;
    if (differs("azimuth")) scene.renderAzimuth = view.azimuth;
    scene.crosshairPos = this.niivue.vox2frac(view.voxel);
    this.redraw();
  }

  /** Load the scan, and a volume of colours on the same grid: the scan's header with another type. */
  async load({ grey }) {
    const read = niivue.NVImage.new;
    const coloured = new Uint8Array(HEADER + 4 * grey.levels.length);
    coloured.set(new Uint8Array(grey.nifti, 0, HEADER));
    const header = new DataView(coloured.buffer);
    header.setInt16(70, 2304, true); // RGBA
    header.setInt16(72, 32, true); // bits per voxel
    header.setFloat32(112, 1, true); // slope
    header.setFloat32(116, 0, true);
    const back = await read(grey.nifti.slice(0), "scan.nii", "scan", 1, null, ...facts.scan.contrast);
    const front = await read(coloured.buffer, "map.nii");
    const viewer = this.niivue;
    [viewer.volumes, viewer.back, viewer.overlays] = [[back, front], back, [front]];
  }

  paintScan({ reversed }) {
    const viewer = this.niivue;
    viewer.opts.backColor = reversed ? [1, 1, 1, 1] : [0, 0, 0, 1];
    viewer.opts.fontColor = reversed ? [0.2, 0.2, 0.2, 1] : [0.8, 0.8, 0.8, 1];
    viewer.back.colormap = reversed ? "reversed" : "scan";
    viewer.refreshLayers(viewer.back, 0);
    viewer.furthestVertexFromOrigin = viewer.volumeObject3D.furthestVertexFromOrigin;
  }

  paintMap({ overlay, opacity }) {
    const [front] = this.niivue.overlays;
    front.img = new Uint8Array(overlay.buffer);
    front.opacity = opacity;
    this.niivue.refreshLayers(front, 1);
  }
}
