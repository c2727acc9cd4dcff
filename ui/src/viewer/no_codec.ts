/** Stands where NiiVue would load a decompressor for Zarr, which this page never opens. */
export default class NoCodec {
  static fromConfig(): never {
    throw new Error("This viewer reads NIfTI, not Zarr.");
  }
}
