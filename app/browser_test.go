package app_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"nhip/api/web"
	"nhip/app"
	"nhip/app/apptest"
)

// browserTimeout bounds a browser test: without a GPU, WebGL is rendered in software, which takes minutes on a busy
// machine.
const browserTimeout = 12 * time.Minute

// TestRidersAppInBrowser uses the riders' app of a simulated city in Chromium: with one hand, without seeing it, and as
// a tourist. It writes screenshots to TEST_OUTPUT.
func TestRidersAppInBrowser(t *testing.T) {
	script := requireBrowser(t, "rider.mjs")
	o := apptest.Options(t, t.TempDir(), "")
	o.Simulate = true
	o.Buses = 100 // enough for the map of the city's centre
	runInBrowser(t, apptest.Start(t, app.Up, o), script)
}

// TestBasemapInBrowser lets Chromium read a base map in one file, range by range.
func TestBasemapInBrowser(t *testing.T) {
	script := requireBrowser(t, "basemap.mjs")
	file := apptest.WriteFile(t, "base.pmtiles", string(oneTile(t)))
	runInBrowser(t, apptest.Up(t, t.TempDir(), fmt.Sprintf("map: {pmtiles: %q}", file)), script)
}

// oneTile returns a PMTiles file with one tile, of the whole world.
func oneTile(t *testing.T) []byte {
	t.Helper()
	var tile bytes.Buffer
	green := color.Palette{color.NRGBA{R: 200, G: 220, B: 200, A: 255}}
	if err := png.Encode(&tile, image.NewPaletted(image.Rect(0, 0, 256, 256), green)); err != nil {
		t.Fatal(err)
	}
	directory := []byte{1, 0, 1} // one entry: tile 0, one repetition
	directory = binary.AppendUvarint(directory, uint64(tile.Len()))
	directory = append(directory, 1) // at offset 0
	const head, metadata = 127, "{}"
	b := append([]byte("PMTiles"), 3)
	at := uint64(head)
	// Root directory, metadata, leaf directories, tiles.
	for _, size := range []int{len(directory), len(metadata), 0, tile.Len()} {
		b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, at), uint64(size))
		at += uint64(size)
	}
	for range 3 { // counts of addressed tiles, entries and contents
		b = binary.LittleEndian.AppendUint64(b, 1)
	}
	b = append(b, 1, 1, 1, 2, 0, 0) // clustered, no compression, PNG, zoom 0 to 0
	for _, degrees := range []int32{-180, -85, 180, 85} {
		b = binary.LittleEndian.AppendUint32(b, uint32(degrees*1e7))
	}
	b = append(b, make([]byte, head-len(b))...) // the center
	return append(append(append(b, directory...), metadata...), tile.Bytes()...)
}

// runInBrowser runs a script against a running platform.
func runInBrowser(t *testing.T, p *apptest.Platform, script string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Env = append(os.Environ(), "NHIP_URL="+p.HTTP, "NHIP_TOKEN="+p.Token(t))
	if os.Getenv("TEST_OUTPUT") == "" {
		cmd.Env = append(cmd.Env, "TEST_OUTPUT="+t.TempDir())
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("the script failed: %v", err)
	}
}

// requireBrowser returns the path of a script, or skips the test if the browser or the built map is missing.
func requireBrowser(t *testing.T, script string) string {
	t.Helper()
	root, err := filepath.Abs("../api/web")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := web.Files().Open("index.html"); err != nil {
		t.Skip("the web map is not built: run make build")
	}
	if _, err := os.Stat(filepath.Join(root, "node_modules", "playwright-core")); err != nil {
		t.Skip("playwright-core is not installed: run make build")
	}
	for _, program := range []string{"node", "chromium"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: run make deps", program)
		}
	}
	return filepath.Join(root, "e2e", script)
}
