package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"nhip/api/web"
)

// browserTime bounds the browser's test: WebGL is drawn in software here.
const browserTime = 3 * time.Minute

// TestTheMapInABrowser opens the map of a simulated city in Chromium. The script waits for buses,
// sees them move, and leaves screenshots in TEST_OUTPUT.
func TestTheMapInABrowser(t *testing.T) {
	script := needBrowser(t)
	p := up(t, filepath.Join(t.TempDir(), "data"), "--simulate")
	ctx, cancel := context.WithTimeout(t.Context(), browserTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Env = append(os.Environ(), "NHIP_URL="+p.HTTP)
	if os.Getenv("TEST_OUTPUT") == "" {
		cmd.Env = append(cmd.Env, "TEST_OUTPUT="+t.TempDir())
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("the browser's test fails: %v\nnhip said:\n%s", err, p.stderr)
	}
}

// needBrowser returns the script, or skips the test and says what is missing.
func needBrowser(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../api/web")
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
	return filepath.Join(root, "e2e", "map.mjs")
}
