import { defineConfig } from "vite";

// NiiVue also reads Zarr, whose decompressors are 1.4 MB of WebAssembly. The server never sends Zarr.
const noZarr = ["blosc", "lz4", "zstd"].map((codec) => ({ find: `numcodecs/${codec}`, replacement: "/src/viewer/no_codec.ts" }));

export default defineConfig({
  resolve: { alias: noZarr },
  build: {
    target: "es2022",
    // No data: addresses in scripts or styles, so that the server may send a strict Content-Security-Policy.
    assetsInlineLimit: 0,
    // NiiVue is one chunk of its own, loaded when a person opens the viewer.
    chunkSizeWarningLimit: 4000,
    emptyOutDir: true,
  },
});
